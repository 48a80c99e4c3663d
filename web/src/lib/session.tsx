/**
 * The session of the built-in pages. What a session is, how it is kept and how components see it belongs to
 * `@vestibule/client`.
 */

import { type Auth, type AuthState, createAuth } from '@vestibule/client';
import { AuthProvider, useAuth as useAuthContext } from '@vestibule/client/react';
import type { ReactNode } from 'react';

/** Gives everything below it one client, and looks who is signed in. Tests pass a client of their own. */
export function SessionProvider({ client, children }: { client: Auth; children: ReactNode }) {
  return <AuthProvider auth={client}>{children}</AuthProvider>;
}

/** The client that the pages share; its session is an HttpOnly cookie of this origin. Guards send visitors about. */
export function createPageClient(): Auth {
  return createAuth({ storage: 'cookie', loginPath: null });
}

export function useAuth(): Auth {
  return useAuthContext().auth;
}

/** The current state of the session; renders anew when it changes. */
export function useSession(): AuthState {
  return useAuthContext();
}
