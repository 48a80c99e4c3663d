/**
 * What the server holds about the account, for its owner to read.
 */

import type { User } from '@vestibule/client';
import { Link } from 'wouter';
import { dayOf } from '../lib/time.ts';
import { Fact } from './fact.tsx';

export function AccountFacts({ user }: { user: User }) {
  return (
    <section aria-labelledby="account">
      <h2 id="account">Your account</h2>
      <dl className="facts">
        <Fact name="E-mail" value={user.email} />
        <Fact name="Username" value={user.username ?? 'None chosen'} />
        {user.name && <Fact name="Name" value={user.name} />}
        {user.roles.length > 0 && <Fact name="Roles" value={user.roles.join(', ')} />}
        <Fact name="Member since" value={dayOf(user.created_at)} />
      </dl>
      <p className="more">
        <Link href="/account">Change your profile, password or devices</Link>
      </p>
      <details>
        <summary>For support</summary>
        <dl className="facts">
          <Fact name="Account id" value={user.id} />
          <Fact name="Last change" value={dayOf(user.updated_at)} />
        </dl>
      </details>
    </section>
  );
}
