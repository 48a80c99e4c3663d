/**
 * Word from outside this page's code that the session may have changed: from other tabs, from a device that wakes, from
 * a network that is back. What to do about it is decided in session.ts. No token ever travels here.
 */

/** What was heard: a tab's word, a change of the storage that tabs share, or that the page is in use again. */
export type Word = 'signed-in' | 'signed-out' | 'stored' | 'awake';

export interface Signals {
  /** Tells the other tabs; whoever hears it looks for itself. */
  tell(word: 'signed-in' | 'signed-out'): void;
  stop(): void;
}

/** Listens under `name`, which is also the key of the stored session. */
export function listen(name: string, heard: (word: Word) => void): Signals | undefined {
  // Outside of a page there are no tabs, and an open channel would keep a program of Node from ending.
  if (!globalThis.document) return;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => heard(data);
  const stopping = new AbortController();
  function hear({ key }: Event & { key?: string | null }): void {
    // Only a change of the storage has a key; that is `null` where the whole storage was cleared.
    if (key === undefined) document.hidden || heard('awake');
    else if ((key ?? name) === name) heard('stored');
  }
  // All of them reach the window. A page that nobody sees can wait until somebody does.
  for (const type of ['storage', 'online', 'visibilitychange'])
    addEventListener(type, hear, { signal: stopping.signal });
  return {
    tell: (word) => channel.postMessage(word),
    stop() {
      stopping.abort();
      channel.close();
    },
  };
}
