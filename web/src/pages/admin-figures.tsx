/**
 * `/admin`: how many users and sessions there are, and what the last days brought, each figure leading to what it
 * counts; and how the server sees whoever looks.
 */

import { type ReactNode, useId } from 'react';
import { Link } from 'wouter';
import { type Activity, ADMIN, type AuditEventKind, type Figures, useFigures } from '../lib/admin.ts';
import { numberOf } from '../lib/numbers.ts';
import { momentOf } from '../lib/time.ts';
import { AdminFrame, AdminTitle } from '../parts/admin-frame.tsx';
import { Awaited } from '../parts/awaited.tsx';
import { ClientSection } from '../parts/client-section.tsx';
import { adminWords } from '../words/admin.ts';

export function AdminFiguresPage() {
  const words = adminWords();
  const { data, error, refetch } = useFigures();
  return (
    <AdminFrame>
      <AdminTitle title={words.figures} lead={words.figuresLead} />
      {data ? <AllFigures figures={data} /> : <Awaited failure={error} onRetry={refetch} />}
    </AdminFrame>
  );
}

function AllFigures({ figures: { as_of, users, sessions, last_24_hours, last_7_days } }: { figures: Figures }) {
  const words = adminWords();
  return (
    <div className="figures">
      <Group title={words.users}>
        <FigureLink name={words.active} value={users.active} href="/admin/users?status=active" />
        <FigureLink name={words.disabled} value={users.disabled} href="/admin/users?status=disabled" />
        <FigureLink name={words.deleted} value={users.deleted} href="/admin/users?status=deleted" />
        <FigureLink name={words.admins} value={users.admins} href={`/admin/users?role=${ADMIN}&status=active`} />
      </Group>
      <Group title={words.sessions}>
        <FigureCard name={words.browsers} value={sessions.cookie} />
        <FigureCard name={words.programs} value={sessions.token} />
      </Group>
      <section aria-labelledby="activity">
        <h2 id="activity">{words.activity}</h2>
        <ActivityTable day={last_24_hours} week={last_7_days} />
      </section>
      <p className="counted">
        <time dateTime={as_of}>{words.countedAt(momentOf(as_of))}</time>
      </p>
      <ClientSection />
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul className="figure-list">{children}</ul>
    </section>
  );
}

interface FigureProps {
  name: string;
  value: number;
}

function FigureCard({ name, value }: FigureProps) {
  return (
    <li className="figure">
      <Figure name={name} value={value} />
    </li>
  );
}

function FigureLink({ href, ...figure }: FigureProps & { href: string }) {
  return (
    <li>
      <Link className="figure" href={href}>
        <Figure {...figure} />
      </Link>
    </li>
  );
}

function Figure({ name, value }: FigureProps) {
  return (
    <>
      <span className="figure-value">{numberOf(value)}</span> <span className="figure-name">{name}</span>
    </>
  );
}

/** What is counted of each kind, and the events that it is counted from. */
const COUNTED = [
  ['registrations', 'registered'],
  ['logins', 'login'],
  ['failed_logins', 'login_failed'],
] as const satisfies readonly (readonly [keyof Activity, AuditEventKind])[];

function ActivityTable({ day, week }: { day: Activity; week: Activity }) {
  const words = adminWords();
  const names = { registrations: words.registrations, logins: words.logins, failed_logins: words.failedLogins };
  return (
    <table className="activity" aria-labelledby="activity">
      <thead>
        <tr>
          <td />
          <th scope="col">{words.lastDay}</th>
          <th scope="col">{words.lastWeek}</th>
        </tr>
      </thead>
      <tbody>
        {COUNTED.map(([kind, event]) => (
          <tr key={kind}>
            <th scope="row">
              <Link href={`/admin/audit?event=${event}&since=7d`}>{names[kind]}</Link>
            </th>
            <td>{numberOf(day[kind])}</td>
            <td>{numberOf(week[kind])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
