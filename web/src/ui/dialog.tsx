/**
 * A question that must be answered before anything else. The browser keeps the focus inside, closes it on Escape, and
 * gives the focus back.
 */

import { type ReactNode, useEffect, useRef } from 'react';

interface DialogProps {
  open: boolean;
  /** The id of the heading that names it. */
  labelledBy: string;
  /** Keeps it open on Escape: what was asked for can no longer be taken back, or what was written would be lost. */
  held?: boolean;
  /** Escape was pressed while it was held. */
  onHeld?: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ open, labelledBy, held = false, onHeld, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={labelledBy}
      onCancel={(event) => {
        if (!held) return onClose();
        event.preventDefault();
        onHeld?.();
      }}
      // The word of its closing comes late. Whoever has opened it anew by then is not meant.
      onClose={({ currentTarget }) => currentTarget.open || onClose()}
    >
      {open && children}
    </dialog>
  );
}
