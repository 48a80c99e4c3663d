/**
 * Who may see a page. A guard is a convenience for people; what they may do is decided by the server alone.
 */

import { type ReactNode, useEffect, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { leaveFor } from '../lib/leave.ts';
import { isBuiltIn, nextFrom, withNext } from '../lib/next.ts';
import { useSession } from '../lib/session.tsx';
import { Pending } from '../ui/pending.tsx';
import { OutOfReach } from './out-of-reach.tsx';

/** Handed to the login page in the history entry: why the visitor is there. */
export interface Arrival {
  reason: 'logged-out' | 'session-ended' | 'account-deleted';
}

/** For log in and register: sends whoever is signed in, now or a moment later, on to `next`. */
export function SignedOutOnly({ children }: { children: ReactNode }) {
  const { status } = useSession();
  const [, navigate] = useLocation();
  const next = nextFrom(useSearch());
  // Once shown, the form stays until the next page is there: an empty frame in between would flash.
  const [shown, setShown] = useState(false);
  if (status === 'signed-out' && !shown) setShown(true);

  useEffect(() => {
    if (status !== 'signed-in') return;
    if (isBuiltIn(next)) navigate(next, { replace: true });
    else leaveFor(next);
  }, [status, next, navigate]);

  if (shown) return children;
  return status === 'unknown' ? <OutOfReach /> : <Pending />;
}

/** For everything that needs an account: sends whoever is not signed in to the login page. */
export function SignedInOnly({ children }: { children: ReactNode }) {
  const { status, error } = useSession();
  const [path, navigate] = useLocation();
  const search = useSearch();
  const [shown, setShown] = useState(false);
  if (status === 'signed-in' && !shown) setShown(true);

  useEffect(() => {
    if (status !== 'signed-out') return;
    const arrival: Arrival | null = shown ? { reason: error ? 'session-ended' : 'logged-out' } : null;
    // Whoever logs in after a logout may be somebody else, whom it does not concern what was searched for.
    const here = search && arrival?.reason !== 'logged-out' ? `${path}?${search}` : path;
    navigate(withNext('/login', here), { replace: true, state: arrival });
  }, [status, error, shown, path, search, navigate]);

  if (status === 'signed-in') return children;
  return status === 'unknown' ? <OutOfReach /> : <Pending />;
}
