/**
 * Programs that are run to their end. What they print is in the error where they fail, and nowhere otherwise.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export async function run(folder: string, line: readonly [string, ...string[]], settings = {}): Promise<void> {
  const [program, ...words] = line;
  await execute(program, words, { cwd: folder, env: { ...process.env, ...settings } }).catch((error) => {
    throw new Error(`${line.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  });
}
