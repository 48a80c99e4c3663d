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
import { entranceWords } from '../words/entrance.ts';

export function RegisterPage() {
  usePageTitle(entranceWords().createAnAccount);
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
  const words = entranceWords();
  const next = nextFrom(useSearch());
  return (
    <>
      <h1 id="title">{words.createAnAccount}</h1>
      <p className="lead">{words.aMinute}</p>
      <AccountForm labelledBy="title" submitLabel={words.createAccount} send={send}>
        {(errors) => <NewAccountFields errors={errors} />}
      </AccountForm>
      <p className="aside">
        {words.haveAnAccount} <Link href={withNext('/login', next)}>{words.logIn}</Link>
      </p>
    </>
  );
}

function Closed() {
  const words = entranceWords();
  const next = nextFrom(useSearch());
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {words.registrationClosed}
      </h1>
      <p className="lead">{words.askForAnAccount(siteName())}</p>
      <p className="aside">
        {words.haveAnAccount} <Link href={withNext('/login', next)}>{words.logIn}</Link>
      </p>
    </>
  );
}
