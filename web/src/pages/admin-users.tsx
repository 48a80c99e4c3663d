/**
 * `/admin/users`: everybody who has an account, searched and filtered by the address, and the way to add somebody.
 */

import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useUsers } from '../lib/admin.ts';
import { explain } from '../lib/explain.ts';
import { useFilters } from '../lib/filters.ts';
import { AddUserDialog } from '../parts/add-user-dialog.tsx';
import { AdminFrame, AdminTitle } from '../parts/admin-frame.tsx';
import { Awaited } from '../parts/awaited.tsx';
import { NothingFound } from '../parts/nothing-found.tsx';
import { ShownSoFar } from '../parts/shown-so-far.tsx';
import { USER_FILTERS, type UserFilters, UserFiltersForm } from '../parts/user-filters.tsx';
import { linkOf, UserTable } from '../parts/user-table.tsx';
import { Button } from '../ui/button.tsx';
import { adminWords } from '../words/admin.ts';

export function AdminUsersPage() {
  const words = adminWords();
  const [, navigate] = useLocation();
  const [adding, setAdding] = useState(false);
  const filters = useFilters(USER_FILTERS);
  const users = useUsers(filters.values, filters.pages);
  const refused = explain(users.failure, USER_FILTERS).fields;
  return (
    <AdminFrame>
      <AdminTitle
        title={words.users}
        lead={words.usersLead}
        action={
          <Button onClick={() => setAdding(true)}>
            <UserPlus aria-hidden="true" size={18} />
            {words.addUser}
          </Button>
        }
      />
      <UserFiltersForm filters={filters} errors={refused} />
      {Object.keys(refused).length === 0 && <UserList users={users} filters={filters} />}
      <AddUserDialog
        open={adding}
        onClose={() => setAdding(false)}
        onAdded={({ id }) => navigate(`/admin/users/${id}`)}
      />
    </AdminFrame>
  );
}

function UserList({ users, filters }: { users: ReturnType<typeof useUsers>; filters: UserFilters }) {
  const words = adminWords();
  const { items, busy, hasMore, failure, refetch } = users;
  if (!items) return <Awaited failure={failure} onRetry={refetch} />;
  if (items.length === 0) return <NothingFound title={words.noUsers} lead={words.noUsersLead} filters={filters} />;
  return (
    <>
      <UserTable users={items} busy={busy} />
      <ShownSoFar
        list={users}
        sentence={words.usersShown(items.length, hasMore)}
        idOf={linkOf}
        onMore={filters.showMore}
      />
    </>
  );
}
