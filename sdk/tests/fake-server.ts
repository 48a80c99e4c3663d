/**
 * The server's side of the contract in memory, reached through `fetch` alone: accounts and what their users do with
 * them, rotation of refresh tokens with reuse detection, expiry. Tests steer it by holding answers back and by breaking single requests.
 */

import { vi } from 'vitest';

export const BASE_URL = 'https://accounts.test';
const ACCESS_SECONDS = 900;
const FIRST_PASSWORD = 'correct horse';

interface ServerSession {
  login: string;
  mode: string;
  generation: number;
}

interface Trouble {
  path: string;
  answer: () => Response;
  lasting?: boolean;
}

export class FakeServer {
  /** Every request so far, as `METHOD /path`. */
  readonly requests: string[] = [];
  /** The `Authorization` header of every request so far, or an empty string. */
  readonly bearers: string[] = [];
  readonly #sessions = new Map<string, ServerSession>();
  readonly #passwords = new Map<string, string>();
  readonly #profiles = new Map<string, object>();
  readonly #expiry = new Map<string, number>();
  readonly #held = new Map<string, Promise<void>>();
  #trouble: Trouble[] = [];
  #cookie: string | null = null;
  #count = 0;

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    this.bearers.push(request.headers.get('authorization') ?? '');
    const body = await request.text();
    const answer = this.#broken(pathname) ?? this.#route(request, pathname, body ? JSON.parse(body) : null);
    await this.#held.get(pathname);
    return answer;
  };

  count(request: string): number {
    return this.requests.filter((made) => made === request).length;
  }

  /** The next request to `path` is answered by `answer` instead. */
  breakOnce(path: string, answer: () => Response): void {
    this.#trouble.push({ path, answer });
  }

  /** Every request to `path` is answered by `answer` instead, until the returned function is called. */
  breakUntilMended(path: string, answer: () => Response): () => void {
    const trouble = { path, answer, lasting: true };
    this.#trouble.push(trouble);
    return () => {
      this.#trouble = this.#trouble.filter((other) => other !== trouble);
    };
  }

  /** Keeps answers of `path` on the way until the returned function is called. */
  holdBack(path: string): () => void {
    const { promise, resolve } = deferred();
    this.#held.set(path, promise);
    return () => {
      this.#held.delete(path);
      resolve();
    };
  }

  /** Resolves once `request` has reached the server `times` times. */
  async received(request: string, times = 1): Promise<void> {
    await vi.waitUntil(() => this.count(request) >= times);
  }

  /** An operator ends every session. */
  endAllSessions(): void {
    this.#sessions.clear();
    this.#cookie = null;
  }

  expireAccessTokens(): void {
    for (const token of this.#expiry.keys()) this.#expiry.set(token, 0);
  }

  #broken(path: string): Response | undefined {
    const found = this.#trouble.find((trouble) => trouble.path === path);
    this.#trouble = this.#trouble.filter((trouble) => trouble.lasting || trouble !== found);
    return found?.answer();
  }

  #route(request: Request, path: string, body: Record<string, string> | null): Response {
    switch (path) {
      case '/api/auth/register':
      case '/api/auth/login':
        return this.#login(body ?? {});
      case '/api/auth/refresh':
        return this.#refresh(body);
      case '/api/auth/logout':
        this.#sessions.delete(body?.refresh_token?.split('.')[0] ?? this.#cookie ?? '');
        return new Response(null, { status: 204 });
      case '/api/auth/setup':
        return body?.code === 'the code' ? this.#open(body.email ?? '', body.mode) : problem(403, 'setup_refused');
      default: {
        const session = this.#authenticate(request);
        return session ? this.#own(request.method, path, session, body) : problem(401, 'invalid_token');
      }
    }
  }

  /** What needs a session. */
  #own(method: string, path: string, session: ServerSession, body: Record<string, string> | null): Response {
    const { login } = session;
    if (body && 'current_password' in body && body.current_password !== this.#passwordOf(login))
      return problem(401, 'invalid_credentials');
    switch (`${method} ${path}`) {
      case 'POST /api/auth/password':
        this.#passwords.set(login, body?.new_password ?? '');
        this.#endAllOf(login);
        return this.#open(login, session.mode);
      case 'PATCH /api/user/profile': {
        const { current_password: _, ...changes } = body ?? {};
        this.#profiles.set(login, { ...this.#profiles.get(login), ...changes });
        break;
      }
      case 'POST /api/user/profile/delete':
        this.#endAllOf(login);
        return new Response(null, { status: 204 });
      case 'GET /api/auth/sessions':
        return json(200, { items: this.#listOf(session) });
      case 'DELETE /api/auth/sessions':
        this.#endAllOf(login, session);
        return new Response(null, { status: 204 });
    }
    if (method === 'DELETE') return new Response(null, { status: this.#sessions.delete(lastOf(path)) ? 204 : 404 });
    return json(200, { ...userNamed(login), ...this.#profiles.get(login) });
  }

  #listOf(current: ServerSession) {
    const own = [...this.#sessions].filter(([, { login }]) => login === current.login);
    return own.map(([id, session]) => ({ id, kind: session.mode, current: session === current }));
  }

  #endAllOf(login: string, but?: ServerSession): void {
    for (const [id, session] of this.#sessions)
      if (session.login === login && session !== but) this.#sessions.delete(id);
  }

  #passwordOf(login: string): string {
    return this.#passwords.get(login) ?? FIRST_PASSWORD;
  }

  #login(body: Record<string, string>): Response {
    const login = body.login ?? body.email ?? '';
    if (body.password !== this.#passwordOf(login)) return problem(401, 'invalid_credentials');
    return this.#open(login, body.mode);
  }

  #open(login: string, mode = 'token'): Response {
    this.#count += 1;
    const id = `s${this.#count}`;
    const session = { login, mode, generation: 0 };
    this.#sessions.set(id, session);
    if (mode === 'cookie') {
      this.#cookie = id;
      return json(200, { user: userNamed(login), expires_in: 604_800 });
    }
    return this.#pair(id, session);
  }

  #refresh(body: Record<string, string> | null): Response {
    const [id = '', generation] = body?.refresh_token?.split('.') ?? [this.#cookie ?? ''];
    const session = this.#sessions.get(id);
    if (!session) return problem(401, body ? 'revoked_token' : 'missing_token');
    if (generation !== undefined && Number(generation) !== session.generation) {
      this.#sessions.delete(id);
      return problem(401, 'refresh_token_reused');
    }
    session.generation += 1;
    return this.#pair(id, session, body !== null);
  }

  #pair(id: string, session: ServerSession, withRefreshToken = true): Response {
    this.#count += 1;
    const access_token = `${id}.access.${this.#count}`;
    this.#expiry.set(access_token, performance.now() + ACCESS_SECONDS * 1000);
    return json(200, {
      access_token,
      token_type: 'Bearer',
      expires_in: ACCESS_SECONDS,
      user: userNamed(session.login),
      ...(withRefreshToken && { refresh_token: `${id}.${session.generation}`, refresh_expires_in: 2_592_000 }),
    });
  }

  #authenticate(request: Request): ServerSession | undefined {
    const bearer = request.headers.get('authorization')?.slice('Bearer '.length);
    if (!bearer) return request.credentials === 'include' ? this.#sessions.get(this.#cookie ?? '') : undefined;
    if ((this.#expiry.get(bearer) ?? 0) <= performance.now()) return undefined;
    return this.#sessions.get(bearer.split('.')[0] ?? '');
  }
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { 'x-request-id': 'request-1', ...headers } });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return json(status, { type: 'about:blank', title: code, status, detail: `Because of ${code}.`, code }, headers);
}

export function userNamed(login: string) {
  const at = '2026-01-01T00:00:00Z';
  return {
    id: `id-of-${login}`,
    email: `${login}@example.org`,
    username: login,
    name: null,
    roles: [],
    email_verified: false,
    created_at: at,
    updated_at: at,
  };
}

export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Waits for `asked` while faked time goes on, so that pauses between two tries last no time. */
export async function patiently<T>(asked: Promise<T>): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  asked.then(settle, settle);
  while (!settled) {
    await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(100);
  }
  return asked;
}

/** A storage that several clients share, as the tabs of one browser do. */
export function sharedStorage() {
  const values = new Map<string, string>();
  return {
    values,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}
