/**
 * A labelled text field with its hint and its error, tied together for screen readers.
 */

import type { InputHTMLAttributes, ReactNode, Ref } from 'react';
import { commonWords } from '../words/common.ts';

export interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  name: string;
  /** Needed where two forms of a page have a field of this name. Default: the name. */
  id?: string;
  label: string;
  hint?: string;
  error?: string | undefined;
  /** Says nothing of being optional, where nothing is ever required. */
  unmarked?: boolean;
  /** What to say when a required field was left empty. */
  missing?: string;
  ref?: Ref<HTMLInputElement>;
  /** The height of a field for text of several lines. */
  rows?: number;
  /** A control at the end of the field. */
  trailing?: ReactNode;
}

export function Field({
  name,
  id = name,
  label,
  hint,
  error,
  missing,
  required,
  unmarked = false,
  trailing,
  ...rest
}: FieldProps) {
  const hintId = hint && `${id}-hint`;
  const errorId = error && `${id}-error`;
  // Whatever else a field is given, both elements take alike.
  const Control = (rest.rows ? 'textarea' : 'input') as 'input';
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {!(required || unmarked) && <span className="optional"> {commonWords().optional}</span>}
      </label>
      <div className="field-box">
        <Control
          id={id}
          name={name}
          required={required}
          data-missing={missing}
          aria-invalid={error ? true : undefined}
          aria-describedby={[errorId, hintId].filter(Boolean).join(' ') || undefined}
          {...rest}
        />
        {trailing}
      </div>
      {error && (
        <p id={errorId} className="field-error">
          {error}
        </p>
      )}
      {hint && (
        <p id={hintId} className="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}
