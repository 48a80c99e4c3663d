/**
 * `/setup`: the account of the first administrator, for whoever holds the link that the server gave at its start.
 */

import { AuthError } from '@vestibule/client';
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

export function SetUpPage() {
  usePageTitle('Set-up');
  const auth = useAuth();
  const [, navigate] = useLocation();
  const code = useSetupCode();
  const [refused, setRefused] = useState<string | null>(null);

  async function send({ email = '', password = '', username, name }: Record<string, string>) {
    if (!code) return;
    try {
      await auth.setUp({ code, email, password, username, name });
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
  return (
    <>
      <h1 id="title">Set up {siteName()}</h1>
      <p className="lead">Whoever holds this link becomes the first administrator. That is you.</p>
      <AccountForm labelledBy="title" submitLabel="Create administrator" send={send}>
        {(errors) => (
          <>
            <NewAccountFields errors={errors} />
            <Field name="name" label="Name" error={errors.name} autoComplete="name" />
          </>
        )}
      </AccountForm>
    </>
  );
}

function Refused() {
  return (
    <Advice title="This link does not open the set-up any more">
      <p className="lead">It has been used, is older than 30 minutes, or {siteName()} has an administrator by now.</p>
      <p>If there is none yet, one of these helps:</p>
      <ul className="steps">
        <li>Restart the server. It gives a fresh link at each start until there is an administrator.</li>
        <li>
          Or run this beside it:
          <code>
            vestibule user add you@example.org <span className="unbroken">--role admin</span>
          </code>
        </li>
      </ul>
    </Advice>
  );
}

function NoCode() {
  return (
    <Advice title="The set-up needs its link">
      <p className="lead">
        While there is no administrator, the server gives a link at each start. It works once, for 30 minutes.
      </p>
      <ul className="steps">
        <li>Look at the terminal in which you started the server, shortly before its ready line.</li>
        <li>
          Without a terminal it is in the data folder, in the file
          <code>setup-link</code>
        </li>
      </ul>
      <p>Open the whole link here, with what follows the #.</p>
    </Advice>
  );
}

function Advice({ title, children }: { title: string; children: ReactNode }) {
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
      <p className="aside">
        Already an administrator? <Link href="/login">Log in</Link>
      </p>
    </>
  );
}
