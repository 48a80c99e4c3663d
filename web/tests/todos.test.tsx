/**
 * The todos of the dashboard, in front of a server that keeps some: what is shown at once, and what is shown when the
 * server says no.
 */

import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { Todo } from '../src/lib/todos.ts';
import { ADA, address, gone, ok, openApp, pressEscape, refused } from './app.tsx';

afterEach(() => {
  vi.useRealTimers();
  document.documentElement.lang = '';
});

const PAGE = 20;
const YESTERDAY = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString();

function todo(number: number, fields: Partial<Todo> = {}): Todo {
  const id = `0198f000-0000-7000-8000-${String(number).padStart(12, '0')}`;
  const time = '2026-03-01T12:00:00Z';
  const rest = { description: '', completed: false, due_at: null, created_at: time, updated_at: time };
  return { id, title: `Todo ${number}`, ...rest, ...fields };
}

/** A server that keeps `todos`, the newest first, and raises the version of each that is changed. */
function keeping(todos: Todo[]) {
  const versions = new Map<string, number>();
  const etagOf = (id: string) => `"${versions.get(id) ?? 1}"`;
  const asked: string[] = [];
  const answers: Parameters<typeof openApp>[1] = {
    'GET /api/auth/me': ok(ADA),
    'GET /api/todos': (_, { url }) => {
      const params = new URL(url).searchParams;
      asked.push(params.toString());
      const completed = params.get('completed');
      const q = params.get('q') ?? '';
      const offset = Number(params.get('offset'));
      const found = todos.filter(
        (todo) => todo.title.includes(q) && (completed === null || String(todo.completed) === completed),
      );
      return Response.json({ items: found.slice(offset, offset + PAGE), total: found.length, limit: PAGE, offset });
    },
    'POST /api/todos': (body) => {
      const added = todo(1000 + todos.length, body as Partial<Todo>);
      todos.unshift(added);
      return Response.json(added, { status: 201 });
    },
  };
  /** What else happens to a todo, here or elsewhere. */
  function change(id: string, edit: Partial<Todo>) {
    const index = todos.findIndex((todo) => todo.id === id);
    const changed = { ...todos[index], ...edit } as Todo;
    todos[index] = changed;
    versions.set(id, (versions.get(id) ?? 1) + 1);
    return changed;
  }
  for (const { id } of todos) {
    const path = `/api/todos/${id}`;
    answers[`GET ${path}`] = () =>
      Response.json(
        todos.find((todo) => todo.id === id),
        { headers: { etag: etagOf(id) } },
      );
    answers[`PATCH ${path}`] = (body, { headers }) => {
      const ifMatch = headers.get('if-match');
      if (ifMatch && ifMatch !== etagOf(id)) return refused(412, 'precondition_failed')();
      return Response.json(change(id, body as Partial<Todo>));
    };
    answers[`DELETE ${path}`] = () => {
      todos.splice(
        todos.findIndex((todo) => todo.id === id),
        1,
      );
      return gone();
    };
  }
  return { answers, todos, asked, change };
}

/** Opens the dashboard of somebody with `count` todos. */
async function openTodos(count: number, path = '/dashboard', fields: Partial<Todo> = {}) {
  const server = keeping(Array.from({ length: count }, (_, index) => todo(count - index, fields)));
  const app = openApp(path, server.answers);
  await waitFor(() => expect(screen.queryByText('Looking for your todos…')).toBeNull());
  await screen.findByRole('heading', { name: 'Your todos' });
  await waitFor(() => expect(server.asked.length).toBeGreaterThan(0));
  await waitFor(() => expect(screen.queryByText('Looking for your todos…')).toBeNull());
  return { ...server, ...app };
}

/** An answer that waits until it is let go. */
function heldBack(answer: () => Response | Promise<Response>) {
  let letGo = () => {};
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { answer: () => free.then(answer), letGo: () => letGo() };
}

const shownTitles = () =>
  screen.queryAllByRole('button', { name: /^Edit / }).map((title) => title.textContent?.replace('Edit ', ''));
const titleOf = (title: string) => screen.getByRole('button', { name: `Edit ${title}` });
const checkOf = (title: string) => screen.getByRole('checkbox', { name: title }) as HTMLInputElement;
const removeTodo = (title: string) => fireEvent.click(screen.getByRole('button', { name: `Delete “${title}”` }));

function write(title: string) {
  const field = screen.getByLabelText('New todo') as HTMLInputElement;
  fireEvent.change(field, { target: { value: title } });
  fireEvent.submit(field.form as HTMLFormElement);
}

test('somebody without todos is told how to begin', async () => {
  await openTodos(0);
  screen.getByText('A clear desk');
  expect(screen.queryByRole('list', { name: 'Your todos' })).toBeNull();
});

test('a new todo is shown before the server has answered, and the field is free for the next', async () => {
  const { script, requests } = await openTodos(1);
  const add = script['POST /api/todos'];
  const held = heldBack(() => add?.({ title: 'Buy lamp oil' }, new Request('http://localhost')) as Response);
  script['POST /api/todos'] = held.answer;
  write('  Buy lamp oil ');
  expect(shownTitles()).toEqual(['Buy lamp oil', 'Todo 1']);
  screen.getByText('2 todos');
  expect((screen.getByLabelText('New todo') as HTMLInputElement).value).toBe('');
  expect(document.activeElement).toBe(screen.getByLabelText('New todo'));
  held.letGo();
  await waitFor(() => expect((titleOf('Buy lamp oil') as HTMLButtonElement).disabled).toBe(false));
  expect(shownTitles()).toEqual(['Buy lamp oil', 'Todo 1']);
  expect(requests.find(({ request }) => request === 'POST /api/todos')?.body).toEqual({ title: 'Buy lamp oil' });
});

test('an empty line is no todo', async () => {
  const { requests } = await openTodos(0);
  write('   ');
  screen.getByText('Write what there is to do.');
  expect(screen.getByLabelText('New todo').getAttribute('aria-invalid')).toBe('true');
  expect(requests.map(({ request }) => request)).not.toContain('POST /api/todos');
});

test('what the server does not take as a title goes back into the field, with the reason', async () => {
  const { script } = await openTodos(0);
  script['POST /api/todos'] = refused(422, 'validation_failed', {
    errors: [{ field: 'title', code: 'rule_of_tomorrow', message: 'Be brief.' }],
  });
  write('Too much');
  await screen.findByText('Be brief.');
  expect((screen.getByLabelText('New todo') as HTMLInputElement).value).toBe('Too much');
  expect(shownTitles()).toEqual([]);
});

test('todos that could not be added are named, and added by one press when the server is back', async () => {
  const { script, todos } = await openTodos(0);
  const add = script['POST /api/todos'];
  script['POST /api/todos'] = () => {
    throw new TypeError('Failed to fetch');
  };
  write('Buy lamp oil');
  write('Water the fig tree');
  await screen.findByText('“Buy lamp oil” could not be added.');
  await screen.findByText('“Water the fig tree” could not be added.');
  expect(screen.getAllByText(/could not be reached/)).toHaveLength(1);
  expect(shownTitles()).toEqual([]);
  if (add) script['POST /api/todos'] = add;
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(screen.queryByText(/could not be added/)).toBeNull();
  await waitFor(() => expect(todos.map(({ title }) => title)).toEqual(['Water the fig tree', 'Buy lamp oil']));
  await waitFor(() => expect(shownTitles()).toEqual(['Water the fig tree', 'Buy lamp oil']));
});

test('a check shows at once, and is taken back where the server refuses', async () => {
  const { script } = await openTodos(2);
  const held = heldBack(refused(503, 'unavailable', {}, { 'retry-after': '5' }));
  script[`PATCH /api/todos/${todo(2).id}`] = held.answer;
  fireEvent.click(checkOf('Todo 2'));
  expect(checkOf('Todo 2').checked).toBe(true);
  held.letGo();
  await screen.findByText('“Todo 2” could not be changed.');
  screen.getByText(/busy right now/);
  expect(checkOf('Todo 2').checked).toBe(false);
});

test('checks of one todo reach the server in their order, however long the first one takes', async () => {
  const { script, requests, todos } = await openTodos(1);
  const path = `PATCH /api/todos/${todo(1).id}`;
  const patch = script[path];
  const held = heldBack(() => patch?.({ completed: true }, new Request('http://localhost')) as Response);
  script[path] = held.answer;
  fireEvent.click(checkOf('Todo 1'));
  if (patch) await waitFor(() => expect(requests.filter(({ request }) => request === path)).toHaveLength(1));
  if (patch) script[path] = patch;
  fireEvent.click(checkOf('Todo 1'));
  expect(checkOf('Todo 1').checked).toBe(false);
  expect(requests.filter(({ request }) => request === path)).toHaveLength(1);
  held.letGo();
  await waitFor(() => expect(requests.filter(({ request }) => request === path)).toHaveLength(2));
  await waitFor(() => expect(todos[0]?.completed).toBe(false));
  expect(checkOf('Todo 1').checked).toBe(false);
});

test('a deleted todo is gone at once, for the server only when there is no way back any more', async () => {
  const { requests, todos } = await openTodos(3);
  const path = `DELETE /api/todos/${todo(2).id}`;
  removeTodo('Todo 2');
  expect(shownTitles()).toEqual(['Todo 3', 'Todo 1']);
  screen.getByText('2 todos');
  screen.getByText('“Todo 2” is deleted.');
  expect(requests.map(({ request }) => request)).not.toContain(path);
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  await waitFor(() => expect(todos).toHaveLength(2));
  expect(requests.map(({ request }) => request)).toContain(path);
  expect(shownTitles()).toEqual(['Todo 3', 'Todo 1']);
});

test('deletions are undone together, without the server ever hearing of them', async () => {
  const { requests, todos } = await openTodos(3);
  removeTodo('Todo 3');
  removeTodo('Todo 1');
  screen.getByText('2 todos are deleted.');
  expect(shownTitles()).toEqual(['Todo 2']);
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(shownTitles()).toEqual(['Todo 3', 'Todo 2', 'Todo 1']);
  expect(document.activeElement).toBe(titleOf('Todo 3'));
  expect(todos).toHaveLength(3);
  expect(requests.filter(({ request }) => request.startsWith('DELETE'))).toEqual([]);
});

test('the keys for undo undo a deletion, and are left to a field that has the focus', async () => {
  await openTodos(2);
  removeTodo('Todo 2');
  fireEvent.keyDown(screen.getByLabelText('New todo'), { key: 'z', ctrlKey: true });
  expect(shownTitles()).toEqual(['Todo 1']);
  fireEvent.keyDown(document.body, { key: 'z', metaKey: true });
  expect(shownTitles()).toEqual(['Todo 2', 'Todo 1']);
});

test('the notice of a deletion goes by itself, but not while somebody is about to press its button', async () => {
  const { requests } = await openTodos(1);
  const wasSent = () => requests.some(({ request }) => request.startsWith('DELETE'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  removeTodo('Todo 1');
  act(() => screen.getByRole('button', { name: 'Undo' }).focus());
  act(() => void vi.advanceTimersByTime(10 * 60_000));
  screen.getByText('“Todo 1” is deleted.');
  act(() => screen.getByLabelText('New todo').focus());
  act(() => void vi.advanceTimersByTime(19_000));
  screen.getByText('“Todo 1” is deleted.');
  expect(wasSent()).toBe(false);
  act(() => void vi.advanceTimersByTime(2_000));
  expect(screen.queryByText('“Todo 1” is deleted.')).toBeNull();
  vi.useRealTimers();
  await waitFor(() => expect(wasSent()).toBe(true));
});

test.each([
  ['the page is left for another', () => fireEvent.click(screen.getByRole('link', { name: 'Account' }))],
  ['the tab is closed', () => window.dispatchEvent(new Event('pagehide'))],
  [
    'the tab is hidden, and may be thrown away',
    () => {
      vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    },
  ],
])('a deletion is sent at once when %s', async (_, leave) => {
  const { requests } = await openTodos(1);
  removeTodo('Todo 1');
  leave();
  await waitFor(() => expect(requests.map(({ request }) => request)).toContain(`DELETE /api/todos/${todo(1).id}`));
});

test('logging out waits for a deletion, which could not be sent afterwards', async () => {
  const { requests, script } = await openTodos(1);
  script['POST /api/auth/logout'] = gone;
  removeTodo('Todo 1');
  fireEvent.click(screen.getByRole('button', { name: 'Log out' }));
  await screen.findByText(/You are logged out/);
  const sent = requests.map(({ request }) => request).filter((request) => /DELETE|logout/.test(request));
  expect(sent).toEqual([`DELETE /api/todos/${todo(1).id}`, 'POST /api/auth/logout']);
});

test('a todo that cannot be deleted comes back; one that was deleted elsewhere does not', async () => {
  const { script } = await openTodos(2);
  script[`DELETE /api/todos/${todo(2).id}`] = refused(503, 'unavailable');
  script[`DELETE /api/todos/${todo(1).id}`] = refused(404, 'not_found');
  removeTodo('Todo 2');
  removeTodo('Todo 1');
  script['GET /api/todos'] = ok({ items: [todo(2)], total: 1, limit: PAGE, offset: 0 });
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  await screen.findByText('“Todo 2” could not be deleted.');
  expect(shownTitles()).toEqual(['Todo 2']);
});

test('the row after a deleted one takes the focus, then the one before, then the heading', async () => {
  await openTodos(2);
  const buttonFor = (title: string) => screen.getByRole('button', { name: `Delete “${title}”` });
  buttonFor('Todo 2').focus();
  removeTodo('Todo 2');
  expect(document.activeElement).toBe(buttonFor('Todo 1'));
  removeTodo('Todo 1');
  expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Your todos' }));
});

test('only what was edited is sent, for the version that was edited', async () => {
  const { requests, script } = await openTodos(1, '/dashboard', { due_at: '2026-05-01T10:00:30Z' });
  const path = `PATCH /api/todos/${todo(1).id}`;
  const patch = script[path];
  const conditions: (string | null)[] = [];
  script[path] = (body, request) => {
    conditions.push(request.headers.get('if-match'));
    return patch?.(body, request) as Response;
  };
  fireEvent.click(titleOf('Todo 1'));
  const dialog = within(screen.getByRole('dialog', { name: 'Edit todo' }));
  fireEvent.change(dialog.getByLabelText('Title'), { target: { value: 'Buy oil' } });
  await waitFor(() => expect(requests.at(-1)?.request).toBe(`GET /api/todos/${todo(1).id}`));
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  titleOf('Buy oil');
  expect(requests.find(({ request }) => request === path)?.body).toEqual({ title: 'Buy oil' });
  expect(conditions).toEqual(['"1"']);
});

test('Escape closes what nobody has edited, and asks before it throws away what somebody has', async () => {
  const { requests } = await openTodos(1);
  const edit = (value: string) => fireEvent.change(screen.getByLabelText('Title'), { target: { value } });

  fireEvent.click(titleOf('Todo 1'));
  edit('Buy oil');
  edit('Todo 1');
  pressEscape(screen.getByRole('dialog'));
  expect(screen.queryByRole('dialog')).toBeNull();

  fireEvent.click(titleOf('Todo 1'));
  edit('Buy oil');
  pressEscape(screen.getByRole('dialog'));
  expect(document.activeElement?.textContent).toContain('not saved yet');
  edit('Buy olive oil');
  pressEscape(screen.getByRole('dialog'));
  expect((screen.getByLabelText('Title') as HTMLInputElement).value).toBe('Buy olive oil');
  pressEscape(screen.getByRole('dialog'));
  expect(screen.queryByRole('dialog')).toBeNull();

  fireEvent.click(titleOf('Todo 1'));
  edit('Buy oil');
  pressEscape(screen.getByRole('dialog'));
  fireEvent.click(screen.getByRole('button', { name: 'Throw it away' }));
  expect(screen.queryByRole('dialog')).toBeNull();
  fireEvent.click(titleOf('Todo 1'));
  expect(screen.queryByText('What you wrote is not saved yet.')).toBeNull();
  expect((screen.getByLabelText('Title') as HTMLInputElement).value).toBe('Todo 1');
  expect(requests.filter(({ request }) => request.startsWith('PATCH'))).toEqual([]);
});

test('a due time is entered where one is, and kept in UTC', async () => {
  const { requests } = await openTodos(1);
  fireEvent.click(titleOf('Todo 1'));
  const local = '2027-07-01T09:30';
  fireEvent.change(screen.getByLabelText(/^Due/), { target: { value: local } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(requests.find(({ request }) => request.startsWith('PATCH'))?.body).toEqual({
    due_at: new Date(2027, 6, 1, 9, 30).toISOString(),
  });
  fireEvent.click(titleOf('Todo 1'));
  expect((screen.getByLabelText(/^Due/) as HTMLInputElement).value).toBe(local);
  fireEvent.change(screen.getByLabelText(/^Due/), { target: { value: '' } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(requests.filter(({ request }) => request.startsWith('PATCH'))).toHaveLength(2));
  expect(requests.filter(({ request }) => request.startsWith('PATCH')).at(-1)?.body).toEqual({ due_at: null });
});

test('what was changed elsewhere is shown before it is written over, and can be taken instead', async () => {
  const { change, requests } = await openTodos(1);
  fireEvent.click(titleOf('Todo 1'));
  fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Mine' } });
  await waitFor(() => expect(requests.at(-1)?.request).toBe(`GET /api/todos/${todo(1).id}`));
  change(todo(1).id, { title: 'Theirs', description: 'By the river.' });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await screen.findByText(/changed elsewhere/);
  within(screen.getByRole('dialog')).getByText('By the river.');
  fireEvent.click(screen.getByRole('button', { name: 'Go on with that one' }));
  expect((screen.getByLabelText('Title') as HTMLInputElement).value).toBe('Theirs');
  expect(document.activeElement).toBe(screen.getByLabelText('Title'));
});

test('whoever keeps their own version saves it over the newer one', async () => {
  const { change, todos, requests } = await openTodos(1);
  fireEvent.click(titleOf('Todo 1'));
  fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Mine' } });
  await waitFor(() => expect(requests.at(-1)?.request).toBe(`GET /api/todos/${todo(1).id}`));
  change(todo(1).id, { title: 'Theirs' });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await screen.findByText(/changed elsewhere/);
  fireEvent.click(screen.getByRole('button', { name: 'Keep what I wrote' }));
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(todos[0]?.title).toBe('Mine'));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

test('a todo that was deleted while it was edited says so, and leaves what was written', async () => {
  const { script } = await openTodos(1);
  script[`PATCH /api/todos/${todo(1).id}`] = refused(404, 'not_found');
  fireEvent.click(titleOf('Todo 1'));
  fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Mine' } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await screen.findByText(/deleted elsewhere/);
  expect((screen.getByLabelText('Title') as HTMLInputElement).value).toBe('Mine');
});

test('the address says what is shown, and leads to it', async () => {
  const { asked } = await openTodos(45, '/dashboard?filter=open&sort=title&q=Todo&page=2&next=%2Fmembers%2F');
  expect(asked[0]).toBe('completed=false&q=Todo&sort=title&limit=20&offset=20');
  screen.getByText('45 found');
  screen.getByText('Page 2 of 3');
  expect(screen.getByRole('link', { name: 'Open' }).getAttribute('aria-current')).toBe('true');
  expect(screen.getByLabelText('Search your todos')).toHaveProperty('value', 'Todo');
  expect(screen.getByLabelText('Sort by')).toHaveProperty('value', 'title');
  fireEvent.click(screen.getByRole('link', { name: 'Next' }));
  expect(address()).toBe('/dashboard?filter=open&sort=title&q=Todo&page=3&next=%2Fmembers%2F');
  await waitFor(() => expect(shownTitles()).toHaveLength(5));
  expect(screen.queryByRole('link', { name: 'Next' })).toBeNull();
  act(() => window.history.back());
  await screen.findByText('Page 2 of 3');
  await waitFor(() => expect(shownTitles()).toHaveLength(PAGE));
});

test.each([
  ['?filter=some&sort=age&page=-3', 'sort=-created_at&limit=20&offset=0'],
  ['?page=1e9', 'sort=-created_at&limit=20&offset=0'],
  [`?q=${'x'.repeat(300)}`, `q=${'x'.repeat(200)}&sort=-created_at&limit=20&offset=0`],
])('an address that nobody can read counts as left out: %s', async (search, expected) => {
  const { asked } = await openTodos(1, `/dashboard${search.slice(0, 400)}`);
  expect(asked[0]).toBe(expected);
});

test('a search asks when the typing pauses, and is one step back', async () => {
  const { asked } = await openTodos(12);
  const field = screen.getByLabelText('Search your todos');
  for (const typed of ['T', 'To', 'Todo 1']) fireEvent.change(field, { target: { value: typed } });
  await waitFor(() => expect(address()).toBe('/dashboard?q=Todo+1'));
  fireEvent.change(field, { target: { value: 'Todo 12' } });
  await waitFor(() => expect(address()).toBe('/dashboard?q=Todo+12'));
  await waitFor(() => expect(shownTitles()).toEqual(['Todo 12']));
  expect(asked.filter((query) => query.includes('q=')).map((query) => new URLSearchParams(query).get('q'))).toEqual([
    'Todo 1',
    'Todo 12',
  ]);
  act(() => window.history.back());
  await waitFor(() => expect(address()).toBe('/dashboard'));
  expect(field).toHaveProperty('value', '');
});

test('what is added out of sight is told, and shown when asked for', async () => {
  await openTodos(1, '/dashboard?filter=done');
  screen.getByText('Nothing is done yet');
  write('Buy lamp oil');
  await screen.findByText('“Buy lamp oil” is added.');
  fireEvent.click(screen.getByRole('button', { name: 'Show it' }));
  expect(address()).toBe('/dashboard');
  await waitFor(() => expect(shownTitles()).toEqual(['Buy lamp oil', 'Todo 1']));
});

test('a search that finds nothing leads to a wider one', async () => {
  await openTodos(1, '/dashboard?filter=open&q=lamp');
  screen.getByText('Nothing matches “lamp”');
  fireEvent.click(screen.getByRole('link', { name: 'Search in all todos' }));
  expect(address()).toBe('/dashboard?q=lamp');
  fireEvent.click(await screen.findByRole('link', { name: 'Show all todos' }));
  expect(address()).toBe('/dashboard');
});

test('the page that loses its last todo gives way to the one before', async () => {
  await openTodos(21, '/dashboard?page=2');
  removeTodo('Todo 1');
  await waitFor(() => expect(address()).toBe('/dashboard'));
  await waitFor(() => expect(shownTitles()).toHaveLength(PAGE));
  screen.getByText('20 todos');
});

test('a page of deleted todos makes room for those that follow', async () => {
  const { todos } = await openTodos(22);
  for (const title of shownTitles()) removeTodo(title ?? '');
  await waitFor(() => expect(shownTitles()).toEqual(['Todo 2', 'Todo 1']));
  expect(todos).toHaveLength(2);
});

test('a page beyond the last one gives way to the last', async () => {
  await openTodos(21, '/dashboard?page=9');
  await waitFor(() => expect(address()).toBe('/dashboard?page=2'));
  await waitFor(() => expect(shownTitles()).toEqual(['Todo 1']));
});

test('what is overdue says so in words, unless it is done', async () => {
  const { todos } = await openTodos(1, '/dashboard', { due_at: YESTERDAY });
  screen.getByText(/^Overdue: yesterday/);
  fireEvent.click(checkOf('Todo 1'));
  screen.getByText(/^Due yesterday/);
  await waitFor(() => expect(todos[0]?.completed).toBe(true));
});

test('todos that cannot be had are asked for again by one press', async () => {
  const { answers } = keeping([todo(1)]);
  const { script } = openApp('/dashboard', { ...answers, 'GET /api/todos': refused(500, 'internal_error') });
  await screen.findByText(/could not be loaded/);
  if (answers?.['GET /api/todos']) script['GET /api/todos'] = answers['GET /api/todos'];
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(shownTitles()).toEqual(['Todo 1']));
});

test('a refusal of the session leads to the login page, and back to the same todos', async () => {
  const { script } = await openTodos(1, '/dashboard?filter=open');
  script['GET /api/auth/me'] = refused(401, 'revoked_token');
  script[`PATCH /api/todos/${todo(1).id}`] = refused(401, 'revoked_token');
  fireEvent.click(checkOf('Todo 1'));
  await screen.findByText(/session has ended/);
  expect(address()).toBe('/login?next=%2Fdashboard%3Ffilter%3Dopen');
});

test('whoever logs in next sees nothing of the todos of the one before', async () => {
  const { script } = await openTodos(1, '/dashboard?q=A+secret', { title: 'A secret of Ada' });
  script['POST /api/auth/logout'] = gone;
  script['POST /api/auth/login'] = ok({ user: { ...ADA, id: 'another', name: 'Grace' }, expires_in: 60 });
  const held = heldBack(ok({ items: [], total: 0, limit: PAGE, offset: 0 }));
  script['GET /api/todos'] = held.answer;
  fireEvent.click(screen.getByRole('button', { name: 'Log out' }));
  fireEvent.change(await screen.findByLabelText('E-mail or username'), { target: { value: 'grace' } });
  expect(address()).toBe('/login');
  const password = screen.getByLabelText('Password') as HTMLInputElement;
  fireEvent.change(password, { target: { value: 'a password' } });
  fireEvent.submit(password.form as HTMLFormElement);
  await screen.findByRole('heading', { name: 'Welcome, Grace' });
  await screen.findByText('Looking for your todos…');
  expect(document.body.textContent).not.toContain('A secret of Ada');
  held.letGo();
  await screen.findByText('A clear desk');
});

test('a tab whose user has changed in another tab shows nothing of the former one', async () => {
  const { script } = await openTodos(1, '/dashboard', { title: 'A secret of Ada' });
  removeTodo('A secret of Ada');
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }));
  script['GET /api/auth/me'] = ok({ ...ADA, id: 'another', name: 'Grace' });
  script['GET /api/todos'] = ok({ items: [todo(7)], total: 1, limit: PAGE, offset: 0 });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await screen.findByRole('heading', { name: 'Welcome, Grace' });
  expect(document.body.textContent).not.toContain('A secret of Ada');
  await waitFor(() => expect(shownTitles()).toEqual(['Todo 7']));
});

test('the todos speak German where the page does', async () => {
  document.documentElement.lang = 'de';
  openApp('/dashboard', keeping([todo(1, { due_at: YESTERDAY })]).answers);
  await screen.findByRole('button', { name: 'Bearbeiten: Todo 1' });
  screen.getByText(/^Überfällig: gestern/);
  screen.getByText('1 Aufgabe');
  fireEvent.click(screen.getByRole('button', { name: '„Todo 1“ löschen' }));
  screen.getByText('„Todo 1“ ist gelöscht.');
});
