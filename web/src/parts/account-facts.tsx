/**
 * What the server holds about the account, for its owner to read.
 */

import type { User } from '@vestibule/client';
import { Link } from 'wouter';
import { dayOf } from '../lib/time.ts';
import { commonWords } from '../words/common.ts';
import { dashboardWords } from '../words/dashboard.ts';
import { Fact } from './fact.tsx';

export function AccountFacts({ user }: { user: User }) {
  const words = dashboardWords();
  const common = commonWords();
  return (
    <section aria-labelledby="account">
      <h2 id="account">{words.yourAccount}</h2>
      <dl className="facts">
        <Fact name={common.email} value={user.email} />
        <Fact name={common.username} value={user.username ?? words.noUsername} />
        {user.name && <Fact name={common.name} value={user.name} />}
        {user.roles.length > 0 && <Fact name={words.roles} value={user.roles.join(', ')} />}
        <Fact name={words.memberSince} value={dayOf(user.created_at)} />
      </dl>
      <p className="more">
        <Link href="/account">{words.changeAccount}</Link>
      </p>
      <details>
        <summary>{words.forSupport}</summary>
        <dl className="facts">
          <Fact name={words.accountId} value={user.id} />
          <Fact name={words.lastChange} value={dayOf(user.updated_at)} />
        </dl>
      </details>
    </section>
  );
}
