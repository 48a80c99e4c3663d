/**
 * Asks before something ends, and does it.
 */

import { type ReactNode, useState } from 'react';
import type { Explanation } from '../lib/explain.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { commonWords } from '../words/common.ts';
import { AccountForm } from './account-form.tsx';

interface ConfirmDialogProps {
  /** The id of the heading. */
  id: string;
  open: boolean;
  title: string;
  submitLabel: string;
  submitLook?: 'primary' | 'danger';
  onClose: () => void;
  /** Does what is asked about; the dialog closes when that has worked. */
  send: () => Promise<unknown>;
  explainAs?: (failure: unknown, known: readonly string[]) => Explanation | null;
  /** What it means. */
  children: ReactNode;
}

export function ConfirmDialog({ id, open, title, onClose, send, children, ...form }: ConfirmDialogProps) {
  const [sending, setSending] = useState(false);

  async function confirm() {
    setSending(true);
    try {
      await send();
      onClose();
    } finally {
      setSending(false);
    }
  }

  return (
    <Dialog open={open} labelledBy={id} held={sending} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      <AccountForm
        labelledBy={id}
        submitLook="danger"
        beside={
          <Button look="quiet" aria-disabled={sending} onClick={() => sending || onClose()}>
            {commonWords().cancel}
          </Button>
        }
        send={confirm}
        {...form}
      >
        {() => null}
      </AccountForm>
    </Dialog>
  );
}
