/**
 * The time of day as pages show it, which passes while they are open.
 */

import { useEffect, useState } from 'react';

const MINUTE_MILLISECONDS = 60_000;

/** Now, in milliseconds since 1970, exact to a minute. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), MINUTE_MILLISECONDS);
    return () => clearInterval(ticking);
  }, []);
  return now;
}
