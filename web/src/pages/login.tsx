/**
 * `/login`: opens a session for somebody who has an account. Where that leads is decided by the guard around it.
 */

import { Link, useSearch } from 'wouter';
import { useHistoryState } from 'wouter/use-browser-location';
import { siteName } from '../lib/branding.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { nextFrom, withNext } from '../lib/next.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth } from '../lib/session.tsx';
import { AccountForm } from '../parts/account-form.tsx';
import { Entrance } from '../parts/entrance.tsx';
import type { Arrival } from '../parts/guards.tsx';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';

const WELCOMES = {
  'logged-out': 'You are logged out. Until next time!',
  'session-ended': 'Your session has ended. Please log in again.',
  'account-deleted': 'Your account is deleted, and you are logged out everywhere. Farewell!',
};

export function LoginPage() {
  usePageTitle('Log in');
  const auth = useAuth();
  const next = nextFrom(useSearch());
  const arrival = useHistoryState<Arrival | null>();
  const first = useFocusOnArrival<HTMLInputElement>();
  return (
    <Entrance>
      <h1 id="title">Log in</h1>
      <p className="lead" role="status">
        {arrival ? WELCOMES[arrival.reason] : `Welcome to ${siteName()}.`}
      </p>
      <AccountForm
        labelledBy="title"
        submitLabel="Log in"
        send={({ login = '', password = '' }) => auth.signIn({ login, password })}
      >
        {(errors) => (
          <>
            <Field
              ref={first}
              name="login"
              label="E-mail or username"
              missing="Enter your e-mail address or your username."
              error={errors.login}
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              required
            />
            <PasswordField
              name="password"
              label="Password"
              missing="Enter your password."
              error={errors.password}
              autoComplete="current-password"
              required
            />
          </>
        )}
      </AccountForm>
      <p className="aside">
        New here? <Link href={withNext('/register', next)}>Create an account</Link>
      </p>
    </Entrance>
  );
}
