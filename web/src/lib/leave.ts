/**
 * Leaves the app for a page of the site, which the server loads and guards.
 */

/** Replaces the login page in the history, so that Back leads to where the visitor came from and not in a circle. */
export function leaveFor(path: string): void {
  window.location.replace(path);
}
