/**
 * `/admin/audit`: what happened here, narrowed by kind, time and user, and told of when more has happened meanwhile.
 */

import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { type AuditEvent, useAuditEvents, useNewerEvents, useUser } from '../lib/admin.ts';
import { useFilters } from '../lib/filters.ts';
import { nameOf } from '../lib/names.ts';
import { AdminFrame, AdminTitle } from '../parts/admin-frame.tsx';
import { AuditList, rowOf } from '../parts/audit-list.tsx';
import { PagedList } from '../parts/paged-list.tsx';
import { Button } from '../ui/button.tsx';
import { Select } from '../ui/select.tsx';
import { adminWords } from '../words/admin.ts';
import { auditWords } from '../words/audit.ts';

const FILTERS = ['event', 'since', 'user'] as const;

type AuditFilters = ReturnType<typeof useFilters<(typeof FILTERS)[number]>>;

export function AdminAuditPage() {
  const words = adminWords();
  const filters = useFilters(FILTERS);
  const events = useAuditEvents(filters.values, filters.pages);
  return (
    <AdminFrame>
      <AdminTitle title={words.audit} lead={words.auditLead} />
      <AuditFiltersForm filters={filters} />
      <NewerEvents filters={filters} shown={events.items} onShow={events.refetch} />
      <PagedList
        list={events}
        filters={filters}
        words={{ shown: words.eventsShown, none: words.noEvents, noneLead: words.noEventsLead }}
        idOf={rowOf}
      >
        {(items) => <AuditList events={items} busy={events.busy} />}
      </PagedList>
    </AdminFrame>
  );
}

function AuditFiltersForm({ filters: { values, narrow } }: { filters: AuditFilters }) {
  const words = adminWords();
  const { names } = auditWords();
  return (
    <search className="filters">
      <Select
        id="filter-event"
        label={words.eventFilter}
        value={values.event}
        onChange={({ target }) => narrow({ event: target.value })}
        choices={[['', words.anyEvent], ...Object.entries(names)]}
      />
      <Select
        id="filter-since"
        label={words.sinceFilter}
        value={values.since}
        onChange={({ target }) => narrow({ since: target.value })}
        choices={[
          ['', words.anyTime],
          ['24h', words.since24h],
          ['7d', words.since7d],
          ['30d', words.since30d],
        ]}
      />
      {values.user && <OnlyOf id={values.user} onAll={() => narrow({ user: '' })} />}
    </search>
  );
}

/** Whom the list is about, and the way back to everybody. */
function OnlyOf({ id, onAll }: { id: string; onAll: () => void }) {
  const words = adminWords();
  const { data: user } = useUser(id);
  return (
    <div className="only-of">
      <p>
        {words.onlyOf} <Link href={`/admin/users/${id}`}>{user ? nameOf(user) : id}</Link>
      </p>
      <Button look="quiet" onClick={onAll}>
        {words.allUsers}
      </Button>
    </div>
  );
}

interface NewerEventsProps {
  filters: AuditFilters;
  shown: readonly AuditEvent[] | null;
  onShow: () => Promise<unknown>;
}

/** What has come since moves nothing that is being read: it is told of, and shown when that is wanted. */
function NewerEvents({ filters: { values }, shown, onShow }: NewerEventsProps) {
  const words = adminWords();
  const { count, more } = useNewerEvents(values, shown);
  const [asked, setAsked] = useState(false);
  const first = shown?.[0];

  useEffect(() => {
    if (!asked || count > 0 || !first) return;
    setAsked(false);
    document.getElementById(rowOf(first))?.focus();
  }, [asked, count, first]);

  async function show() {
    if (asked) return;
    setAsked(true);
    await onShow();
  }

  return (
    <div className="newer" role="status">
      {count > 0 && (
        <Button look="quiet" busy={asked} onClick={show}>
          {words.newer(count, more)}
        </Button>
      )}
    </div>
  );
}
