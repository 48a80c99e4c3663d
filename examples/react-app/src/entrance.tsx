/**
 * `/login` and `/register`. What may be an address or a password is for the server to say: its words are shown at the
 * field that they are about.
 */

import { AuthError } from '@vestibule/client';
import { useAuth } from '@vestibule/client/react';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { auth } from './auth.ts';

export function LoginPage() {
  const { search } = useLocation();
  const { status, error } = useAuth();
  const ended = status === 'signed-out' && error;
  return (
    <Entrance
      title="Log in"
      notice={ended && 'You were logged out, as your session has ended. Log in to go on where you were.'}
      fields={[
        { name: 'login', label: 'E-mail or username', autoComplete: 'username' },
        { name: 'password', label: 'Password', autoComplete: 'current-password' },
      ]}
      send={({ login = '', password = '' }) => auth.signIn({ login, password })}
    >
      New here? <Link to={`/register${search}`}>Create an account</Link>
    </Entrance>
  );
}

export function RegisterPage() {
  const { search } = useLocation();
  return (
    <Entrance
      title="Create an account"
      fields={[
        { name: 'email', label: 'E-mail', autoComplete: 'username' },
        { name: 'password', label: 'Password', autoComplete: 'new-password' },
      ]}
      send={({ email = '', password = '' }) => auth.signUp({ email, password })}
    >
      Been here before? <Link to={`/login${search}`}>Log in</Link>
    </Entrance>
  );
}

interface Field {
  name: string;
  label: string;
  autoComplete: string;
}

interface EntranceProps {
  title: string;
  notice?: ReactNode;
  fields: readonly Field[];
  send(values: Record<string, string>): Promise<unknown>;
  children: ReactNode;
}

function Entrance({ title, notice, fields, send, children }: EntranceProps) {
  const { loggedIn } = useAuth();
  const navigate = useNavigate();
  const [refusal, setRefusal] = useState<AuthError | null>(null);
  const [pending, setPending] = useState(false);

  // Also where another tab has logged in meanwhile.
  useEffect(() => {
    if (loggedIn) navigate(auth.nextPath(), { replace: true });
  }, [loggedIn, navigate]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    setPending(true);
    try {
      await send(values);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      setRefusal(error);
      const mistaken = error.errors[0]?.field ?? 'password';
      document.getElementById(mistaken)?.focus();
    } finally {
      setPending(false);
    }
  }

  return (
    <>
      <title>{`${title} · Basket`}</title>
      <h1>{title}</h1>
      {notice && (
        <p className="notice" role="status">
          {notice}
        </p>
      )}
      {refusal && (
        <p className="problem" role="alert">
          {refusal.errors.length > 0 ? 'Please look at the fields below.' : refusal.message}
        </p>
      )}
      <form className="stacked" onSubmit={submit} noValidate>
        {fields.map((field) => (
          <LabelledInput
            key={field.name}
            {...field}
            problem={refusal?.errors.find((error) => error.field === field.name)?.message}
          />
        ))}
        <button type="submit" disabled={pending}>
          {title}
        </button>
      </form>
      <p className="soft">{children}</p>
    </>
  );
}

function LabelledInput({ name, label, autoComplete, problem }: Field & { problem: string | undefined }) {
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <input
        id={name}
        name={name}
        type={name === 'password' ? 'password' : 'text'}
        autoComplete={autoComplete}
        autoCapitalize="none"
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${name}-problem` : undefined}
        required
      />
      {problem && (
        <span className="hint" id={`${name}-problem`}>
          {problem}
        </span>
      )}
    </div>
  );
}
