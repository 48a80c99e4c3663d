/**
 * The hard part, alone: which session is held, when its token is renewed, and what ends it. Everything that can race
 * (parallel calls, other tabs, a sign-out on the way) is decided here; the verbs of the library are in client.ts.
 */

import { AuthError, errorFrom, signedOut } from './errors.ts';
import type { SessionStore, StoredSession } from './storage.ts';
import { answerOf, type Outgoing, type Read, type Send } from './transport.ts';
import type { AuthEvent, AuthState, AuthStatus, SessionAnswer, User } from './types.ts';

/** How long another tab's renewal is waited for; then we go on alone, as the server answers both tabs alike. */
const LOCK_WAIT_MILLISECONDS = 3_000;

/** The one refusal with 401 that is not about the token. */
const WRONG_PASSWORD = 'invalid_credentials';

/** An answer, as far as it matters here. */
export interface Answered {
  readonly status: number;
}

interface Held {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** On the monotonic clock (`performance.now()`), so that setting the device's clock changes nothing. */
  readonly expiresAt: number;
}

interface SessionParts {
  send: Send;
  /** `null` where the session is a cookie. */
  store: SessionStore | null;
  /** Seconds before its end at which an access token counts as used up. */
  leeway: number;
  /** Names the lock shared by all tabs that use the same server. */
  lockName: string;
  onEvent: (event: AuthEvent) => void;
}

export class Session {
  readonly #parts: SessionParts;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: (() => void) | undefined;
  #state = pictureOf('loading', null, null, null);
  #held: Held | null = null;
  /** Counts sessions. Whoever awaits something notes it before and drops the result where it has changed. */
  #epoch = 0;
  #renewal: Promise<boolean> | null = null;
  /** Settles when the exchange on the way, if any, is over, whatever came of it. */
  #exchange: Promise<unknown> | null = null;
  /** The server asked for a pause: until when (monotonic), and with which refusal. */
  #pause: { until: number; error: AuthError } | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#unwatch = parts.store?.watch(() => void this.#follow());
  }

  get state(): AuthState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Confirms the stored session or the cookie; a server out of reach leaves what is stored in force. */
  async restore(): Promise<void> {
    const epoch = this.#epoch;
    this.#show('loading', this.#state.user, null);
    const stored = await this.#parts.store?.read();
    if (epoch !== this.#epoch) return;
    if (stored) this.#adopt(stored);
    if (stored === null) return this.#close();
    try {
      await this.me();
    } catch (error) {
      if (!this.#state.loading) return;
      this.#show(stored ? 'signed-in' : 'unknown', stored?.user ?? null, error as AuthError);
    }
  }

  /** Makes the answer to a login or registration the session of this tab. */
  async open(answer: SessionAnswer): Promise<User> {
    this.#requireWhole(answer);
    this.#supersede();
    await this.#hold(answer, this.#epoch);
    this.#parts.onEvent({ type: 'signed-in', user: answer.user });
    return answer.user;
  }

  /** Forgets the session here. Answers the refresh token it had, with which the server can be told. */
  async forget(): Promise<string | null> {
    const refreshToken = this.#held?.refreshToken ?? null;
    this.#close();
    const stored = await this.#parts.store?.read();
    await this.#parts.store?.clear();
    // Another tab may have renewed it since; the newest one is the surest.
    return stored?.refreshToken ?? refreshToken;
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
      if (status === 401 && code !== WRONG_PASSWORD && epoch === this.#epoch) await this.#end(error as AuthError);
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
      const token = this.#parts.store && this.#held ? this.#held.accessToken : null;
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
    return this.#held.accessToken;
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
    if (epoch === this.#epoch && this.#held?.accessToken === token)
      await this.renew().catch((error: AuthError) => {
        // The session lives on, so the 401 would tell the caller a falsehood.
        if (this.#held) throw error;
      });
    // What one user asked for is never repeated in the name of the next.
    const newer = epoch === this.#epoch ? this.#held?.accessToken : undefined;
    return newer && newer !== token ? request(newer) : response;
  }

  /**
   * Renews the access token; one request at a time in this tab, which all callers share. Answers `false` where the
   * server was not asked, because another tab had renewed it already.
   */
  renew(): Promise<boolean> {
    if (!this.#renewal) {
      const epoch = this.#epoch;
      const renewal = this.#alone(async () => {
        await this.#exchange;
        return this.#rotate(epoch);
      }).finally(() => {
        if (this.#renewal === renewal) this.#renewal = null;
      });
      this.#renewal = renewal;
    }
    return this.#renewal;
  }

  dispose(): void {
    this.#supersede();
    this.#unwatch?.();
    this.#listeners.clear();
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

  async #rotate(epoch: number): Promise<boolean> {
    if (this.#pause && performance.now() < this.#pause.until) throw this.#pause.error;
    const presented = await this.#stored(epoch);
    if (presented && this.#adopt(presented)) return false;
    if (!presented && this.#state.status === 'signed-out') throw signedOut();
    const body = presented ? { refresh_token: presented.refreshToken } : undefined;
    let answer: SessionAnswer;
    try {
      answer = this.#requireWhole(await answerOf(await this.#parts.send('/api/auth/refresh', { body })));
    } catch (error) {
      return this.#refused(error as AuthError, presented, epoch);
    }
    // Read again: another tab may have signed out or in while the answer was on its way, and then it is right.
    const current = await this.#stored(epoch);
    if (current && current.refreshToken !== presented?.refreshToken) {
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
      if (current?.refreshToken === presented?.refreshToken) await this.#end(error);
      else if (current && this.#adopt(current)) return false;
    } else {
      if (error.retryAfter) this.#pause = { until: performance.now() + error.retryAfter * 1000, error };
      this.#show(this.#state.status, this.#state.user, error);
    }
    throw error;
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
  #adopt({ accessToken, refreshToken, lifetime, expiresAt, user }: StoredSession): boolean {
    if (refreshToken === this.#held?.refreshToken) return false;
    // A clock that was set back must not stretch a token's life.
    const left = Math.min(expiresAt - Date.now(), lifetime * 1000);
    this.#held = { accessToken, refreshToken, expiresAt: performance.now() + left };
    this.#show(this.#state.loading ? 'loading' : 'signed-in', user, null);
    return this.#secondsLeft() > this.#parts.leeway;
  }

  async #hold(answer: SessionAnswer, epoch: number): Promise<void> {
    const { user, access_token: accessToken, refresh_token: refreshToken = null, expires_in: lifetime } = answer;
    const left = lifetime * 1000;
    this.#held = accessToken ? { accessToken, refreshToken, expiresAt: performance.now() + left } : null;
    this.#pause = null;
    if (accessToken && refreshToken)
      await this.#parts.store?.write({ accessToken, refreshToken, lifetime, expiresAt: Date.now() + left, user });
    this.#requireEpoch(epoch);
    this.#show('signed-in', user, null);
  }

  /** Another tab changed the stored session. */
  async #follow(): Promise<void> {
    const epoch = this.#epoch;
    const stored = await this.#parts.store?.read();
    if (epoch !== this.#epoch) return;
    if (!stored) return this.#close();
    if (stored.user.id !== this.#state.user?.id) this.#supersede();
    const { status } = this.#state;
    this.#adopt(stored);
    if (status === 'signed-out') this.#parts.onEvent({ type: 'signed-in', user: stored.user });
  }

  async #end(error: AuthError): Promise<void> {
    const lost = this.#held !== null || this.#state.loggedIn;
    this.#supersede();
    this.#show('signed-out', null, lost ? error : null);
    await this.#parts.store?.clear();
    if (lost) this.#parts.onEvent({ type: 'session-ended', error });
  }

  #close(): void {
    const { loggedIn } = this.#state;
    this.#supersede();
    this.#show('signed-out', null, null);
    if (loggedIn) this.#parts.onEvent({ type: 'signed-out' });
  }

  /** From here on, whatever still arrives belongs to a session of the past. */
  #supersede(): void {
    this.#epoch += 1;
    this.#held = null;
    this.#renewal = null;
    this.#exchange = null;
    this.#pause = null;
  }

  #requireWhole(answer: SessionAnswer): SessionAnswer {
    const whole = answer?.user && (!this.#parts.store || (answer.access_token && answer.refresh_token));
    if (!whole) throw new AuthError('unexpected_response', 'The answer holds no session.');
    return answer;
  }

  #requireEpoch(epoch: number): void {
    if (epoch !== this.#epoch) throw signedOut();
  }

  #secondsLeft(): number {
    return this.#held ? (this.#held.expiresAt - performance.now()) / 1000 : Number.NEGATIVE_INFINITY;
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
      return await locks.request(this.#parts.lockName, { signal: AbortSignal.timeout(LOCK_WAIT_MILLISECONDS) }, () => {
        started = true;
        return work();
      });
    } catch (error) {
      if (started) throw error;
      return work();
    }
  }
}

function pictureOf(status: AuthStatus, user: User | null, error: AuthError | null, held: Held | null): AuthState {
  const token = held?.accessToken ?? null;
  return { status, loggedIn: status === 'signed-in', loading: status === 'loading', token, user, error };
}
