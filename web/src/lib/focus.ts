/**
 * Where the focus goes when a page appears, so that keyboard and screen reader start there and not at the top.
 */

import { type RefObject, useEffect, useRef } from 'react';

/** Focuses the element of the returned ref when the page appears, without moving what is on the screen. */
export function useFocusOnArrival<E extends HTMLElement>(): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => element.current?.focus({ preventScroll: true }), []);
  return element;
}
