/**
 * What a user has: a profile, sessions, todos, documents. Each noun is a handful of requests; what an answer means for
 * the session is decided in session.ts.
 */

import type { AuthError } from './errors.ts';
import type { Read } from './transport.ts';
import type { Auth, Condition, Todo, User, Versioned } from './types.ts';

const PROFILE = '/api/user/profile';
const SESSIONS = '/api/auth/sessions';
const TODOS = '/api/todos';
const DATA = '/api/user/data';

/** Asks for something that needs the session; see session.ts. */
export type Ask = <T>(
  method: string,
  path: string,
  body?: unknown,
  condition?: Condition,
  read?: Read<T>,
) => Promise<T>;

/** `learn` asks for something that is answered with the user, `leave` for the end of the account. */
export function nounsOf(
  ask: Ask,
  learn: (method: string, path: string, body?: object) => Promise<User>,
  leave: (path: string, body: object) => Promise<void>,
): Pick<Auth, 'profile' | 'sessions' | 'todos' | 'data'> {
  const get = <T>(path: string, read?: Read<T>) => ask('GET', path, undefined, undefined, read);
  const remove = (path: string, condition?: Condition) => ask<void>('DELETE', path, undefined, condition);
  const itemsOf = async <T>(path: string) => (await get<{ items: T[] }>(path)).items;
  return {
    profile: {
      get: () => learn('GET', PROFILE),
      update: (change) => learn('PATCH', PROFILE, change),
      delete: (proof) => leave(`${PROFILE}/delete`, proof),
      export: () => get('/api/user/export', (answer) => answer.blob()),
    },
    sessions: {
      list: () => itemsOf(SESSIONS),
      end: (id) => remove(below(SESSIONS, id)),
      endOthers: () => remove(SESSIONS),
    },
    todos: {
      list: (query = {}) => get(TODOS + searchOf(query)),
      get: (id) => get(below(TODOS, id), versioned),
      create: (todo) => ask('POST', TODOS, todo, undefined, versioned),
      update: (id, change, condition) => ask('PATCH', below(TODOS, id), change, condition, versioned),
      remove: (id, condition) => remove(below(TODOS, id), condition),
    },
    data: {
      list: () => itemsOf(DATA),
      get: (key) => get(below(DATA, key), documentOf).catch(nothingFound),
      set: (key, value, condition) => ask('PUT', below(DATA, key), value, condition, etagOf),
      remove: (key, condition) => remove(below(DATA, key), condition),
    },
  };
}

function below(collection: string, name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

function searchOf(query: object): string {
  // What is `undefined` was not given, and JSON leaves it out.
  return `?${new URLSearchParams(JSON.parse(JSON.stringify(query)))}`;
}

async function versioned(answer: Response): Promise<Versioned<Todo>> {
  return { ...(await answer.json()), etag: etagOf(answer) };
}

function etagOf(answer: Response): string {
  return answer.headers.get('etag') ?? '';
}

async function documentOf(answer: Response) {
  return { value: await answer.json(), etag: etagOf(answer) };
}

function nothingFound(error: AuthError): null {
  if (error.code !== 'not_found') throw error;
  return null;
}
