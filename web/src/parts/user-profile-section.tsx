/**
 * The names and roles of a user, for admins to change. Taking a role away ends sessions, and so is asked about first.
 */

import { useState } from 'react';
import { type AdminUser, type UserChange, useUserDeeds } from '../lib/admin.ts';
import { explainToAdmin } from '../lib/admin-explain.ts';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { AccountForm } from './account-form.tsx';
import { changedNames, draftOfNames, type NameDraft, NameFields } from './name-fields.tsx';
import { draftOfRoles, type RoleDraft, RoleFields, rolesOf } from './role-fields.tsx';
import { RoleLossDialog } from './role-loss-dialog.tsx';

/** What is being edited, as it stands in the fields. */
interface Draft extends NameDraft {
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
        {(errors) => (
          <>
            <NameFields
              draft={draft}
              errors={errors}
              isOwn={false}
              emailHint={words.emailHint}
              emailMissing={words.emailMissing}
              onEdit={edit}
            />
            <RoleFields id="profile" draft={draft.roles} onChange={(roles) => edit({ roles })} error={errors.roles} />
          </>
        )}
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

function draftOf(user: AdminUser): Draft {
  return { ...draftOfNames(user), roles: draftOfRoles(user.roles) };
}

function changesOf(draft: Draft, user: AdminUser): UserChange {
  const roles = rolesOf(draft.roles);
  const sameRoles = [...roles].sort().join() === [...user.roles].sort().join();
  return { ...changedNames(draft, user), ...(!sameRoles && { roles }) };
}
