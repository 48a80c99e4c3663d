/**
 * The devices somebody is signed in with: to know them again, and to end one or all others.
 */

import type { OpenSession } from '@vestibule/client';
import { AuthError } from '@vestibule/client';
import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { deviceOf } from '../lib/device.ts';
import { type Explanation, explain } from '../lib/explain.ts';
import type { OpenSessions } from '../lib/open-sessions.ts';
import { useAuth } from '../lib/session.tsx';
import { Button } from '../ui/button.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';
import { commonWords } from '../words/common.ts';
import { EndOthersDialog } from './end-others-dialog.tsx';
import { rowOf, SessionItem } from './session-item.tsx';

/** So many are shown at first; somebody who never logs out has hundreds. */
const SHOWN_AT_FIRST = 6;
const HEADING = 'devices';

/** What has just happened, and the id of what gets the focus, as what had it is gone. */
interface News {
  sentence: string;
  focus: string;
}

export function SessionsSection({ sessions }: { sessions: OpenSessions }) {
  const auth = useAuth();
  const words = accountWords();
  const [ending, setEnding] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const [news, setNews] = useState<News | null>(null);
  const [refusal, setRefusal] = useState<Explanation | null>(null);
  const others = sessions.list?.filter(({ current }) => !current) ?? [];

  useEffect(() => {
    if (news) document.getElementById(news.focus)?.focus();
  }, [news]);

  async function end(session: OpenSession) {
    if (ending) return;
    setEnding(session.id);
    setNews(null);
    setRefusal(null);
    try {
      await auth.sessions.end(session.id).catch(ignoreEnded);
      const next = others[others.indexOf(session) + 1];
      sessions.drop(({ id }) => id === session.id);
      setNews({ sentence: words.loggedOutDevice(deviceOf(session.device).name), focus: next ? rowOf(next) : HEADING });
    } catch (failure) {
      setRefusal(explain(failure, []));
    } finally {
      setEnding(null);
    }
  }

  async function endOthers() {
    await auth.sessions.endOthers();
    sessions.drop(({ current }) => !current);
    setAsking(false);
    setNews({ sentence: words.othersLoggedOut, focus: HEADING });
  }

  function ask() {
    setNews(null);
    setRefusal(null);
    setAsking(true);
  }

  return (
    <Setting id={HEADING} title={words.devices} about={words.aboutDevices}>
      <SessionList sessions={sessions} ending={ending} onEnd={end} />
      <div className="alert" role="alert">
        {refusal && <p>{words.stillLoggedIn(refusal.summary)}</p>}
      </div>
      {others.length > 0 && (
        <Button look="quiet" onClick={ask}>
          {words.logOutOthers}
        </Button>
      )}
      <p className="confirmation" role="status">
        {news?.sentence}
      </p>
      <EndOthersDialog open={asking} count={others.length} onClose={() => setAsking(false)} send={endOthers} />
    </Setting>
  );
}

interface SessionListProps {
  sessions: OpenSessions;
  ending: string | null;
  onEnd: (session: OpenSession) => void;
}

function SessionList({ sessions: { list, failure, load }, ending, onEnd }: SessionListProps) {
  const words = accountWords();
  const [all, setAll] = useState(false);

  function showAll() {
    flushSync(() => setAll(true));
    // The button is gone; go on with the first that it has brought up.
    const first = list?.[SHOWN_AT_FIRST];
    if (first) document.getElementById(rowOf(first))?.focus();
  }

  if (!list)
    return failure === null ? (
      <p className="sessions-pending">{words.lookingForDevices}</p>
    ) : (
      <>
        <div className="alert" role="alert">
          <p>{explain(failure, []).summary}</p>
        </div>
        <Button look="quiet" onClick={load}>
          {commonWords().tryAgain}
        </Button>
      </>
    );
  return (
    <>
      <ul className="sessions">
        {(all ? list : list.slice(0, SHOWN_AT_FIRST)).map((session) => (
          <SessionItem key={session.id} session={session} busy={ending === session.id} onEnd={onEnd} />
        ))}
      </ul>
      {!all && list.length > SHOWN_AT_FIRST && (
        <Button look="quiet" onClick={showAll}>
          {words.showAll(list.length)}
        </Button>
      )}
    </>
  );
}

/** Somebody else may have ended it meanwhile, which is as good. */
function ignoreEnded(failure: unknown): void {
  if (!(failure instanceof AuthError && failure.code === 'not_found')) throw failure;
}
