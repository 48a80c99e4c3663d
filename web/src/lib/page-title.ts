/**
 * The title in the browser's tab, which screen readers speak first.
 */

import { useEffect } from 'react';
import { siteName } from './branding.ts';

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${siteName()}`;
  }, [title]);
}
