/**
 * What the server holds about a user's account, for admins to read.
 */

import type { AdminUser } from '../lib/admin.ts';
import { momentOf } from '../lib/time.ts';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { commonWords } from '../words/common.ts';
import { Fact } from './fact.tsx';

export function UserFactsSection({ user }: { user: AdminUser }) {
  const words = adminWords();
  const common = commonWords();
  const { email, email_verified, username, roles, created_at, updated_at, disabled_at, deleted_at } = user;
  return (
    <Setting id="facts" title={words.account} about={words.accountAbout}>
      <dl className="facts">
        <Fact name={common.email} value={`${email} (${email_verified ? words.verified : words.notVerified})`} />
        <Fact name={common.username} value={username ?? words.none} />
        <Fact name={words.columnRoles} value={roles.join(', ') || words.noRoles} />
        <Fact name={words.since} value={<Moment at={created_at} />} />
        <Fact name={words.changedAt} value={<Moment at={updated_at} />} />
        {disabled_at && <Fact name={words.disabledAt} value={<Moment at={disabled_at} />} />}
        {deleted_at && <Fact name={words.deletedAt} value={<Moment at={deleted_at} />} />}
        <Fact name={words.id} value={user.id} />
      </dl>
    </Setting>
  );
}

function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{momentOf(at)}</time>;
}
