/**
 * Where a todo is edited. It is saved over the version that was edited alone: where somebody has changed it meanwhile,
 * both versions are shown, and nothing is lost. Nor does Escape throw away what was written, unless asked twice.
 */

import { useQuery } from '@tanstack/react-query';
import { AuthError } from '@vestibule/client';
import { type ChangeEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useApi } from '../lib/api.ts';
import { dueFrom, fieldValueOf, whenDue } from '../lib/due.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import type { TodoChanges } from '../lib/todo-changes.ts';
import { getTodo, type Todo, type TodoEdit, type TodoVersion } from '../lib/todos.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { commonWords } from '../words/common.ts';
import { todoWords } from '../words/todos.ts';
import { AccountForm } from './account-form.tsx';

interface TodoDialogProps {
  /** `null` for none. */
  todo: Todo | null;
  changes: TodoChanges;
  onClose: () => void;
}

export function TodoDialog({ todo, changes, onClose }: TodoDialogProps) {
  const words = todoWords();
  const [unsaved, setUnsaved] = useState(false);
  const [asked, setAsked] = useState(false);

  function close() {
    setUnsaved(false);
    setAsked(false);
    onClose();
  }

  return (
    <Dialog
      open={todo !== null}
      labelledBy="edit-todo"
      held={unsaved && !asked}
      onHeld={() => setAsked(true)}
      onClose={close}
    >
      <h2 id="edit-todo">{words.editTodo}</h2>
      {asked && (
        <Attention sentence={words.notSavedYet}>
          <Button look="quiet" onClick={close}>
            {words.throwAway}
          </Button>
        </Attention>
      )}
      {todo && (
        <TodoEditor
          todo={todo}
          changes={changes}
          onClose={close}
          onEdit={(differs) => {
            setUnsaved(differs);
            setAsked(false);
          }}
        />
      )}
    </Dialog>
  );
}

type Draft = Record<'title' | 'description' | 'due_at', string>;

interface TodoEditorProps extends TodoDialogProps {
  todo: Todo;
  /** Something was typed; whether it now differs from what is saved. */
  onEdit: (differs: boolean) => void;
}

function TodoEditor({ todo, changes, onClose, onEdit }: TodoEditorProps) {
  const words = todoWords();
  const api = useApi();
  // A list does not tell versions. Once the editing has begun, its version stays: another would be saved over unseen.
  const version = useQuery({
    queryKey: ['todo', todo.id],
    queryFn: () => getTodo(api, todo.id),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [taken, setTaken] = useState<TodoVersion | null>(null);
  const [clash, setClash] = useState<TodoVersion | 'deleted' | null>(null);
  const [edits, setEdits] = useState<Partial<Draft>>({});
  const [tries, setTries] = useState(0);
  const title = useRef<HTMLInputElement>(null);
  const due = useRef<HTMLInputElement>(null);
  const base = taken ?? version.data;
  const draft = { ...draftOf(base?.todo ?? todo), ...edits };

  useEffect(() => {
    if (taken) title.current?.focus();
  }, [taken]);

  function edit({ target }: ChangeEvent<HTMLInputElement>) {
    const typed = { ...edits, [target.name]: target.value };
    setEdits(typed);
    const saved = base?.todo ?? todo;
    onEdit(Object.keys(changesOf({ ...draftOf(saved), ...typed }, saved)).length > 0);
  }

  async function save() {
    if (due.current?.validity.badInput) throw incomplete(words.dueIncomplete);
    try {
      const { todo: saved, etag } = base ?? (await getTodo(api, todo.id));
      const change = changesOf({ ...draftOf(saved), ...edits }, saved);
      if (Object.keys(change).length > 0)
        await changes.make({ kind: 'edit', todo: saved, edit: change, ifMatch: etag });
      onClose();
    } catch (failure) {
      const code = failure instanceof AuthError && failure.code;
      if (code === 'precondition_failed') setClash(await getTodo(api, todo.id));
      else if (code === 'not_found') setClash('deleted');
      else throw failure;
      setTries((before) => before + 1);
    }
  }

  function goOn(from: TodoVersion, kept: Partial<Draft>) {
    setTaken(from);
    setEdits(kept);
    setClash(null);
    setTries(tries + 1);
  }

  return (
    <>
      {clash === 'deleted' && <Attention sentence={words.deletedElsewhere} />}
      {clash && clash !== 'deleted' && (
        <Attention sentence={words.changedElsewhere} newer={clash.todo}>
          <Button look="quiet" onClick={() => goOn(clash, {})}>
            {words.takeTheirs}
          </Button>
          <Button look="quiet" onClick={() => goOn(clash, draft)}>
            {words.keepMine}
          </Button>
        </Attention>
      )}
      {/* A clash has ended the try to save, and the form begins anew. */}
      <AccountForm
        key={tries}
        labelledBy="edit-todo"
        submitLabel={words.save}
        beside={
          <Button look="quiet" onClick={onClose}>
            {clash === 'deleted' ? words.close : commonWords().cancel}
          </Button>
        }
        send={save}
      >
        {(errors) => (
          <>
            <Field
              ref={title}
              id="todo-title"
              name="title"
              label={words.titleField}
              missing={words.titleMissing}
              value={draft.title}
              onChange={edit}
              error={errors.title}
              autoComplete="off"
              required
            />
            <Field
              id="todo-description"
              name="description"
              label={words.descriptionField}
              value={draft.description}
              onChange={edit}
              error={errors.description}
              rows={5}
            />
            <Field
              ref={due}
              id="todo-due"
              name="due_at"
              type="datetime-local"
              max="9999-12-31T23:59"
              label={words.dueField}
              value={draft.due_at}
              onChange={edit}
              error={errors.due_at}
            />
          </>
        )}
      </AccountForm>
    </>
  );
}

/** What there is to know before going on, with the version that has come about elsewhere; the focus goes there. */
function Attention({ sentence, newer, children }: { sentence: string; newer?: Todo; children?: ReactNode }) {
  const words = todoWords();
  const box = useFocusOnArrival<HTMLDivElement>();
  return (
    <div ref={box} className="alert clash" role="alert" tabIndex={-1}>
      <p>{sentence}</p>
      {newer && (
        <dl>
          <dt>{words.titleField}</dt>
          <dd>{newer.title}</dd>
          <dt>{words.descriptionField}</dt>
          <dd>{newer.description || words.noDetails}</dd>
          <dt>{words.dueField}</dt>
          <dd>{newer.due_at ? whenDue(newer.due_at, Date.now()) : words.notDue}</dd>
        </dl>
      )}
      {children && <div className="todo-actions">{children}</div>}
    </div>
  );
}

function draftOf({ title, description, due_at }: Todo): Draft {
  return { title, description, due_at: fieldValueOf(due_at) };
}

/** Only what differs is sent, so that a time keeps the seconds that the field does not show. */
function changesOf(draft: Draft, saved: Todo): TodoEdit {
  const before = draftOf(saved);
  return {
    ...(draft.title !== before.title && { title: draft.title }),
    ...(draft.description !== before.description && { description: draft.description }),
    ...(draft.due_at !== before.due_at && { due_at: dueFrom(draft.due_at) }),
  };
}

/** A field for a time that is half filled in tells its value as empty, which would clear the time. */
function incomplete(message: string): AuthError {
  return new AuthError('validation_failed', message, { errors: [{ field: 'due_at', code: 'incomplete', message }] });
}
