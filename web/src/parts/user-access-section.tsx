/**
 * Whether a user may log in at all: to disable and enable, to log out everywhere, to delete and to restore. What ends
 * something is asked about first.
 */

import { useEffect, useState } from 'react';
import { type AdminUser, useUserDeeds } from '../lib/admin.ts';
import { explainToAdmin } from '../lib/admin-explain.ts';
import type { Explanation } from '../lib/explain.ts';
import { nameOf } from '../lib/names.ts';
import { useSession } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

const HEADING = 'access';

/** What can be done, beginning with what is asked about first. */
type Ending = 'disable' | 'endSessions' | 'delete';
type Beginning = 'enable' | 'restore';

const ENDINGS: Record<AdminUser['status'], readonly Ending[]> = {
  active: ['endSessions', 'disable', 'delete'],
  disabled: ['delete'],
  deleted: [],
};
const BEGINNINGS: Record<AdminUser['status'], Beginning | null> = {
  active: null,
  disabled: 'enable',
  deleted: 'restore',
};

export function UserAccessSection({ user }: { user: AdminUser }) {
  const words = adminWords();
  const deeds = useDeedsTo(user);
  const [asking, setAsking] = useState<Ending | null>(null);
  const [busy, setBusy] = useState(false);
  const [news, setNews] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<Explanation | null>(null);
  const beginning = BEGINNINGS[user.status];

  useEffect(() => {
    // What had the focus is gone with what it was for.
    if (news) document.getElementById(HEADING)?.focus();
  }, [news]);

  async function begin(deed: Beginning) {
    if (busy) return;
    setBusy(true);
    setNews(null);
    setRefusal(null);
    try {
      await deeds[deed]();
      setNews(words.done[deed]);
    } catch (failure) {
      setRefusal(explainToAdmin(failure, [], user));
    } finally {
      setBusy(false);
    }
  }

  function ask(deed: Ending) {
    setNews(null);
    setRefusal(null);
    setAsking(deed);
  }

  return (
    <Setting id={HEADING} title={words.access} about={words.accessAbout[user.status]}>
      {user.status === 'deleted' && <p>{words.restorationLead}</p>}
      <div className="deeds">
        {beginning && (
          <Button busy={busy} onClick={() => begin(beginning)}>
            {words[beginning]}
          </Button>
        )}
        {ENDINGS[user.status].map((deed) => (
          <Button key={deed} look={deed === 'delete' ? 'danger' : 'quiet'} onClick={() => ask(deed)}>
            {words[deed]}
          </Button>
        ))}
      </div>
      <div className="alert" role="alert">
        {refusal && <p>{refusal.summary}</p>}
      </div>
      <p className="confirmation" role="status">
        {news}
      </p>
      <EndingDialog
        user={user}
        deed={asking}
        onClose={() => setAsking(null)}
        send={async (deed) => {
          await deeds[deed]();
          setNews(words.done[deed]);
        }}
      />
    </Setting>
  );
}

interface EndingDialogProps {
  user: AdminUser;
  /** Null where nothing is asked. */
  deed: Ending | null;
  onClose: () => void;
  send: (deed: Ending) => Promise<void>;
}

function EndingDialog({ user, deed, onClose, send }: EndingDialogProps) {
  const words = adminWords();
  const { user: me } = useSession();
  const question = words.questions[deed ?? 'disable'];
  return (
    <ConfirmDialog
      id="ending"
      open={deed !== null}
      title={question.title(nameOf(user))}
      submitLabel={question.submit}
      onClose={onClose}
      send={async () => deed && send(deed)}
      explainAs={(failure, known) => explainToAdmin(failure, known, user)}
    >
      <p>{user.id === me?.id ? question.aboutYou : question.lead}</p>
    </ConfirmDialog>
  );
}

function useDeedsTo({ id }: AdminUser): Record<Ending | Beginning, () => Promise<void>> {
  const deeds = useUserDeeds();
  return {
    disable: () => deeds.change(id, { disabled: true }),
    enable: () => deeds.change(id, { disabled: false }),
    endSessions: () => deeds.endSessions(id),
    delete: () => deeds.remove(id),
    restore: () => deeds.restore(id),
  };
}
