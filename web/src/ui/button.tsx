/**
 * The button of the kit.
 */

import type { ButtonHTMLAttributes } from 'react';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Says that it is at work. It keeps the focus meanwhile, which a disabled button would lose. */
  busy?: boolean;
  look?: 'primary' | 'quiet' | 'danger';
}

export function Button({ busy = false, look = 'primary', type = 'button', children, ...rest }: ButtonProps) {
  return (
    <button type={type} className={`button button-${look}`} aria-disabled={busy} {...rest}>
      {children}
      {busy && <span className="spinner" aria-hidden="true" />}
    </button>
  );
}
