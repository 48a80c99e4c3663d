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
import { PagedList } from '../parts/paged-list.tsx';
import { USER_FILTERS, UserFiltersForm } from '../parts/user-filters.tsx';
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
      {Object.keys(refused).length === 0 && (
        <PagedList
          list={users}
          filters={filters}
          words={{ shown: words.usersShown, none: words.noUsers, noneLead: words.noUsersLead }}
          idOf={linkOf}
        >
          {(items) => <UserTable users={items} busy={users.busy} />}
        </PagedList>
      )}
      <AddUserDialog
        open={adding}
        onClose={() => setAdding(false)}
        onAdded={({ id }) => navigate(`/admin/users/${id}`)}
      />
    </AdminFrame>
  );
}
