/**
 * `/login` and `/register`: one form each. What may be a name or a password is for the server to say, whose words are
 * shown at the field they are about.
 */

import { AuthError } from '@vestibule/client';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Link, useLocation } from 'react-router';
import { auth } from './auth.ts';

export function LoginPage() {
  const { search } = useLocation();
  return (
    <Entrance
      title="Log in"
      send={({ login, password }) => auth.signIn({ login, password })}
      below={
        <>
          New here? <Link to={`/register${search}`}>Create an account</Link>
        </>
      }
    >
      {(problems) => (
        <>
          <Field name="login" label="E-mail or username" autoComplete="username" problem={problems.login} />
          <Field name="password" label="Password" autoComplete="current-password" problem={problems.password} />
        </>
      )}
    </Entrance>
  );
}

export function RegisterPage() {
  const { search } = useLocation();
  return (
    <Entrance
      title="Create an account"
      send={({ email, password }) => auth.signUp({ email, password })}
      below={
        <>
          Been here before? <Link to={`/login${search}`}>Log in</Link>
        </>
      }
    >
      {(problems) => (
        <>
          <Field name="email" label="E-mail" autoComplete="username" problem={problems.email} />
          <Field name="password" label="Password" autoComplete="new-password" problem={problems.password} />
        </>
      )}
    </Entrance>
  );
}
