/**
 * The public surface of `@vestibule/client`; whatever is not named here may change at any time.
 */

export { createAuth } from './client.ts';
export type { AuthErrorCode, ClientErrorCode, FieldError, ServerErrorCode } from './errors.ts';
export { AuthError } from './errors.ts';
export type {
  Auth,
  AuthEvent,
  AuthOptions,
  AuthState,
  AuthStatus,
  KeyValueStorage,
  SignIn,
  SignUp,
  User,
} from './types.ts';
