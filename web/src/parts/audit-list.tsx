/**
 * Audit events, each with what happened, when, from where and with what; whatever else is recorded stands below it.
 */

import type { AuditEvent } from '../lib/admin.ts';
import { deviceOf } from '../lib/device.ts';
import { agoOf, momentOf } from '../lib/time.ts';
import { auditWords } from '../words/audit.ts';
import { AuditSentence, kindOf } from './audit-sentence.tsx';
import { Fact } from './fact.tsx';

export function AuditList({ events, busy }: { events: readonly AuditEvent[]; busy: boolean }) {
  return (
    <ol className="events" aria-busy={busy}>
      {events.map((event) => (
        <AuditItem key={event.id} event={event} />
      ))}
    </ol>
  );
}

/** The id of the row of an event, which takes the focus when more of the list comes up. */
export function rowOf({ id }: AuditEvent): string {
  return `event-${id}`;
}

function AuditItem({ event }: { event: AuditEvent }) {
  const words = auditWords();
  const { at, address, user_agent } = event;
  return (
    <li id={rowOf(event)} className="event" tabIndex={-1}>
      <p>
        <AuditSentence event={event} />
      </p>
      <p className="event-facts">
        <time dateTime={at} title={momentOf(at)}>
          {agoOf(at)}
        </time>
        {address && ` ${words.from(address)}`}
        {user_agent && ` ${words.with(deviceOf(user_agent).name)}`}
      </p>
      <details>
        <summary>{words.details}</summary>
        <EventDetails event={event} />
      </details>
    </li>
  );
}

function EventDetails({ event }: { event: AuditEvent }) {
  const words = auditWords();
  const kind = kindOf(event);
  const { at, address, user_agent, request_id, actor, subject, detail } = event;
  return (
    <dl className="facts">
      <Fact name={words.time} value={`${momentOf(at)} (${at})`} />
      <Fact name={words.event} value={kind ? `${words.names[kind]} (${event.event})` : event.event} />
      <Fact name={words.actorId} value={actor.id ?? actor.kind} />
      {subject && <Fact name={words.subjectId} value={subject} />}
      {address && <Fact name={words.address} value={address} />}
      {user_agent && <Fact name={words.userAgent} value={user_agent} />}
      {request_id && <Fact name={words.requestId} value={request_id} />}
      {detail !== null && <Fact name={words.recorded} value={JSON.stringify(detail)} />}
    </dl>
  );
}
