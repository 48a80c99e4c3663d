/**
 * Asks before every other device is logged out.
 */

import { accountWords } from '../words/account.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

interface EndOthersDialogProps {
  open: boolean;
  count: number;
  onClose: () => void;
  send: () => Promise<void>;
}

export function EndOthersDialog({ count, ...asking }: EndOthersDialogProps) {
  const words = accountWords();
  return (
    <ConfirmDialog
      id="end-others"
      title={words.logOutOthersQuestion}
      submitLabel={words.logOutAllOthers}
      submitLook="primary"
      {...asking}
    >
      <p>{words.aboutOthers(count)}</p>
    </ConfirmDialog>
  );
}
