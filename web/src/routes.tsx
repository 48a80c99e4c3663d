/**
 * Every page of the app on one screen, with who may see it. The server answers each of these paths with index.html.
 */

import { lazy, Suspense } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { LoginPage } from './pages/login.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { RegisterPage } from './pages/register.tsx';
import { SetUpPage } from './pages/setup.tsx';
import { SignedInOnly, SignedOutOnly } from './parts/guards.tsx';
import { PageBoundary } from './parts/page-boundary.tsx';
import { Pending } from './ui/pending.tsx';

const DashboardPage = lazy(() => import('./pages/dashboard.tsx').then((page) => ({ default: page.DashboardPage })));
const AccountPage = lazy(() => import('./pages/account.tsx').then((page) => ({ default: page.AccountPage })));
const AdminPages = lazy(() => import('./admin-routes.tsx').then((pages) => ({ default: pages.AdminRoutes })));

export function Routes() {
  const [path] = useLocation();
  return (
    <PageBoundary path={path}>
      <Pages />
    </PageBoundary>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/login">
        <SignedOutOnly>
          <LoginPage />
        </SignedOutOnly>
      </Route>
      <Route path="/register">
        <SignedOutOnly>
          <RegisterPage />
        </SignedOutOnly>
      </Route>
      <Route path="/dashboard">
        <SignedInOnly>
          <Suspense fallback={<Pending />}>
            <DashboardPage />
          </Suspense>
        </SignedInOnly>
      </Route>
      <Route path="/account">
        <SignedInOnly>
          <Suspense fallback={<Pending />}>
            <AccountPage />
          </Suspense>
        </SignedInOnly>
      </Route>
      <Route path={/^\/admin(?:\/|$)/}>
        <SignedInOnly>
          <Suspense fallback={<Pending />}>
            <AdminPages />
          </Suspense>
        </SignedInOnly>
      </Route>
      <Route path="/setup">
        <SetUpPage />
      </Route>
      <Route>
        <NotFoundPage />
      </Route>
    </Switch>
  );
}
