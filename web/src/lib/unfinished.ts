/**
 * What a page has promised and not done yet: done before the page is left, be it for another, for good, or because the
 * user logs out. Whoever ends the session waits for it, as afterwards nothing can be done in the user's name.
 */

import { useEffect } from 'react';

type Finish = () => Promise<unknown>;

const unfinished = new Set<Finish>();

/** Does everything that is left to do. What fails is for the page to tell, which is still there. */
export async function finishAll(): Promise<void> {
  await Promise.allSettled([...unfinished].map((finish) => finish()));
}

/** Calls `finish` before the page that uses this is left. Keep it the same between renders. */
export function useFinishBeforeLeaving(finish: Finish): void {
  useEffect(() => {
    // A hidden tab may be thrown away without another word, on phones above all.
    const onHidden = () => document.visibilityState === 'hidden' && void finish();
    const onLeft = () => void finish();
    unfinished.add(finish);
    document.addEventListener('visibilitychange', onHidden);
    window.addEventListener('pagehide', onLeft);
    return () => {
      unfinished.delete(finish);
      document.removeEventListener('visibilitychange', onHidden);
      window.removeEventListener('pagehide', onLeft);
      void finish();
    };
  }, [finish]);
}
