/**
 * A password field that can show what was typed. Hides it again when the form is sent, so that password managers see
 * a password, and nobody who looks over a shoulder does.
 */

import { Eye, EyeOff } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { commonWords } from '../words/common.ts';
import { Field, type FieldProps } from './field.tsx';

export function PasswordField(props: Omit<FieldProps, 'type' | 'trailing' | 'ref'>) {
  const input = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState(false);

  useEffect(() => {
    const form = input.current?.form;
    const hide = () => setShown(false);
    form?.addEventListener('submit', hide);
    return () => form?.removeEventListener('submit', hide);
  }, []);

  const toggle = (
    <button
      type="button"
      className="reveal"
      aria-label={commonWords().showPassword}
      aria-pressed={shown}
      aria-controls={props.id ?? props.name}
      onClick={() => setShown(!shown)}
    >
      {shown ? <EyeOff aria-hidden="true" size={20} /> : <Eye aria-hidden="true" size={20} />}
    </button>
  );
  return (
    <Field
      {...props}
      ref={input}
      type={shown ? 'text' : 'password'}
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      trailing={toggle}
    />
  );
}
