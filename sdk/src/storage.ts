/**
 * Where a token session rests between page loads, in any storage with three methods. What a stored session is worth
 * is judged in session.ts.
 */

import type { AuthOptions, KeyValueStorage, SessionAnswer } from './types.ts';

/** The server's answer as it came, and when its access token ends. */
export interface StoredSession extends SessionAnswer {
  /** On this device's clock, in Unix milliseconds: only ever compared with that same clock. */
  readonly expires_at: number;
}

/** One stored session. */
export interface SessionStore {
  /** The stored session; `null` where there is none or it cannot be read. */
  read(): Promise<StoredSession | null>;
  write(session: StoredSession): Promise<void>;
  clear(): Promise<void>;
}

/** The store that an option asks for; `undefined` for the cookie, which no script can read. */
export function storeFor(choice: NonNullable<AuthOptions['storage']>, key: string): SessionStore | undefined {
  if (choice === 'cookie') return;
  let backing = memoryStorage();
  try {
    // With site data blocked, even naming these objects throws; on a server they are absent.
    if (typeof choice === 'object') backing = choice;
    else backing = ((globalThis as Record<string, unknown>)[`${choice}Storage`] as KeyValueStorage) ?? backing;
  } catch {}

  /** Falls back to memory where the storage is blocked or full: never a reason to fail a login. */
  async function safely(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch {
      backing = memoryStorage();
      await work();
    }
  }

  return {
    async read() {
      try {
        const stored = JSON.parse((await backing.getItem(key)) as string);
        return stored?.refresh_token ? stored : null;
      } catch {
        return null;
      }
    },
    write: (session) => safely(() => backing.setItem(key, JSON.stringify(session))),
    clear: () => safely(() => backing.removeItem(key)),
  };
}

/** Holds one text until the page is left, whatever its key: a store has but one. */
function memoryStorage(): KeyValueStorage {
  let text: string | null = null;
  return {
    getItem: () => text,
    setItem(_key, value) {
      text = value;
    },
    removeItem() {
      text = null;
    },
  };
}
