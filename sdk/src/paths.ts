/**
 * Where visitors are sent: to the login page when their session has ended, and back to where they wanted to be.
 */

import type { AuthOptions } from './types.ts';

/** The path of this very origin that `next` names; `null` for everything that a browser could read as another host. */
export function localPath(next: string | null): string | null {
  if (!/^\/(?!\/)[^\\\p{Cc}]*$/u.test(next as string)) return null;
  const path = pathOf(new URL(next as string, location.origin));
  return path.startsWith('//') ? null : path;
}

export interface Paths {
  toLogin(): void;
  nextPath(): string;
}

export function pathsOf({
  loginPath = '/login',
  afterLogin = '/dashboard',
  navigate = (path) => location.assign(path),
}: AuthOptions): Paths {
  return {
    toLogin() {
      const page = globalThis.location?.pathname;
      if (!loginPath || !page || page === loginPath) return;
      navigate(`${loginPath}?next=${encodeURIComponent(pathOf(location))}`);
    },
    nextPath() {
      const path = localPath(new URLSearchParams(globalThis.location?.search).get('next'));
      return path && path.split(/[?#]/)[0] !== loginPath ? path : afterLogin;
    },
  };
}

function pathOf({ href, origin }: { href: string; origin: string }): string {
  return href.slice(origin.length);
}
