/**
 * `/dashboard`: who is signed in, where to go from here, and the way out.
 */

import { LogOut } from 'lucide-react';
import { useState } from 'react';
import { siteName } from '../lib/branding.ts';
import { type Explanation, explain } from '../lib/explain.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useAuth, useSession } from '../lib/session.tsx';
import { AccountFacts } from '../parts/account-facts.tsx';
import { Brand } from '../parts/brand.tsx';
import { Destinations } from '../parts/destinations.tsx';
import { Button } from '../ui/button.tsx';
import { Hall } from '../ui/hall.tsx';

export function DashboardPage() {
  usePageTitle('Dashboard');
  const { user } = useSession();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  if (!user) return null;
  return (
    <div className="dashboard">
      <header className="bar">
        <Brand />
        <LogOutButton />
      </header>
      <main>
        <div className="greeting">
          <h1 ref={heading} tabIndex={-1}>
            Welcome, {user.name ?? user.username ?? user.email}
          </h1>
          <p className="lead">You are logged in to {siteName()}.</p>
          <Hall />
        </div>
        <div className="rooms">
          <Destinations />
          <AccountFacts user={user} />
        </div>
      </main>
    </div>
  );
}

function LogOutButton() {
  const auth = useAuth();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Explanation | null>(null);

  async function logOut() {
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await auth.signOut();
    } catch (failure) {
      setRefusal(explain(failure, []));
      setBusy(false);
    }
  }

  return (
    <>
      <Button look="quiet" busy={busy} onClick={logOut}>
        <LogOut aria-hidden="true" size={18} />
        Log out
      </Button>
      <div className="alert" role="alert">
        {refusal && <p>You are still logged in. {refusal.summary}</p>}
      </div>
    </>
  );
}
