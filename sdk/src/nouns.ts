/**
 * What a user has: a profile, sessions, todos, documents. Each noun is a handful of requests; what an answer means for
 * the session is decided in session.ts.
 */

import type { AuthError } from './errors.ts';
import type { Session } from './session.ts';
import type { Auth, DocumentEntry, OpenSession, Todo, Versioned } from './types.ts';

const PROFILE = '/api/user/profile';
const SESSIONS = '/api/auth/sessions';
const TODOS = '/api/todos';
const DATA = '/api/user/data';

export type Nouns = Pick<Auth, 'profile' | 'sessions' | 'todos' | 'data' | 'changePassword'>;

/** `inTurn` runs work when the logins and logouts before it are done. */
export function nounsOf(session: Session, inTurn: <T>(work: () => Promise<T>) => Promise<T>): Nouns {
  const ask = session.ask.bind(session);
  return {
    profile: {
      get: () => session.learn(PROFILE, { method: 'GET' }),
      update: (change) => session.learn(PROFILE, { method: 'PATCH', body: change }),
      delete: (proof) =>
        inTurn(async () => {
          await ask(`${PROFILE}/delete`, { body: proof });
          await session.forget();
        }),
      export: () => ask('/api/user/export', { method: 'GET' }, (answer) => answer.blob()),
    },
    changePassword: (change) => inTurn(() => session.exchange('/api/auth/password', change)),
    sessions: {
      list: async () => (await ask<{ items: OpenSession[] }>(SESSIONS, { method: 'GET' })).items,
      end: (id) => ask(below(SESSIONS, id), { method: 'DELETE' }),
      endOthers: () => ask(SESSIONS, { method: 'DELETE' }),
    },
    todos: {
      list: (query = {}) => ask(TODOS + searchOf(query), { method: 'GET' }),
      get: (id) => ask(below(TODOS, id), { method: 'GET' }, versioned),
      create: (todo) => ask(TODOS, { body: todo }, versioned),
      update: (id, change, condition) => ask(below(TODOS, id), { method: 'PATCH', body: change, condition }, versioned),
      remove: (id, condition) => ask(below(TODOS, id), { method: 'DELETE', condition }),
    },
    data: {
      list: async () => (await ask<{ items: DocumentEntry[] }>(DATA, { method: 'GET' })).items,
      get: (key) =>
        ask(below(DATA, key), { method: 'GET' }, async (answer) => ({
          value: await answer.json(),
          etag: etagOf(answer),
        })).catch((error: AuthError) => {
          if (error.code !== 'not_found') throw error;
          return null;
        }),
      set: (key, value, condition) => ask(below(DATA, key), { method: 'PUT', body: value, condition }, etagOf),
      remove: (key, condition) => ask(below(DATA, key), { method: 'DELETE', condition }),
    },
  };
}

function below(collection: string, name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

function searchOf(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return `?${new URLSearchParams(given)}`;
}

async function versioned(answer: Response): Promise<Versioned<Todo>> {
  return { ...(await answer.json()), etag: etagOf(answer) };
}

function etagOf(answer: Response): string {
  return answer.headers.get('etag') ?? '';
}
