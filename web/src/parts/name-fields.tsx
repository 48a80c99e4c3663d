/**
 * The names of an account as they are being edited, by its owner or by an admin: the fields, and what of them is to be
 * saved.
 */

import type { User } from '@vestibule/client';
import type { ChangeEvent } from 'react';
import { Field } from '../ui/field.tsx';
import { commonWords } from '../words/common.ts';

/** What stands in the fields; empty for none. */
export type NameDraft = Record<'name' | 'username' | 'email', string>;

interface NameFieldsProps {
  draft: NameDraft;
  errors: Record<string, string>;
  /** Whether the browser may fill in what it knows of whoever sits before it. */
  isOwn: boolean;
  usernameHint?: string;
  emailHint: string;
  /** What to say when there is none. */
  emailMissing: string;
  onEdit: (change: Partial<NameDraft>) => void;
}

export function NameFields({ draft, errors, isOwn, onEdit, ...texts }: NameFieldsProps) {
  const words = commonWords();
  const edit = ({ target }: ChangeEvent<HTMLInputElement>) => onEdit({ [target.name]: target.value });
  const known = (kind: string) => (isOwn ? kind : 'off');
  return (
    <>
      <Field
        name="name"
        label={words.name}
        value={draft.name}
        onChange={edit}
        error={errors.name}
        autoComplete={known('name')}
      />
      <Field
        name="username"
        label={words.username}
        {...(texts.usernameHint && { hint: texts.usernameHint })}
        value={draft.username}
        onChange={edit}
        error={errors.username}
        autoComplete={known('nickname')}
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <Field
        name="email"
        type="email"
        label={words.email}
        hint={texts.emailHint}
        missing={texts.emailMissing}
        value={draft.email}
        onChange={edit}
        error={errors.email}
        autoComplete={known('username')}
        required
      />
    </>
  );
}

export function draftOfNames({ name, username, email }: Pick<User, keyof NameDraft>): NameDraft {
  return { name: name ?? '', username: username ?? '', email };
}

/** Only what differs is sent, so that nothing is undone that was saved meanwhile, in another tab or by another admin. */
export function changedNames(draft: NameDraft, user: User) {
  const saved = draftOfNames(user);
  return {
    ...(draft.name !== saved.name && { name: draft.name || null }),
    ...(draft.username !== saved.username && { username: draft.username || null }),
    ...(draft.email !== saved.email && { email: draft.email }),
  };
}
