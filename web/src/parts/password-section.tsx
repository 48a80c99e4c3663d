/**
 * Changing one's password, and what that means for one's other devices.
 */

import type { User } from '@vestibule/client';
import { useAuth } from '../lib/session.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { AccountForm } from './account-form.tsx';
import { WhosePassword } from './whose-password.tsx';

export function PasswordSection({ user, onChanged }: { user: User; onChanged: () => void }) {
  const auth = useAuth();

  async function change({ current_password = '', new_password = '' }: Record<string, string>) {
    await auth.changePassword({ current_password, new_password });
    onChanged();
  }

  return (
    <Setting
      id="password"
      title="Password"
      about="A new password logs out every other device. This one stays logged in."
    >
      <AccountForm
        labelledBy="password"
        submitLabel="Change password"
        confirmation="Your password is changed. Every other device is logged out."
        send={change}
      >
        {(errors) => (
          <>
            <WhosePassword user={user} />
            <PasswordField
              id="password-current"
              name="current_password"
              label="Current password"
              missing="Enter the password that you have now."
              error={errors.current_password}
              autoComplete="current-password"
              required
            />
            <PasswordField
              id="password-new"
              name="new_password"
              label="New password"
              hint="Long beats complicated. A few words that only you would put together work well."
              missing="Choose a new password."
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
