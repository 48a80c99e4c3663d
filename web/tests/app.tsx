/**
 * Puts the whole app, with its real client, in front of a scripted server. Each answer is a function of the request
 * body and the request, looked up by `METHOD path`.
 */

import { cleanup, configure, fireEvent, render } from '@testing-library/react';
import type { Auth } from '@vestibule/client';
import { afterEach, vi } from 'vitest';
import { leaveFor } from '../src/lib/leave.ts';
import { createPageClient, SessionProvider } from '../src/lib/session.tsx';
// Compiled beforehand, as that takes longer than any test waits.
import '../src/pages/account.tsx';
import '../src/pages/dashboard.tsx';
import { Routes } from '../src/routes.tsx';

vi.mock('../src/lib/leave.ts', () => ({ leaveFor: vi.fn() }));
afterEach(() => {
  cleanup();
  // A tab that is closed hears nothing more of the others.
  client?.dispose();
});
let client: Auth | undefined;
// A busy machine is no failure.
configure({ asyncUtilTimeout: 15_000 });

// jsdom has the element and not its methods.
HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLDialogElement.prototype.close = function () {
  if (!this.open) return;
  this.open = false;
  this.dispatchEvent(new Event('close'));
};

export const ADA = {
  id: '0198f000-0000-7000-8000-000000000001',
  email: 'ada@example.org',
  username: 'ada',
  name: 'Ada Lovelace',
  roles: ['staff'],
  email_verified: false,
  created_at: '2026-03-01T12:00:00Z',
  updated_at: '2026-03-02T12:00:00Z',
};

/** Where she is signed in. */
export const HERE = {
  id: 's1',
  kind: 'cookie',
  device: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  address: '192.0.2.1',
  created_at: '2026-03-01T12:00:00Z',
  last_used_at: '2026-03-02T12:00:00Z',
  expires_at: '2026-03-09T12:00:00Z',
  current: true,
};

/** What the browser does on Escape, but for the event `close`, which it sends later. */
export function pressEscape(dialog: HTMLElement) {
  if (fireEvent(dialog, new Event('cancel', { cancelable: true }))) dialog.removeAttribute('open');
}

type Answer = (body: unknown, request: Request) => Response | Promise<Response>;

export const ok = (body: unknown) => () => Response.json(body);
export const created = (body: unknown) => () => Response.json(body, { status: 201 });
export const gone = () => new Response(null, { status: 204 });
export const refused =
  (status: number, code: string, extra: object = {}, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ type: 'about:blank', title: code, status, detail: code, code, ...extra }, { status, headers });

/** Opens `path` with nobody signed in, unless `answers` says otherwise. What was sent is in `requests`. */
export function openApp(path: string, answers: Record<string, Answer> = {}) {
  const script: Record<string, Answer> = {
    'GET /api/auth/me': refused(401, 'missing_token'),
    'GET /api/todos': ok({ items: [], total: 0, limit: 20, offset: 0 }),
    ...answers,
  };
  const requests: { request: string; body: unknown }[] = [];
  const serve: typeof fetch = async (input, init) => {
    const sent = new Request(input, init);
    const request = `${sent.method} ${new URL(sent.url).pathname}`;
    const text = await sent.clone().text();
    const body = text ? JSON.parse(text) : undefined;
    requests.push({ request, body });
    const answer = script[request];
    if (!answer) throw new TypeError(`No answer for ${request}`);
    return answer(body, sent);
  };
  vi.stubGlobal('fetch', serve);
  vi.mocked(leaveFor).mockClear();
  window.history.replaceState(null, '', path);
  client = createPageClient();
  render(
    <SessionProvider client={client}>
      <Routes />
    </SessionProvider>,
  );
  return { requests, script, leftFor: vi.mocked(leaveFor) };
}

/** Path and query of the page that is shown. */
export function address(): string {
  return window.location.pathname + window.location.search;
}
