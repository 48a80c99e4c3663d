/**
 * The names and roles of a user, for admins to change. Taking a role away ends sessions, and so is asked about first.
 */

import { type ChangeEvent, useState } from 'react';
import { type AdminUser, type UserChange, useUserDeeds } from '../lib/admin.ts';
import { explainToAdmin } from '../lib/admin-explain.ts';
import { Field } from '../ui/field.tsx';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { AccountForm } from './account-form.tsx';
import { draftOfRoles, type RoleDraft, RoleFields, rolesOf } from './role-fields.tsx';
import { RoleLossDialog } from './role-loss-dialog.tsx';

/** What is being edited, as it stands in the fields. */
interface Draft {
  name: string;
  username: string;
  email: string;
  roles: RoleDraft;
}

/** Nothing is wrong: there is a question to be answered first. */
class AskFirst extends Error {}

export function UserProfileSection({ user }: { user: AdminUser }) {
  const words = adminWords();
  const deeds = useUserDeeds();
  // Only what was edited here, so that the rest follows what another admin saves.
  const [edits, setEdits] = useState<Partial<Draft>>({});
  const [asked, setAsked] = useState<UserChange | null>(null);
  const [agreed, setAgreed] = useState(false);
  const draft = { ...draftOf(user), ...edits };

  async function save(change: UserChange) {
    await deeds.change(user.id, change);
    setEdits({});
  }

  async function saveOrAsk() {
    setAgreed(false);
    const change = changesOf(draft, user);
    if (user.roles.some((role) => !(change.roles ?? user.roles).includes(role))) {
      setAsked(change);
      throw new AskFirst();
    }
    await save(change);
  }

  function edit(change: Partial<Draft>) {
    setAgreed(false);
    setEdits({ ...edits, ...change });
  }

  return (
    <Setting id="profile" title={words.profile} about={words.profileAbout}>
      <AccountForm
        labelledBy="profile"
        submitLabel={words.save}
        confirmation={words.saved}
        send={saveOrAsk}
        explainAs={(failure, known) => (failure instanceof AskFirst ? null : explainToAdmin(failure, known, user))}
      >
        {(errors) => <ProfileFields draft={draft} errors={errors} onEdit={edit} />}
      </AccountForm>
      <p className="confirmation" role="status">
        {agreed && words.saved}
      </p>
      <RoleLossDialog
        user={user}
        change={asked}
        onClose={() => setAsked(null)}
        send={async (change) => {
          await save(change);
          setAgreed(true);
        }}
      />
    </Setting>
  );
}

interface ProfileFieldsProps {
  draft: Draft;
  errors: Record<string, string>;
  onEdit: (change: Partial<Draft>) => void;
}

function ProfileFields({ draft, errors, onEdit }: ProfileFieldsProps) {
  const words = adminWords();
  const edit = ({ target }: ChangeEvent<HTMLInputElement>) => onEdit({ [target.name]: target.value });
  return (
    <>
      <Field name="name" label={words.name} value={draft.name} onChange={edit} error={errors.name} autoComplete="off" />
      <Field
        name="username"
        label={words.username}
        value={draft.username}
        onChange={edit}
        error={errors.username}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <Field
        name="email"
        type="email"
        label={words.email}
        hint={words.emailHint}
        missing={words.missingEmail}
        value={draft.email}
        onChange={edit}
        error={errors.email}
        autoComplete="off"
        required
      />
      <RoleFields id="profile" draft={draft.roles} onChange={(roles) => onEdit({ roles })} error={errors.roles} />
    </>
  );
}

function draftOf({ name, username, email, roles }: AdminUser): Draft {
  return { name: name ?? '', username: username ?? '', email, roles: draftOfRoles(roles) };
}

/** Only what differs is sent, so that nothing another admin has saved meanwhile is undone. */
function changesOf(draft: Draft, user: AdminUser): UserChange {
  const saved = draftOf(user);
  const roles = rolesOf(draft.roles);
  return {
    ...(draft.name !== saved.name && { name: draft.name || null }),
    ...(draft.username !== saved.username && { username: draft.username || null }),
    ...(draft.email !== saved.email && { email: draft.email }),
    ...([...roles].sort().join() !== [...user.roles].sort().join() && { roles }),
  };
}
