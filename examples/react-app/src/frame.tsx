/**
 * What stands around every page: the name, and who is logged in.
 */

import { SignedIn, SignedOut, useUser } from '@vestibule/client/react';
import { Link, Outlet } from 'react-router';
import { auth } from './auth.ts';

export function Frame() {
  return (
    <>
      <header className="bar">
        <Link className="name" to="/">
          <img src="/basket.svg" alt="" width="32" height="32" /> Basket
        </Link>
        <div className="who">
          <SignedIn>
            <Who />
            <button type="button" className="quiet" onClick={() => auth.signOut().catch(() => {})}>
              Log out
            </button>
          </SignedIn>
          <SignedOut>
            <Link to="/login">Log in</Link>
          </SignedOut>
        </div>
      </header>
      <main>
        <Outlet />
      </main>
    </>
  );
}

function Who() {
  const user = useUser();
  return <span>{user?.name ?? user?.email}</span>;
}
