/**
 * One visit to the server at `VESTIBULE_URL`, through a client that openapi-typescript and openapi-fetch have made of the
 * API's description. That the types fit is for the compiler; what the answers hold is looked at here.
 */

import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const baseUrl = process.env.VESTIBULE_URL;
assert(baseUrl, 'VESTIBULE_URL must be the address of a running server');
const api = createClient<paths>({ baseUrl });
const email = `${crypto.randomUUID()}@example.org`;
const password = 'a quiet hall of seven arches';

const registered = await api.POST('/api/auth/register', { body: { email, password, name: 'Ada' } });
assert.equal(registered.response.status, 201);

const refused = await api.POST('/api/auth/login', { body: { email, password: 'another hall' } });
const code: components['schemas']['ProblemCode'] | undefined = refused.error?.code;
assert.equal(code, 'invalid_credentials');

const loggedIn = await api.POST('/api/auth/login', { body: { email, password } });
assert(loggedIn.data && 'refresh_token' in loggedIn.data, 'a login without a mode opens a session of tokens');
let accessToken = loggedIn.data.access_token;
api.use({
  onRequest({ request }) {
    request.headers.set('authorization', `Bearer ${accessToken}`);
    return request;
  },
});

const me = await api.GET('/api/auth/me');
assert.equal(me.data?.email, email);
const renamed = await api.PATCH('/api/user/profile', { body: { name: null } });
assert.equal(renamed.data?.name, null);

const added = await api.POST('/api/todos', { body: { title: 'Buy milk' } });
assert(added.data, 'a todo is added');
const path = { id: added.data.id };
const list = await api.GET('/api/todos', { params: { query: { completed: false, sort: 'title' } } });
assert.deepEqual(list.data?.items, [added.data]);
const done = await api.PATCH('/api/todos/{id}', { params: { path }, body: { completed: true } });
assert.equal(done.data?.completed, true);
const deleted = await api.DELETE('/api/todos/{id}', { params: { path } });
assert.equal(deleted.response.status, 204);
const gone = await api.GET('/api/todos/{id}', { params: { path } });
assert.equal(gone.error?.code, 'not_found');

const refreshed = await api.POST('/api/auth/refresh', { body: { refresh_token: loggedIn.data.refresh_token } });
assert(refreshed.data && 'refresh_token' in refreshed.data, 'a refresh token is exchanged for a pair');
assert.notEqual(refreshed.data.access_token, accessToken);
accessToken = refreshed.data.access_token;

const sessions = await api.GET('/api/auth/sessions');
assert.equal(sessions.data?.items.length, 2);

const loggedOut = await api.POST('/api/auth/logout', { body: { refresh_token: refreshed.data.refresh_token } });
assert.equal(loggedOut.response.status, 204);
const afterwards = await api.GET('/api/auth/me');
assert.equal(afterwards.error?.code, 'revoked_token');
