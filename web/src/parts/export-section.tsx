/**
 * A copy of everything that is held about the user, as one file to keep.
 */

import { useState } from 'react';
import { type Explanation, explain } from '../lib/explain.ts';
import { saveFile } from '../lib/save-file.ts';
import { useAuth } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';

export function ExportSection() {
  const auth = useAuth();
  const words = accountWords();
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [refusal, setRefusal] = useState<Explanation | null>(null);

  async function download() {
    if (busy) return;
    setBusy(true);
    setDone(false);
    setRefusal(null);
    try {
      // Whole before it is saved: half a file would look like everything.
      const file = await auth.profile.export();
      saveFile(file, `vestibule-export-${new Date().toISOString().slice(0, 10)}.json`);
      setDone(true);
    } catch (failure) {
      setRefusal(explain(failure, []));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Setting id="export" title={words.yourData} about={words.aboutYourData}>
      <Button look="quiet" busy={busy} onClick={download}>
        {words.downloadData}
      </Button>
      <div className="alert" role="alert">
        {refusal && <p>{refusal.summary}</p>}
        {refusal?.reference && <p className="reference">{commonWords().reference(refusal.reference)}</p>}
      </div>
      <p className="confirmation" role="status">
        {done && words.downloaded}
      </p>
    </Setting>
  );
}
