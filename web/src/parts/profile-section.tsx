/**
 * The names of an account. Those that one logs in with change for the current password alone.
 */

import type { ProfileChange, User } from '@vestibule/client';
import { type ChangeEvent, useState } from 'react';
import { useAuth } from '../lib/session.tsx';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { AccountForm } from './account-form.tsx';

const NEEDS_PASSWORD = 'Changing it asks for your password.';

export function ProfileSection({ user }: { user: User }) {
  const auth = useAuth();
  // Only what was edited here, so that the rest follows what another tab saves.
  const [edits, setEdits] = useState<Partial<Draft>>({});
  const draft = { ...draftOf(user), ...edits };
  const namesDiffer = draft.email !== user.email || draft.username !== (user.username ?? '');

  function edit({ target }: ChangeEvent<HTMLInputElement>) {
    setEdits({ ...edits, [target.name]: target.value });
  }

  async function save({ current_password }: Record<string, string>) {
    await auth.profile.update({ ...changesOf(draft, user), ...(namesDiffer && { current_password }) });
    setEdits({});
  }

  return (
    <Setting id="profile" title="Profile" about="What you are called, and what you log in with.">
      <AccountForm labelledBy="profile" submitLabel="Save changes" confirmation="Your profile is saved." send={save}>
        {(errors) => (
          <>
            <Field
              name="name"
              label="Name"
              value={draft.name}
              onChange={edit}
              error={errors.name}
              autoComplete="name"
            />
            <Field
              name="username"
              label="Username"
              hint={NEEDS_PASSWORD}
              value={draft.username}
              onChange={edit}
              error={errors.username}
              autoComplete="nickname"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
            />
            <Field
              name="email"
              type="email"
              label="E-mail"
              hint={NEEDS_PASSWORD}
              missing="Enter your e-mail address."
              value={draft.email}
              onChange={edit}
              error={errors.email}
              autoComplete="username"
              required
            />
            {namesDiffer && (
              <PasswordField
                id="profile-password"
                name="current_password"
                label="Your password"
                hint="So that nobody else changes what you log in with."
                missing="Enter your password."
                error={errors.current_password}
                autoComplete="current-password"
                required
              />
            )}
          </>
        )}
      </AccountForm>
    </Setting>
  );
}

type Draft = Record<'name' | 'username' | 'email', string>;

function draftOf({ name, username, email }: User): Draft {
  return { name: name ?? '', username: username ?? '', email };
}

/** Only what differs is sent, so that nothing another tab has saved meanwhile is undone. */
function changesOf(draft: Draft, user: User): ProfileChange {
  const saved = draftOf(user);
  return {
    ...(draft.name !== saved.name && { name: draft.name || null }),
    ...(draft.username !== saved.username && { username: draft.username || null }),
    ...(draft.email !== saved.email && { email: draft.email }),
  };
}
