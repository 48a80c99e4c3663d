/**
 * Any other path that reaches the app.
 */

import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { Entrance } from '../parts/entrance.tsx';
import { entranceWords } from '../words/entrance.ts';

export function NotFoundPage() {
  const words = entranceWords();
  usePageTitle(words.pageNotFound);
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <Entrance>
      <h1 ref={heading} tabIndex={-1}>
        {words.noDoorHere}
      </h1>
      <p className="lead">{words.movedOrNever}</p>
      <a className="button button-primary" href="/">
        {words.toFrontPage}
      </a>
    </Entrance>
  );
}
