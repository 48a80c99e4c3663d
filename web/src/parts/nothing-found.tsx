/**
 * What a list says that has nothing to show, with the way back to all of it.
 */

import type { Filters } from '../lib/filters.ts';
import { Button } from '../ui/button.tsx';
import { adminWords } from '../words/admin.ts';

interface NothingFoundProps {
  title: string;
  lead: string;
  filters: Pick<Filters<string>, 'narrowed' | 'clear'>;
}

export function NothingFound({ title, lead, filters }: NothingFoundProps) {
  return (
    <div className="nothing-found">
      <p role="status">
        <strong>{title}</strong>
      </p>
      {filters.narrowed && (
        <>
          <p>{lead}</p>
          <Button look="quiet" onClick={filters.clear}>
            {adminWords().clearFilters}
          </Button>
        </>
      )}
    </div>
  );
}
