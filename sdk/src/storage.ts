/**
 * Where a token session rests between page loads, in any storage with three methods. What a stored session is worth
 * is judged in session.ts.
 */

import type { AuthOptions, KeyValueStorage, User } from './types.ts';

export interface StoredSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds the access token lived for when it was issued. */
  readonly lifetime: number;
  /** End of the access token on this device's clock, in Unix milliseconds: only ever compared with that same clock. */
  readonly expiresAt: number;
  readonly user: User;
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
      return typeof stored?.refreshToken === 'string' ? stored : null;
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

  /** Calls `listener` when another tab changed the stored session, until the returned function is called. */
  watch(listener: () => void): () => void {
    const heard = (event: StorageEvent) => {
      // A `null` key means that the whole storage was cleared.
      if (event.storageArea === this.#backing && (event.key ?? this.#key) === this.#key) listener();
    };
    globalThis.addEventListener?.('storage', heard);
    return () => globalThis.removeEventListener?.('storage', heard);
  }
}

/** The store that an option asks for; `null` for the cookie, which no script can read. */
export function storeFor(choice: AuthOptions['storage'], baseUrl: string): SessionStore | null {
  return choice === 'cookie' ? null : new SessionStore(backingFor(choice), `vestibule:${baseUrl}`);
}

function backingFor(choice: AuthOptions['storage']): KeyValueStorage {
  if (typeof choice === 'object') return choice;
  try {
    // With site data blocked, even naming these objects throws; on a server they are absent.
    if (choice === 'local') return globalThis.localStorage ?? memoryStorage();
    if (choice === 'session') return globalThis.sessionStorage ?? memoryStorage();
  } catch {}
  return memoryStorage();
}

function memoryStorage(): KeyValueStorage {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}
