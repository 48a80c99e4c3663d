/**
 * A small server of files, for the pages of somebody else: another origin than that of the program. It runs no
 * protocol but GET, and knows nothing of accounts.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export class Site {
  readonly #server: Server;
  /** Without a slash at its end, as browsers name an origin. */
  readonly origin: string;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Serves the files of each folder below its path. What names no file is `page`, whose script reads the address. */
  static async serve(folders: Record<string, string>, page: string): Promise<Site> {
    const server = createServer(async (request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://site').pathname);
      const mount = Object.keys(folders).find((mount) => path.startsWith(mount)) ?? '';
      const file = extname(path) ? join(folders[mount] ?? '', path.slice(mount.length)) : page;
      const content = await readFile(file).catch(() => null);
      response.writeHead(content ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(content);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Site(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
