/**
 * What is shown in place of a page that broke.
 */

import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PageBoundary } from '../src/parts/page-boundary.tsx';

// React tells of what it caught.
beforeEach(() => vi.spyOn(console, 'error').mockImplementation(() => {}));
afterEach(cleanup);

function Broken({ message }: { message: string }): never {
  throw new TypeError(message);
}

function shown(path: string, page: React.ReactNode) {
  return <PageBoundary path={path}>{page}</PageBoundary>;
}

test('a page that could not be loaded says that the server is out of reach', () => {
  render(shown('/account', <Broken message="Failed to fetch dynamically imported module: /api/ui/account.js" />));
  expect(screen.getByRole('heading', { name: 'Nobody answers' })).toBe(document.activeElement);
  expect(screen.getByText(/could not be reached/)).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy();
});

test('a page that broke takes nobody for guilty', () => {
  render(shown('/account', <Broken message="x is undefined" />));
  expect(screen.getByRole('heading', { name: 'This page broke' })).toBeTruthy();
  expect(screen.getByText(/it was not you/)).toBeTruthy();
});

test('the next page is shown again', () => {
  const { rerender } = render(shown('/account', <Broken message="x is undefined" />));
  rerender(shown('/dashboard', <p>Here again</p>));
  expect(screen.getByText('Here again')).toBeTruthy();
  expect(screen.queryByRole('heading')).toBeNull();
});
