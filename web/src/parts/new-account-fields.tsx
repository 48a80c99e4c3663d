/**
 * What everybody is asked for who gets an account. What a name or a password may be is the server's to say.
 */

import { useFocusOnArrival } from '../lib/focus.ts';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';

/** The fields `email`, `username` and `password`; the first has the focus when they appear. */
export function NewAccountFields({ errors }: { errors: Record<string, string> }) {
  const first = useFocusOnArrival<HTMLInputElement>();
  return (
    <>
      <Field
        ref={first}
        name="email"
        type="email"
        label="E-mail"
        missing="Enter your e-mail address."
        error={errors.email}
        autoComplete="username"
        required
      />
      <Field
        name="username"
        label="Username"
        hint="A short name to log in with, if you like one better than your e-mail."
        error={errors.username}
        autoComplete="nickname"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <PasswordField
        name="password"
        label="Password"
        hint="Long beats complicated. A few words that only you would put together work well."
        missing="Choose a password."
        error={errors.password}
        autoComplete="new-password"
        required
      />
    </>
  );
}
