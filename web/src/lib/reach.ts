/**
 * Whether the server can be reached, as far as a page of a signed-in user has to know. It asks now and then and not
 * with each click, so that also whoever only reads learns that what is shown may be old.
 */

import { useEffect, useState } from 'react';

/** `offline`: the browser says so itself. `no-answer`: it has a network, and the server does not answer. */
export type Reach = 'in-reach' | 'offline' | 'no-answer';

/** How long after an answer the server is asked again, and how long after none; in milliseconds. */
const CALM = 30_000;
const SOON = 5_000;
/** A single lost answer is no news: a server that restarts is back by then. */
const MOST_LOST = 1;

/** What the page before this one knew. */
let known: Reach = 'in-reach';

export function useReach(): Reach {
  const [reach, setReach] = useState(known);
  useEffect(() => {
    const tell = (now: Reach) => {
      known = now;
      setReach(now);
    };
    return watchReach(tell, known);
  }, []);
  return reach;
}

/**
 * Tells each time that the server was asked, until the returned function is called; from `before` on, as it was known
 * last. A hidden page does not ask.
 */
export function watchReach(tell: (reach: Reach) => void, before: Reach = 'in-reach'): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  let lost = before === 'in-reach' ? 0 : MOST_LOST;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    const answered = await serverAnswers(signal);
    if (signal.aborted) return;
    lost = answered ? 0 : lost + 1;
    if (answered) tell('in-reach');
    else if (!navigator.onLine) tell('offline');
    else if (lost > MOST_LOST) tell('no-answer');
    clearTimeout(timer);
    timer = setTimeout(ask, answered ? CALM : SOON);
  }

  for (const change of ['online', 'offline']) window.addEventListener(change, ask, { signal });
  document.addEventListener('visibilitychange', ask, { signal });
  if (navigator.onLine && before === 'in-reach') timer = setTimeout(ask, CALM);
  else void ask();
  return () => {
    clearTimeout(timer);
    stopping.abort();
  };
}

/** What a proxy says for a server that is gone is no answer of the server. */
async function serverAnswers(signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch('/livez', {
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(SOON)]),
    });
    return answer.ok;
  } catch {
    return false;
  }
}
