/**
 * `/register`: creates an account and a session with it.
 */

import { AuthError } from '@vestibule/client';
import { useState } from 'react';
import { Link, useSearch } from 'wouter';
import { siteName } from '../lib/branding.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { nextFrom, withNext } from '../lib/next.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth } from '../lib/session.tsx';
import { AccountForm } from '../parts/account-form.tsx';
import { Entrance } from '../parts/entrance.tsx';
import { NewAccountFields } from '../parts/new-account-fields.tsx';

export function RegisterPage() {
  usePageTitle('Create an account');
  const auth = useAuth();
  const [closed, setClosed] = useState(false);

  async function send({ email = '', password = '', username }: Record<string, string>) {
    try {
      await auth.signUp({ email, password, username });
    } catch (failure) {
      if (failure instanceof AuthError && failure.code === 'registration_closed') setClosed(true);
      throw failure;
    }
  }

  return <Entrance>{closed ? <Closed /> : <Open send={send} />}</Entrance>;
}

function Open({ send }: { send: (values: Record<string, string>) => Promise<void> }) {
  const next = nextFrom(useSearch());
  return (
    <>
      <h1 id="title">Create an account</h1>
      <p className="lead">A minute, and you are in.</p>
      <AccountForm labelledBy="title" submitLabel="Create account" send={send}>
        {(errors) => <NewAccountFields errors={errors} />}
      </AccountForm>
      <p className="aside">
        Already have an account? <Link href={withNext('/login', next)}>Log in</Link>
      </p>
    </>
  );
}

function Closed() {
  const next = nextFrom(useSearch());
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        Registration is closed
      </h1>
      <p className="lead">
        New accounts for {siteName()} are made by the people who run it. Ask them for one; they will be glad to help.
      </p>
      <p className="aside">
        Already have an account? <Link href={withNext('/login', next)}>Log in</Link>
      </p>
    </>
  );
}
