/**
 * Numbers as people write them, in the language of the page.
 */

import { locale } from './locale.ts';

/** "12,345", or "12.345". */
export function numberOf(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}
