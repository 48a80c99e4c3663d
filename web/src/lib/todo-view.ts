/**
 * Which todos are shown, and in which order: it stands in the address, so that Back, a reload and a bookmark lead to
 * the same ones. Whatever cannot be read there counts as left out.
 */

import { useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';

export const FILTERS = ['all', 'open', 'done'] as const;
export const SORTS = ['-created_at', 'created_at', 'due_at', 'title'] as const;

export interface TodoView {
  readonly filter: (typeof FILTERS)[number];
  /** What titles and descriptions are searched for; empty for everything. */
  readonly q: string;
  readonly sort: (typeof SORTS)[number];
  /** From 1. */
  readonly page: number;
}

export const EVERYTHING: TodoView = { filter: 'all', q: '', sort: '-created_at', page: 1 };

/** As many characters as the server looks for. */
export const LONGEST_SEARCH = 200;
const LAST_PAGE = 1_000_000;

/** The view that the address asks for, and the address of the same one but for a change; that begins at page 1. */
export function useTodoView(): [TodoView, (change: Partial<TodoView>) => string] {
  const [path] = useLocation();
  const search = useSearch();
  const view = useMemo(() => viewFrom(search), [search]);
  return [view, (change) => path + searchFor({ ...view, page: 1, ...change }, search)];
}

/** The view that the query of an address asks for. */
export function viewFrom(search: string): TodoView {
  const params = new URLSearchParams(search);
  const page = Number(params.get('page'));
  return {
    filter: FILTERS.find((filter) => filter === params.get('filter')) ?? EVERYTHING.filter,
    q: [...(params.get('q') ?? '').trim()].slice(0, LONGEST_SEARCH).join(''),
    sort: SORTS.find((sort) => sort === params.get('sort')) ?? EVERYTHING.sort,
    page: Number.isInteger(page) && page >= 1 && page <= LAST_PAGE ? page : EVERYTHING.page,
  };
}

/** The query of the address of `view`; what else stands in `search` is kept. */
export function searchFor(view: TodoView, search: string): string {
  const params = new URLSearchParams(search);
  for (const key of ['filter', 'q', 'sort', 'page'] as const) {
    if (view[key] === EVERYTHING[key]) params.delete(key);
    else params.set(key, String(view[key]));
  }
  const query = params.toString();
  return query && `?${query}`;
}

/** Whether two views show parts of the same todos, in whatever order. */
export function isOfTheSame(one: TodoView, other: TodoView): boolean {
  return one.filter === other.filter && one.q === other.q;
}
