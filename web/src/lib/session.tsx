/**
 * The session as React sees it. What a session is and how it is kept belongs to `@vestibule/client`.
 */

import { type Auth, type AuthState, createAuth } from '@vestibule/client';
import { createContext, type ReactNode, useContext, useEffect, useSyncExternalStore } from 'react';

const AuthContext = createContext<Auth | null>(null);

/** Gives everything below it one client, and looks who is signed in. Tests pass a client of their own. */
export function SessionProvider({ client, children }: { client: Auth; children: ReactNode }) {
  useEffect(() => {
    void client.ready();
    const look = () => {
      // Another tab may have logged in or out; the cookie they share tells nobody.
      if (document.visibilityState === 'visible' && !client.getState().loading) client.me().catch(() => {});
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [client]);
  return <AuthContext value={client}>{children}</AuthContext>;
}

/** The client that the pages share; its session is an HttpOnly cookie of this origin. */
export function createPageClient(): Auth {
  return createAuth({ storage: 'cookie' });
}

export function useAuth(): Auth {
  const client = useContext(AuthContext);
  if (!client) throw new Error('useAuth needs a SessionProvider above it');
  return client;
}

/** The current state of the session; renders anew when it changes. */
export function useSession(): AuthState {
  const client = useAuth();
  return useSyncExternalStore(client.subscribe, client.getState);
}
