/**
 * The one client of the page, and the axios instance whose requests travel as its user. The pages import them from here.
 */

import { createAuth } from '@vestibule/client';
import { attachAuth } from '@vestibule/client/axios';
import axios from 'axios';
import { router } from './routes.ts';

/** The public URL of the server, which is not where this page comes from. */
const server: string = import.meta.env.VITE_VESTIBULE_URL ?? 'http://localhost:8080';

export const auth = createAuth({
  baseUrl: server,
  // No cookie of the server travels from another origin, so the tokens are kept here. A script that somebody manages
  // to put into this page could read them: the README of the client says what that means.
  storage: 'local',
  afterLogin: '/list',
  // Without loading the app anew, which would forget why the visitor has to log in.
  navigate: (path) => void router.navigate(path),
});

export const api = axios.create({ baseURL: server });
attachAuth(api, auth);
