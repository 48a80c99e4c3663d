/**
 * The names of an account. Those that one logs in with change for the current password alone.
 */

import type { ProfileChange, User } from '@vestibule/client';
import { type ChangeEvent, useState } from 'react';
import { useAuth } from '../lib/session.tsx';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';

export function ProfileSection({ user }: { user: User }) {
  const auth = useAuth();
  const words = accountWords();
  const common = commonWords();
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
    <Setting id="profile" title={words.profile} about={words.aboutProfile}>
      <AccountForm labelledBy="profile" submitLabel={words.saveChanges} confirmation={words.profileSaved} send={save}>
        {(errors) => (
          <>
            <Field
              name="name"
              label={common.name}
              value={draft.name}
              onChange={edit}
              error={errors.name}
              autoComplete="name"
            />
            <Field
              name="username"
              label={common.username}
              hint={words.asksForPassword}
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
              label={common.email}
              hint={words.asksForPassword}
              missing={common.emailMissing}
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
                label={words.yourPassword}
                hint={words.whyPassword}
                missing={common.passwordMissing}
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
