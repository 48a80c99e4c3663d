/**
 * Devices and times in words.
 */

import { expect, test } from 'vitest';
import { deviceOf } from '../src/lib/device.ts';
import { agoOf } from '../src/lib/time.ts';

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0', 'Firefox on Linux', 'computer'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Safari/537.36`, 'Chrome on Windows', 'computer'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Safari/537.36 Edg/141.0.0.0`, 'Edge on Windows', 'computer'],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${BLINK} Safari/537.36 OPR/120.0.0.0`,
    'Opera on macOS',
    'computer',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) ${WEBKIT} Version/18.0 Safari/605.1.15`,
    'Safari on macOS',
    'computer',
  ],
  [
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${WEBKIT} Version/18.0 Mobile/15E148 Safari/604.1`,
    'Safari on iPhone',
    'phone',
  ],
  [
    `Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) ${WEBKIT} CriOS/141.0 Mobile/15E148 Safari/604.1`,
    'Chrome on iPad',
    'phone',
  ],
  [
    `Mozilla/5.0 (Linux; Android 15; SM-S921B) ${BLINK} SamsungBrowser/27.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
    'phone',
  ],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${BLINK} Safari/537.36`, 'Chrome on ChromeOS', 'computer'],
  ['curl/8.5.0', 'curl', 'program'],
  ['python-requests/2.32.3', 'python-requests', 'program'],
  ['Reading Room/2 (iPhone; iOS 18.0)', 'Reading on iPhone', 'program'],
  ['/odd', '/odd', 'program'],
  ['', 'Unknown device', 'program'],
  [null, 'Unknown device', 'program'],
])('%s is called "%s"', (userAgent, name, kind) => {
  expect(deviceOf(userAgent)).toEqual({ name, kind });
});

test('a long text that nobody knows is cut', () => {
  expect(deviceOf('x'.repeat(256)).name).toBe(`${'x'.repeat(59)}…`);
});

test.each([
  [-3600, 'just now'],
  [59, 'just now'],
  [60, '1 minute ago'],
  [59 * 60, '59 minutes ago'],
  [3600, '1 hour ago'],
  [47 * 3600, 'yesterday'],
  [29 * 86_400, '29 days ago'],
  [45 * 86_400, 'last month'],
  [800 * 86_400, '2 years ago'],
])('%i seconds ago is "%s"', (seconds, words) => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(agoOf(new Date(now - seconds * 1000).toISOString(), now)).toBe(words);
});
