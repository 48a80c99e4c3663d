/**
 * The code of the set-up link. It stands in the fragment, which browsers keep from servers, logs and referrers; here it
 * is kept from the history too.
 */

import { useSyncExternalStore } from 'react';

let code: string | null = null;

/** The code that the page was opened with, or was given since by a newer link; taken out of the address bar at once. */
export function useSetupCode(): string | null {
  return useSyncExternalStore(onNewLink, takeCode);
}

/** A link pasted into the same tab changes the fragment alone, and loads nothing. */
function onNewLink(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** Held in memory and nowhere else: React asks more than once, and a reload asks for the link again. */
function takeCode(): string | null {
  const given = new URLSearchParams(window.location.hash.slice(1)).get('code');
  if (given !== null) {
    code = given || null;
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  }
  return code;
}
