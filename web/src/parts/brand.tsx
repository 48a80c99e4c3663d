/**
 * The site's name with the mark beside it; leads to the site's front page.
 */

import { siteName } from '../lib/branding.ts';
import { Mark } from '../ui/mark.tsx';

export function Brand() {
  return (
    <a className="brand" href="/">
      <Mark />
      <span>{siteName()}</span>
    </a>
  );
}
