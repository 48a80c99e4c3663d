/**
 * What all forms about an account have in common: sending once at a time, and showing a refusal where it belongs, with
 * the focus there. The fields and the request belong to whoever uses it.
 */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { type Explanation, explain, explainMissing } from '../lib/explain.ts';
import { Button } from '../ui/button.tsx';
import { commonWords } from '../words/common.ts';

interface AccountFormProps {
  /** The id of the heading that names the form. */
  labelledBy: string;
  submitLabel: string;
  submitLook?: 'primary' | 'danger';
  /** What to say when it worked and the form stays. Without it the next page takes the form's place. */
  confirmation?: string;
  /** Another control beside the submit button. */
  beside?: ReactNode;
  /** Sends the values by field name; empty ones are left out. What it throws is explained in the form. */
  send: (values: Record<string, string>) => Promise<unknown>;
  /** Finds the words for what was thrown; null where there is nothing to say. */
  explainAs?: (failure: unknown, known: readonly string[]) => Explanation | null;
  /** Renders the fields with the sentences that belong to them, by field name. */
  children: (errors: Record<string, string>) => ReactNode;
}

export function AccountForm({
  labelledBy,
  submitLabel,
  submitLook = 'primary',
  confirmation,
  beside,
  send,
  explainAs = explain,
  children,
}: AccountFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const summary = useRef<HTMLDivElement>(null);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Explanation | null>(null);
  const [done, setDone] = useState(false);

  useEffect(() => {
    if (!refusal || !form.current) return;
    const wrong = form.current.querySelector<Input>('[aria-invalid="true"]');
    const field = wrong ?? inputsOf(form.current).find(({ name }) => name === refusal.retype);
    field?.select();
    (field ?? summary.current)?.focus();
  }, [refusal]);

  useEffect(() => {
    // The field that had the focus may have gone with what was confirmed.
    if (done && !document.activeElement?.matches('input, button')) submitButtonOf(form.current)?.focus();
  }, [done]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const inputs = inputsOf(event.currentTarget);
    const missing = inputs.filter(({ required, value }) => required && value === '');
    if (missing.length > 0) {
      setRefusal(explainMissing(Object.fromEntries(missing.map(({ name, dataset }) => [name, dataset.missing ?? '']))));
      return;
    }
    const sent = event.currentTarget;
    setBusy(true);
    setDone(false);
    try {
      await send(filledIn(inputs));
      setRefusal(null);
      // Else still busy: the next page is on its way, and takes the form's place.
      if (confirmation) {
        sent.reset();
        setDone(true);
        setBusy(false);
      }
    } catch (failure) {
      const names = inputs.map(({ name }) => name);
      setRefusal(explainAs(failure, names));
      setBusy(false);
    }
  }

  // `noValidate`: the browser's bubbles would come before our sentences, and vanish. `post`: should the form ever be
  // sent without this script, the password must not end up in the address.
  return (
    <form
      ref={form}
      className="account-form"
      method="post"
      noValidate
      aria-labelledby={labelledBy}
      onSubmit={submit}
      onInput={() => setDone(false)}
    >
      <div ref={summary} className="alert" role="alert" tabIndex={-1}>
        {refusal && <p>{refusal.summary}</p>}
        {refusal?.reference && <p className="reference">{commonWords().reference(refusal.reference)}</p>}
      </div>
      {children(refusal?.fields ?? {})}
      <div className="actions">
        <Button type="submit" look={submitLook} busy={busy}>
          {submitLabel}
        </Button>
        {beside}
        {confirmation && (
          <p className="confirmation" role="status">
            {done && confirmation}
          </p>
        )}
      </div>
    </form>
  );
}

type Input = HTMLInputElement | HTMLTextAreaElement;

function inputsOf(form: HTMLFormElement): Input[] {
  return [...form.elements].filter(
    (element) => element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement,
  );
}

function submitButtonOf(form: HTMLFormElement | null): HTMLButtonElement | null | undefined {
  return form?.querySelector<HTMLButtonElement>('button[type="submit"]');
}

function filledIn(inputs: Input[]): Record<string, string> {
  const filled = inputs.filter(({ name, value }) => name !== '' && value !== '');
  return Object.fromEntries(filled.map(({ name, value }) => [name, value]));
}
