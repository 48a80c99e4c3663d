/**
 * The way to the todos before and after those that are shown, where there are any.
 */

import { ChevronLeft, ChevronRight } from 'lucide-react';
import { Link } from 'wouter';
import type { TodoView } from '../lib/todo-view.ts';
import { todoWords } from '../words/todos.ts';

interface TodoPagerProps {
  page: number;
  pages: number;
  hrefOf: (change: Partial<TodoView>) => string;
  /** Somebody goes to another page, and reads on at its beginning. */
  onTurn: () => void;
}

export function TodoPager({ page, pages, hrefOf, onTurn }: TodoPagerProps) {
  const words = todoWords();
  if (pages === 1) return null;
  return (
    <nav className="pager" aria-label={words.pages}>
      {page > 1 && (
        <Link className="button button-quiet" href={hrefOf({ page: page - 1 })} onClick={onTurn}>
          <ChevronLeft aria-hidden="true" size={18} />
          {words.previous}
        </Link>
      )}
      <p role="status">{words.pageOf(Math.min(page, pages), pages)}</p>
      {page < pages && (
        <Link className="button button-quiet" href={hrefOf({ page: page + 1 })} onClick={onTurn}>
          {words.next}
          <ChevronRight aria-hidden="true" size={18} />
        </Link>
      )}
    </nav>
  );
}
