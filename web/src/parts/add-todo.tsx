/**
 * The line in which a new todo is written. It is free for the next one at once, and gets back what the server refuses.
 */

import { Plus } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { explain } from '../lib/explain.ts';
import { draftOf, type TodoChange, type TodoChanges } from '../lib/todo-changes.ts';
import type { Todo } from '../lib/todos.ts';
import { Button } from '../ui/button.tsx';
import { todoWords } from '../words/todos.ts';

interface AddTodoProps {
  changes: TodoChanges;
  onAdded: (todo: Todo) => void;
  onFailed: (change: TodoChange, failure: unknown) => void;
}

export function AddTodo({ changes, onAdded, onFailed }: AddTodoProps) {
  const words = todoWords();
  const field = useRef<HTMLInputElement>(null);
  const [title, setTitle] = useState('');
  const [error, setError] = useState<string | null>(null);

  async function add(event: FormEvent) {
    event.preventDefault();
    field.current?.focus();
    if (title.trim() === '') return setError(words.titleMissing);
    setTitle('');
    setError(null);
    const change: TodoChange = { kind: 'add', todo: draftOf(title.trim()) };
    try {
      await changes.make(change);
      onAdded(change.todo);
    } catch (failure) {
      const reason = explain(failure, ['title']).fields.title;
      // Whoever is writing the next one is not to lose that.
      if (reason === undefined || field.current?.value !== '') return onFailed(change, failure);
      setTitle(title);
      setError(reason);
    }
  }

  return (
    <form className="add-todo" noValidate onSubmit={add}>
      <label className="unseen" htmlFor="new-todo">
        {words.newTodo}
      </label>
      <input
        ref={field}
        id="new-todo"
        value={title}
        placeholder={words.newTodoHint}
        autoComplete="off"
        enterKeyHint="done"
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? 'new-todo-error' : undefined}
        onChange={({ target }) => {
          setTitle(target.value);
          setError(null);
        }}
      />
      <Button type="submit">
        <Plus aria-hidden="true" size={20} />
        <span>{words.add}</span>
      </Button>
      <p id="new-todo-error" className="field-error" role="alert">
        {error}
      </p>
    </form>
  );
}
