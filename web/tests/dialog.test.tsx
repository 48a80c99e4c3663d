/**
 * A dialog that is closed and opened faster than the browser tells of it.
 */

import { fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';
import { expect, test } from 'vitest';
import { Dialog } from '../src/ui/dialog.tsx';
import { pressEscape } from './app.tsx';

function Asking({ held = false }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Ask
      </button>
      <Dialog open={open} labelledBy="question" held={held} onClose={() => setOpen(false)}>
        <h2 id="question">Well?</h2>
      </Dialog>
    </>
  );
}

const dialog = () => document.querySelector('dialog') as HTMLDialogElement;
const question = () => screen.queryByText('Well?');

test('a dialog that is opened anew before its closing was told of stays open', () => {
  render(<Asking />);
  fireEvent.click(screen.getByText('Ask'));
  expect(question()).not.toBeNull();
  pressEscape(dialog());
  expect(question()).toBeNull();
  fireEvent.click(screen.getByText('Ask'));
  fireEvent(dialog(), new Event('close'));
  expect(dialog().open).toBe(true);
  expect(question()).not.toBeNull();
});

test('a dialog that the browser has closed is closed', () => {
  render(<Asking />);
  fireEvent.click(screen.getByText('Ask'));
  dialog().open = false;
  fireEvent(dialog(), new Event('close'));
  expect(question()).toBeNull();
});

test('a dialog whose question can no longer be taken back does not close', () => {
  render(<Asking held />);
  fireEvent.click(screen.getByText('Ask'));
  pressEscape(dialog());
  expect(dialog().open).toBe(true);
  expect(question()).not.toBeNull();
});
