/**
 * A server with an admin, some users and what happened to them, as far as the pages of administration ask it.
 */

import type { AdminUser, AuditEvent, ClientSeen, Figures, UserChange } from '../src/lib/admin.ts';
import { ADA, gone, ok, type openApp, refused } from './app.tsx';

const PAGE = 20;

export const ROOT = { ...ADA, roles: ['admin'] };

export const FIGURES: Figures = {
  as_of: '2026-03-02T12:00:00.000000Z',
  users: { active: 1234, disabled: 2, deleted: 3, admins: 1 },
  sessions: { token: 5, cookie: 7 },
  last_24_hours: { registrations: 1, logins: 20, failed_logins: 4 },
  last_7_days: { registrations: 9, logins: 140, failed_logins: 31 },
};

export const CLIENT: ClientSeen = {
  address: '198.51.100.7',
  connection: '172.18.0.2',
  trusted: true,
  headers: ['x-forwarded-for'],
  ignored: false,
};

export function idOf(number: number): string {
  return `0198f000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export function person(number: number, fields: Partial<AdminUser> = {}): AdminUser {
  const name = `Person ${number}`;
  const standing = { status: 'active', disabled_at: null, deleted_at: null } as const;
  return {
    ...ADA,
    id: idOf(number),
    email: `p${number}@example.org`,
    username: null,
    name,
    roles: [],
    ...standing,
    ...fields,
  };
}

export function happened(number: number, fields: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: idOf(10_000 + number),
    at: `2026-03-02T12:00:00.${String(number).padStart(6, '0')}Z`,
    event: 'login',
    actor: { kind: 'user', id: idOf(2) },
    subject: idOf(2),
    address: '192.0.2.1',
    user_agent: 'curl/8.5.0',
    request_id: null,
    detail: null,
    ...fields,
  };
}

/** Answers for `users`, who are not kept apart from the rest of the script, and for `events`; both the newest first. */
export function administering(users: AdminUser[], events: AuditEvent[] = []) {
  const asked: string[] = [];
  const answers: NonNullable<Parameters<typeof openApp>[1]> = {
    'GET /api/auth/me': ok(ROOT),
    'GET /api/admin/stats': ok(FIGURES),
    'GET /api/admin/client': ok(CLIENT),
    'GET /api/admin/users': (_, { url }) => {
      const { searchParams } = new URL(url);
      asked.push(searchParams.toString());
      const status = searchParams.get('status');
      const isAskedFor = (user: AdminUser) => (status ? user.status === status : user.status !== 'deleted');
      const q = searchParams.get('q') ?? '';
      return pageOf(
        users.filter((user) => isAskedFor(user) && (user.name ?? '').includes(q)),
        searchParams,
      );
    },
    'GET /api/admin/audit': (_, { url }) => {
      const { searchParams } = new URL(url);
      asked.push(searchParams.toString());
      const event = searchParams.get('event');
      const user = searchParams.get('user');
      const isAskedFor = ({ actor, subject }: AuditEvent) => !user || actor.id === user || subject === user;
      return pageOf(
        events.filter((one) => (!event || one.event === event) && isAskedFor(one)),
        searchParams,
      );
    },
  };
  function change(id: string, fields: Partial<AdminUser>): AdminUser {
    const index = users.findIndex((user) => user.id === id);
    const changed = { ...users[index], ...fields } as AdminUser;
    users[index] = changed;
    return changed;
  }
  for (const { id } of users) {
    const path = `/api/admin/users/${id}`;
    answers[`GET ${path}`] = () => Response.json(users.find((user) => user.id === id));
    answers[`PATCH ${path}`] = (body) => {
      const { disabled, ...fields } = body as UserChange;
      const status = disabled === undefined ? {} : ({ status: disabled ? 'disabled' : 'active' } as const);
      return Response.json(change(id, { ...(fields as Partial<AdminUser>), ...status }));
    };
    answers[`DELETE ${path}`] = () => {
      change(id, { status: 'deleted', deleted_at: '2026-03-02T12:00:00Z' });
      return gone();
    };
    answers[`POST ${path}/restore`] = () => Response.json(change(id, { status: 'active', deleted_at: null }));
    answers[`DELETE ${path}/sessions`] = gone;
  }
  return { answers, asked, change };
}

/** What somebody gets who is no admin. */
export const REFUSED = Object.fromEntries(
  ['stats', 'client', 'users', 'audit', `users/${idOf(2)}`].map((path) => [
    `GET /api/admin/${path}`,
    refused(403, 'forbidden'),
  ]),
);

function pageOf(items: readonly unknown[], searchParams: URLSearchParams): Response {
  const from = Number(searchParams.get('cursor') ?? 0);
  const next = from + PAGE < items.length ? String(from + PAGE) : null;
  return Response.json({ items: items.slice(from, from + PAGE), next_cursor: next });
}
