/**
 * The client library as its users get it: packed once before all tests, and unpacked. What it is used for is up to
 * the tests.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIBRARY = join(import.meta.dirname, '../../../sdk');

/** Where the packed library lies, and where the same is unpacked. */
export interface ClientPackage {
  tarball: string;
  folder: string;
}

/** The package that was made before the tests. */
export function clientPackage(): ClientPackage {
  const { CLIENT_TARBALL: tarball, CLIENT_FOLDER: folder } = process.env;
  if (!tarball || !folder) throw new Error('the library is packed before the tests');
  return { tarball, folder };
}

export default async function pack(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-client-'));
  await run('npm', ['pack', '--pack-destination', folder], { cwd: LIBRARY });
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('`npm pack` has made no package');
  await run('tar', ['-xzf', name], { cwd: folder });
  // Workers inherit the environment.
  process.env.CLIENT_TARBALL = join(folder, name);
  process.env.CLIENT_FOLDER = join(folder, 'package');
  return () => rm(folder, { recursive: true });
}
