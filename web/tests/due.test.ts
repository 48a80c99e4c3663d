/**
 * When something is due: in words, and in the field for it.
 */

import { afterEach, expect, test } from 'vitest';
import { dueFrom, fieldValueOf, isOverdue, whenDue } from '../src/lib/due.ts';

afterEach(() => {
  document.documentElement.lang = '';
});

const NOW = new Date(2026, 10, 21, 15, 0).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

test.each([
  [at(2026, 10, 21, 23, 59), /^today, 11:59\sPM$/],
  [at(2026, 10, 22, 0, 0), /^tomorrow, 12:00\sAM$/],
  [at(2026, 10, 20, 9, 30), /^yesterday, 9:30\sAM$/],
  [at(2026, 10, 27, 9, 0), /^Fri, Nov 27, 9:00\sAM$/],
  [at(2028, 0, 2, 9, 0), /^Jan 2, 2028, 9:00\sAM$/],
])('%s is said as %s', (due, words) => {
  expect(whenDue(due, NOW)).toMatch(words);
});

test('German days are said in German, by the clock of 24 hours', () => {
  document.documentElement.lang = 'de';
  expect(whenDue(at(2026, 10, 22, 9, 5), NOW)).toBe('morgen, 09:05');
  expect(whenDue(at(2026, 10, 27, 21, 0), NOW)).toMatch(/^Fr\.?, 27\. Nov\.?,? (?:um )?21:00$/);
});

test('what is due is overdue a moment later', () => {
  expect(isOverdue(new Date(NOW).toISOString(), NOW)).toBe(false);
  expect(isOverdue(new Date(NOW).toISOString(), NOW + 1)).toBe(true);
});

test.each(['2026-11-21T15:00', '2026-01-02T03:04', '0999-12-31T23:59', '9999-12-31T23:59'])(
  '%s in the field is the same after a way through the server',
  (value) => {
    expect(fieldValueOf(dueFrom(value))).toBe(value);
  },
);

test('an empty field is no time, and no time is an empty field', () => {
  expect(dueFrom('')).toBeNull();
  expect(fieldValueOf(null)).toBe('');
});
