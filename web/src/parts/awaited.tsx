/**
 * Stands where something will be that the server was asked for: that it is on its way, or why it is not here.
 */

import { explain } from '../lib/explain.ts';
import { Button } from '../ui/button.tsx';
import { adminWords } from '../words/admin.ts';
import { commonWords } from '../words/common.ts';

export function Awaited({ failure, onRetry }: { failure: unknown; onRetry: () => unknown }) {
  if (!failure) return <p className="awaited">{adminWords().loading}</p>;
  return (
    <div className="awaited-failure">
      <div className="alert" role="alert">
        <p>{explain(failure, []).summary}</p>
      </div>
      <Button look="quiet" onClick={onRetry}>
        {commonWords().tryAgain}
      </Button>
    </div>
  );
}
