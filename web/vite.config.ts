/**
 * How the pages are built: stable file names without hashes, so that the committed `dist` changes only where the
 * source did. The sources of `@vestibule/client` are compiled in, as a fresh clone holds no build of it.
 */

import react from '@vitejs/plugin-react';
import { defaultClientConditions, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** What the server fills in before it sends index.html, for the development server. */
const FILLED_IN: Record<string, string> = {
  locale: 'en',
  name: 'Vestibule',
  logo: '',
  icon: '/favicon.svg',
  areas: '/members/',
};

const filledIn: Plugin = {
  name: 'filled-in',
  apply: 'serve',
  transformIndexHtml: (html) => html.replaceAll(/{{(\w+)}}/g, (place, name) => FILLED_IN[name] ?? place),
};

export default defineConfig(({ command }) => ({
  // The server keeps `/api/` for itself, so the assets lie below it and shadow no file of anybody's site.
  base: command === 'build' ? '/api/ui/' : '/',
  plugins: [react(), filledIn],
  // The client has React of its own, for its tests; in a page there can be but one.
  resolve: { conditions: ['@vestibule/source', ...defaultClientConditions], dedupe: ['react'] },
  server: { proxy: { '/api': process.env.VESTIBULE_URL ?? 'http://localhost:8080' } },
  build: {
    target: 'baseline-widely-available',
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        // What several pages share would else be named after whichever of its modules comes first.
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler|wouter|regexparam)\// },
            { name: 'data', test: /node_modules\/(axios|@tanstack)\// },
          ],
        },
        assetFileNames: ({ names }) => (names.some((name) => name.endsWith('.css')) ? 'app.css' : '[name][extname]'),
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
