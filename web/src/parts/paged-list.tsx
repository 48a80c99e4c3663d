/**
 * A list in the states it can be in: on its way or refused, with nothing to show, or with some of it and the way to more.
 */

import type { ReactNode } from 'react';
import type { Paged } from '../lib/admin.ts';
import type { Filters } from '../lib/filters.ts';
import { Awaited } from './awaited.tsx';
import { NothingFound } from './nothing-found.tsx';
import { ShownSoFar } from './shown-so-far.tsx';

interface PagedListProps<Item> {
  list: Paged<Item>;
  filters: Pick<Filters<string>, 'narrowed' | 'clear' | 'showMore'>;
  words: {
    /** How many are shown, and whether there are more. */
    shown: (count: number, more: boolean) => string;
    none: string;
    noneLead: string;
  };
  /** The id of the element of an item that can have the focus. */
  idOf: (item: Item) => string;
  children: (items: readonly Item[]) => ReactNode;
}

export function PagedList<Item>({ list, filters, words, idOf, children }: PagedListProps<Item>) {
  const { items, hasMore, failure, refetch } = list;
  if (!items) return <Awaited failure={failure} onRetry={refetch} />;
  if (items.length === 0) return <NothingFound title={words.none} lead={words.noneLead} filters={filters} />;
  return (
    <>
      {children(items)}
      <ShownSoFar list={list} sentence={words.shown(items.length, hasMore)} idOf={idOf} onMore={filters.showMore} />
    </>
  );
}
