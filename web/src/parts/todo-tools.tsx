/**
 * Which todos are shown and in which order: all, open or done, a search, and the sort. What is chosen is the address.
 */

import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { FILTERS, LONGEST_SEARCH, SORTS, type TodoView } from '../lib/todo-view.ts';
import { todoWords } from '../words/todos.ts';

/** Long enough for the next letter, short enough to seem immediate. */
const PAUSE_MILLISECONDS = 300;

interface TodoToolsProps {
  view: TodoView;
  hrefOf: (change: Partial<TodoView>) => string;
}

export function TodoTools({ view, hrefOf }: TodoToolsProps) {
  const words = todoWords();
  const [, navigate] = useLocation();
  return (
    <div className="todo-tools">
      <nav className="segments" aria-label={words.filter}>
        {FILTERS.map((filter) => (
          <Link key={filter} href={hrefOf({ filter })} aria-current={filter === view.filter ? 'true' : undefined}>
            {words[filter]}
          </Link>
        ))}
      </nav>
      {/* A search is one step back, however many letters it took. */}
      <TodoSearch q={view.q} onSearch={(q) => navigate(hrefOf({ q }), { replace: view.q !== '' })} />
      <div className="todo-sort">
        <label className="unseen" htmlFor="todo-sort">
          {words.sort}
        </label>
        <select
          id="todo-sort"
          value={view.sort}
          onChange={({ target }) => {
            const sort = SORTS.find((known) => known === target.value);
            if (sort) navigate(hrefOf({ sort }));
          }}
        >
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {words[sort]}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function TodoSearch({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const words = todoWords();
  const [typed, setTyped] = useState(q);
  // What this field has asked for last. Where the address says something else, a link or Back has said it.
  const [asked, setAsked] = useState(q);
  const [seen, setSeen] = useState(q);
  if (q !== seen) {
    setSeen(q);
    if (q !== asked) {
      setAsked(q);
      setTyped(q);
    }
  }

  const text = typed.trim();
  function ask() {
    if (text === asked) return;
    setAsked(text);
    onSearch(text);
  }

  useEffect(() => {
    const pause = setTimeout(ask, PAUSE_MILLISECONDS);
    return () => clearTimeout(pause);
  });

  return (
    // biome-ignore lint/a11y/useSemanticElements: To browsers from before 2023, <search> says nothing.
    <form
      role="search"
      className="todo-search"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <label className="unseen" htmlFor="todo-search">
        {words.search}
      </label>
      <Search aria-hidden="true" size={18} />
      <input
        id="todo-search"
        type="search"
        value={typed}
        placeholder={words.searchHint}
        maxLength={LONGEST_SEARCH}
        autoComplete="off"
        enterKeyHint="search"
        onChange={({ target }) => setTyped(target.value)}
      />
    </form>
  );
}
