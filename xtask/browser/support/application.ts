/**
 * A copy of `examples/react-app` that depends on the packed client library, as if it had been downloaded. What the
 * application does is looked at by the tests.
 */

import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { clientPackage } from './client-package.ts';

const run = promisify(execFile);
const EXAMPLE = join(import.meta.dirname, '../../../examples/react-app');
const NOT_COPIED = ['node_modules', 'dist'];

function folder(): string {
  return `${clientPackage().folder}-application`;
}

async function inCopy(...command: readonly [string, ...string[]]): Promise<void> {
  const [program, ...words] = command;
  await run(program, words, { cwd: folder() });
}

/** Copies it, installs the library from its package and everything else as its lock file says, and lints it. */
export async function install(): Promise<void> {
  await cp(EXAMPLE, folder(), { recursive: true, filter: (path) => !NOT_COPIED.includes(basename(path)) });
  await inCopy('npm', 'install', '--no-audit', '--no-fund', clientPackage().tarball);
  await inCopy('npm', 'run', 'lint');
}

/** Where `build` puts what it makes under this name. */
export function builtUnder(name: string): string {
  return join(folder(), 'built', name);
}

/** Builds it for one server. */
export async function build(name: string, server: string): Promise<void> {
  const environment = { ...process.env, VITE_VESTIBULE_URL: server };
  await run('npx', ['vite', 'build', '--outDir', builtUnder(name)], { cwd: folder(), env: environment });
}
