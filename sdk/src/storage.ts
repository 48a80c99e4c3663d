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

/** One stored session. Falls back to memory where the storage is blocked or full: never a reason to fail a login. */
export class SessionStore {
  #backing: KeyValueStorage;
  readonly #key: string;

  constructor(backing: KeyValueStorage, key: string) {
    this.#backing = backing;
    this.#key = key;
  }

  /** The stored session; `null` where there is none or it cannot be read. */
  async read(): Promise<StoredSession | null> {
    try {
      const stored = JSON.parse((await this.#backing.getItem(this.#key)) ?? 'null');
      return typeof stored?.refresh_token === 'string' ? stored : null;
    } catch {
      return null;
    }
  }

  async write(session: StoredSession): Promise<void> {
    const text = JSON.stringify(session);
    try {
      await this.#backing.setItem(this.#key, text);
    } catch {
      this.#backing = memoryStorage();
      await this.#backing.setItem(this.#key, text);
    }
  }

  async clear(): Promise<void> {
    try {
      await this.#backing.removeItem(this.#key);
    } catch {
      this.#backing = memoryStorage();
    }
  }
}

/** The store that an option asks for; `null` for the cookie, which no script can read. */
export function storeFor(choice: NonNullable<AuthOptions['storage']>, key: string): SessionStore | null {
  return choice === 'cookie' ? null : new SessionStore(backingFor(choice), key);
}

function backingFor(choice: 'local' | 'session' | 'memory' | KeyValueStorage): KeyValueStorage {
  if (typeof choice === 'object') return choice;
  try {
    // With site data blocked, even naming these objects throws; on a server they are absent.
    return ((globalThis as Record<string, unknown>)[`${choice}Storage`] as KeyValueStorage) ?? memoryStorage();
  } catch {
    return memoryStorage();
  }
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
