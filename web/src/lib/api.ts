/**
 * The server's API as pages for signed-in people ask it: an axios instance that travels with their session. What fails,
 * fails with an `AuthError`, as in the rest of the app. How long an answer is kept is decided in data.tsx.
 */

import { type Auth, AuthError } from '@vestibule/client';
import { attachAuth } from '@vestibule/client/axios';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { useAuth } from './session.tsx';

/** The server gives up on a request after 30 s; an answer later than this is lost on the way. */
const TIMEOUT_MILLISECONDS = 35_000;

const instances = new WeakMap<Auth, AxiosInstance>();

export function useApi(): AxiosInstance {
  return apiOf(useAuth());
}

/** One instance per client, so that all parts of a page share it. */
export function apiOf(auth: Auth): AxiosInstance {
  const known = instances.get(auth);
  if (known) return known;
  const api = axios.create({
    adapter: 'fetch',
    // Looked up at each call, as the client does it.
    env: { fetch: (input, init) => globalThis.fetch(input, init) },
    baseURL: window.location.origin,
    timeout: TIMEOUT_MILLISECONDS,
    fetchOptions: { cache: 'no-store' },
    // Else axios tells its own name for the browser's.
    headers: { Accept: 'application/json', 'User-Agent': false },
  });
  attachAuth(api, auth);
  api.interceptors.response.use(undefined, refuse);
  instances.set(auth, api);
  return api;
}

/** Leaves alone what was cancelled: that is no failure to tell anybody of. */
function refuse(failure: unknown): never {
  if (!axios.isAxiosError(failure) || axios.isCancel(failure)) throw failure;
  if (failure.response) throwRefusal(failure.response, failure);
  throw new AuthError('network_error', 'The server could not be reached.', { cause: failure });
}

/** A refusal is a problem document (RFC 9457), or anything else that a proxy on the way may have answered. */
function throwRefusal({ status, data, headers }: AxiosResponse, cause: unknown): never {
  const retryAfter = Number.parseInt(headers['retry-after'] ?? '', 10);
  throw new AuthError(
    typeof data?.code === 'string' ? data.code : 'unexpected_response',
    data?.detail ?? data?.title ?? `The server answered ${status}.`,
    {
      status,
      requestId: headers['x-request-id'] ?? null,
      errors: Array.isArray(data?.errors) ? data.errors : [],
      retryAfter: retryAfter >= 0 ? retryAfter : null,
      cause,
    },
  );
}
