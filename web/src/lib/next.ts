/**
 * Where a visitor goes after logging in: reads, checks and follows `next`. The server checks it by the same rule.
 */

import { localPath } from '@vestibule/client';

const FALLBACK = '/dashboard';
const BUILT_IN = /^\/(login|register|dashboard|account|admin(\/(audit|users(\/[^/]+)?))?)$/;

/** The path to go on to: one of this very origin, or else the login page would be a springboard for phishing. */
export function nextFrom(search: string): string {
  const path = localPath(new URLSearchParams(search).get('next'));
  // Log in and register would only send a signed-in visitor back here.
  return path === null || ['/login', '/register'].includes(pageOf(path)) ? FALLBACK : path;
}

/** Whether a path is a page of this app; everything else is the site's and loaded from the server, which guards it. */
export function isBuiltIn(path: string): boolean {
  return BUILT_IN.test(pageOf(path));
}

/** A link to a built-in page that keeps `next`, left out where it says nothing. */
export function withNext(page: string, next: string): string {
  return next === FALLBACK ? page : `${page}?next=${encodeURIComponent(next)}`;
}

function pageOf(path: string): string {
  return path.split(/[?#]/, 1)[0] ?? '';
}
