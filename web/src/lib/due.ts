/**
 * When something is due: in words, and as the field for it takes it. Both are in the visitor's own time zone; the
 * server keeps UTC.
 */

import { locale } from './locale.ts';

const DAY = 24 * 60 * 60 * 1000;

export function isOverdue(due: string, now: number): boolean {
  return Date.parse(due) < now;
}

/** "today, 3:00 PM", "tomorrow, 9:00 AM", "Fri, Nov 27, 9:00 AM", "Jan 2, 2028, 9:00 AM". */
export function whenDue(due: string, now: number): string {
  const time = new Date(due);
  const days = Math.round((midnightOf(time) - midnightOf(new Date(now))) / DAY);
  if (Math.abs(days) <= 1) {
    const day = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(days, 'day');
    return `${day}, ${new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(time)}`;
  }
  const isThisYear = time.getFullYear() === new Date(now).getFullYear();
  const form: Intl.DateTimeFormatOptions = isThisYear
    ? { weekday: 'short', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }
    : { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(locale(), form).format(time);
}

/** `2026-11-27T09:00` where the visitor is: the value of a field of the type `datetime-local`. Empty for no time. */
export function fieldValueOf(due: string | null): string {
  if (due === null) return '';
  const time = new Date(due);
  const day = [padded(time.getFullYear(), 4), padded(time.getMonth() + 1), padded(time.getDate())].join('-');
  return `${day}T${padded(time.getHours())}:${padded(time.getMinutes())}`;
}

/** What the value of such a field is in UTC. An hour that summer time skips is the one after it. */
export function dueFrom(value: string): string | null {
  // Without a zone, a date with a time is read as local time.
  return value === '' ? null : new Date(value).toISOString();
}

function midnightOf(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}
