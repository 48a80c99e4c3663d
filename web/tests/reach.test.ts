/**
 * Whether the server can be reached, told over time.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Reach, watchReach } from '../src/lib/reach.ts';

let answers: boolean;
let online: boolean;
let told: Reach[];
let asked: number;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  [answers, online, told, asked] = [true, true, [], 0];
  vi.spyOn(navigator, 'onLine', 'get').mockImplementation(() => online);
  vi.stubGlobal('fetch', async () => {
    asked += 1;
    if (!answers) throw new TypeError('Failed to fetch');
    return new Response('ok');
  });
  stop = watchReach((reach) => told.push(reach));
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

async function turn(event: 'online' | 'offline') {
  online = event === 'online';
  answers = online;
  window.dispatchEvent(new Event(event));
  await pass(0);
}

test('a server that answers is asked each half minute', async () => {
  await pass(120);
  expect(asked).toBe(4);
  expect(new Set(told)).toEqual(new Set(['in-reach']));
});

test('a browser that goes offline is told of at once, and so is its return', async () => {
  await turn('offline');
  expect(told).toEqual(['offline']);
  await turn('online');
  expect(told).toEqual(['offline', 'in-reach']);
});

test('one lost answer is no news, a second one is, and the first answer after them', async () => {
  answers = false;
  await pass(30);
  expect(told).toEqual([]);
  await pass(5);
  expect(told).toEqual(['no-answer']);
  answers = true;
  await pass(5);
  expect(told).toEqual(['no-answer', 'in-reach']);
});

test('what a proxy says for a server that is gone is no answer', async () => {
  vi.stubGlobal('fetch', async () => new Response('Bad gateway', { status: 502 }));
  await pass(35);
  expect(told).toEqual(['no-answer']);
});

test('a browser that takes itself for offline is not believed while the server answers', async () => {
  online = false;
  window.dispatchEvent(new Event('offline'));
  await pass(0);
  expect(told).toEqual(['in-reach']);
});

test('a hidden page does not ask, and asks when it is seen again', async () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  await pass(300);
  expect(asked).toBe(0);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await pass(0);
  expect(asked).toBe(1);
});

test('a page that follows on one without an answer asks at once, and believes the first', async () => {
  stop();
  answers = false;
  stop = watchReach((reach) => told.push(reach), 'no-answer');
  await pass(0);
  expect(told).toEqual(['no-answer']);
});

test('whoever has gone is told nothing more, and nothing is asked', async () => {
  stop();
  await turn('offline');
  await pass(300);
  expect([told, asked]).toEqual([[], 0]);
});
