/**
 * The end of a list of which there may be more: how much is shown, and the way to the rest. What comes up gets the
 * focus, so that whoever asked for it goes on there.
 */

import { useEffect, useState } from 'react';
import type { Paged } from '../lib/admin.ts';
import { explain } from '../lib/explain.ts';
import { Button } from '../ui/button.tsx';
import { adminWords } from '../words/admin.ts';

interface ShownSoFarProps<Item> {
  list: Paged<Item>;
  /** How many are shown, in words. */
  sentence: string;
  /** The id of the element of an item that can have the focus. */
  idOf: (item: Item) => string;
  onMore: () => void;
}

export function ShownSoFar<Item>({ list, sentence, idOf, onMore }: ShownSoFarProps<Item>) {
  const { items, busy, hasMore, failure, refetch } = list;
  const count = items?.length ?? 0;
  /** How many there were when more was asked for. */
  const [before, setBefore] = useState<number | null>(null);

  useEffect(() => {
    const first = before === null ? undefined : items?.[before];
    if (!first) return;
    setBefore(null);
    document.getElementById(idOf(first))?.focus();
  }, [before, items, idOf]);

  function more() {
    if (busy) return;
    setBefore(count);
    if (failure) void refetch();
    else onMore();
  }

  return (
    <div className="shown-so-far">
      <p role="status">{sentence}</p>
      <div className="alert" role="alert">
        {Boolean(failure) && <p>{explain(failure, []).summary}</p>}
      </div>
      {hasMore && (
        <Button look="quiet" busy={busy && before !== null} onClick={more}>
          {adminWords().showMore}
        </Button>
      )}
    </div>
  );
}
