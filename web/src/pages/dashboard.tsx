/**
 * `/dashboard`: who is signed in, what they mean to do, and where to go from here.
 */

import { siteName } from '../lib/branding.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { usePageTitle } from '../lib/page-title.ts';
import { useSession } from '../lib/session.tsx';
import { AccountFacts } from '../parts/account-facts.tsx';
import { Destinations } from '../parts/destinations.tsx';
import { Inside } from '../parts/inside.tsx';
import { TodosSection } from '../parts/todos-section.tsx';
import { Hall } from '../ui/hall.tsx';
import { dashboardWords } from '../words/dashboard.ts';

export function DashboardPage() {
  const words = dashboardWords();
  usePageTitle(words.title);
  const { user } = useSession();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  if (!user) return null;
  return (
    <Inside>
      <div className="greeting">
        <h1 ref={heading} tabIndex={-1}>
          {words.welcome(user.name ?? user.username ?? user.email)}
        </h1>
        <p className="lead">{words.loggedInTo(siteName())}</p>
        <Hall />
      </div>
      <div className="rooms">
        <TodosSection user={user} />
        <Destinations />
        <AccountFacts user={user} />
      </div>
    </Inside>
  );
}
