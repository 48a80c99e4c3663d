/**
 * The changes that the server did not take, which are no longer shown as made: why, and once more.
 */

import { AuthError } from '@vestibule/client';
import { explain } from '../lib/explain.ts';
import type { TodoChange } from '../lib/todo-changes.ts';
import { Button } from '../ui/button.tsx';
import { commonWords } from '../words/common.ts';
import { todoWords } from '../words/todos.ts';

export interface FailedChange {
  readonly change: TodoChange;
  readonly failure: unknown;
}

interface TodoFailuresProps {
  failed: readonly FailedChange[];
  onRetry: (changes: TodoChange[]) => void;
  onDismiss: () => void;
}

export function TodoFailures({ failed, onRetry, onDismiss }: TodoFailuresProps) {
  const words = todoWords();
  const again = failed.filter(({ failure }) => !isGone(failure)).map(({ change }) => change);
  const what = failed.map(({ change }) => sentenceOf(change));
  const why = failed.map(({ failure }) => (isGone(failure) ? words.noLongerThere : explain(failure, []).summary));
  return (
    <div className="todo-failures">
      <div className="alert" role="alert">
        {[...new Set([...what, ...why])].map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
      {failed.length > 0 && (
        <div className="todo-actions">
          {again.length > 0 && (
            <Button look="quiet" onClick={() => onRetry(again)}>
              {commonWords().tryAgain}
            </Button>
          )}
          <Button look="quiet" onClick={onDismiss}>
            {words.dismiss}
          </Button>
        </div>
      )}
    </div>
  );
}

function sentenceOf({ kind, todo: { title } }: TodoChange): string {
  const words = todoWords();
  if (kind === 'add') return words.notAdded(title);
  return kind === 'edit' ? words.notChanged(title) : words.notDeleted(title);
}

function isGone(failure: unknown): boolean {
  return failure instanceof AuthError && failure.code === 'not_found';
}
