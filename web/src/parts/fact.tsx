/**
 * One fact in a list of them: what it is, and how it is.
 */

import type { ReactNode } from 'react';

export function Fact({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
