/**
 * Adds a user, whose address the admin vouches for.
 */

import { useState } from 'react';
import { type AdminUser, useUserDeeds } from '../lib/admin.ts';
import { explainToAdmin } from '../lib/admin-explain.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { adminWords } from '../words/admin.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';
import { NO_ROLES, RoleFields, rolesOf } from './role-fields.tsx';

interface AddUserDialogProps {
  open: boolean;
  onClose: () => void;
  onAdded: (user: AdminUser) => void;
}

export function AddUserDialog({ open, onClose, onAdded }: AddUserDialogProps) {
  return (
    <Dialog open={open} labelledBy="add-user" onClose={onClose}>
      <AddUserForm onClose={onClose} onAdded={onAdded} />
    </Dialog>
  );
}

function AddUserForm({ onClose, onAdded }: Omit<AddUserDialogProps, 'open'>) {
  const words = adminWords();
  const deeds = useUserDeeds();
  const [roles, setRoles] = useState(NO_ROLES);

  async function add({ email = '', password = '', username, name }: Record<string, string>) {
    onAdded(
      await deeds.add({ email, password, username: username ?? null, name: name ?? null, roles: rolesOf(roles) }),
    );
  }

  return (
    <>
      <h2 id="add-user">{words.addTitle}</h2>
      <p>{words.addLead}</p>
      <AccountForm
        labelledBy="add-user"
        submitLabel={words.addUser}
        beside={
          <Button look="quiet" onClick={onClose}>
            {commonWords().cancel}
          </Button>
        }
        send={add}
        explainAs={explainToAdmin}
      >
        {(errors) => (
          <>
            <NewUserFields errors={errors} />
            <RoleFields id="add" draft={roles} onChange={setRoles} error={errors.roles} />
          </>
        )}
      </AccountForm>
    </>
  );
}

/** Nothing here is the admin's own, so that the browser is not to fill it in or to keep it. */
function NewUserFields({ errors }: { errors: Record<string, string> }) {
  const words = adminWords();
  const common = commonWords();
  const first = useFocusOnArrival<HTMLInputElement>();
  return (
    <>
      <Field
        ref={first}
        id="add-email"
        name="email"
        type="email"
        label={common.email}
        missing={words.emailMissing}
        error={errors.email}
        autoComplete="off"
        required
      />
      <PasswordField
        id="add-password"
        name="password"
        label={words.password}
        hint={words.passwordHint}
        missing={words.passwordMissing}
        error={errors.password}
        autoComplete="new-password"
        required
      />
      <Field id="add-name" name="name" label={common.name} error={errors.name} autoComplete="off" />
      <Field
        id="add-username"
        name="username"
        label={common.username}
        error={errors.username}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
    </>
  );
}
