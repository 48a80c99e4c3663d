/**
 * `@vestibule/client/axios`: lets the requests of an axios instance travel as the signed-in user. When a token is
 * renewed, and whether a request is repeated, is the client's to decide; axios itself is never imported.
 */

import type { AxiosError, AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { insidesOf } from './insides.ts';
import type { Auth } from './types.ts';

/**
 * From now on requests of `instance` to the server of `auth` travel as those of `auth.fetch` do: with its session, and
 * after a 401 once more, with a different token and a body that can be sent again. A repetition is invisible to
 * interceptors. Where no token can be had although somebody is signed in, a request fails with the `AuthError` that
 * says why. Answers a function that takes all of this back.
 */
export function attachAuth(instance: AxiosInstance, auth: Auth): () => void {
  const { server, authorized, credentials } = insidesOf(auth);
  // It has the defaults of `instance` and none of its interceptors, which have seen the request already.
  const bare = instance.create();

  function authorize(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
    const { adapter = [] } = config;
    // Below all interceptors and transformations: where the request really goes and what it carries is known here.
    config.adapter = async (ready) => {
      const isOurs = originOf(instance.getUri(ready)) === originOf(server);
      if (isOurs && credentials === 'include') ready.withCredentials = true;
      const send = async (token: string | null): Promise<Outcome> => {
        const headers = ready.headers.concat();
        if (token) headers.setAuthorization(`Bearer ${token}`, false);
        const request = { ...ready, headers, adapter, transformRequest: [], transformResponse: [] };
        return bare.request(request).catch(refusalOf);
      };
      const outcome = await (isOurs ? authorized(send, isSpent(ready.data)) : send(null));
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    return config;
  }

  const id = instance.interceptors.request.use(authorize);
  return () => instance.interceptors.request.eject(id);
}

/** An answer, or the error that axios makes of one which the instance's `validateStatus` refuses. */
type Outcome = AxiosResponse | Refusal;
type Refusal = AxiosError & { status: number };

function refusalOf(error: AxiosError): Refusal {
  if (error.response) return error as Refusal;
  throw error;
}

function originOf(address: string): string | null {
  const base = globalThis.location?.href;
  return URL.canParse(address, base) ? new URL(address, base).origin : null;
}

/** A stream is gone after the first try; everything else that axios takes, it can send again. */
function isSpent(body: unknown): boolean {
  return body instanceof ReadableStream || typeof (body as { pipe?: unknown } | null)?.pipe === 'function';
}
