/**
 * One device in the list: what it is, from where and when it was used, and the way to log it out.
 */

import type { OpenSession } from '@vestibule/client';
import { Monitor, Smartphone, SquareTerminal } from 'lucide-react';
import { deviceOf } from '../lib/device.ts';
import { agoOf, momentOf, shortDayOf } from '../lib/time.ts';
import { Button } from '../ui/button.tsx';
import { accountWords } from '../words/account.ts';

const ICONS = { computer: Monitor, phone: Smartphone, program: SquareTerminal };

interface SessionItemProps {
  session: OpenSession;
  busy: boolean;
  onEnd: (session: OpenSession) => void;
}

export function SessionItem({ session, busy, onEnd }: SessionItemProps) {
  const { id, device, address, created_at, last_used_at, current } = session;
  const words = accountWords();
  const { name, kind } = deviceOf(device);
  const Icon = ICONS[kind];
  return (
    <li id={rowOf(session)} className="session" tabIndex={-1}>
      <Icon aria-hidden="true" size={24} />
      <div className="session-facts">
        <p className="session-name" title={device ?? undefined}>
          {name}
          {current && <span className="badge">{words.thisDevice}</span>}
        </p>
        <p id={`used-${id}`}>{current ? words.inUseNow : <LastUsed time={last_used_at} />}</p>
        <p>
          {words.loggedIn}{' '}
          <time dateTime={created_at} title={momentOf(created_at)}>
            {shortDayOf(created_at)}
          </time>
          {address && ` ${words.fromAddress(address)}`}
        </p>
      </div>
      {!current && (
        <Button
          look="quiet"
          busy={busy}
          aria-label={words.logOutDevice(name)}
          aria-describedby={`used-${id}`}
          onClick={() => onEnd(session)}
        >
          {words.logOut}
        </Button>
      )}
    </li>
  );
}

/** The id of the row of a session, which takes the focus when the one before it is gone. */
export function rowOf({ id }: OpenSession): string {
  return `session-${id}`;
}

function LastUsed({ time }: { time: string }) {
  return (
    <>
      {accountWords().lastUsed}{' '}
      <time dateTime={time} title={momentOf(time)}>
        {agoOf(time)}
      </time>
    </>
  );
}
