/**
 * The pages of administration on one screen, loaded together: whoever opens one goes on to the next. That only admins
 * see anything there is the server's doing.
 */

import { Route, Switch } from 'wouter';
import { DataProvider } from './lib/data.tsx';
import { AdminAuditPage } from './pages/admin-audit.tsx';
import { AdminFiguresPage } from './pages/admin-figures.tsx';
import { AdminUserPage } from './pages/admin-user.tsx';
import { AdminUsersPage } from './pages/admin-users.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { AdminsOnly } from './parts/admins-only.tsx';

export function AdminRoutes() {
  return (
    <DataProvider>
      <AdminsOnly>
        <Switch>
          <Route path="/admin">
            <AdminFiguresPage />
          </Route>
          <Route path="/admin/users">
            <AdminUsersPage />
          </Route>
          <Route path="/admin/users/:id">{({ id }) => <AdminUserPage key={id} id={id} />}</Route>
          <Route path="/admin/audit">
            <AdminAuditPage />
          </Route>
          <Route>
            <NotFoundPage />
          </Route>
        </Switch>
      </AdminsOnly>
    </DataProvider>
  );
}
