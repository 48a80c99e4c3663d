/**
 * Shown in place of a page while it is not known who is signed in, because the server cannot be asked.
 */

import { explain } from '../lib/explain.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth, useSession } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { commonWords } from '../words/common.ts';
import { entranceWords } from '../words/entrance.ts';
import { Entrance } from './entrance.tsx';

export function OutOfReach() {
  const words = entranceWords();
  usePageTitle(words.noConnection);
  const auth = useAuth();
  const { error } = useSession();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <Entrance>
      <h1 ref={heading} tabIndex={-1}>
        {words.nobodyAnswers}
      </h1>
      <p className="lead">{explain(error, []).summary}</p>
      <Button onClick={() => auth.ready()}>{commonWords().tryAgain}</Button>
    </Entrance>
  );
}
