/**
 * Somebody's todos: what happens to them, and what is said about it. How each part looks is in the files beside.
 */

import type { User } from '@vestibule/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useLocation } from 'wouter';
import { DataProvider } from '../lib/data.tsx';
import { showsAdditions, type TodoChange } from '../lib/todo-changes.ts';
import { EVERYTHING, useTodoView } from '../lib/todo-view.ts';
import { PAGE_SIZE, type Todo } from '../lib/todos.ts';
import { useFinishBeforeLeaving } from '../lib/unfinished.ts';
import { useTodos } from '../lib/use-todos.ts';
import { Notice } from '../ui/notice.tsx';
import { todoWords } from '../words/todos.ts';
import { AddTodo } from './add-todo.tsx';
import { TodoDialog } from './todo-dialog.tsx';
import { type FailedChange, TodoFailures } from './todo-failures.tsx';
import { TodoPager } from './todo-pager.tsx';
import { TodoResults } from './todo-results.tsx';
import { titleIdOf } from './todo-row.tsx';
import { TodoTools } from './todo-tools.tsx';

export function TodosSection({ user }: { user: User }) {
  return (
    <DataProvider>
      <TodosOf key={user.id} owner={user.id} />
    </DataProvider>
  );
}

function TodosOf({ owner }: { owner: string }) {
  const words = todoWords();
  const [view, hrefOf] = useTodoView();
  const [, navigate] = useLocation();
  const { changes, held, list, ...state } = useTodos(owner, view);
  const [failed, setFailed] = useState<readonly FailedChange[]>([]);
  const [edited, setEdited] = useState<Todo | null>(null);
  /** The title of what was added and is not shown. */
  const [added, setAdded] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const pages = Math.max(1, Math.ceil((list?.total ?? 0) / PAGE_SIZE));

  const keepFailed = useCallback((change: TodoChange, failure: unknown) => {
    setFailed((before) => [...before, { change, failure }]);
  }, []);
  const make = useCallback(
    (change: TodoChange) => changes.make(change).catch((failure) => keepFailed(change, failure)),
    [changes, keepFailed],
  );
  const settle = useCallback(() => Promise.all(changes.settle().map(make)), [changes, make]);
  useFinishBeforeLeaving(settle);

  const undo = useCallback(() => {
    const [first] = flushSync(() => changes.takeBack());
    const row = first && document.getElementById(titleIdOf(first.todo));
    (row ?? heading.current)?.focus();
  }, [changes]);
  useUndoKey(held.length > 0, undo);

  const isKnown = list !== null && !state.isOfBefore;
  const isBeyondTheLast = isKnown && view.page > pages;
  const lastPage = hrefOf({ page: pages });
  useEffect(() => {
    if (isBeyondTheLast) navigate(lastPage, { replace: true });
  }, [isBeyondTheLast, lastPage, navigate]);

  const isUsedUp = isKnown && !isBeyondTheLast && list.items.length === 0 && list.total > 0;
  useEffect(() => {
    // The todos that follow come only when the server has let go of these.
    if (isUsedUp) void settle();
  }, [isUsedUp, settle]);

  const forget = useCallback(() => {
    setAdded(null);
    void settle();
  }, [settle]);

  function showAdded() {
    setAdded(null);
    navigate(hrefOf(EVERYTHING));
    heading.current?.focus();
  }

  function tellOfAddition({ title }: Todo) {
    setAdded(showsAdditions(view) ? null : title);
  }

  function remove(todo: Todo) {
    setAdded(null);
    changes.hold({ kind: 'remove', todo, view });
  }

  const [first, second] = held;
  const deleted = first && (second ? words.severalDeleted(held.length) : words.deleted(first.todo.title));
  return (
    <section className="todos" aria-labelledby="todos">
      <h2 ref={heading} id="todos" tabIndex={-1}>
        {words.todos}
      </h2>
      <AddTodo changes={changes} onAdded={tellOfAddition} onFailed={keepFailed} />
      <TodoFailures
        failed={failed}
        onRetry={(again) => {
          setFailed([]);
          for (const change of again) void make(change);
        }}
        onDismiss={() => setFailed([])}
      />
      <TodoTools view={view} hrefOf={hrefOf} />
      <TodoResults
        {...state}
        view={view}
        list={list}
        hrefOf={hrefOf}
        fallback={heading}
        onToggle={(todo) => make({ kind: 'edit', todo, edit: { completed: !todo.completed } })}
        onEdit={setEdited}
        onRemove={remove}
      />
      <TodoPager page={view.page} pages={pages} hrefOf={hrefOf} onTurn={() => heading.current?.focus()} />
      <TodoDialog todo={edited} changes={changes} onClose={() => setEdited(null)} />
      <Notice
        sentence={deleted ?? (added && words.added(added))}
        action={deleted ? words.undo : words.showIt}
        {...(deleted && { keys: 'Control+Z' })}
        onAction={deleted ? undo : showAdded}
        onGone={forget}
        dismissLabel={words.dismiss}
      />
    </section>
  );
}

/** Ctrl+Z or ⌘Z, as everywhere else; in a field it is the field's own. */
function useUndoKey(armed: boolean, undo: () => void) {
  useEffect(() => {
    if (!armed) return;
    const onKey = (event: KeyboardEvent) => {
      const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key === 'z';
      if (!isUndo || (event.target as Element).closest('textarea, input:not([type="checkbox"])')) return;
      event.preventDefault();
      undo();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [armed, undo]);
}
