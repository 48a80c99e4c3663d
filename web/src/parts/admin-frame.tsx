/**
 * The frame of the pages of administration: the way between them, and the title, which has the focus when it appears.
 */

import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { currentOf } from '../lib/current.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { adminWords } from '../words/admin.ts';
import { Inside } from './inside.tsx';

/** The page above all others, and so no area of its own. */
const TOP = '/admin';
const PAGES = [
  [TOP, 'figures'],
  ['/admin/users', 'users'],
  ['/admin/audit', 'audit'],
] as const;

export function AdminFrame({ children }: { children: ReactNode }) {
  const [here] = useLocation();
  const words = adminWords();
  return (
    <Inside>
      <nav className="areas" aria-label={words.administration}>
        {PAGES.map(([path, name]) => (
          <Link key={path} href={path} aria-current={path === TOP && here !== TOP ? undefined : currentOf(path, here)}>
            {words[name]}
          </Link>
        ))}
      </nav>
      {children}
    </Inside>
  );
}

interface AdminTitleProps {
  title: string;
  lead: ReactNode;
  /** What there is to do on the whole page. */
  action?: ReactNode;
}

export function AdminTitle({ title, lead, action }: AdminTitleProps) {
  usePageTitle(title);
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  return (
    <div className="page-title admin-title">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p className="lead">{lead}</p>
      {action}
    </div>
  );
}
