/**
 * Light or dark, as the visitor chose in this browser. What that does to the page is in `public/theme.js`, which is
 * there before anything is drawn.
 */

import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

const KEY = 'vestibule-theme';

/** What was chosen, and how to choose otherwise. Follows a choice that is made in another tab. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(onChoice, chosen), choose];
}

function chosen(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    // A browser that keeps nothing goes by the system.
    return 'system';
  }
}

function choose(theme: Theme): void {
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    return;
  }
  // Browsers tell every tab but the one in which it happened.
  window.dispatchEvent(new StorageEvent('storage', { key: KEY }));
}

function onChoice(listener: () => void): () => void {
  window.addEventListener('storage', listener);
  return () => window.removeEventListener('storage', listener);
}
