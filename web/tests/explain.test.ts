/**
 * What people read when the server says no.
 */

import { AuthError, type AuthErrorCode } from '@vestibule/client';
import { expect, test } from 'vitest';
import { explain } from '../src/lib/explain.ts';

const FIELDS = ['email', 'username', 'password'];

function explained(code: AuthErrorCode, details: ConstructorParameters<typeof AuthError>[2] = {}, known = FIELDS) {
  return explain(new AuthError(code, 'What the server said.', details), known);
}

test('a refused field is explained in the words of the server, the first for each field', () => {
  const errors = [
    { field: 'password', code: 'too_short', message: 'Use at least 8 characters.' },
    { field: 'password', code: 'common', message: 'This is a common password.' },
  ];
  expect(explained('validation_failed', { errors }).fields).toEqual({ password: 'Use at least 8 characters.' });
});

test('a refused field that the form does not have is said above it', () => {
  const errors = [{ field: 'name', code: 'control_character', message: 'The name holds a control character.' }];
  expect(explained('validation_failed', { errors })).toEqual({
    summary: 'The name holds a control character.',
    fields: {},
  });
});

test('a taken name is said at its field', () => {
  expect(explained('email_taken').fields.email).toMatch(/already has an account/);
  expect(explained('username_taken').fields.username).toMatch(/taken/);
  expect(explained('email_taken', {}, ['login', 'password']).summary).toMatch(/already has an account/);
});

test.each([
  [1, '1 second'],
  [45, '45 seconds'],
  [100, '2 minutes'],
  [840, '14 minutes'],
  [5399, '90 minutes'],
  [5400, '2 hours'],
  [null, 'a moment'],
])('a wait of %s is told as "%s"', (retryAfter, words) => {
  expect(explained('rate_limited', { retryAfter }).summary).toContain(words);
});

test('a wrong password of somebody who is logged in is said at its field', () => {
  const { fields, retype } = explained('invalid_credentials', {}, ['email', 'current_password']);
  expect(fields.current_password).toMatch(/not your password/);
  expect(retype).toBeUndefined();
});

test('what the last admin cannot do is told in the words of the server', () => {
  expect(explained('conflict').summary).toBe('What the server said.');
});

test('a busy server and a lost network are told apart', () => {
  expect(explained('unavailable', { retryAfter: 5 }).summary).toMatch(/busy.*5 seconds/);
  expect(explained('network_error').summary).toMatch(/could not be reached/);
});

test('what nobody foresaw comes with the reference to quote', () => {
  const unforeseen = explained('unexpected_response', { status: 502, requestId: 'request-7' });
  expect(unforeseen.reference).toBe('request-7');
  expect(explain(new TypeError('x is undefined'), FIELDS).summary).toMatch(/went wrong/);
});
