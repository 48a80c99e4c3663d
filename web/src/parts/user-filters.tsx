/**
 * What the list of users is narrowed by: a text, a role, a status.
 */

import { type Filters, useSettledText } from '../lib/filters.ts';
import { Field } from '../ui/field.tsx';
import { Select } from '../ui/select.tsx';
import { adminWords } from '../words/admin.ts';

export const USER_FILTERS = ['q', 'role', 'status'] as const;

export type UserFilters = Filters<(typeof USER_FILTERS)[number]>;

interface UserFiltersFormProps {
  filters: UserFilters;
  /** What the server says about a value that it cannot look for. */
  errors: Record<string, string>;
}

export function UserFiltersForm({ filters: { values, narrow }, errors }: UserFiltersFormProps) {
  const words = adminWords();
  const [q, setQ] = useSettledText(values.q, (text) => narrow({ q: text }));
  const [role, setRole] = useSettledText(values.role, (text) => narrow({ role: text }));
  return (
    <search className="filters">
      <Field
        id="filter-q"
        name="q"
        type="search"
        label={words.search}
        hint={words.searchHint}
        value={q}
        onChange={({ target }) => setQ(target.value)}
        error={errors.q}
        autoComplete="off"
        spellCheck={false}
        unmarked
      />
      <Field
        id="filter-role"
        name="role"
        label={words.role}
        value={role}
        onChange={({ target }) => setRole(target.value)}
        error={errors.role}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        unmarked
      />
      <Select
        id="filter-status"
        label={words.statusFilter}
        value={values.status}
        onChange={({ target }) => narrow({ status: target.value })}
        choices={[['', words.anyStatus], ...Object.entries(words.status)]}
      />
    </search>
  );
}
