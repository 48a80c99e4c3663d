/**
 * The todos of a page, or why there are none: on their way, out of reach, not written yet, or filtered away.
 */

import { type RefObject, useRef } from 'react';
import { Link } from 'wouter';
import { useNow } from '../lib/clock.ts';
import { explain } from '../lib/explain.ts';
import { useKeptFocus } from '../lib/kept-focus.ts';
import type { TodoView } from '../lib/todo-view.ts';
import type { Todo, TodoList } from '../lib/todos.ts';
import type { Todos } from '../lib/use-todos.ts';
import { Button } from '../ui/button.tsx';
import { Mark } from '../ui/mark.tsx';
import { commonWords } from '../words/common.ts';
import { todoWords } from '../words/todos.ts';
import { TodoRow } from './todo-row.tsx';

interface TodoResultsProps extends Pick<Todos, 'list' | 'isOfBefore' | 'failure' | 'reload'> {
  view: TodoView;
  hrefOf: (change: Partial<TodoView>) => string;
  /** Takes the focus when the last row is gone. */
  fallback: RefObject<HTMLElement | null>;
  onToggle: (todo: Todo) => void;
  onEdit: (todo: Todo) => void;
  onRemove: (todo: Todo) => void;
}

export function TodoResults({ view, hrefOf, list, isOfBefore, failure, reload, fallback, ...on }: TodoResultsProps) {
  const words = todoWords();
  const now = useNow();
  const rows = useRef<HTMLUListElement>(null);
  const keepFocus = useKeptFocus(rows, fallback);
  return (
    <>
      <p className="todo-count" role="status">
        {list && countOf(list, view)}
      </p>
      <div className="alert" role="alert">
        {failure && <p>{`${list ? words.notRefreshed : words.notLoaded} ${explain(failure, []).summary}`}</p>}
      </div>
      {failure && (
        <Button look="quiet" onClick={reload}>
          {commonWords().tryAgain}
        </Button>
      )}
      {!list && !failure && <Skeleton />}
      {list && list.items.length > 0 && (
        <ul ref={rows} className="todo-list" aria-labelledby="todos" aria-busy={isOfBefore} onFocus={keepFocus}>
          {list.items.map((todo) => (
            <TodoRow key={todo.id} todo={todo} now={now} {...on} />
          ))}
        </ul>
      )}
      {list?.total === 0 && <NothingHere view={view} hrefOf={hrefOf} />}
    </>
  );
}

function countOf({ total }: TodoList, { filter, q }: TodoView): string {
  const words = todoWords();
  if (q) return words.countOfFound(total);
  if (filter === 'all') return total === 0 ? '' : words.countOfAll(total);
  return filter === 'open' ? words.countOfOpen(total) : words.countOfDone(total);
}

/** Takes the room of a few todos. What comes below waits for them, so that nothing that is shown moves. */
function Skeleton() {
  const words = todoWords();
  return (
    <>
      <p className="unseen">{words.loading}</p>
      <ul className="todo-list todo-skeleton" aria-hidden="true">
        <li className="todo-ghost" />
        <li className="todo-ghost" />
        <li className="todo-ghost" />
      </ul>
    </>
  );
}

function NothingHere({ view: { filter, q }, hrefOf }: Pick<TodoResultsProps, 'view' | 'hrefOf'>) {
  const words = todoWords();
  const [title, hint] = q
    ? [words.nothingFound(q), words.nothingFoundHint]
    : {
        all: [words.nothingYet, words.nothingYetHint],
        open: [words.nothingOpen, words.nothingOpenHint],
        done: [words.nothingDone, words.nothingDoneHint],
      }[filter];
  return (
    <div className="nothing-here">
      <Mark />
      <h3>{title}</h3>
      <p>{hint}</p>
      <p className="todo-actions">
        {q && filter !== 'all' && <Link href={hrefOf({ filter: 'all' })}>{words.searchInAll}</Link>}
        {(q || filter !== 'all') && <Link href={hrefOf({ filter: 'all', q: '' })}>{words.showAll}</Link>}
      </p>
    </div>
  );
}
