/**
 * Stands in for a page that is on its way. The style sheet shows it only after a while, so a fast answer never flashes.
 */

import { commonWords } from '../words/common.ts';

export function Pending() {
  return (
    <main className="pending">
      <p role="status">{commonWords().oneMoment}</p>
    </main>
  );
}
