/**
 * How the pages look: light or dark, and the operator's picture.
 */

import { readFileSync } from 'node:fs';
import { fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ADA, ok, openApp } from './app.tsx';

const THEME_SCRIPT = readFileSync('public/theme.js', 'utf8');
const BARS = `
  <meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)" data-theme="light" />
  <meta name="theme-color" content="#000000" media="(prefers-color-scheme: dark)" data-theme="dark" />`;

const root = document.documentElement;
const bars = () => [...document.querySelectorAll('meta[name="theme-color"]')].map((bar) => bar.getAttribute('media'));

/** Loads the script as a new document does, which jsdom cannot do for a file. */
function loadTheme() {
  new Function(THEME_SCRIPT)();
}

beforeEach(() => {
  document.head.innerHTML = BARS;
  vi.stubGlobal('matchMedia', (media: string) => ({ matches: media !== 'not all', addEventListener() {} }));
});
afterEach(() => {
  localStorage.clear();
  document.head.replaceChildren();
  delete root.dataset.theme;
});

async function openAppearance() {
  openApp('/account', { 'GET /api/auth/me': ok(ADA), 'GET /api/auth/sessions': ok({ items: [] }) });
  await screen.findByRole('group', { name: 'Appearance' });
}

test('nothing chosen leaves the page to the system', async () => {
  loadTheme();
  await openAppearance();
  expect(root.dataset.theme).toBeUndefined();
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'System' }).checked).toBe(true);
  expect(bars()).toEqual(['(prefers-color-scheme: light)', '(prefers-color-scheme: dark)']);
});

test('a choice takes effect at once, and before anything is drawn the next time', async () => {
  loadTheme();
  await openAppearance();
  fireEvent.click(screen.getByRole('radio', { name: 'Dark' }));
  expect(root.dataset.theme).toBe('dark');
  expect(bars()).toEqual(['not all', 'all']);
  delete root.dataset.theme;
  loadTheme();
  expect(root.dataset.theme).toBe('dark');
});

test('back to the system, nothing is kept', async () => {
  localStorage.setItem('vestibule-theme', 'light');
  loadTheme();
  await openAppearance();
  expect(root.dataset.theme).toBe('light');
  fireEvent.click(screen.getByRole('radio', { name: 'System' }));
  expect(root.dataset.theme).toBeUndefined();
  expect(localStorage.length).toBe(0);
});

test('a choice in another tab is followed', async () => {
  loadTheme();
  await openAppearance();
  localStorage.setItem('vestibule-theme', 'dark');
  fireEvent(window, new StorageEvent('storage', { key: 'vestibule-theme', newValue: 'dark' }));
  expect(root.dataset.theme).toBe('dark');
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Dark' }).checked).toBe(true);
});

test('what is no theme is none, and a browser that keeps nothing goes by the system', () => {
  localStorage.setItem('vestibule-theme', 'pink');
  loadTheme();
  expect(root.dataset.theme).toBeUndefined();
  vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  loadTheme();
  expect(root.dataset.theme).toBeUndefined();
});

test('the bar of the browser has the colour of the page', () => {
  root.style.backgroundColor = 'rgb(1, 2, 3)';
  loadTheme();
  window.dispatchEvent(new Event('load'));
  const [light] = document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]');
  expect(light?.content).toBe('rgb(1, 2, 3)');
  root.removeAttribute('style');
});

test('the picture of the site stands in place of the mark and bears its name', async () => {
  document.head.innerHTML +=
    '<meta name="vestibule-name" content="Rose &amp; Crown" /><meta name="vestibule-logo" content="/api/ui/logo" />';
  openApp('/login');
  const logo = await screen.findByRole('img', { name: 'Rose & Crown' });
  expect(logo.getAttribute('src')).toBe('/api/ui/logo');
  expect(screen.getByRole('link', { name: 'Rose & Crown' }).querySelector('.mark')).toBeNull();
});
