/**
 * One todo in a list: checked off here, opened to be edited, or deleted.
 */

import { CalendarClock, CircleAlert, Trash2 } from 'lucide-react';
import { isOverdue, whenDue } from '../lib/due.ts';
import { isDraft } from '../lib/todo-changes.ts';
import type { Todo } from '../lib/todos.ts';
import { todoWords } from '../words/todos.ts';

interface TodoRowProps {
  todo: Todo;
  /** In milliseconds since 1970. */
  now: number;
  onToggle: (todo: Todo) => void;
  onEdit: (todo: Todo) => void;
  onRemove: (todo: Todo) => void;
}

export function TodoRow({ todo, now, onToggle, onEdit, onRemove }: TodoRowProps) {
  const words = todoWords();
  const { id, title, description, completed, due_at } = todo;
  const draft = isDraft(todo);
  return (
    <li className="todo" data-completed={completed}>
      <label className="todo-check">
        <span className="unseen">{title}</span>
        <input type="checkbox" checked={completed} disabled={draft} onChange={() => onToggle(todo)} />
      </label>
      <div className="todo-words">
        <button
          type="button"
          id={titleIdOf(todo)}
          className="todo-title"
          aria-haspopup="dialog"
          aria-describedby={due_at ? `due-${id}` : undefined}
          disabled={draft}
          onClick={() => onEdit(todo)}
        >
          <span className="unseen">{words.edit}</span> {title}
        </button>
        {description && <p className="todo-description">{description}</p>}
        {due_at && <Due id={`due-${id}`} due={due_at} now={now} completed={completed} />}
      </div>
      <button
        type="button"
        className="todo-delete"
        aria-label={words.delete(title)}
        title={words.delete(title)}
        disabled={draft}
        onClick={() => onRemove(todo)}
      >
        <Trash2 aria-hidden="true" size={20} />
      </button>
    </li>
  );
}

/** The id of the title of a todo, which takes the focus when the todo comes back. */
export function titleIdOf({ id }: Todo): string {
  return `todo-${id}`;
}

function Due({ id, due, now, completed }: { id: string; due: string; now: number; completed: boolean }) {
  const words = todoWords();
  const overdue = !completed && isOverdue(due, now);
  const Icon = overdue ? CircleAlert : CalendarClock;
  return (
    <p id={id} className={overdue ? 'todo-due todo-overdue' : 'todo-due'}>
      <Icon aria-hidden="true" size={16} />
      <time dateTime={due}>{overdue ? words.overdue(whenDue(due, now)) : words.due(whenDue(due, now))}</time>
    </p>
  );
}
