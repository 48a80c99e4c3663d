/**
 * The client library as its users get it: packed once before all tests, and unpacked. What it is used for is up to
 * the tests.
 */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

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

/** Packs it, and answers what removes it again. */
export default async function pack(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-client-'));
  const remove = () => rm(folder, { recursive: true });
  try {
    await run(LIBRARY, ['npm', 'pack', '--pack-destination', folder]);
    const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
    if (!name) throw new Error('`npm pack` has made no package');
    await run(folder, ['tar', '-xzf', name]);
    // Workers inherit the environment.
    process.env.CLIENT_TARBALL = join(folder, name);
    process.env.CLIENT_FOLDER = join(folder, 'package');
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
