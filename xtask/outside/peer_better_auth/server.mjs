/**
 * Better Auth on Node's own HTTP server, as its documentation has it: SQLite by better-sqlite3, email and password, and
 * its plugin for bearer tokens. Of its own are the program's cost of a hash, durable commits, and no limit of requests.
 * It is here for `bench_peers.py` alone: `node server.mjs PORT FOLDER`.
 */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { hash, verify } from '@node-rs/argon2';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { bearer } from 'better-auth/plugins';
import Database from 'better-sqlite3';

// Argon2id is the default of the package.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const [, , port, folder] = process.argv;
const database = new Database(join(folder, 'peer.db'));
database.pragma('journal_mode = WAL');
// Its default in this mode is NORMAL, by which a cut of the power takes what was committed last.
database.pragma('synchronous = FULL');

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: randomBytes(32).toString('base64'),
  database,
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (password) => hash(password, COST),
      verify: ({ hash, password }) => verify(hash, password),
    },
  },
  plugins: [bearer()],
  rateLimit: { enabled: false },
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1');
