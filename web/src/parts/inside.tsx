/**
 * The frame of every page for those who are signed in: the bar with the way between these pages and the way out.
 */

import { LogOut } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { currentOf } from '../lib/current.ts';
import { type Explanation, explain } from '../lib/explain.ts';
import { useAuth, useSession } from '../lib/session.tsx';
import { finishAll } from '../lib/unfinished.ts';
import { Button } from '../ui/button.tsx';
import { commonWords } from '../words/common.ts';
import { Brand } from './brand.tsx';
import { ReachNotice } from './reach-notice.tsx';

const PAGES = [
  ['/dashboard', 'dashboard'],
  ['/account', 'account'],
] as const;
/** For those whom the server lets in. */
const ADMIN_PAGE = ['/admin', 'admin'] as const;

export function Inside({ children }: { children: ReactNode }) {
  const [here] = useLocation();
  const { user } = useSession();
  const words = commonWords();
  const pages = user?.roles.includes('admin') ? [...PAGES, ADMIN_PAGE] : PAGES;
  return (
    <div className="inside">
      <ReachNotice />
      <header className="bar">
        <Brand />
        <nav aria-label={words.yourPages}>
          {pages.map(([path, name]) => (
            <Link key={path} href={path} aria-current={currentOf(path, here)}>
              {words[name]}
            </Link>
          ))}
        </nav>
        <LogOutButton />
      </header>
      <main>{children}</main>
    </div>
  );
}

function LogOutButton() {
  const auth = useAuth();
  const words = commonWords();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Explanation | null>(null);

  async function logOut() {
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await finishAll();
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
        {words.logOut}
      </Button>
      <div className="alert" role="alert">
        {refusal && <p>{words.stillLoggedIn(refusal.summary)}</p>}
      </div>
    </>
  );
}
