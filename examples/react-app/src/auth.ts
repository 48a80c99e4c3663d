/**
 * The one client of the page, and the axios instance whose requests travel as its user. The pages import them from here.
 */

import { createAuth } from '@vestibule/client';
import { attachAuth } from '@vestibule/client/axios';
import axios from 'axios';

/** The public URL of the server, which is not where this page comes from. */
const server = import.meta.env.VITE_VESTIBULE_URL ?? 'http://localhost:8080';

// On another origin no cookie of the server travels, so the tokens are kept here. A script that somebody manages to
// put into this page could read them: what that means is in the README of the client.
export const auth = createAuth({ baseUrl: server, storage: 'local' });

export const api = axios.create({ baseURL: server });
attachAuth(api, auth);
