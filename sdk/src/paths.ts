/**
 * Where visitors are sent: to the login page when their session has ended, and back to where they wanted to be.
 */

import type { AuthOptions } from './types.ts';

/** The path of this very origin that `next` names; `null` for everything that a browser could read as another host. */
export function localPath(next: string | null): string | null {
  if (!next || !/^\/(?!\/)[^\\\p{Cc}]*$/u.test(next)) return null;
  const { pathname, search, hash } = new URL(next, location.origin);
  return pathname.startsWith('//') ? null : pathname + search + hash;
}

export interface Paths {
  toLogin(): void;
  nextPath(): string;
}

export function pathsOf({
  loginPath = '/login',
  afterLogin = '/dashboard',
  navigate = (path) => globalThis.location.assign(path),
}: AuthOptions): Paths {
  return {
    toLogin() {
      const { location } = globalThis;
      if (!loginPath || !location || location.pathname === loginPath) return;
      navigate(`${loginPath}?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
    },
    nextPath() {
      const path = localPath(new URLSearchParams(globalThis.location?.search).get('next'));
      return path && path.split(/[?#]/)[0] !== loginPath ? path : afterLogin;
    },
  };
}
