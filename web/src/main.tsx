/**
 * The entry point: puts the app into the page. What the app shows is in routes.tsx.
 */

import './styles/app.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createPageClient, SessionProvider } from './lib/session.tsx';
import { Routes } from './routes.tsx';

const root = document.getElementById('app');
if (!root) throw new Error('index.html holds no #app');

createRoot(root).render(
  <StrictMode>
    <SessionProvider client={createPageClient()}>
      <Routes />
    </SessionProvider>
  </StrictMode>,
);
