/**
 * One sentence for an audit event, in which the people lead to their pages.
 */

import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { type AuditEvent, type AuditEventKind, useUser } from '../lib/admin.ts';
import { nameOf } from '../lib/names.ts';
import { auditWords } from '../words/audit.ts';

export function AuditSentence({ event }: { event: AuditEvent }) {
  const words = auditWords();
  const people: Record<string, ReactNode> = {
    '{actor}': <Actor event={event} />,
    '{subject}': event.subject ? <Person id={event.subject} /> : words.somebody,
  };
  const pieces = sentenceOf(event).split(/(\{actor\}|\{subject\})/);
  return (
    <>
      {pieces.map((piece, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: The pieces of a sentence have nothing but their places.
        <span key={place}>{people[piece] ?? piece}</span>
      ))}
      <Particulars event={event} />
    </>
  );
}

/** The kind of an event, unless it is one of a newer server. */
export function kindOf({ event }: AuditEvent): AuditEventKind | undefined {
  return Object.hasOwn(auditWords().names, event) ? event : undefined;
}

function sentenceOf(event: AuditEvent): string {
  const { sentences, byOthers, ofNobody, displaced, unknownKind } = auditWords();
  const kind = kindOf(event);
  if (!kind) return unknownKind(event.event);
  if (kind === 'session_ended' && 'used_longest_ago' in detailOf(event)) return displaced;
  const { actor, subject } = event;
  const isByAnother = actor.kind === 'operator' || (actor.kind === 'user' && actor.id !== subject);
  const special: Partial<Record<AuditEventKind, string>> = subject ? (isByAnother ? byOthers : {}) : ofNobody;
  return special[kind] ?? sentences[kind];
}

function Actor({ event: { actor } }: { event: AuditEvent }) {
  const words = auditWords();
  if (actor.id) return <Person id={actor.id} />;
  return actor.kind === 'operator' ? words.operator : words.somebody;
}

function Person({ id }: { id: string }) {
  const { data: user, error } = useUser(id);
  if (error && !user) return auditWords().removedUser;
  return <Link href={`/admin/users/${id}`}>{user ? nameOf(user) : '…'}</Link>;
}

/** What an event says beyond its kind, where that is for people to read. */
function Particulars({ event }: { event: AuditEvent }) {
  const words = auditWords();
  const { added, removed, roles, fields } = particularsOf(event.detail);
  const sentences = [
    added.length > 0 && words.gained(added.join(', ')),
    removed.length > 0 && words.lost(removed.join(', ')),
    roles.length > 0 && words.given(roles.join(', ')),
    fields.length > 0 && words.changed(fields.map((field) => words.fields[field as 'email'] ?? field).join(', ')),
  ];
  return sentences.filter(Boolean).map((sentence) => ` ${sentence}`);
}

function detailOf({ detail }: { detail?: unknown }): Record<string, unknown> {
  return typeof detail === 'object' && detail !== null ? { ...detail } : {};
}

/** The lists of texts in a detail, whose form depends on the event and on the version that has recorded it. */
function particularsOf(detail: unknown) {
  const given = detailOf({ detail });
  const texts = (name: string) => {
    const list = given[name];
    return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
  };
  return { added: texts('added'), removed: texts('removed'), roles: texts('roles'), fields: texts('fields') };
}
