/**
 * `/setup`: the account of the first administrator, for whoever holds the link that the server gave at its start.
 */

import { AuthError } from '@vestibule/client';
import { setUp } from '@vestibule/client/setup';
import { type ReactNode, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { siteName } from '../lib/branding.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth } from '../lib/session.tsx';
import { useSetupCode } from '../lib/setup-code.ts';
import { AccountForm } from '../parts/account-form.tsx';
import { Entrance } from '../parts/entrance.tsx';
import { NewAccountFields } from '../parts/new-account-fields.tsx';
import { Field } from '../ui/field.tsx';
import { commonWords } from '../words/common.ts';
import { entranceWords } from '../words/entrance.ts';

export function SetUpPage() {
  usePageTitle(entranceWords().setUp);
  const auth = useAuth();
  const [, navigate] = useLocation();
  const code = useSetupCode();
  const [refused, setRefused] = useState<string | null>(null);

  async function send({ email = '', password = '', username, name }: Record<string, string>) {
    if (!code) return;
    try {
      await setUp(auth, { code, email, password, username, name });
      navigate('/dashboard', { replace: true });
    } catch (failure) {
      if (failure instanceof AuthError && failure.code === 'setup_refused') setRefused(code);
      throw failure;
    }
  }

  if (!code)
    return (
      <Entrance>
        <NoCode />
      </Entrance>
    );
  // A newer link in the same tab is a new try.
  return <Entrance>{code === refused ? <Refused /> : <Welcome key={code} send={send} />}</Entrance>;
}

function Welcome({ send }: { send: (values: Record<string, string>) => Promise<void> }) {
  const words = entranceWords();
  return (
    <>
      <h1 id="title">{words.setUpSite(siteName())}</h1>
      <p className="lead">{words.firstAdministrator}</p>
      <AccountForm labelledBy="title" submitLabel={words.createAdministrator} send={send}>
        {(errors) => (
          <>
            <NewAccountFields errors={errors} />
            <Field name="name" label={commonWords().name} error={errors.name} autoComplete="name" />
          </>
        )}
      </AccountForm>
    </>
  );
}

function Refused() {
  const words = entranceWords();
  return (
    <Advice title={words.oldLink}>
      <p className="lead">{words.whyOldLink(siteName())}</p>
      <p>{words.ifNoneYet}</p>
      <ul className="steps">
        <li>{words.restartServer}</li>
        <li>
          {words.orRunThis}
          <code>
            vestibule user add you@example.org <span className="unbroken">--role admin</span>
          </code>
        </li>
      </ul>
    </Advice>
  );
}

function NoCode() {
  const words = entranceWords();
  return (
    <Advice title={words.needsLink}>
      <p className="lead">{words.aboutLink}</p>
      <ul className="steps">
        <li>{words.lookAtTerminal}</li>
        <li>
          {words.orInFile}
          <code>setup-link</code>
        </li>
      </ul>
      <p>{words.openWholeLink}</p>
    </Advice>
  );
}

function Advice({ title, children }: { title: string; children: ReactNode }) {
  const words = entranceWords();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
      <p className="aside">
        {words.alreadyAdministrator} <Link href="/login">{words.logIn}</Link>
      </p>
    </>
  );
}
