/**
 * Any other path that reaches the app.
 */

import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { Entrance } from '../parts/entrance.tsx';

export function NotFoundPage() {
  usePageTitle('Page not found');
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <Entrance>
      <h1 ref={heading} tabIndex={-1}>
        There is no door here
      </h1>
      <p className="lead">The page you asked for does not exist, or has moved.</p>
      <a className="button button-primary" href="/">
        To the front page
      </a>
    </Entrance>
  );
}
