/**
 * `/account`: what users change about their account, section by section.
 */

import { useFocusOnArrival } from '../lib/focus.ts';
import { useOpenSessions } from '../lib/open-sessions.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useSession } from '../lib/session.tsx';
import { AppearanceSection } from '../parts/appearance-section.tsx';
import { DeletionSection } from '../parts/deletion-section.tsx';
import { ExportSection } from '../parts/export-section.tsx';
import { Inside } from '../parts/inside.tsx';
import { PasswordSection } from '../parts/password-section.tsx';
import { ProfileSection } from '../parts/profile-section.tsx';
import { SessionsSection } from '../parts/sessions-section.tsx';
import { accountWords } from '../words/account.ts';

export function AccountPage() {
  const words = accountWords();
  usePageTitle(words.title);
  const { user } = useSession();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  const sessions = useOpenSessions();
  if (!user) return null;
  return (
    <Inside>
      <div className="page-title">
        <h1 ref={heading} tabIndex={-1}>
          {words.title}
        </h1>
        <p className="lead">{words.lead}</p>
      </div>
      <ProfileSection user={user} />
      <PasswordSection user={user} onChanged={sessions.load} />
      <AppearanceSection />
      <SessionsSection sessions={sessions} />
      {/* Below the list, whose length nobody knows beforehand: what has been shown must not move. */}
      {(sessions.list || sessions.failure !== null) && (
        <>
          <ExportSection />
          <DeletionSection user={user} />
        </>
      )}
    </Inside>
  );
}
