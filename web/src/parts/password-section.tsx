/**
 * Changing one's password, and what that means for one's other devices.
 */

import type { User } from '@vestibule/client';
import { useAuth } from '../lib/session.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';
import { WhosePassword } from './whose-password.tsx';

export function PasswordSection({ user, onChanged }: { user: User; onChanged: () => void }) {
  const auth = useAuth();
  const words = accountWords();

  async function change({ current_password = '', new_password = '' }: Record<string, string>) {
    await auth.changePassword({ current_password, new_password });
    onChanged();
  }

  return (
    <Setting id="password" title={words.password} about={words.aboutPassword}>
      <AccountForm
        labelledBy="password"
        submitLabel={words.changePassword}
        confirmation={words.passwordChanged}
        send={change}
      >
        {(errors) => (
          <>
            <WhosePassword user={user} />
            <PasswordField
              id="password-current"
              name="current_password"
              label={words.currentPassword}
              missing={words.currentPasswordMissing}
              error={errors.current_password}
              autoComplete="current-password"
              required
            />
            <PasswordField
              id="password-new"
              name="new_password"
              label={words.newPassword}
              hint={commonWords().passwordHint}
              missing={words.newPasswordMissing}
              error={errors.new_password}
              autoComplete="new-password"
              required
            />
          </>
        )}
      </AccountForm>
    </Setting>
  );
}
