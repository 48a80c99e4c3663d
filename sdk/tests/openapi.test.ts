/**
 * `src/openapi.ts` is what the server's description says now. Where it is not, this writes it anew, to be reviewed.
 */

import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { expect, test } from 'vitest';

const HEADER = `/**
 * The server's API as types, written by tests/openapi.test.ts from docs/reference/openapi.json. What of it is public
 * is said in types.ts and errors.ts.
 */

`;
const DESCRIPTION = new URL('../../docs/reference/openapi.json', import.meta.url);
const TYPES = new URL('../src/openapi.ts', import.meta.url);

test('the types of the server are those of its description', async () => {
  // What has a default may be left out of a request.
  const fresh = HEADER + astToString(await openapi(DESCRIPTION, { immutable: true, defaultNonNullable: false }));
  const committed = await readFile(TYPES, 'utf8').catch(() => '');
  if (fresh !== committed) await writeFile(TYPES, fresh);
  expect(fresh === committed, 'src/openapi.ts was stale and has been written anew: review and commit it').toBe(true);
}, 30_000);
