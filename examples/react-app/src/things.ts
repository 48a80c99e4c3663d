/**
 * The things on the list, which the server keeps as the user's todos: one function for each request.
 */

import { api } from './auth.ts';

export interface Thing {
  readonly id: string;
  readonly title: string;
  readonly completed: boolean;
}

/** The newest first, as many as the server gives at once. */
export async function readThings(): Promise<Thing[]> {
  const { data } = await api.get<{ items: Thing[] }>('/api/todos', { params: { limit: 100 } });
  return data.items;
}

export async function addThing(title: string): Promise<Thing> {
  const { data } = await api.post<Thing>('/api/todos', { title });
  return data;
}

export async function tickThing(id: string, completed: boolean): Promise<Thing> {
  const { data } = await api.patch<Thing>(`/api/todos/${id}`, { completed });
  return data;
}

export async function removeThing(id: string): Promise<void> {
  await api.delete(`/api/todos/${id}`);
}
