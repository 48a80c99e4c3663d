/**
 * What a list is narrowed to, and how much of it is shown, as it stands in the address: a reload, a bookmark and the way
 * back lead to the same list.
 */

import { useEffect, useEffectEvent, useState } from 'react';
import { useSearchParams } from 'wouter';

export interface Filters<Name extends string> {
  /** Empty where the list is not narrowed by it. */
  readonly values: Record<Name, string>;
  readonly narrowed: boolean;
  /** How many pages of the list are to be shown. */
  readonly pages: number;
  narrow: (change: Partial<Record<Name, string>>) => void;
  clear: () => void;
  showMore: () => void;
}

const PAGES = 'pages';
/** Whoever needs more is served better by a filter; a made-up address must not ask for them all. */
const MOST_PAGES = 25;
const PAUSE_MILLISECONDS = 300;

export function useFilters<Name extends string>(names: readonly Name[]): Filters<Name> {
  const [address, setAddress] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, address.get(name) ?? ''])) as Record<Name, string>;
  const asked = Math.trunc(Number(address.get(PAGES)));
  const pages = Math.min(Math.max(asked || 1, 1), MOST_PAGES);

  /** One list is one place to go back to, however it was narrowed. */
  function set(change: Record<string, string>) {
    const next = { ...Object.fromEntries(address), [PAGES]: '', ...change };
    setAddress(
      Object.entries(next).filter(([, value]) => value !== ''),
      { replace: true },
    );
  }

  return {
    values,
    narrowed: names.some((name) => values[name] !== ''),
    pages,
    narrow: (change) => set(change as Record<string, string>),
    clear: () => set(Object.fromEntries(names.map((name) => [name, '']))),
    showMore: () => set({ [PAGES]: String(pages + 1) }),
  };
}

/**
 * The text of a field that narrows a list: it counts once typing pauses, so that not every letter asks the server. A
 * `value` that comes from elsewhere, as from the way back, takes its place.
 */
export function useSettledText(value: string, onSettled: (text: string) => void) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    setText(value);
  }
  const settle = useEffectEvent(() => {
    const settled = text.trim();
    if (settled === value) return;
    // What comes back from here is what was typed, and must not take the place of what has been typed since.
    setKnown(settled);
    onSettled(settled);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: Each change of the text begins a new pause.
  useEffect(() => {
    const pause = setTimeout(settle, PAUSE_MILLISECONDS);
    return () => clearTimeout(pause);
  }, [text]);
  return [text, setText] as const;
}
