/**
 * The pages in German: what they say of themselves, of times and devices, and of what the server refuses in English.
 */

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { AuthError } from '@vestibule/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explain } from '../src/lib/explain.ts';
import { ADA, HERE, ok, openApp, refused } from './app.tsx';

beforeEach(() => {
  document.documentElement.lang = 'de';
});
afterEach(() => {
  document.documentElement.lang = 'en';
});

const refusedField = (field: string, code: string, message: string) =>
  explain(new AuthError('validation_failed', 'Some fields are wrong.', { errors: [{ field, code, message }] }), [
    field,
  ]);

test('log in: the form, and what went wrong', async () => {
  openApp('/login', { 'POST /api/auth/login': refused(429, 'rate_limited', {}, { 'retry-after': '840' }) });
  await screen.findByRole('heading', { name: 'Anmelden' });
  await waitFor(() => expect(document.title).toBe('Anmelden · Vestibule'));
  fireEvent.change(screen.getByLabelText('E-Mail oder Benutzername'), { target: { value: 'ada' } });
  fireEvent.change(screen.getByLabelText('Passwort'), { target: { value: 'falsch' } });
  fireEvent.click(screen.getByRole('button', { name: 'Anmelden' }));
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('warte 14 Minuten'));
});

test('register: a refused password is told in German, with the bound that the server names', async () => {
  const errors = [{ field: 'password', code: 'too_short', message: 'Use at least 12 characters; a few words.' }];
  openApp('/register', { 'POST /api/auth/register': refused(422, 'validation_failed', { errors }) });
  await screen.findByRole('heading', { name: 'Konto anlegen' });
  fireEvent.change(screen.getByLabelText('E-Mail'), { target: { value: 'ada@example.org' } });
  fireEvent.change(screen.getByLabelText('Passwort'), { target: { value: 'kurz' } });
  fireEvent.click(screen.getByRole('button', { name: 'Konto anlegen' }));
  await screen.findByText(/mindestens 12 Zeichen/);
});

test('the account: sections, devices and days', async () => {
  openApp('/account', { 'GET /api/auth/me': ok(ADA), 'GET /api/auth/sessions': ok({ items: [HERE] }) });
  await screen.findByText('Firefox auf Linux');
  const headings = screen.getAllByRole('heading', { level: 2 }).map(({ textContent }) => textContent);
  expect(headings).toEqual(['Profil', 'Passwort', 'Darstellung', 'Geräte', 'Deine Daten', 'Konto löschen']);
  expect(screen.getByText('01.03.2026').closest('p')?.textContent).toBe('Angemeldet am 01.03.2026 von 192.0.2.1');
});

test('the dashboard greets, and leads to the front page', async () => {
  openApp('/dashboard', { 'GET /api/auth/me': ok(ADA) });
  await screen.findByRole('heading', { name: 'Willkommen, Ada Lovelace' });
  expect(screen.getByText('1. März 2026')).toBeTruthy();
  expect(screen.getByRole('navigation', { name: 'Deine Seiten' }).textContent).toBe('ÜbersichtKonto');
});

test('a page that is not there', async () => {
  openApp('/anything');
  await screen.findByRole('heading', { name: 'Hier ist keine Tür' });
});

test('a server that does not answer', async () => {
  openApp('/login', {
    'GET /api/auth/me': () => {
      throw new TypeError('no network');
    },
  });
  await screen.findByRole('heading', { name: 'Niemand antwortet' });
  expect(screen.getByText(/nicht zu erreichen/)).toBeTruthy();
});

test.each([
  ['required', 'This field is required.', 'Bitte füll dieses Feld aus.'],
  ['too_long', 'A password has at most 256 characters; this has 300.', /Mehr als 256 Zeichen/],
  ['nul_character', 'A password cannot hold the NUL character.', /NUL-Zeichen/],
  ['common_password', 'This password is among the most used.', /eines der häufigsten/],
  ['password_is_name', 'This password is your username.', /aus Namen zu erraten/],
  ['control_character', 'It holds a control character.', /Steuerzeichen/],
  ['invalid_email', 'Enter an e-mail address such as ada@example.org.', /ada@example\.org/],
  ['invalid_username', 'A username has 3 to 32 characters.', /3 bis 32 Zeichen/],
  ['blank', 'A name needs at least one character.', /mindestens ein Zeichen/],
])('%s is told in German', (code, message, german) => {
  expect(refusedField('any', code, message).fields.any).toMatch(german);
});

test('a rule that the catalogue does not know is told as the server tells it', () => {
  expect(refusedField('email', 'of_tomorrow', 'Use another address.').fields.email).toBe('Use another address.');
});

test('a missing current password is asked for as what it is', () => {
  expect(refusedField('current_password', 'required', 'It needs your password.').fields.current_password).toMatch(
    /jetziges Passwort/,
  );
});
