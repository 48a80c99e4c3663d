/**
 * Times as people say them, in the language of the page and the visitor's own time zone.
 */

import { commonWords } from '../words/common.ts';
import { locale } from './locale.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How long each unit is used for, in seconds. */
const UNITS: [unit: Intl.RelativeTimeFormatUnit, seconds: number, until: number][] = [
  ['minute', MINUTE, HOUR],
  ['hour', HOUR, DAY],
  ['day', DAY, 30 * DAY],
  ['month', 30 * DAY, 365 * DAY],
  ['year', 365 * DAY, Number.POSITIVE_INFINITY],
];

/** A day: "March 1, 2026". */
export function dayOf(time: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long' }).format(new Date(time));
}

/** A day where there is little room: "Mar 1, 2026". */
export function shortDayOf(time: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(new Date(time));
}

/** To the minute: "March 1, 2026 at 1:00 PM". */
export function momentOf(time: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'short' }).format(new Date(time));
}

/** How long ago: "3 hours ago". What this device's clock takes for the future is "just now". */
export function agoOf(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < MINUTE) return commonWords().justNow;
  const [unit, length] = UNITS.find(([, , until]) => seconds < until) ?? ['year', 365 * DAY];
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-Math.floor(seconds / length), unit);
}
