/**
 * Nothing but React: the server is another origin and named by `VITE_VESTIBULE_URL`, so nothing is proxied.
 */

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The origin that the server is told of by `--cors-origins`.
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  preview: { host: '127.0.0.1', port: 5173, strictPort: true },
});
