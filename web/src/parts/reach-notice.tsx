/**
 * Says above the page that the server is out of reach, for as long as it is.
 */

import { useReach } from '../lib/reach.ts';
import { commonWords } from '../words/common.ts';

export function ReachNotice() {
  const reach = useReach();
  const { offline, noAnswer } = commonWords();
  const sentences = { 'in-reach': '', offline, 'no-answer': noAnswer };
  return (
    <p className="reach" role="status">
      {sentences[reach]}
    </p>
  );
}
