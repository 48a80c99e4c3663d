/**
 * A device in words, from the `User-Agent` that it once sent. Good enough for its owner to know it again, and for
 * nothing else: anybody can send any text.
 */

import { commonWords } from '../words/common.ts';

export interface Device {
  /** "Firefox on Linux", or what a program called itself. */
  name: string;
  kind: 'computer' | 'phone' | 'program';
}

/** The first that matches counts, for browsers name those that they descend from as well. */
const BROWSERS: [RegExp, string][] = [
  [/\b(?:Edg|EdgA|EdgiOS)\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string, Device['kind']][] = [
  [/\biPhone\b/, 'iPhone', 'phone'],
  [/\biPad\b/, 'iPad', 'phone'],
  [/\bAndroid\b/, 'Android', 'phone'],
  [/\bWindows\b/, 'Windows', 'computer'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS', 'computer'],
  [/\bCrOS\b/, 'ChromeOS', 'computer'],
  [/\bLinux\b/, 'Linux', 'computer'],
];
const LONGEST_NAME = 60;

export function deviceOf(userAgent: string | null): Device {
  const text = userAgent?.trim() ?? '';
  const { unknownDevice, programOnSystem } = commonWords();
  if (!text) return { name: unknownDevice, kind: 'program' };
  const [, browser] = BROWSERS.find(([pattern]) => pattern.test(text)) ?? [];
  const [, system, kind = 'computer'] = SYSTEMS.find(([pattern]) => pattern.test(text)) ?? [];
  if (browser) return { name: system ? programOnSystem(browser, system) : browser, kind };
  // A program names itself first: `curl/8.5.0`, `MyApp/2 (iPhone)`.
  const product = text.startsWith('Mozilla/') ? text : (text.split(/[/\s(]/, 1)[0] ?? text);
  const name = shortened(product || text);
  return { name: system ? programOnSystem(name, system) : name, kind: 'program' };
}

function shortened(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text;
}
