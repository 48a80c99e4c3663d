/**
 * The newest audit events of one user, with the way to all of them.
 */

import { Link } from 'wouter';
import { type AdminUser, useAuditEvents } from '../lib/admin.ts';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { AuditList } from './audit-list.tsx';
import { Awaited } from './awaited.tsx';

const SHOWN = 8;

export function UserEventsSection({ user }: { user: AdminUser }) {
  const words = adminWords();
  const { items, failure, busy, refetch } = useAuditEvents({ user: user.id }, 1);
  return (
    <Setting id="happened" title={words.events} about={words.eventsAbout}>
      {items ? (
        <AuditList events={items.slice(0, SHOWN)} busy={busy} />
      ) : (
        <Awaited failure={failure} onRetry={refetch} />
      )}
      <p className="more">
        <Link href={`/admin/audit?user=${user.id}`}>{words.allEvents}</Link>
      </p>
    </Setting>
  );
}
