/**
 * Asks before somebody loses a role, which logs them out everywhere.
 */

import { ADMIN, type AdminUser, type UserChange } from '../lib/admin.ts';
import { explainToAdmin } from '../lib/admin-explain.ts';
import { nameOf } from '../lib/names.ts';
import { useSession } from '../lib/session.tsx';
import { adminWords } from '../words/admin.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

interface RoleLossDialogProps {
  user: AdminUser;
  /** What is to be saved; null where nothing is asked. */
  change: UserChange | null;
  onClose: () => void;
  send: (change: UserChange) => Promise<void>;
}

export function RoleLossDialog({ user, change, onClose, send }: RoleLossDialogProps) {
  const words = adminWords();
  const { user: me } = useSession();
  const lost = user.roles.filter((role) => change?.roles?.includes(role) === false);
  const isMe = user.id === me?.id;
  const stepsDown = isMe && lost.includes(ADMIN);
  return (
    <ConfirmDialog
      id="role-loss"
      open={change !== null}
      title={stepsDown ? words.losesOwnAdmin : words.losesRoles(nameOf(user), lost.join(', '))}
      submitLabel={words.takeAway}
      onClose={onClose}
      send={async () => change && send(change)}
      explainAs={(failure, known) => explainToAdmin(failure, known, user)}
    >
      <p>{stepsDown ? words.losesOwnAdminLead : isMe ? words.losesOwnRoles : words.losesRolesLead}</p>
    </ConfirmDialog>
  );
}
