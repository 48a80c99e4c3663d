/**
 * Users in a table, which the style sheet turns into cards where there is no room for columns.
 */

import { Link } from 'wouter';
import type { AdminUser } from '../lib/admin.ts';
import { nameOf } from '../lib/names.ts';
import { useSession } from '../lib/session.tsx';
import { momentOf, shortDayOf } from '../lib/time.ts';
import { adminWords } from '../words/admin.ts';

export function UserTable({ users, busy }: { users: readonly AdminUser[]; busy: boolean }) {
  const words = adminWords();
  const { columnUser, columnUsername, columnRoles, columnStatus, columnSince } = words;
  return (
    <table className="users" aria-label={words.users} aria-busy={busy}>
      <thead>
        <tr>
          {[columnUser, columnUsername, columnRoles, columnStatus, columnSince].map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <UserRow key={user.id} user={user} />
        ))}
      </tbody>
    </table>
  );
}

function UserRow({ user }: { user: AdminUser }) {
  const words = adminWords();
  const { user: me } = useSession();
  const name = nameOf(user);
  return (
    <tr>
      <th scope="row" data-column={words.columnUser}>
        <Link id={linkOf(user)} className="user-name" href={`/admin/users/${user.id}`}>
          {name}
        </Link>
        {user.id === me?.id && <span className="badge">{words.you}</span>}
        {name !== user.email && <span className="user-email">{user.email}</span>}
      </th>
      <td data-column={words.columnUsername}>{user.username ?? <Nothing />}</td>
      <td data-column={words.columnRoles}>{user.roles.length > 0 ? user.roles.join(', ') : <Nothing />}</td>
      <td data-column={words.columnStatus}>
        <StatusBadge user={user} />
      </td>
      <td data-column={words.columnSince}>
        <time dateTime={user.created_at} title={momentOf(user.created_at)}>
          {shortDayOf(user.created_at)}
        </time>
      </td>
    </tr>
  );
}

/** The id of the link to a user, which takes the focus when more of the list comes up. */
export function linkOf({ id }: AdminUser): string {
  return `user-${id}`;
}

export function StatusBadge({ user: { status } }: { user: AdminUser }) {
  return <span className={`badge badge-${status}`}>{adminWords().status[status]}</span>;
}

function Nothing() {
  return (
    <>
      <span aria-hidden="true">–</span>
      <span className="unseen">{adminWords().none}</span>
    </>
  );
}
