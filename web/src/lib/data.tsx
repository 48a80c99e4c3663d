/**
 * What signed-in people see of the server's data: asked for when it is shown, kept while they go from page to page, and
 * forgotten the moment that somebody else, or nobody, is signed in.
 */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type Auth, AuthError } from '@vestibule/client';
import type { ReactNode } from 'react';
import { useAuth } from './session.tsx';

/** Only what may pass by itself is asked for again unasked; everything else is told at once. */
const PASSING = ['network_error', 'unavailable'];
const FURTHER_TRIES = 2;

const clients = new WeakMap<Auth, QueryClient>();

/** Gives the pages below it the data of whoever is signed in. */
export function DataProvider({ children }: { children: ReactNode }) {
  return <QueryClientProvider client={dataOf(useAuth())}>{children}</QueryClientProvider>;
}

/** One per client of the server, so that the data outlives the page that asked for it, and never the user. */
export function dataOf(auth: Auth): QueryClient {
  const known = clients.get(auth);
  if (known) return known;
  const data = new QueryClient({
    defaultOptions: {
      // `always`: the browser's own word for being offline is often wrong, and what waits for it is lost on a reload.
      queries: { networkMode: 'always', retry: mayPass, retryDelay: (tries) => 500 * 2 ** tries },
      mutations: { networkMode: 'always' },
    },
  });
  let owner = auth.getState().user?.id;
  auth.subscribe(() => {
    const user = auth.getState().user?.id;
    if (user === owner) return;
    owner = user;
    data.clear();
  });
  clients.set(auth, data);
  return data;
}

function mayPass(tries: number, failure: Error): boolean {
  return tries < FURTHER_TRIES && failure instanceof AuthError && PASSING.includes(failure.code);
}
