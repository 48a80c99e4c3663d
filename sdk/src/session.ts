/**
 * The hard part, alone: which session is held, what opens it, when its token is renewed, and what ends it. Everything
 * that can race (parallel calls, other tabs, a sign-out on the way) is decided here; what a user has is in nouns.ts.
 */

import { type AuthError, errorFrom, signedOut } from './errors.ts';
import { nounsOf } from './nouns.ts';
import { listen, type Signals } from './signals.ts';
import type { SessionStore, StoredSession } from './storage.ts';
import { answerOf, type Read, type Send } from './transport.ts';
import type {
  AuthEvent,
  AuthState,
  AuthStatus,
  Condition,
  PasswordChange,
  SessionAnswer,
  SignIn,
  SignOutScope,
  SignUp,
  User,
} from './types.ts';

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

/** A request that can be sent with one token or another, or with none. */
export type Attempt<T extends Answered> = (token: string | null) => Promise<T>;

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

/** What is known before anything was asked: on a server, and in the first moment of a page. */
export const LOADING = pictureOf('loading');

/**
 * Keeps one session: a closure that takes and gives its parts by position, because a page pays for every name of a
 * member and for none in here. `store` is `undefined` where the session is a cookie; at `leeway` seconds before its end
 * an access token counts as used up; by `name` tabs know their lock, their channel and their stored session.
 */
export function createSession(
  send: Send,
  store: SessionStore | undefined,
  leeway: number,
  name: string,
  onEvent: (event: AuthEvent) => void,
) {
  const listeners = new Set<() => void>();
  let signals: Signals | undefined | null;
  let state = LOADING;
  let held: Held | null = null;
  /** Counts sessions. Whoever awaits something notes it before and drops the result where it has changed. */
  let epoch = 0;
  let restoration: Promise<void> | null = null;
  let renewal: Promise<boolean> | null = null;
  /** Settles when the exchange on the way, if any, is over, whatever came of it. */
  let exchanging: Promise<unknown> | null = null;
  let pause: Pause | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Settles once the session is confirmed or known to be absent; a server out of reach leaves what is stored in force. */
  async function ready(): Promise<AuthState> {
    const { loading, status } = state;
    if (loading || status === 'unknown') {
      restoration ??= restore();
      await restoration;
    }
    return state;
  }

  /** Logins and logouts run one after the other, so that the last one called is the one that counts. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  }

  /** Sends what is answered with a session, such as a login, and makes it that of this tab. */
  function enter(path: string, body: object): Promise<User> {
    return inTurn(async () => {
      const answer = await answerOf(await send('POST', path, { ...body, mode: store ? 'token' : 'cookie' }), whole);
      supersede();
      await hold(answer, epoch);
      signal()?.tell('signed-in');
      onEvent({ type: 'signed-in', user: answer.user });
      return answer.user;
    });
  }

  function signOut({ scope = 'local' }: { scope?: SignOutScope } = {}): Promise<void> {
    return inTurn(async () => {
      if (scope !== 'local') await nouns.sessions.endOthers();
      if (scope === 'others') return;
      const token = store && (await forget());
      if (!store || token) {
        const response = await send('POST', '/api/auth/logout', token && { refresh_token: token });
        // Nothing to end is as good as ended.
        if (response.status !== 401) await answerOf(response);
      }
      if (!store) await forget();
    });
  }

  /** Sends what ends the account of the user. */
  function leave(path: string, body: object): Promise<void> {
    return inTurn(async () => {
      await ask('POST', path, body);
      await forget();
    });
  }

  /** Forgets the session here. Answers the refresh token it had, with which the server can be told. */
  async function forget(): Promise<string | undefined> {
    const refreshToken = held?.refresh_token;
    close();
    const stored = await store?.read();
    await store?.clear();
    signal()?.tell('signed-out');
    // Another tab may have renewed it since; the newest one is the surest.
    return stored?.refresh_token ?? refreshToken;
  }

  /** Asks who is signed in. */
  function me(): Promise<User> {
    return learn('GET', '/api/auth/me');
  }

  /** Sends what is answered with the user, who is shown as the server describes them now. */
  async function learn(method: string, path: string, body?: object): Promise<User> {
    const user = await ask<User>(method, path, body);
    show('signed-in', user);
    return user;
  }

  /** Asks for something that needs the session. A 401 to the newest token there is ends the session. */
  async function ask<T>(
    method: string,
    path: string,
    body?: unknown,
    condition?: Condition,
    read?: Read<T>,
  ): Promise<T> {
    const noted = epoch;
    await exchanging;
    try {
      const response = await withToken((token) => sendOnce(method, path, body, condition, token));
      const answer = await answerOf(response, read);
      requireEpoch(noted);
      return answer;
    } catch (error) {
      const { status, code } = error as AuthError;
      if (status === 401 && code !== WRONG_PASSWORD && noted === epoch) await close(error as AuthError);
      throw error;
    }
  }

  /**
   * Ends this session on the server, which answers with its successor: that takes its place in all tabs. Nothing renews
   * the old one meanwhile: the refusal would be taken for the end.
   */
  function changePassword(change: PasswordChange): Promise<User> {
    return inTurn(async () => {
      const noted = epoch;
      // Sent once and no more, so the token must be good beforehand.
      await me();
      await renewal?.catch(() => {});
      const begun = alone(async () => {
        const token = store && held?.access_token;
        const answer = await answerOf(await sendOnce('POST', '/api/auth/password', change, undefined, token), whole);
        // Another tab may have signed out meanwhile, and then it is right.
        await readStored(noted);
        await hold(answer, noted);
        return answer.user;
      });
      exchanging = begun.catch(() => {});
      return begun;
    });
  }

  /**
   * An access token with `minTtl` seconds left. While the server is out of reach one that is merely about to end is
   * still handed out; a token that never lives as long as `minTtl` is renewed at each call.
   */
  async function getToken({ minTtl = leeway } = {}): Promise<string> {
    if (secondsLeft() <= minTtl) {
      try {
        // What another tab has renewed may be half used by now.
        const renewedHere = await renew();
        if (!renewedHere && secondsLeft() <= minTtl) await renew();
      } catch (error) {
        if (secondsLeft() <= 0) throw error;
      }
    }
    if (!held) throw signedOut();
    return held.access_token as string;
  }

  /** Runs a request of the application. One that a cookie is refused makes us look whether the session is over. */
  async function authorized<T extends Answered>(request: Attempt<T>, isSpent: boolean): Promise<T> {
    const answer = await withToken(request, isSpent);
    if (!store && answer.status === 401 && state.loggedIn) await look();
    return answer;
  }

  /** Runs `request` with the session's token; after a 401 once more with a different one, unless its body `isSpent`. */
  async function withToken<T extends Answered>(request: Attempt<T>, isSpent?: boolean): Promise<T> {
    if (!store) return request(null);
    const bearer = await getToken().catch(unlessHeld);
    const noted = epoch;
    const response = await request(bearer);
    if (response.status !== 401 || isSpent) return response;
    if (noted === epoch && held?.access_token === bearer) {
      // Whatever the clocks say, it is used up.
      held = { ...held, until: 0 };
      // Where the session lives on, the 401 would tell the caller a falsehood.
      await renew().catch(unlessHeld);
    }
    // What one user asked for is never repeated in the name of the next.
    const newer = noted === epoch && held?.access_token;
    return newer && newer !== bearer ? request(newer) : response;
  }

  /** A token that cannot be had is a trouble where there is a session, and else no token. */
  function unlessHeld(error: AuthError): null {
    if (held) throw error;
    return null;
  }

  /**
   * Renews the access token; one request at a time in this tab, which all callers share. Answers `false` where the
   * server was not asked, because another tab had renewed it already.
   */
  function renew(): Promise<boolean> {
    const noted = epoch;
    const outworn = held?.refresh_token;
    renewal ??= alone(() => rotate(noted, outworn)).finally(() => {
      if (noted === epoch) renewal = null;
    });
    return renewal;
  }

  /** Leaves this page as if nothing had been loaded yet, from where `restore` can begin again. */
  function dispose(): void {
    supersede();
    signals?.stop();
    signals = null;
    listeners.clear();
    state = LOADING;
  }

  function signal(): Signals | undefined {
    signals ??= listen(name, (word) => {
      if (word === 'awake' && pause?.error.status === 0) pause = null;
      // What a tab did with its cookie, it did with ours.
      if (word === 'signed-out' && !store) void close();
      else void (store && word !== 'awake' ? follow() : look());
    });
    return signals;
  }

  /** Asks again who is signed in, where somebody is or where a cookie could say so. */
  async function look(): Promise<void> {
    await follow();
    const { loading, loggedIn } = state;
    if (store ? loggedIn : !loading) await me().catch(() => {});
  }

  /** A wrong password is thrown at once: it says nothing about the token, and trying it again counts against the user. */
  async function sendOnce(...request: Parameters<Send>): Promise<Response> {
    const response = await send(...request);
    if (response.status === 401) {
      const error = await errorFrom(response.clone());
      if (error.code === WRONG_PASSWORD) throw error;
    }
    return response;
  }

  async function restore(): Promise<void> {
    const noted = epoch;
    signal();
    show('loading');
    try {
      await readStored(noted);
      await me();
    } catch (error) {
      if (noted !== epoch) return;
      show(store ? 'signed-in' : 'unknown', state.user, error as AuthError);
      restoration = null;
    }
  }

  /** `outworn` is the refresh token that was held when the renewal was asked for, however long its turn took to come. */
  async function rotate(noted: number, outworn: string | undefined): Promise<boolean> {
    await exchanging;
    await waitOut();
    const presented = await readStored(noted);
    // Also where another tab's renewal was heard of, and adopted, while this one waited.
    if (presented !== outworn && secondsLeft() > leeway) return false;
    if (state.status === 'signed-out') throw signedOut();
    const body = presented && { refresh_token: presented };
    let answer: SessionAnswer;
    try {
      answer = await answerOf(await send('POST', '/api/auth/refresh', body), whole);
    } catch (error) {
      return refused(error as AuthError, presented, noted);
    }
    // Read again: another tab may have signed out or in while the answer was on its way, and then it is right.
    if ((await readStored(noted)) !== presented) return false;
    await hold(answer, noted);
    onEvent({ type: 'refreshed' });
    return true;
  }

  /** Only a clear no (400 or 401) to the newest refresh token ends a session; anything else may pass. */
  async function refused(error: AuthError, presented: string | undefined, noted: number): Promise<boolean> {
    const current = await readStored(noted);
    const { status, retryAfter } = error;
    if (status === 400 || status === 401) {
      if (current === presented) await close(error);
      else if (secondsLeft() > leeway) return false;
      throw error;
    }
    const failures = (pause?.failures ?? 0) + 1;
    const seconds = retryAfter ?? backoff(failures);
    pause = { until: performance.now() + seconds * 1000, error, failures };
    return rotate(noted, presented);
  }

  /** Waits out a short pause where there is no good token. Otherwise nobody is kept waiting, and told why. */
  async function waitOut(): Promise<void> {
    if (!pause) return;
    const { until, error } = pause;
    const wait = until - performance.now();
    if (wait <= 0) return;
    if (wait >= PATIENCE_MILLISECONDS || secondsLeft() > 0) {
      if (state.error !== error) show(state.status, state.user, error);
      throw error;
    }
    await new Promise((done) => setTimeout(done, wait));
  }

  /**
   * Takes over what is stored now, on behalf of the session that was `noted`: another tab may have renewed it, and nothing
   * there means that it has signed out. Answers the refresh token; `undefined` for a cookie.
   */
  async function readStored(noted: number): Promise<string | undefined> {
    const stored = await store?.read();
    requireEpoch(noted);
    if (stored) adopt(stored);
    else if (store) close();
    requireEpoch(noted);
    return stored?.refresh_token;
  }

  /** Takes over what another tab, or this page before a reload, has stored. */
  function adopt(stored: StoredSession): void {
    if (stored.refresh_token === held?.refresh_token) return;
    const { status, user } = state;
    const wasNobody = status === 'signed-out';
    const isAnother = wasNobody || (user && user.id !== stored.user.id);
    if (isAnother) supersede();
    take(stored);
    show(isAnother || status !== 'loading' ? 'signed-in' : status, stored.user);
    if (wasNobody) onEvent({ type: 'signed-in', user: stored.user });
  }

  async function hold(answer: SessionAnswer, noted: number): Promise<void> {
    const stored = { ...answer, expires_at: Date.now() + answer.expires_in * 1000 };
    take(stored);
    pause = null;
    await store?.write(stored);
    requireEpoch(noted);
    show('signed-in', answer.user);
  }

  /** Holds the tokens of an answer; that to a login with a cookie has none. */
  function take(stored: StoredSession): void {
    // A clock that was set back must not stretch a token's life.
    const left = Math.min(stored.expires_at - Date.now(), stored.expires_in * 1000);
    held = stored.access_token ? { ...stored, until: performance.now() + left } : null;
  }

  /** Another tab may have changed the stored session. */
  function follow(): Promise<unknown> {
    return readStored(epoch).catch(() => {});
  }

  /** Nobody is signed in from here on: because `error` says so, or because it was asked for, here or in another tab. */
  async function close(error: AuthError | null = null): Promise<void> {
    const lost = held || state.loggedIn;
    supersede();
    show('signed-out', null, lost ? error : null);
    if (error) await store?.clear();
    if (lost) onEvent(error ? { type: 'session-ended', error } : { type: 'signed-out' });
  }

  /** From here on, whatever still arrives belongs to a session of the past. */
  function supersede(): void {
    epoch += 1;
    held = null;
    restoration = null;
    renewal = null;
    exchanging = null;
    pause = null;
  }

  /** Reads a session that lacks nothing; the answer is not the server's otherwise. */
  async function whole(response: Response): Promise<SessionAnswer> {
    const answer: SessionAnswer = await response.json();
    if (!answer.user || (store && !(answer.access_token && answer.refresh_token))) throw new TypeError();
    return answer;
  }

  function requireEpoch(noted: number): void {
    if (noted !== epoch) throw signedOut();
  }

  function secondsLeft(): number {
    if (!held) return Number.NEGATIVE_INFINITY;
    const { until, expires_at } = held;
    return Math.min(until - performance.now(), expires_at - Date.now()) / 1000;
  }

  function show(status: AuthStatus, user?: User | null, error?: AuthError | null): void {
    state = pictureOf(status, user, error, held?.access_token);
    for (const listener of [...listeners]) listener();
  }

  /** Keeps other tabs from renewing the same stored session. A courtesy only, so that its failure is ignored. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    let begun: Promise<T> | undefined;
    const once = () => (begun ??= work());
    const signal = AbortSignal.timeout(LOCK_WAIT_MILLISECONDS);
    // Where it is the work that failed, that is told below.
    if (store) await globalThis.navigator?.locks?.request(name, { signal }, once).catch(() => {});
    return once();
  }

  const nouns = nounsOf(ask, learn, leave);
  /** What a client shows of its session as it is. */
  const verbs = {
    getState: () => state,
    getServerSnapshot: () => LOADING,
    subscribe,
    ready,
    signUp: (account: SignUp) => enter('/api/auth/register', account),
    signIn: (credentials: SignIn) => enter('/api/auth/login', credentials),
    signOut,
    changePassword,
    ...nouns,
    refresh: () => renew().then(() => {}),
    me,
    getToken,
    dispose,
  };
  return { verbs, authorized, enter };
}

/** Seconds between two tries, half of them at random, so that the clients of a server do not return as one. */
function backoff(failures: number): number {
  return (2 ** Math.min(failures, 6) * (1 + Math.random())) / 4;
}

function pictureOf(
  status: AuthStatus,
  user: User | null = null,
  error: AuthError | null = null,
  token: string | null = null,
): AuthState {
  return { status, loggedIn: status === 'signed-in', loading: status === 'loading', token, user, error };
}
