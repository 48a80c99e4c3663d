/**
 * What the log-in and the register form have in common: sending once at a time, and showing a refusal where it
 * belongs, with the focus there. The fields and the request belong to the page.
 */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { type Explanation, explain, explainMissing } from '../lib/explain.ts';
import { Button } from '../ui/button.tsx';

interface AccountFormProps {
  /** The id of the heading that names the form. */
  labelledBy: string;
  submitLabel: string;
  /** Sends the values by field name; empty ones are left out. What it throws is explained in the form. */
  send: (values: Record<string, string>) => Promise<unknown>;
  /** Renders the fields with the sentences that belong to them, by field name. */
  children: (errors: Record<string, string>) => ReactNode;
}

export function AccountForm({ labelledBy, submitLabel, send, children }: AccountFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const summary = useRef<HTMLDivElement>(null);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Explanation | null>(null);

  useEffect(() => {
    if (!refusal || !form.current) return;
    const wrong = form.current.querySelector<HTMLInputElement>('[aria-invalid="true"]');
    const field = wrong ?? inputsOf(form.current).find(({ name }) => name === refusal.retype);
    field?.select();
    (field ?? summary.current)?.focus();
  }, [refusal]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const inputs = inputsOf(event.currentTarget);
    const missing = inputs.filter(({ required, value }) => required && value === '');
    if (missing.length > 0) {
      setRefusal(explainMissing(Object.fromEntries(missing.map(({ name, dataset }) => [name, dataset.missing ?? '']))));
      return;
    }
    setBusy(true);
    try {
      await send(filledIn(inputs));
      // Still busy: the next page is on its way, and takes the form's place.
      setRefusal(null);
    } catch (failure) {
      const names = inputs.map(({ name }) => name);
      setRefusal(explain(failure, names));
      setBusy(false);
    }
  }

  // `noValidate`: the browser's bubbles would come before our sentences, and vanish. `post`: should the form ever be
  // sent without this script, the password must not end up in the address.
  return (
    <form ref={form} className="account-form" method="post" noValidate aria-labelledby={labelledBy} onSubmit={submit}>
      <div ref={summary} className="alert" role="alert" tabIndex={-1}>
        {refusal && <p>{refusal.summary}</p>}
        {refusal?.reference && <p className="reference">Reference: {refusal.reference}</p>}
      </div>
      {children(refusal?.fields ?? {})}
      <Button type="submit" busy={busy}>
        {submitLabel}
      </Button>
    </form>
  );
}

function inputsOf(form: HTMLFormElement): HTMLInputElement[] {
  return [...form.elements].filter((element) => element instanceof HTMLInputElement);
}

function filledIn(inputs: HTMLInputElement[]): Record<string, string> {
  const filled = inputs.filter(({ value }) => value !== '');
  return Object.fromEntries(filled.map(({ name, value }) => [name, value]));
}
