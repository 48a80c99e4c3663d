/**
 * `/admin/users/:id`: one user, and what an admin may do to the account.
 */

import { Link } from 'wouter';
import { type AdminUser, isProblem, useUser } from '../lib/admin.ts';
import { nameOf } from '../lib/names.ts';
import { AdminFrame, AdminTitle } from '../parts/admin-frame.tsx';
import { Awaited } from '../parts/awaited.tsx';
import { UserAccessSection } from '../parts/user-access-section.tsx';
import { UserEventsSection } from '../parts/user-events-section.tsx';
import { UserFactsSection } from '../parts/user-facts-section.tsx';
import { UserProfileSection } from '../parts/user-profile-section.tsx';
import { StatusBadge } from '../parts/user-table.tsx';
import { adminWords } from '../words/admin.ts';

export function AdminUserPage({ id }: { id: string }) {
  const { data: user, error, refetch } = useUser(id);
  return <AdminFrame>{user ? <OneUser user={user} /> : <NoUser failure={error} onRetry={refetch} />}</AdminFrame>;
}

function OneUser({ user }: { user: AdminUser }) {
  return (
    <>
      <AdminTitle title={nameOf(user)} lead={<StatusBadge user={user} />} />
      <UserFactsSection user={user} />
      {user.status !== 'deleted' && <UserProfileSection user={user} />}
      <UserAccessSection user={user} />
      <UserEventsSection user={user} />
    </>
  );
}

function NoUser({ failure, onRetry }: { failure: unknown; onRetry: () => unknown }) {
  const words = adminWords();
  if (!isProblem(failure, 'not_found')) return <Awaited failure={failure} onRetry={onRetry} />;
  return (
    <AdminTitle
      title={words.noSuchUser}
      lead={words.noSuchUserLead}
      action={
        <Link className="button button-primary" href="/admin/users">
          {words.toUsers}
        </Link>
      }
    />
  );
}
