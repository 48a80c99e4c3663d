/**
 * The public surface of `@vestibule/client`; whatever is not named here may change at any time.
 */

export { createAuth } from './client.ts';
export type { AuthErrorCode, ClientErrorCode, FieldError, ServerErrorCode } from './errors.ts';
export { AuthError } from './errors.ts';
export { localPath } from './paths.ts';
export type {
  Auth,
  AuthEvent,
  AuthOptions,
  AuthState,
  AuthStatus,
  Condition,
  DocumentEntry,
  KeyValueStorage,
  NewTodo,
  OpenSession,
  PasswordChange,
  ProfileChange,
  Schema,
  SignIn,
  SignOutScope,
  SignUp,
  Todo,
  TodoChange,
  TodoList,
  TodoQuery,
  User,
  Versioned,
} from './types.ts';
