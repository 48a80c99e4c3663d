/**
 * What everybody is asked for who gets an account. What a name or a password may be is the server's to say.
 */

import { useFocusOnArrival } from '../lib/focus.ts';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { commonWords } from '../words/common.ts';
import { entranceWords } from '../words/entrance.ts';

/** The fields `email`, `username` and `password`; the first has the focus when they appear. */
export function NewAccountFields({ errors }: { errors: Record<string, string> }) {
  const words = entranceWords();
  const common = commonWords();
  const first = useFocusOnArrival<HTMLInputElement>();
  return (
    <>
      <Field
        ref={first}
        name="email"
        type="email"
        label={common.email}
        missing={common.emailMissing}
        error={errors.email}
        autoComplete="username"
        required
      />
      <Field
        name="username"
        label={common.username}
        hint={words.usernameHint}
        error={errors.username}
        autoComplete="nickname"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <PasswordField
        name="password"
        label={words.password}
        hint={common.passwordHint}
        missing={words.passwordToChoose}
        error={errors.password}
        autoComplete="new-password"
        required
      />
    </>
  );
}
