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
import { commonWords } from '../words/common.ts';
import { entranceWords } from '../words/entrance.ts';

const WELCOMES = {
  'logged-out': 'loggedOut',
  'session-ended': 'sessionEnded',
  'account-deleted': 'accountDeleted',
} as const;

export function LoginPage() {
  const words = entranceWords();
  usePageTitle(words.logIn);
  const auth = useAuth();
  const next = nextFrom(useSearch());
  const arrival = useHistoryState<Arrival | null>();
  const first = useFocusOnArrival<HTMLInputElement>();
  return (
    <Entrance>
      <h1 id="title">{words.logIn}</h1>
      <p className="lead" role="status">
        {arrival ? words[WELCOMES[arrival.reason]] : words.welcomeTo(siteName())}
      </p>
      <AccountForm
        labelledBy="title"
        submitLabel={words.logIn}
        send={({ login = '', password = '' }) => auth.signIn({ login, password })}
      >
        {(errors) => (
          <>
            <Field
              ref={first}
              name="login"
              label={words.login}
              missing={words.loginMissing}
              error={errors.login}
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              required
            />
            <PasswordField
              name="password"
              label={words.password}
              missing={commonWords().passwordMissing}
              error={errors.password}
              autoComplete="current-password"
              required
            />
          </>
        )}
      </AccountForm>
      <p className="aside">
        {words.newHere} <Link href={withNext('/register', next)}>{words.createAnAccount}</Link>
      </p>
    </Entrance>
  );
}
