/**
 * The frame of every page outside the dashboard: the hall on one side, what there is to do on the other.
 */

import type { ReactNode } from 'react';
import { Hall } from '../ui/hall.tsx';
import { Brand } from './brand.tsx';

export function Entrance({ children }: { children: ReactNode }) {
  return (
    <div className="entrance">
      <header className="entrance-hall">
        <Hall />
        <Brand />
      </header>
      <main className="entrance-main">
        <div className="entrance-content">{children}</div>
      </main>
    </div>
  );
}
