/**
 * Every page with its path. Pages load when they are visited, so that nobody waits for those of others.
 */

import { createBrowserRouter } from 'react-router';

export const router = createBrowserRouter([
  {
    lazy: { Component: async () => (await import('./frame.tsx')).Frame },
    HydrateFallback: () => null,
    children: [
      { path: '/', lazy: { Component: async () => (await import('./welcome-page.tsx')).WelcomePage } },
      { path: '/login', lazy: { Component: async () => (await import('./entrance.tsx')).LoginPage } },
      { path: '/register', lazy: { Component: async () => (await import('./entrance.tsx')).RegisterPage } },
      { path: '/list', lazy: { Component: async () => (await import('./list-page.tsx')).ListPage } },
      { path: '*', lazy: { Component: async () => (await import('./welcome-page.tsx')).NothingPage } },
    ],
  },
]);
