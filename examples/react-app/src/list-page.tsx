/**
 * `/list`: what to buy, for signed-in people alone. Every change is shown once the server has it.
 */

import { RequireAuth } from '@vestibule/client/react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { addThing, readThings, removeThing, type Thing, tickThing } from './things.ts';

export function ListPage() {
  return (
    <RequireAuth>
      <List />
    </RequireAuth>
  );
}

function List() {
  const [things, setThings] = useState<Thing[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    let shown = true;
    readThings()
      .then((read) => shown && setThings(read))
      .catch(() => shown && setProblem('Your list could not be read. Reload the page to try again.'));
    return () => {
      shown = false;
    };
  }, []);

  /** Sends a change, and then shows the list as `change` makes it. */
  async function send<T>(request: Promise<T>, change: (before: Thing[], answer: T) => Thing[]) {
    setProblem(null);
    try {
      const answer = await request;
      setThings((before) => change(before ?? [], answer));
    } catch {
      setProblem('That was not saved. Please try again.');
    }
  }

  async function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const title = String(new FormData(form).get('title')).trim();
    if (!title) return;
    await send(addThing(title), (before, added) => [added, ...before]);
    form.reset();
    field.current?.focus();
  }

  const left = things?.filter((thing) => !thing.completed).length;
  return (
    <>
      <title>Your list · Basket</title>
      <h1>Your list</h1>
      <form className="row" onSubmit={add}>
        <input
          ref={field}
          name="title"
          aria-label="Something to buy"
          placeholder="Six lemons"
          maxLength={200}
          required
        />
        <button type="submit">Add</button>
      </form>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <p className="count" role="status">
        {left === undefined ? 'Looking into your basket …' : sentence(left, things?.length ?? 0)}
      </p>
      <ul className="things">
        {things?.map((thing) => (
          <li key={thing.id}>
            <label>
              <input
                type="checkbox"
                checked={thing.completed}
                onChange={() => send(tickThing(thing.id, !thing.completed), replaced)}
              />
              <span>{thing.title}</span>
            </label>
            <button
              type="button"
              className="quiet"
              aria-label={`Remove ${thing.title}`}
              onClick={() => send(removeThing(thing.id), (before) => before.filter(({ id }) => id !== thing.id))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function replaced(things: Thing[], changed: Thing): Thing[] {
  return things.map((thing) => (thing.id === changed.id ? changed : thing));
}

function sentence(left: number, all: number): string {
  if (all === 0) return 'Nothing to buy. What is missing at home?';
  if (left === 0) return 'Everything is in the basket.';
  return left === 1 ? 'One thing to go.' : `${left} things to go.`;
}
