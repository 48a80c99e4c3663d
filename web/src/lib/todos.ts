/**
 * Todos as the server keeps them, and the requests about them. What a todo may be is the server's to say; what is shown
 * while a request is on its way is decided in todo-changes.ts.
 */

import type { Todo } from '@vestibule/client';
import type { AxiosInstance } from 'axios';
import type { TodoView } from './todo-view.ts';

export type { Todo };

/** What a person changes about a todo; a field that is left out stays as it is. */
export type TodoEdit = Partial<Pick<Todo, 'title' | 'description' | 'completed' | 'due_at'>>;

/** A part of somebody's todos, and how many there are of the kind in all. */
export interface TodoList {
  readonly items: readonly Todo[];
  readonly total: number;
}

/** A todo and the tag of the version that it is. */
export interface TodoVersion {
  readonly todo: Todo;
  readonly etag: string;
}

export const PAGE_SIZE = 20;

const TODOS = '/api/todos';

export async function listTodos(api: AxiosInstance, view: TodoView, signal: AbortSignal): Promise<TodoList> {
  const { filter, q, sort, page } = view;
  const params = {
    ...(filter !== 'all' && { completed: filter === 'done' }),
    ...(q && { q }),
    sort,
    limit: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
  };
  return (await api.get<TodoList>(TODOS, { params, signal })).data;
}

export async function getTodo(api: AxiosInstance, id: string): Promise<TodoVersion> {
  const { data, headers } = await api.get<Todo>(pathOf(id));
  return { todo: data, etag: String(headers.etag) };
}

export async function addTodo(api: AxiosInstance, title: string): Promise<Todo> {
  return (await api.post<Todo>(TODOS, { title })).data;
}

/** Changes the todo, of whatever version it is, or of that with the tag `ifMatch` alone: else `precondition_failed`. */
export async function changeTodo(api: AxiosInstance, id: string, edit: TodoEdit, ifMatch?: string): Promise<Todo> {
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return (await api.patch<Todo>(pathOf(id), edit, { headers })).data;
}

/** Is sent to the end even if the page is left meanwhile. */
export async function removeTodo(api: AxiosInstance, id: string): Promise<void> {
  await api.delete(pathOf(id), { fetchOptions: { keepalive: true } });
}

function pathOf(id: string): string {
  return `${TODOS}/${encodeURIComponent(id)}`;
}
