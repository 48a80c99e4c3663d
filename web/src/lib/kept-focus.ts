/**
 * Keeps the focus in a list whose rows come and go: when the row that has it is gone, the row in its place takes it,
 * else screen readers and the keyboard would start anew at the top of the page.
 */

import { type FocusEvent, type RefObject, useLayoutEffect, useRef } from 'react';

const CONTROLS = 'button, input, a';

/**
 * Give what it answers to the `<ul>` as `onFocus`. Where no row is left, `fallback` takes the focus.
 */
export function useKeptFocus(list: RefObject<HTMLUListElement | null>, fallback: RefObject<HTMLElement | null>) {
  const last = useRef<{ control: Element; row: number; place: number } | null>(null);

  useLayoutEffect(() => {
    if (!last.current || last.current.control.isConnected) return;
    const { row, place } = last.current;
    last.current = null;
    // Whoever has gone elsewhere meanwhile is left there.
    if (document.activeElement && document.activeElement !== document.body) return;
    const rows = [...(list.current?.children ?? [])];
    const controls = (rows[row] ?? rows.at(-1))?.querySelectorAll<HTMLElement>(CONTROLS);
    (controls?.[place] ?? fallback.current)?.focus();
  });

  return ({ target }: FocusEvent<HTMLUListElement>) => {
    const row = target.closest('li');
    if (!row) return;
    const place = [...row.querySelectorAll(CONTROLS)].indexOf(target);
    last.current = { control: target, row: [...(list.current?.children ?? [])].indexOf(row), place };
  };
}
