/**
 * The site's name with the mark beside it, or the picture of its own; leads to the site's front page.
 */

import { siteLogo, siteName } from '../lib/branding.ts';
import { Mark } from '../ui/mark.tsx';

export function Brand() {
  const logo = siteLogo();
  return (
    <a className="brand" href="/">
      {logo ? (
        <img className="logo" src={logo} alt={siteName()} />
      ) : (
        <>
          <Mark />
          <span>{siteName()}</span>
        </>
      )}
    </a>
  );
}
