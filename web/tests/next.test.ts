/**
 * `next` leads to this origin or nowhere.
 */

import { expect, test } from 'vitest';
import { isBuiltIn, nextFrom, withNext } from '../src/lib/next.ts';

const nextOf = (next: string) => nextFrom(`?next=${encodeURIComponent(next)}`);

test.each(['/members/', '/', '/members/a%20b?page=2&q=%2F%2F#top', '/dashboard', '/a//b', '/@site', '/login-help'])(
  '%s is followed',
  (next) => {
    expect(nextOf(next)).toBe(next);
  },
);

// What else is of another origin is tested where it is judged, in the client.
test.each(['', 'members/', '//elsewhere.test', '/\\elsewhere.test', 'https://elsewhere.test/', 'javascript:alert(1)'])(
  '%j leads to the dashboard instead',
  (next) => {
    expect(nextOf(next)).toBe('/dashboard');
  },
);

test('a way back to log in or register is a circle, so it leads to the dashboard', () => {
  expect(nextOf('/login?next=/members/')).toBe('/dashboard');
  expect(nextOf('/register')).toBe('/dashboard');
});

test('of several, the first counts, and none means the dashboard', () => {
  expect(nextFrom('?next=/a&next=//elsewhere.test')).toBe('/a');
  expect(nextFrom('')).toBe('/dashboard');
});

test('links keep next whole', () => {
  const link = withNext('/register', '/members/?page=2&sort=name#top');
  expect(nextFrom(link.slice(link.indexOf('?')))).toBe('/members/?page=2&sort=name#top');
  expect(withNext('/login', '/dashboard')).toBe('/login');
});

test('only our own pages are opened without leaving the app', () => {
  expect(isBuiltIn('/dashboard?next=/members/')).toBe(true);
  expect(isBuiltIn('/account')).toBe(true);
  expect(isBuiltIn('/members/')).toBe(false);
  expect(isBuiltIn('/dashboard-of-theirs')).toBe(false);
  for (const path of [
    '/admin',
    '/admin/users?q=ada',
    '/admin/users/0198f000-0000-7000-8000-000000000001',
    '/admin/audit',
  ])
    expect(isBuiltIn(path)).toBe(true);
  for (const path of ['/admin/help.html', '/admin/users-guide.html', '/admin/users/a/b', '/administration'])
    expect(isBuiltIn(path)).toBe(false);
});
