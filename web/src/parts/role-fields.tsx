/**
 * The roles of a user: the one that administers as a box to tick, so that nobody misspells it, and the site's own as a
 * text. What a role may be called is the server's to say.
 */

import { ADMIN } from '../lib/admin.ts';
import { Checkbox } from '../ui/checkbox.tsx';
import { Field } from '../ui/field.tsx';
import { adminWords } from '../words/admin.ts';

/** Roles as they are being edited. */
export interface RoleDraft {
  isAdmin: boolean;
  others: string;
}

export const NO_ROLES: RoleDraft = { isAdmin: false, others: '' };

interface RoleFieldsProps {
  /** Begins the ids of the fields. */
  id: string;
  draft: RoleDraft;
  error: string | undefined;
  onChange: (draft: RoleDraft) => void;
}

export function RoleFields({ id, draft, error, onChange }: RoleFieldsProps) {
  const words = adminWords();
  return (
    <>
      <Checkbox
        id={`${id}-is-admin`}
        label={words.isAdmin}
        hint={words.isAdminHint}
        checked={draft.isAdmin}
        onChange={({ target }) => onChange({ ...draft, isAdmin: target.checked })}
      />
      <Field
        id={`${id}-roles`}
        name="roles"
        label={words.otherRoles}
        hint={words.otherRolesHint}
        value={draft.others}
        onChange={({ target }) => onChange({ ...draft, others: target.value })}
        error={error}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
    </>
  );
}

export function draftOfRoles(roles: readonly string[]): RoleDraft {
  return { isAdmin: roles.includes(ADMIN), others: roles.filter((role) => role !== ADMIN).join(', ') };
}

/** The roles that a draft means, each once. */
export function rolesOf({ isAdmin, others }: RoleDraft): string[] {
  const named = others.split(/[\s,;]+/).filter(Boolean);
  return [...new Set(isAdmin ? [ADMIN, ...named] : named)];
}
