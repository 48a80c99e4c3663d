/**
 * The words of a part of the app, in the language that the document says.
 */

import { afterEach, expect, test } from 'vitest';
import { catalogue, locale } from '../src/lib/locale.ts';

const words = catalogue({
  en: { title: 'Tasks', left: (count: number) => `${count} left` },
  de: { title: 'Aufgaben', left: (count: number) => `noch ${count}` },
});

afterEach(() => {
  document.documentElement.lang = 'en';
});

test('the words are those of the language that the document says', () => {
  document.documentElement.lang = 'de';
  expect(words().title).toBe('Aufgaben');
  expect(words().left(3)).toBe('noch 3');
});

test.each(['', 'fr', 'EN'])('a document in "%s" is shown in English', (lang) => {
  document.documentElement.lang = lang;
  expect(locale()).toBe('en');
  expect(words().title).toBe('Tasks');
});
