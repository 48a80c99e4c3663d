/**
 * Where a visitor goes after logging in: reads, checks and follows `next`. The server checks it by the same rule.
 */

const FALLBACK = '/dashboard';
const BUILT_IN = /^\/(login|register|dashboard|account|admin(\/(audit|users(\/[^/]+)?))?)$/;

/**
 * The path to go on to. Only a path of this very origin counts: anything that a browser could read as another
 * host (`//host`, `/\host`, control characters that it strips) would make the login page a springboard for phishing.
 */
export function nextFrom(search: string, origin = window.location.origin): string {
  const next = new URLSearchParams(search).get('next') ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Control characters are what is refused here.
  if (!/^\/(?!\/)[^\\\u0000-\u001f\u007f-\u009f]*$/.test(next)) return FALLBACK;
  const target = URL.canParse(next, origin) ? new URL(next, origin) : null;
  if (target?.origin !== origin) return FALLBACK;
  // Log in and register would only send a signed-in visitor back here.
  const path = target.pathname + target.search + target.hash;
  return ['/login', '/register'].includes(target.pathname) || path.startsWith('//') ? FALLBACK : path;
}

/** Whether a path is a page of this app; everything else is the site's and loaded from the server, which guards it. */
export function isBuiltIn(path: string): boolean {
  return BUILT_IN.test(path.split(/[?#]/, 1)[0] ?? '');
}

/** A link to a built-in page that keeps `next`, left out where it says nothing. */
export function withNext(page: string, next: string): string {
  return next === FALLBACK ? page : `${page}?next=${encodeURIComponent(next)}`;
}
