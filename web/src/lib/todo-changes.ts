/**
 * The changes that somebody has made to their todos and the server has not confirmed yet. Lists show them at once; a
 * change that fails is simply no longer shown, so that nothing has to be turned back.
 */

import type { QueryClient } from '@tanstack/react-query';
import { AuthError } from '@vestibule/client';
import type { AxiosInstance } from 'axios';
import { isOfTheSame, type TodoView } from './todo-view.ts';
import { addTodo, changeTodo, PAGE_SIZE, removeTodo, type Todo, type TodoEdit, type TodoList } from './todos.ts';

export type TodoChange =
  | { readonly kind: 'add'; readonly todo: Todo }
  | { readonly kind: 'edit'; readonly todo: Todo; readonly edit: TodoEdit; readonly ifMatch?: string }
  | TodoRemoval;

export interface TodoRemoval {
  readonly kind: 'remove';
  readonly todo: Todo;
  /** Where it was removed: it is missing from the total of what is shown there. */
  readonly view: TodoView;
}

const DRAFT = 'draft-';

/** A todo that the server has not given an id yet. */
export function draftOf(title: string): Todo {
  const now = new Date().toISOString();
  const id = DRAFT + crypto.randomUUID();
  return { id, title, description: '', completed: false, due_at: null, created_at: now, updated_at: now };
}

export function isDraft({ id }: Todo): boolean {
  return id.startsWith(DRAFT);
}

/** Whether the list of `view` begins with a todo that is added now. */
export function showsAdditions({ filter, q, sort, page }: TodoView): boolean {
  return filter !== 'done' && q === '' && sort === '-created_at' && page === 1;
}

/** The part of the query keys that names all lists of `owner`. */
export function listsOf(owner: string): readonly unknown[] {
  return ['todos', owner, 'list'];
}

/** What the list of `view` is with `change` made. */
export function withChange(list: TodoList, view: TodoView, change: TodoChange): TodoList {
  const { items, total } = list;
  const { todo } = change;
  switch (change.kind) {
    case 'add':
      if (!showsAdditions(view) || items.some(({ id }) => id === todo.id)) return list;
      return { items: [todo, ...items].slice(0, PAGE_SIZE), total: total + 1 };
    case 'edit':
      return { items: items.map((item) => (item.id === todo.id ? { ...item, ...change.edit } : item)), total };
    case 'remove': {
      const rest = items.filter(({ id }) => id !== todo.id);
      const isCounted = rest.length < items.length || isOfTheSame(view, change.view);
      return { items: rest, total: isCounted ? Math.max(rest.length, total - 1) : total };
    }
  }
}

/** The open changes of one user. Those of one todo are sent one after the other, as they were made. */
export class TodoChanges {
  readonly #api: AxiosInstance;
  readonly #data: QueryClient;
  readonly #owner: string;
  readonly #listeners = new Set<() => void>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #open: readonly TodoChange[] = [];
  #held: readonly TodoRemoval[] = [];

  constructor(api: AxiosInstance, data: QueryClient, owner: string) {
    this.#api = api;
    this.#data = data;
    this.#owner = owner;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** In the order in which they were made. */
  readonly open = (): readonly TodoChange[] => this.#open;

  /** The removals that can still be taken back: the server keeps no way back to what it was told to delete. */
  readonly held = (): readonly TodoRemoval[] => this.#held;

  /** Shows `change` and sends it; throws why the server did not take it. */
  async make(change: TodoChange): Promise<void> {
    if (!this.#open.includes(change)) this.#show([...this.#open, change], this.#held);
    try {
      const todo = await this.#inTurn(change.kind === 'add' ? DRAFT : change.todo.id, () => this.#send(change));
      this.#keep(change, todo);
    } finally {
      this.#show(
        this.#open.filter((other) => other !== change),
        this.#held,
      );
      void this.#data.invalidateQueries({ queryKey: listsOf(this.#owner) });
    }
  }

  /** Shows a removal that is sent by `settle` alone, until when `takeBack` undoes it without a trace. */
  hold(removal: TodoRemoval): void {
    this.#show([...this.#open, removal], [...this.#held, removal]);
  }

  /** Undoes the held removals, and tells which. */
  takeBack(): readonly TodoRemoval[] {
    const held = this.#held;
    this.#show(
      this.#open.filter((change) => change.kind !== 'remove' || !held.includes(change)),
      [],
    );
    return held;
  }

  /** Lets go of the held removals, which are to be made now. */
  settle(): readonly TodoRemoval[] {
    const held = this.#held;
    if (held.length > 0) this.#show(this.#open, []);
    return held;
  }

  async #send(change: TodoChange): Promise<Todo | null> {
    const { kind, todo } = change;
    if (kind === 'add') return addTodo(this.#api, todo.title);
    if (kind === 'edit') return changeTodo(this.#api, todo.id, change.edit, change.ifMatch);
    await removeTodo(this.#api, todo.id).catch(ignoreGone);
    return null;
  }

  /** Makes a confirmed change part of the lists, in case that they cannot be had anew. */
  #keep(change: TodoChange, todo: Todo | null): void {
    const confirmed = { ...change, ...(todo && (change.kind === 'add' ? { todo } : { edit: todo })) };
    for (const [queryKey, list] of this.#data.getQueriesData<TodoList>({ queryKey: listsOf(this.#owner) })) {
      const view = queryKey.at(-1) as TodoView;
      if (list) this.#data.setQueryData(queryKey, withChange(list, view, confirmed));
    }
  }

  /** Runs `work` when all work for the same `key` before it is over, whatever came of it. */
  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(key) ?? Promise.resolve()).then(work);
    const over = result
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(key) === over) this.#turns.delete(key);
      });
    this.#turns.set(key, over);
    return result;
  }

  #show(open: readonly TodoChange[], held: readonly TodoRemoval[]): void {
    this.#open = open;
    this.#held = held;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Somebody else may have deleted it meanwhile, which is as good. */
function ignoreGone(failure: unknown): void {
  if (!(failure instanceof AuthError && failure.code === 'not_found')) throw failure;
}
