/**
 * The end of an account: what it means, a question, and the password.
 */

import type { User } from '@vestibule/client';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { siteName } from '../lib/branding.ts';
import { useAuth } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';
import type { Arrival } from './guards.tsx';
import { WhosePassword } from './whose-password.tsx';

export function DeletionSection({ user }: { user: User }) {
  const auth = useAuth();
  const words = accountWords();
  const [, navigate] = useLocation();
  const [asking, setAsking] = useState(false);
  const [sending, setSending] = useState(false);
  const close = () => setAsking(false);

  async function remove({ current_password = '' }: Record<string, string>) {
    setSending(true);
    try {
      await auth.profile.delete({ current_password });
      // By now the guard has led to the login page, which is to say why, and not to lead back here.
      const arrival: Arrival = { reason: 'account-deleted' };
      navigate('/login', { replace: true, state: arrival });
    } finally {
      setSending(false);
    }
  }

  return (
    <Setting id="deletion" title={words.deletion} about={words.aboutDeletion}>
      <p>{words.whatDeletionMeans(siteName())}</p>
      <Button look="danger" onClick={() => setAsking(true)}>
        {words.deleteAccount}
      </Button>
      <Dialog open={asking} labelledBy="delete" held={sending} onClose={close}>
        <h2 id="delete">{words.deletionQuestion}</h2>
        <p>{words.noWayBack}</p>
        <AccountForm
          labelledBy="delete"
          submitLabel={words.deleteMyAccount}
          submitLook="danger"
          beside={
            <Button look="quiet" aria-disabled={sending} onClick={() => sending || close()}>
              {words.keepMyAccount}
            </Button>
          }
          send={remove}
        >
          {(errors) => (
            <>
              <WhosePassword user={user} />
              <PasswordField
                id="delete-password"
                name="current_password"
                label={words.yourPassword}
                missing={commonWords().passwordMissing}
                error={errors.current_password}
                autoComplete="current-password"
                required
              />
            </>
          )}
        </AccountForm>
      </Dialog>
    </Setting>
  );
}
