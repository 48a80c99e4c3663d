/**
 * A labelled box to tick, with its hint.
 */

import type { InputHTMLAttributes } from 'react';

interface CheckboxProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> {
  id: string;
  label: string;
  hint?: string;
}

export function Checkbox({ id, label, hint, ...rest }: CheckboxProps) {
  const hintId = hint && `${id}-hint`;
  return (
    <div className="checkbox">
      <input type="checkbox" id={id} aria-describedby={hintId} {...rest} />
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={hintId} className="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}
