/**
 * `@vestibule/client/react`: the session as components see it. It is whatever the client says at that moment; nothing is
 * kept here, so that Strict Mode, hot reload and hydration have nothing to confuse.
 */

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useSyncExternalStore,
} from 'react';
import type { Auth, AuthState, User } from './types.ts';

interface WithChildren {
  children?: ReactNode;
}

const AuthContext = createContext<Auth | null>(null);

/** Gives everything below it one client, made outside of any component, and has it look who is signed in. */
export function AuthProvider({ auth, children }: WithChildren & { auth: Auth }): ReactElement {
  useEffect(() => void auth.ready(), [auth]);
  return createElement(AuthContext.Provider, { value: auth }, children);
}

/** The state of the session, and the client; the component renders anew when the state changes. */
export function useAuth(): AuthState & { readonly auth: Auth } {
  const auth = useContext(AuthContext);
  if (!auth) throw new Error('useAuth needs an AuthProvider above it');
  const state = useSyncExternalStore(auth.subscribe, auth.getState, auth.getServerSnapshot);
  return { ...state, auth };
}

/** Who is signed in; `null` for nobody, and until it is known. */
export function useUser(): User | null {
  return useAuth().user;
}

/**
 * Shows `children` to whoever is signed in and sends everybody else to the login page. `fallback` is shown until that is
 * known, and while the server is out of reach. A convenience for people; what they may see is decided by the server.
 */
export function RequireAuth({ children, fallback }: WithChildren & { fallback?: ReactNode }): ReactNode {
  const { auth, status, loggedIn } = useAuth();
  useEffect(() => {
    if (status === 'signed-out') auth.toLogin();
  }, [auth, status]);
  return loggedIn ? children : fallback;
}

/** Shows `children` to whoever is signed in. */
export function SignedIn({ children }: WithChildren): ReactNode {
  return useAuth().loggedIn && children;
}

/** Shows `children` where it is known that nobody is signed in. */
export function SignedOut({ children }: WithChildren): ReactNode {
  return useAuth().status === 'signed-out' && children;
}
