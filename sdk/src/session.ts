/**
 * The hard part, alone: which session is held, when its token is renewed, and what ends it. Everything that can race
 * (parallel calls, other tabs, a sign-out on the way) is decided here; the verbs of the library are in client.ts.
 */

import { type AuthError, errorFrom, notFromServer, signedOut } from './errors.ts';
import { listen, type Signals } from './signals.ts';
import type { SessionStore, StoredSession } from './storage.ts';
import { answerOf, type Outgoing, type Read, type Send } from './transport.ts';
import type { AuthEvent, AuthState, AuthStatus, SessionAnswer, User } from './types.ts';

/** How long another tab's renewal is waited for; then we go on alone, as the server answers both tabs alike. */
const LOCK_WAIT_MILLISECONDS = 3_000;

/** The longest pause between two tries that callers wait out; behind a longer one they are told why at once. */
const PATIENCE_MILLISECONDS = 2_000;

/** The one refusal with 401 that is not about the token. */
const WRONG_PASSWORD = 'invalid_credentials';

/** An answer, as far as it matters here. */
export interface Answered {
  readonly status: number;
}

interface Held extends StoredSession {
  /**
   * End of the access token on the monotonic clock (`performance.now()`), which nobody can set but which some devices
   * stop while asleep. `expires_at` is on the clock that goes on then.
   */
  readonly until: number;
}

/** A time in which the server is not asked to renew. */
interface Pause {
  /** On the monotonic clock. */
  readonly until: number;
  readonly error: AuthError;
  /** How many renewals in a row have failed. */
  readonly failures: number;
}

interface SessionParts {
  send: Send;
  /** `null` where the session is a cookie. */
  store: SessionStore | null;
  /** Seconds before its end at which an access token counts as used up. */
  leeway: number;
  /** What tabs that use the same server know their lock, their channel and their stored session by. */
  name: string;
  onEvent: (event: AuthEvent) => void;
}

/** What is known before anything was asked: on a server, and in the first moment of a page. */
export const LOADING = pictureOf('loading', null, null, null);

export class Session {
  readonly #parts: SessionParts;
  readonly #listeners = new Set<() => void>();
  #signals: Signals | null = null;
  #state = LOADING;
  #held: Held | null = null;
  /** Counts sessions. Whoever awaits something notes it before and drops the result where it has changed. */
  #epoch = 0;
  #restoration: Promise<void> | null = null;
  #renewal: Promise<boolean> | null = null;
  /** Settles when the exchange on the way, if any, is over, whatever came of it. */
  #exchange: Promise<unknown> | null = null;
  #pause: Pause | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  get state(): AuthState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Settles once the session is confirmed or known to be absent; a server out of reach leaves what is stored in force. */
  async ready(): Promise<AuthState> {
    const { status } = this.#state;
    if (status === 'loading' || status === 'unknown') {
      this.#restoration ??= this.#restore();
      await this.#restoration;
    }
    return this.#state;
  }

  /** Makes the answer to a login or registration the session of this tab. */
  async open(answer: SessionAnswer): Promise<User> {
    this.#requireWhole(answer);
    this.#supersede();
    await this.#hold(answer, this.#epoch);
    this.#listen().tell('signed-in');
    this.#parts.onEvent({ type: 'signed-in', user: answer.user });
    return answer.user;
  }

  /** Forgets the session here. Answers the refresh token it had, with which the server can be told. */
  async forget(): Promise<string | undefined> {
    const { store } = this.#parts;
    const refreshToken = this.#held?.refresh_token;
    this.#close();
    const stored = await store?.read();
    await store?.clear();
    this.#listen().tell('signed-out');
    // Another tab may have renewed it since; the newest one is the surest.
    return stored?.refresh_token ?? refreshToken;
  }

  /** Asks who is signed in. */
  me(): Promise<User> {
    return this.learn('/api/auth/me', { method: 'GET' });
  }

  /** Sends what is answered with the user, who is shown as the server describes them now. */
  async learn(path: string, outgoing: Outgoing): Promise<User> {
    const user = await this.ask<User>(path, outgoing);
    this.#show('signed-in', user, null);
    return user;
  }

  /** Asks for something that needs the session. A 401 to the newest token there is ends the session. */
  async ask<T>(path: string, outgoing: Outgoing, read?: Read<T>): Promise<T> {
    const epoch = this.#epoch;
    await this.#exchange;
    try {
      const response = await this.authorized((token) => this.#send(path, { ...outgoing, token }));
      const answer = await answerOf(response, read);
      this.#requireEpoch(epoch);
      return answer;
    } catch (error) {
      const { status, code } = error as AuthError;
      if (status === 401 && code !== WRONG_PASSWORD && epoch === this.#epoch) await this.#close(error as AuthError);
      throw error;
    }
  }

  /**
   * Sends what ends this session on the server and is answered with its successor, which takes its place in all
   * tabs. Nothing renews the old one meanwhile: the refusal would be taken for the end.
   */
  async exchange(path: string, body: object): Promise<User> {
    const epoch = this.#epoch;
    // Sent once and no more, so the token must be good beforehand.
    await this.me();
    await this.#renewal?.catch(() => {});
    const exchange = this.#alone(async () => {
      const token = this.#parts.store ? this.#held?.access_token : null;
      const answer = this.#requireWhole(await answerOf(await this.#send(path, { body, token })));
      // Another tab may have signed out meanwhile, and then it is right.
      await this.#stored(epoch);
      await this.#hold(answer, epoch);
      return answer.user;
    });
    this.#exchange = exchange.catch(() => {});
    return exchange;
  }

  /**
   * An access token with `minTtl` seconds left. While the server is out of reach one that is merely about to end is
   * still handed out; a token that never lives as long as `minTtl` is renewed at each call.
   */
  async token(minTtl = this.#parts.leeway): Promise<string> {
    if (this.#secondsLeft() <= minTtl) {
      try {
        // What another tab has renewed may be half used by now.
        const renewedHere = await this.renew();
        if (!renewedHere && this.#secondsLeft() <= minTtl) await this.renew();
      } catch (error) {
        if (this.#secondsLeft() <= 0) throw error;
      }
    }
    if (!this.#held) throw signedOut();
    return this.#held.access_token as string;
  }

  /** Runs `request` with the session's token, and a second time after a 401 if a different token can be had. */
  async authorized<T extends Answered>(request: (token: string | null) => Promise<T>, repeatable = true): Promise<T> {
    if (!this.#parts.store) return request(null);
    const token = await this.token().catch((error: AuthError) => {
      if (this.#held) throw error;
      return null;
    });
    const epoch = this.#epoch;
    const response = await request(token);
    if (response.status !== 401 || token === null || !repeatable) return response;
    if (epoch === this.#epoch && this.#held?.access_token === token) {
      // Whatever the clocks say, it is used up.
      this.#held = { ...this.#held, until: 0 };
      await this.renew().catch((error: AuthError) => {
        // The session lives on, so the 401 would tell the caller a falsehood.
        if (this.#held) throw error;
      });
    }
    // What one user asked for is never repeated in the name of the next.
    const newer = epoch === this.#epoch ? this.#held?.access_token : undefined;
    return newer && newer !== token ? request(newer) : response;
  }

  /**
   * Renews the access token; one request at a time in this tab, which all callers share. Answers `false` where the
   * server was not asked, because another tab had renewed it already.
   */
  renew(): Promise<boolean> {
    if (!this.#renewal) {
      const epoch = this.#epoch;
      const outworn = this.#held?.refresh_token;
      const renewal = this.#alone(async () => {
        await this.#exchange;
        return this.#rotate(epoch, outworn);
      }).finally(() => {
        if (this.#renewal === renewal) this.#renewal = null;
      });
      this.#renewal = renewal;
    }
    return this.#renewal;
  }

  /** Leaves this page as if nothing had been loaded yet, from where `restore` can begin again. */
  dispose(): void {
    this.#supersede();
    this.#signals?.stop();
    this.#signals = null;
    this.#listeners.clear();
    this.#state = LOADING;
  }

  #listen(): Signals {
    this.#signals ??= listen(this.#parts.name, (word) => {
      const { store } = this.#parts;
      if (word === 'awake' && this.#pause?.error.status === 0) this.#pause = null;
      // What a tab did with its cookie, it did with ours.
      if (word === 'signed-out' && !store) void this.#close();
      else void (store && word !== 'awake' ? this.#follow() : this.#look());
    });
    return this.#signals;
  }

  /** Asks again who is signed in, where somebody is or where a cookie could say so. */
  async #look(): Promise<void> {
    await this.#follow();
    const { loading, loggedIn } = this.#state;
    if (!loading && (loggedIn || !this.#parts.store)) await this.me().catch(() => {});
  }

  /** A wrong password is thrown at once: it says nothing about the token, and trying it again counts against the user. */
  async #send(path: string, outgoing: Outgoing): Promise<Response> {
    const response = await this.#parts.send(path, outgoing);
    if (response.status === 401) {
      const error = await errorFrom(response.clone());
      if (error.code === WRONG_PASSWORD) throw error;
    }
    return response;
  }

  async #restore(): Promise<void> {
    const epoch = this.#epoch;
    this.#listen();
    this.#show('loading', this.#state.user, null);
    const stored = await this.#parts.store?.read();
    if (epoch !== this.#epoch) return;
    if (stored) this.#adopt(stored);
    if (stored === null) return this.#close();
    try {
      await this.me();
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.#show(stored ? 'signed-in' : 'unknown', stored?.user ?? null, error as AuthError);
      this.#restoration = null;
    }
  }

  /** `outworn` is the refresh token that was held when the renewal was asked for, however long its turn took to come. */
  async #rotate(epoch: number, outworn: string | undefined): Promise<boolean> {
    await this.#waitOut(epoch);
    const presented = await this.#stored(epoch);
    if (presented) this.#adopt(presented);
    // Also where another tab's renewal was heard of, and adopted, while this one waited.
    if (presented && presented.refresh_token !== outworn && this.#secondsLeft() > this.#parts.leeway) return false;
    if (!presented && this.#state.status === 'signed-out') throw signedOut();
    const body = presented ? { refresh_token: presented.refresh_token } : undefined;
    let answer: SessionAnswer;
    try {
      answer = this.#requireWhole(await answerOf(await this.#parts.send('/api/auth/refresh', { body })));
    } catch (error) {
      return this.#refused(error as AuthError, presented, epoch);
    }
    // Read again: another tab may have signed out or in while the answer was on its way, and then it is right.
    const current = await this.#stored(epoch);
    if (current && current.refresh_token !== presented?.refresh_token) {
      this.#adopt(current);
      return false;
    }
    await this.#hold(answer, epoch);
    this.#parts.onEvent({ type: 'refreshed' });
    return true;
  }

  /** Only a clear no (400 or 401) to the newest refresh token ends a session; anything else may pass. */
  async #refused(error: AuthError, presented: StoredSession | null, epoch: number): Promise<boolean> {
    const current = await this.#stored(epoch);
    if (error.status === 400 || error.status === 401) {
      if (current?.refresh_token === presented?.refresh_token) await this.#close(error);
      else if (current && this.#adopt(current)) return false;
      throw error;
    }
    const failures = (this.#pause?.failures ?? 0) + 1;
    const wait = error.retryAfter === null ? backoff(failures) : error.retryAfter * 1000;
    this.#pause = { until: performance.now() + wait, error, failures };
    return this.#rotate(epoch, presented?.refresh_token);
  }

  /** Waits out a short pause where there is no good token. Otherwise nobody is kept waiting, and told why. */
  async #waitOut(epoch: number): Promise<void> {
    if (!this.#pause) return;
    const { until, error } = this.#pause;
    const wait = until - performance.now();
    if (wait > 0 && (wait >= PATIENCE_MILLISECONDS || this.#secondsLeft() > 0)) {
      if (this.#state.error !== error) this.#show(this.#state.status, this.#state.user, error);
      throw error;
    }
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    this.#requireEpoch(epoch);
  }

  /** Reads the storage on behalf of `epoch`; nothing there means that another tab has signed out. */
  async #stored(epoch: number): Promise<StoredSession | null> {
    const stored = (await this.#parts.store?.read()) ?? null;
    this.#requireEpoch(epoch);
    if (this.#parts.store && !stored) {
      this.#close();
      throw signedOut();
    }
    return stored;
  }

  /** Takes over what another tab, or this page before a reload, has stored. Answers whether that renewed the token. */
  #adopt(stored: StoredSession): boolean {
    if (stored.refresh_token === this.#held?.refresh_token) return false;
    this.#take(stored);
    this.#show(this.#state.loading ? 'loading' : 'signed-in', stored.user, null);
    return this.#secondsLeft() > this.#parts.leeway;
  }

  async #hold(answer: SessionAnswer, epoch: number): Promise<void> {
    const stored = { ...answer, expires_at: Date.now() + answer.expires_in * 1000 };
    this.#take(stored);
    this.#pause = null;
    await this.#parts.store?.write(stored);
    this.#requireEpoch(epoch);
    this.#show('signed-in', answer.user, null);
  }

  /** Holds the tokens of an answer; that to a login with a cookie has none. */
  #take(stored: StoredSession): void {
    // A clock that was set back must not stretch a token's life.
    const left = Math.min(stored.expires_at - Date.now(), stored.expires_in * 1000);
    this.#held = stored.access_token ? { ...stored, until: performance.now() + left } : null;
  }

  /** Another tab changed the stored session. */
  async #follow(): Promise<void> {
    const epoch = this.#epoch;
    const stored = await this.#parts.store?.read();
    if (epoch !== this.#epoch || stored === undefined) return;
    if (!stored) return this.#close();
    if (stored.user.id !== this.#state.user?.id) this.#supersede();
    const { status } = this.#state;
    this.#adopt(stored);
    if (status === 'signed-out') this.#parts.onEvent({ type: 'signed-in', user: stored.user });
  }

  /** Nobody is signed in from here on: because `error` says so, or because it was asked for, here or in another tab. */
  async #close(error: AuthError | null = null): Promise<void> {
    const lost = this.#held !== null || this.#state.loggedIn;
    this.#supersede();
    this.#show('signed-out', null, lost ? error : null);
    if (error) await this.#parts.store?.clear();
    if (lost) this.#parts.onEvent(error ? { type: 'session-ended', error } : { type: 'signed-out' });
  }

  /** From here on, whatever still arrives belongs to a session of the past. */
  #supersede(): void {
    this.#epoch += 1;
    this.#held = null;
    this.#restoration = null;
    this.#renewal = null;
    this.#exchange = null;
    this.#pause = null;
  }

  #requireWhole(answer: SessionAnswer): SessionAnswer {
    const whole = answer?.user && (!this.#parts.store || (answer.access_token && answer.refresh_token));
    if (!whole) throw notFromServer(200);
    return answer;
  }

  #requireEpoch(epoch: number): void {
    if (epoch !== this.#epoch) throw signedOut();
  }

  #secondsLeft(): number {
    if (!this.#held) return Number.NEGATIVE_INFINITY;
    const { until, expires_at } = this.#held;
    return Math.min(until - performance.now(), expires_at - Date.now()) / 1000;
  }

  #show(status: AuthStatus, user: User | null, error: AuthError | null): void {
    this.#state = pictureOf(status, user, error, this.#held);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Keeps other tabs from renewing the same stored session. A courtesy only, so that its failure is ignored. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const locks = globalThis.navigator?.locks;
    if (!this.#parts.store || !locks) return work();
    let started = false;
    try {
      return await locks.request(this.#parts.name, { signal: AbortSignal.timeout(LOCK_WAIT_MILLISECONDS) }, () => {
        started = true;
        return work();
      });
    } catch (error) {
      if (started) throw error;
      return work();
    }
  }
}

/** Milliseconds between two tries, half of them at random, so that the clients of a server do not return as one. */
function backoff(failures: number): number {
  return 250 * 2 ** Math.min(failures, 6) * (1 + Math.random());
}

function pictureOf(status: AuthStatus, user: User | null, error: AuthError | null, held: Held | null): AuthState {
  const token = held?.access_token ?? null;
  return { status, loggedIn: status === 'signed-in', loading: status === 'loading', token, user, error };
}
