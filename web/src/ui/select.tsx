/**
 * A labelled choice of one among a few.
 */

import type { SelectHTMLAttributes } from 'react';

interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
  id: string;
  label: string;
  /** What can be chosen: the value, and what it is called. */
  choices: readonly (readonly [value: string, name: string])[];
}

export function Select({ id, label, choices, ...rest }: SelectProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} {...rest}>
        {choices.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
