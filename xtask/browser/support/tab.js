/**
 * What runs in a tab of the race tests: the library as a page would use it, on an origin of its own. The tests call it
 * as `globalThis.tab`.
 */

import { createAuth } from '@vestibule/client';
import { attachAuth } from '@vestibule/client/axios';
import axios from 'axios';

const address = new URL(location.href).searchParams;
const baseUrl = address.get('server');

const auth = createAuth({
  baseUrl,
  storage: 'local',
  // Tokens of these tests live for ten seconds, and would be renewed at every call with the usual leeway of thirty.
  leeway: 1,
  // Kept by the test, as it outlives this page.
  onEvent: ({ type }) => void (/signed-out|session-ended/.test(type) && globalThis.tellSignOut(type)),
});
const instance = axios.create({ baseURL: baseUrl, validateStatus: () => true });
attachAuth(instance, auth);

const askers = {
  fetch: () => auth.fetch('/api/auth/me'),
  axios: () => instance.get('/api/auth/me'),
};

/** Asks `times` times at once who is signed in, and answers the statuses. */
async function ask(by, times) {
  const answers = await Promise.all(Array.from({ length: times }, () => askers[by]()));
  return answers.map(({ status }) => status);
}

globalThis.tab = { auth, ask };
