/**
 * The one error class of the library and the codes it can carry. What a code means for the session is decided in
 * session.ts; what to tell a person is left to the application.
 */

import type { Schema } from './types.ts';

/** Codes of the server's problem documents. A newer server may send one that is not listed here yet. */
export type ServerErrorCode = Schema<'ProblemCode'>;

/** Codes made here: no answer came, it was not Vestibule's, or there is no session to use. */
export type ClientErrorCode = 'network_error' | 'unexpected_response' | 'signed_out';

export type AuthErrorCode = ServerErrorCode | ClientErrorCode;

/** What is wrong with one field of a request. */
export type FieldError = Schema<'FieldError'>;

/** Every failure of the library. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  declare readonly code: AuthErrorCode;
  /** The HTTP status, or 0 where no answer came. */
  declare readonly status: number;
  /** The server's `X-Request-Id`, to quote to whoever runs it. */
  declare readonly requestId: string | null;
  /** Per-field reasons of a `validation_failed`; empty for everything else. */
  declare readonly errors: readonly FieldError[];
  /** Seconds the server asked to wait before the next try. */
  declare readonly retryAfter: number | null;

  constructor(code: AuthErrorCode, message: string, details: AuthErrorDetails = {}) {
    super(message, details);
    Object.assign(this, { code, status: 0, requestId: null, errors: [], retryAfter: null }, details);
  }
}

type AuthErrorDetails = Partial<Pick<AuthError, 'status' | 'requestId' | 'errors' | 'retryAfter' | 'cause'>>;

/** Reads a refusal: a problem document (RFC 9457), or anything else a proxy on the way may have answered. */
export async function errorFrom(response: Response, cause?: unknown): Promise<AuthError> {
  const { status, headers } = response;
  const { code, detail, errors } = (await response.json().catch(() => null)) ?? {};
  // A time of day, which HTTP allows as well, is no number.
  const retryAfter = Number(headers.get('retry-after') ?? -1);
  return new AuthError(code ?? 'unexpected_response', detail ?? `The server answered ${status}.`, {
    cause,
    status,
    requestId: headers.get('x-request-id'),
    errors: errors ?? [],
    retryAfter: retryAfter >= 0 ? retryAfter : null,
  });
}

/** The error of a call that needs a session where there is none, or none any more. */
export function signedOut(): AuthError {
  return new AuthError('signed_out', 'Not signed in.');
}
