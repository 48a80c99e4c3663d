/**
 * Asks before every other device is logged out.
 */

import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';

interface EndOthersDialogProps {
  open: boolean;
  count: number;
  onClose: () => void;
  send: () => Promise<void>;
}

export function EndOthersDialog({ open, count, onClose, send }: EndOthersDialogProps) {
  const words = accountWords();
  return (
    <Dialog open={open} labelledBy="end-others" onClose={onClose}>
      <h2 id="end-others">{words.logOutOthersQuestion}</h2>
      <p>{words.aboutOthers(count)}</p>
      <AccountForm
        labelledBy="end-others"
        submitLabel={words.logOutAllOthers}
        beside={
          <Button look="quiet" onClick={onClose}>
            {commonWords().cancel}
          </Button>
        }
        send={send}
      >
        {() => null}
      </AccountForm>
    </Dialog>
  );
}
