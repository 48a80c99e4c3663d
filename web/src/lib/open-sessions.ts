/**
 * Where the user is signed in, as a page holds it: loaded when the page appears, and again when asked to.
 */

import type { OpenSession } from '@vestibule/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useAuth } from './session.tsx';

export interface OpenSessions {
  /** The session of this device first, then the last used; `null` until they are here. */
  list: readonly OpenSession[] | null;
  /** Why they could not be had. */
  failure: unknown;
  load: () => Promise<void>;
  /** Drops those that have been ended. */
  drop: (isEnded: (session: OpenSession) => boolean) => void;
}

export function useOpenSessions(): OpenSessions {
  const auth = useAuth();
  const [list, setList] = useState<readonly OpenSession[] | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const newest = useRef(0);

  const load = useCallback(async () => {
    newest.current += 1;
    const turn = newest.current;
    // An answer that a later question has overtaken would bring ended sessions back.
    const isNewest = () => turn === newest.current;
    try {
      const sessions = await auth.sessions.list();
      if (!isNewest()) return;
      setList([...sessions].sort((one, other) => Number(other.current) - Number(one.current)));
      setFailure(null);
    } catch (error) {
      if (isNewest()) setFailure(error);
    }
  }, [auth]);

  useEffect(() => void load(), [load]);

  const drop = useCallback((isEnded: (session: OpenSession) => boolean) => {
    newest.current += 1;
    setList((before) => before?.filter((session) => !isEnded(session)) ?? null);
  }, []);

  return { list, failure, load, drop };
}
