/**
 * A copy of `examples/react-app` that depends on the packed client library, as if it had been downloaded. What the
 * application does is looked at by the tests.
 */

import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { clientPackage } from './client-package.ts';
import { run } from './command.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/react-app');
const NOT_COPIED = ['node_modules', 'dist'];

function folder(): string {
  return `${clientPackage().folder}-application`;
}

/** Copies it, installs the library from its package and everything else as its lock file says, and checks its types. */
export async function install(): Promise<void> {
  await cp(EXAMPLE, folder(), { recursive: true, filter: (path) => !NOT_COPIED.includes(basename(path)) });
  await run(folder(), ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', clientPackage().tarball]);
  await run(folder(), ['npx', 'tsc', '--noEmit']);
}

/** Where `build` puts what it makes under this name. */
export function builtUnder(name: string): string {
  return join(folder(), 'built', name);
}

/** Builds it for one server. */
export async function build(name: string, server: string): Promise<void> {
  await run(folder(), ['npx', 'vite', 'build', '--outDir', builtUnder(name)], { VITE_VESTIBULE_URL: server });
}
