/**
 * Asks before every other device is logged out.
 */

import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { AccountForm } from './account-form.tsx';

interface EndOthersDialogProps {
  open: boolean;
  count: number;
  onClose: () => void;
  send: () => Promise<void>;
}

export function EndOthersDialog({ open, count, onClose, send }: EndOthersDialogProps) {
  return (
    <Dialog open={open} labelledBy="end-others" onClose={onClose}>
      <h2 id="end-others">Log out all other devices?</h2>
      <p>
        {count === 1 ? 'The other device has' : `The other ${count} devices have`} to log in again. This one stays
        logged in.
      </p>
      <AccountForm
        labelledBy="end-others"
        submitLabel="Log out all others"
        beside={
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
        }
        send={send}
      >
        {() => null}
      </AccountForm>
    </Dialog>
  );
}
