/**
 * Shows in place of a page that the server has refused whom that page is for.
 */

import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useSyncExternalStore } from 'react';
import { Link } from 'wouter';
import { forgetRefusals, isRefused } from '../lib/admin.ts';
import { siteName } from '../lib/branding.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { adminWords } from '../words/admin.ts';
import { Inside } from './inside.tsx';

export function AdminsOnly({ children }: { children: ReactNode }) {
  const data = useQueryClient();
  const subscribe = useCallback((listener: () => void) => data.getQueryCache().subscribe(listener), [data]);
  const refused = useSyncExternalStore(subscribe, () => isRefused(data));
  useEffect(() => () => forgetRefusals(data), [data]);
  return refused ? <ForAdmins /> : children;
}

function ForAdmins() {
  const words = adminWords();
  usePageTitle(words.forAdmins);
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <Inside>
      <div className="page-title">
        <h1 ref={heading} tabIndex={-1}>
          {words.forAdmins}
        </h1>
        <p className="lead">{words.forAdminsLead(siteName())}</p>
      </div>
      <Link className="button button-primary" href="/dashboard">
        {words.toDashboard}
      </Link>
    </Inside>
  );
}
