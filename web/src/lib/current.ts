/**
 * Whether a link leads to where one is, as `aria-current` tells it.
 */

/** Somewhere below a page is not the page itself, and still in its area. */
export function currentOf(path: string, here: string): 'page' | true | undefined {
  if (path === here) return 'page';
  return here.startsWith(`${path}/`) || undefined;
}
