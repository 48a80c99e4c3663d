/**
 * The same ten requests by an axios instance with the popular helper axios-auth-refresh, used as its README shows.
 * Loaded into a tab of the race tests, which call it as `globalThis.helper`.
 */

import axios from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';

const baseURL = new URL(location.href).searchParams.get('server');

/** An instance that is signed up and refreshes by the helper; `withInterceptor` adds what its README recommends. */
async function signUp(email, withInterceptor) {
  const instance = axios.create({ baseURL });
  const account = { email, password: 'a quiet hall of seven arches' };
  let { data: tokens } = await axios.post(`${baseURL}/api/auth/register`, account);
  instance.defaults.headers.common.Authorization = `Bearer ${tokens.access_token}`;
  createAuthRefresh(instance, async (failedRequest) => {
    const { refresh_token } = tokens;
    tokens = (await axios.post(`${baseURL}/api/auth/refresh`, { refresh_token })).data;
    failedRequest.response.config.headers.Authorization = `Bearer ${tokens.access_token}`;
  });
  if (withInterceptor)
    instance.interceptors.request.use((request) => {
      request.headers.Authorization = `Bearer ${tokens.access_token}`;
      return request;
    });
  return {
    token: () => tokens.access_token,
    /** How many of `times` requests at once have failed. */
    async failures(times) {
      const requests = Array.from({ length: times }, () => instance.get('/api/auth/me'));
      return (await Promise.allSettled(requests)).filter(({ status }) => status === 'rejected').length;
    },
  };
}

globalThis.helper = { signUp };
