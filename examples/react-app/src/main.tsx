/**
 * Puts the parts together: one client around one router.
 */

import { AuthProvider } from '@vestibule/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { auth } from './auth.ts';
import { router } from './routes.ts';
import './style.css';

const place = document.getElementById('app');
if (!place) throw new Error('index.html has no place for the app');
createRoot(place).render(
  <StrictMode>
    <AuthProvider auth={auth}>
      <RouterProvider router={router} />
    </AuthProvider>
  </StrictMode>,
);
