/**
 * Tells in passing what has just happened, at the lower edge of the page, with one thing to do about it. It goes away
 * by itself, and waits as long as the pointer or the focus rests on it.
 */

import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

/** Whoever needs longer has this long to get to it, and then all the time there is (WCAG 2.2, 2.2.1). */
const SECONDS = 20;

interface NoticeProps {
  /** `null` for none. Another one, or the same again after none, is shown for the full time. */
  sentence: string | null;
  action: string;
  /** The keys that do the same, as `aria-keyshortcuts` names them. */
  keys?: string;
  onAction: () => void;
  /** When it is dismissed or its time is over. */
  onGone: () => void;
  dismissLabel: string;
}

export function Notice({ sentence, action, keys, onAction, onGone, dismissLabel }: NoticeProps) {
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);

  useEffect(() => {
    if (sentence === null || hovered || focused) return;
    const over = setTimeout(onGone, SECONDS * 1000);
    return () => clearTimeout(over);
  }, [sentence, hovered, focused, onGone]);

  // What had the pointer or the focus is gone, and tells of neither.
  if (sentence === null && (hovered || focused)) {
    setHovered(false);
    setFocused(false);
  }

  // Screen readers tell of changes alone, so that what is to speak is there before it has something to say.
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: It is not operated; it waits while its buttons are in use.
    <div
      className="notice"
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      <p role="status">{sentence}</p>
      {sentence !== null && (
        <>
          <Button look="quiet" aria-keyshortcuts={keys} onClick={onAction}>
            {action}
          </Button>
          <button type="button" className="notice-dismiss" aria-label={dismissLabel} onClick={onGone}>
            <X aria-hidden="true" size={20} />
          </button>
        </>
      )}
    </div>
  );
}
