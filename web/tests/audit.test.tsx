/**
 * The audit log: every kind of event in words, whose it is, and what has happened since.
 */

// Else the first test would wait for it as long as a slow machine takes to load it.
import '../src/admin-routes.tsx';
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { AuditEvent } from '../src/lib/admin.ts';
import { auditWords } from '../src/words/audit.ts';
import { administering, happened, idOf, person } from './admin-server.ts';
import { address, openApp, refused } from './app.tsx';

afterEach(() => {
  vi.useRealTimers();
  document.documentElement.lang = '';
});

const BOB = idOf(2);
const EVE = idOf(3);
const BY_BOB = { kind: 'user', id: BOB } as const;
const BY_EVE = { kind: 'user', id: EVE } as const;
const BY_NOBODY = { kind: 'anonymous', id: null } as const;
const BY_OPERATOR = { kind: 'operator', id: null } as const;
const PEOPLE = [person(2, { name: 'Bob' }), person(3, { name: 'Eve' })];

function openAudit(events: AuditEvent[], search = '') {
  const server = administering(PEOPLE, events);
  return { ...openApp(`/admin/audit${search}`, server.answers), ...server };
}

/** The events that are shown; what is in their details stands in lists of other elements. */
const rows = () => within(screen.getByRole('list')).getAllByRole('listitem');
const sentences = () => rows().map((row) => row.querySelector('p')?.textContent);
const sentenceOf = async (fields: Partial<AuditEvent>) => {
  openAudit([happened(1, fields)]);
  await waitFor(() => expect(sentences()[0]).not.toContain('…'));
  return sentences()[0];
};

const KINDS: [event: AuditEvent['event'], fields: Partial<AuditEvent>, sentence: string][] = [
  ['registered', { actor: BY_BOB }, 'Bob registered.'],
  ['registered', { actor: BY_EVE, detail: { roles: ['staff'] } }, 'Eve added Bob. Roles: staff.'],
  ['registered', { actor: BY_OPERATOR }, 'The operator added Bob.'],
  ['login', {}, 'Bob logged in.'],
  ['login_failed', { actor: BY_NOBODY }, 'Somebody failed to log in as Bob.'],
  [
    'login_failed',
    { actor: BY_NOBODY, subject: null, detail: { name_hash: 'a1b2' } },
    'Somebody tried to log in with a name that nobody has.',
  ],
  ['login_limited', { actor: BY_NOBODY }, 'Logging in as Bob was tried too often, and refused.'],
  [
    'login_limited',
    { actor: BY_NOBODY, subject: null },
    'Logging in with a name that nobody has was tried too often, and refused.',
  ],
  ['refreshed_reuse', { actor: BY_NOBODY }, 'An old refresh token of Bob came back, so its session was ended.'],
  ['logout', {}, 'Bob logged out.'],
  ['password_changed', {}, 'Bob changed the password.'],
  ['password_changed', { actor: BY_OPERATOR }, 'The operator set a new password for Bob.'],
  ['profile_changed', { detail: { fields: ['email', 'pet'] } }, 'Bob changed the profile. Changed: e-mail, pet.'],
  ['profile_changed', { actor: BY_EVE }, 'Eve changed the profile of Bob.'],
  ['account_deleted', {}, 'Bob deleted the account.'],
  ['account_deleted', { actor: BY_EVE }, 'Eve deleted the account of Bob.'],
  ['restored', { actor: BY_EVE }, 'Eve restored the account of Bob.'],
  ['disabled', { actor: BY_EVE }, 'Eve disabled Bob.'],
  ['enabled', { actor: BY_OPERATOR }, 'The operator enabled Bob.'],
  [
    'roles_changed',
    { actor: BY_EVE, detail: { added: ['press'], removed: ['staff', 'admin'] } },
    'Eve changed the roles of Bob. Added: press. Removed: staff, admin.',
  ],
  ['session_ended', { detail: { all_but: 's1' } }, 'Bob logged other devices out.'],
  [
    'session_ended',
    { detail: { used_longest_ago: 100 } },
    'Bob logged in and had 1,000 sessions: those used longest ago ended.',
  ],
  ['session_ended', { actor: BY_EVE, detail: { all: true } }, 'Eve logged Bob out everywhere.'],
  ['key_rotated', { actor: BY_OPERATOR, subject: null }, 'The operator put a new signing key in place.'],
  ['admin_created', { actor: BY_BOB }, 'Bob was set up as administrator.'],
  ['admin_created', { actor: BY_EVE }, 'Eve added Bob as administrator.'],
  ['imported', { actor: BY_OPERATOR, subject: null }, 'The operator imported users.'],
  ['copied', { actor: BY_OPERATOR, subject: null }, 'The operator copied the installation to this database.'],
];

test.each(KINDS)('%s %o is said in a sentence', async (event, fields, sentence) => {
  expect(await sentenceOf({ event, ...fields })).toBe(sentence);
});

test('every kind of event is among those', () => {
  expect(new Set(KINDS.map(([event]) => event))).toEqual(new Set(Object.keys(auditWords().names)));
});

test('a kind that a newer server has recorded is named, and so is what it says', async () => {
  const event = 'pet_adopted' as AuditEvent['event'];
  expect(await sentenceOf({ event, detail: 'a cat' })).toBe(
    'Something happened that these pages have no words for yet: pet_adopted.',
  );
  screen.getByText('"a cat"');
});

test('a user who is removed is said to be', async () => {
  const { answers } = administering(PEOPLE, [happened(1, { actor: BY_EVE, event: 'disabled' })]);
  openApp('/admin/audit', { ...answers, [`GET /api/admin/users/${BOB}`]: refused(404, 'not_found') });
  await screen.findByText('a removed user');
  expect((await screen.findByRole('link', { name: 'Eve' })).getAttribute('href')).toBe(`/admin/users/${EVE}`);
});

test('the rest of an event is in its details', async () => {
  const user_agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
  openAudit([happened(1, { user_agent, request_id: idOf(77), detail: { session: 's1' } })]);
  await screen.findByText(/from 192.0.2.1 with Firefox on Linux/);
  const details = within(screen.getByRole('group'));
  for (const fact of [idOf(77), user_agent, '{"session":"s1"}', 'Login (login)', '192.0.2.1']) details.getByText(fact);
  details.getByText(/2026-03-02T12:00:00.000001Z/);
});

test('the log is narrowed by event, time and user, and the address says so', async () => {
  const events = [happened(3, { event: 'logout' }), happened(2), happened(1, { actor: BY_EVE, subject: EVE })];
  const { asked } = openAudit(events, `?user=${BOB}`);
  await waitFor(() => expect(rows()).toHaveLength(2));
  screen.getByText(/Only what is about/);
  fireEvent.change(screen.getByLabelText('Event'), { target: { value: 'login' } });
  await waitFor(() => expect(rows()).toHaveLength(1));
  fireEvent.click(screen.getByRole('button', { name: 'Show everybody' }));
  await waitFor(() => expect(rows()).toHaveLength(2));
  fireEvent.change(screen.getByLabelText('Since'), { target: { value: '7d' } });
  await waitFor(() => expect(address()).toBe('/admin/audit?event=login&since=7d'));
  await waitFor(() => expect(asked.at(-1)).toMatch(/since=/));
  const since = Date.parse(new URLSearchParams(asked.at(-1)).get('since') ?? '');
  expect(Math.round((Date.now() - since) / 3_600_000)).toBe(7 * 24);
});

test('a log with nothing of the kind says so', async () => {
  openAudit([happened(1)], '?event=copied');
  await screen.findByText('Nothing of the kind happened');
  fireEvent.click(screen.getByRole('button', { name: 'Clear filters' }));
  await waitFor(() => expect(rows()).toHaveLength(1));
});

test('what has happened meanwhile is told of, and comes up when that is wanted', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const events = [happened(1)];
  openAudit(events);
  await waitFor(() => expect(sentences()).toEqual(['Bob logged in.']));
  events.unshift(happened(3, { event: 'logout' }), happened(2));
  await act(() => vi.advanceTimersByTimeAsync(16_000));
  const show = await screen.findByRole('button', { name: 'Show 2 newer events' });
  expect(rows()).toHaveLength(1);
  fireEvent.click(show);
  await waitFor(() => expect(rows()).toHaveLength(3));
  await waitFor(() => expect(document.activeElement).toBe(rows()[0]));
  expect(screen.queryByRole('button', { name: /newer/ })).toBeNull();
});

test('the log speaks German', async () => {
  document.documentElement.lang = 'de';
  openAudit([happened(1, { actor: BY_EVE, event: 'disabled' })]);
  await waitFor(() => expect(sentences()).toEqual(['Eve hat Bob gesperrt.']));
});
