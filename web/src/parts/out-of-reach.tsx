/**
 * Shown in place of a page while it is not known who is signed in, because the server cannot be asked.
 */

import { explain } from '../lib/explain.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth, useSession } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { Entrance } from './entrance.tsx';

export function OutOfReach() {
  usePageTitle('No connection');
  const auth = useAuth();
  const { error } = useSession();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <Entrance>
      <h1 ref={heading} tabIndex={-1}>
        Nobody answers
      </h1>
      <p className="lead">{explain(error, []).summary}</p>
      <Button onClick={() => auth.ready()}>Try again</Button>
    </Entrance>
  );
}
