/**
 * The package as it is published: packed, installed into an application of somebody's own, imported and type-checked.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const CONSUMER = `
import axios from 'axios';
import { createElement } from 'react';
import { AuthError, createAuth, type Schema, type Todo, type User } from '@vestibule/client';
import { attachAuth } from '@vestibule/client/axios';
import { AuthProvider, RequireAuth, useAuth } from '@vestibule/client/react';
import { setUp } from '@vestibule/client/setup';

const auth = createAuth({ baseUrl: 'https://accounts.test', storage: 'local', loginPath: null });
const detach: () => void = attachAuth(axios.create(), auth);
export const app = createElement(AuthProvider, { auth }, createElement(RequireAuth, null, 'Members.'));
export const useToken = (): string | null => useAuth().token;
export async function first(): Promise<Todo | undefined> {
  const user: User = await auth.signIn({ login: 'ada', password: 'secret' });
  const admin: Schema<'AdminUser'>['roles'] = user.roles;
  // @ts-expect-error The server has no such order.
  await auth.todos.list({ sort: 'colour' });
  return (await auth.todos.list({ sort: 'due_at' })).items[admin.length];
}
export const begin = (code: string): Promise<User> => setUp(auth, { code, email: 'ada@example.org', password: 'secret' });
export function explain(error: AuthError): string {
  // @ts-expect-error The server has no such code.
  if (error.code === 'no_such_code') detach();
  return error.code === 'rate_limited' ? 'later' : 'no';
}
`;
let app: string;
let files: string[];

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'vestibule-client-'));
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', app], ROOT));
  files = packed.files.map(({ path }: { path: string }) => path);
  const installed = join(app, 'node_modules/@vestibule/client');
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', packed.filename, '--strip-components=1', '-C', installed], app);
  for (const name of ['axios', 'react', '@types/react'])
    symlink(join(ROOT, 'node_modules', name), join(app, 'node_modules', name));
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(app, 'app.ts'), CONSUMER);
}, 300_000);

afterAll(() => rmSync(app, { recursive: true }));

test('it holds what is built, its types, and what one has to read; no sources and no tests', () => {
  expect(files).toEqual(
    expect.arrayContaining(['package.json', 'README.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'dist/index.d.ts']),
  );
  const others = files.filter((path) => !/^dist\/\w+\.(js|d\.ts)$/.test(path));
  expect(others.sort()).toEqual(['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json']);
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE'])
    expect(readFileSync(join(ROOT, licence), 'utf8')).toBe(readFileSync(join(ROOT, '..', licence), 'utf8'));
});

test('each entry is imported by plain Node, and a client that was used lets the program end', () => {
  const program = `
    const { createAuth, AuthError } = await import('@vestibule/client');
    const { attachAuth } = await import('@vestibule/client/axios');
    const { AuthProvider, useAuth } = await import('@vestibule/client/react');
    const { setUp } = await import('@vestibule/client/setup');
    const auth = createAuth({ baseUrl: 'http://127.0.0.1:9', storage: 'local' });
    const { status } = await auth.ready();
    console.log(status, typeof AuthError, typeof attachAuth, typeof AuthProvider, typeof useAuth, typeof setUp);
  `;
  const said = run('node', ['--input-type=module', '--eval', program], app);
  expect(said.trim()).toBe('signed-out function function function function function');
}, 60_000);

test.each(['bundler', 'node16'])(
  'its types are found with moduleResolution %s',
  (moduleResolution) => {
    const options = {
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      module: moduleResolution === 'bundler' ? 'esnext' : 'node16',
      moduleResolution,
      strict: true,
      noEmit: true,
      types: [],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['app.ts'] }));
    expect(run('node', [join(ROOT, 'node_modules/typescript/bin/tsc'), '--project', app], app)).toBe('');
  },
  60_000,
);

/** Runs a program to its end; answers what it printed. Where it fails, what it said is the error. */
function run(program: string, args: string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} failed: ${stdout}${stderr}`);
  }
}

function symlink(target: string, path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  symlinkSync(target, path);
}
