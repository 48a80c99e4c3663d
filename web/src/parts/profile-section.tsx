/**
 * The names of an account. Those that one logs in with change for the current password alone.
 */

import type { User } from '@vestibule/client';
import { useState } from 'react';
import { useAuth } from '../lib/session.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';
import { changedNames, draftOfNames, type NameDraft, NameFields } from './name-fields.tsx';

export function ProfileSection({ user }: { user: User }) {
  const auth = useAuth();
  const words = accountWords();
  const common = commonWords();
  // Only what was edited here, so that the rest follows what another tab saves.
  const [edits, setEdits] = useState<Partial<NameDraft>>({});
  const draft = { ...draftOfNames(user), ...edits };
  const namesDiffer = draft.email !== user.email || draft.username !== (user.username ?? '');

  async function save({ current_password }: Record<string, string>) {
    await auth.profile.update({ ...changedNames(draft, user), ...(namesDiffer && { current_password }) });
    setEdits({});
  }

  return (
    <Setting id="profile" title={words.profile} about={words.aboutProfile}>
      <AccountForm labelledBy="profile" submitLabel={words.saveChanges} confirmation={words.profileSaved} send={save}>
        {(errors) => (
          <>
            <NameFields
              draft={draft}
              errors={errors}
              isOwn
              usernameHint={words.asksForPassword}
              emailHint={words.asksForPassword}
              emailMissing={common.emailMissing}
              onEdit={(change) => setEdits({ ...edits, ...change })}
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
