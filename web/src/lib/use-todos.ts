/**
 * One user's todos as a page shows them: what the server answered, with the open changes made to it.
 */

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, useSyncExternalStore } from 'react';
import { useApi } from './api.ts';
import { listsOf, TodoChanges, type TodoRemoval, withChange } from './todo-changes.ts';
import type { TodoView } from './todo-view.ts';
import { listTodos, type TodoList } from './todos.ts';

export interface Todos {
  /** Those of the view before until the first answer about this one is here; `null` where there is none at all. */
  readonly list: TodoList | null;
  /** Whether `list` is still that of the view before. */
  readonly isOfBefore: boolean;
  /** Why what the server holds now could not be had. */
  readonly failure: Error | null;
  readonly reload: () => void;
  readonly changes: TodoChanges;
  readonly held: readonly TodoRemoval[];
}

export function useTodos(owner: string, view: TodoView): Todos {
  const api = useApi();
  const data = useQueryClient();
  const [changes] = useState(() => new TodoChanges(api, data, owner));
  const open = useSyncExternalStore(changes.subscribe, changes.open);
  const held = useSyncExternalStore(changes.subscribe, changes.held);
  const answer = useQuery({
    queryKey: [...listsOf(owner), view],
    queryFn: ({ signal }) => listTodos(api, view, signal),
    placeholderData: keepPreviousData,
  });
  const list = answer.data && open.reduce((list, change) => withChange(list, view, change), answer.data);
  return {
    list: list ?? null,
    isOfBefore: answer.isPlaceholderData,
    failure: answer.error,
    reload: () => void answer.refetch(),
    changes,
    held,
  };
}
