/**
 * `/api/admin` as the pages of administration ask it: what it answers, what is kept of that, and what a change makes
 * untrue. Who may ask is the server's to say.
 */

import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { AuthError, type Schema } from '@vestibule/client';
import type { AxiosInstance } from 'axios';
import { useEffect } from 'react';
import { useApi } from './api.ts';
import { useAuth } from './session.tsx';

/** The role whose members administer. */
export const ADMIN = 'admin';

/** A user as admins see them. */
export type AdminUser = Schema<'AdminUser'>;
export type UserStatus = AdminUser['status'];
export type AuditEvent = Schema<'AuditEvent'>;
/** What events can be of, as far as these pages know; a newer server may send others. */
export type AuditEventKind = AuditEvent['event'];
/** Figures about the installation, up to a few seconds old. */
export type Figures = Schema<'Figures'>;
/** How the server sees the connection of whoever asks. */
export type ClientSeen = Schema<'ClientSeen'>;
/** What happened in a time. */
export type Activity = Schema<'Activity'>;
export type NewUser = Schema<'NewUser'>;
/** What to change about a user; a field that is left out stays as it is. */
export type UserChange = Schema<'UserChange'>;

/** Which users to list; what is left out, or empty, does not narrow it. */
export interface UserFilter {
  q?: string;
  role?: string;
  /** Without it all who are not deleted. */
  status?: string;
}

/** Times to look back, in days, by the names that they have in addresses. */
export const SINCE = { '24h': 1, '7d': 7, '30d': 30 } as const;

/** Which events to list; what is left out, or empty, does not narrow it. */
export interface AuditFilter {
  user?: string;
  event?: string;
  /** One of `SINCE`. */
  since?: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** A list of which some pages are here. */
export interface Paged<Item> {
  /** `null` until the first page is here. */
  readonly items: readonly Item[] | null;
  readonly failure: unknown;
  /** Whether what is shown is about to be replaced or added to. */
  readonly busy: boolean;
  readonly hasMore: boolean;
  readonly refetch: () => Promise<unknown>;
}

const ALL = 'admin';
const USERS = '/api/admin/users';
const AUDIT = '/api/admin/audit';
const PAGE = 20;
/** Who a user is changes rarely, and stands behind many events of one list. */
const NAMES_STAY_MILLISECONDS = 60_000;
const LOOK_AGAIN_MILLISECONDS = 15_000;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

export function useFigures() {
  const api = useApi();
  return useQuery<Figures>({
    queryKey: [ALL, 'stats'],
    queryFn: async ({ signal }) => (await api.get('/api/admin/stats', { signal })).data,
    refetchInterval: LOOK_AGAIN_MILLISECONDS,
  });
}

export function useClient() {
  const api = useApi();
  return useQuery<ClientSeen>({
    queryKey: [ALL, 'client'],
    queryFn: async ({ signal }) => (await api.get('/api/admin/client', { signal })).data,
  });
}

/** The first `pages` pages of the users, the newest first. */
export function useUsers(filter: UserFilter, pages: number): Paged<AdminUser> {
  return usePaged(USERS, filter, pages);
}

/** The first `pages` pages of the audit events, the newest first. */
export function useAuditEvents(filter: AuditFilter, pages: number): Paged<AuditEvent> {
  return usePaged(AUDIT, filter, pages, () => queryOf(filter));
}

/** What has come since those events that are shown. */
export interface Newer {
  /** Counted up to the length of a page. */
  readonly count: number;
  /** Whether there are more than that. */
  readonly more: boolean;
}

export function useNewerEvents(filter: AuditFilter, shown: readonly AuditEvent[] | null): Newer {
  const api = useApi();
  const { data } = useQuery({
    queryKey: [ALL, 'newest', filter],
    queryFn: ({ signal }) => pageOf<AuditEvent>(api, AUDIT, queryOf(filter), null, signal),
    refetchInterval: LOOK_AGAIN_MILLISECONDS,
    enabled: shown !== null,
  });
  if (!data || !shown) return { count: 0, more: false };
  const known = new Set(shown.map(({ id }) => id));
  const since = shown[0]?.at ?? '';
  const newer = data.items.filter(({ id, at }) => at >= since && !known.has(id));
  return { count: newer.length, more: newer.length === data.items.length && data.next_cursor !== null };
}

/** One user, who may be disabled or deleted. */
export function useUser(id: string) {
  const api = useApi();
  return useQuery<AdminUser>({
    queryKey: userKey(id),
    queryFn: async ({ signal }) => (await api.get(pathOf(id), { signal })).data,
    staleTime: NAMES_STAY_MILLISECONDS,
  });
}

/** What admins do to users. Each settles when what is shown of it is current again. */
export function useUserDeeds() {
  const api = useApi();
  const auth = useAuth();
  const data = useQueryClient();

  /** Everything is asked for anew, as a deed shows in lists, figures and the audit log as well. */
  async function done(id: string, user?: AdminUser) {
    if (user) data.setQueryData(userKey(id), user);
    // Whoever did it to themselves may have been logged out by it.
    if (id === auth.getState().user?.id) await auth.me().catch(() => {});
    if (auth.getState().loggedIn) await data.invalidateQueries({ queryKey: [ALL] });
  }

  return {
    async add(user: NewUser): Promise<AdminUser> {
      const added: AdminUser = (await api.post(USERS, user)).data;
      await done(added.id, added);
      return added;
    },
    async change(id: string, change: UserChange): Promise<void> {
      await done(id, (await api.patch(pathOf(id), change)).data);
    },
    async remove(id: string): Promise<void> {
      await api.delete(pathOf(id));
      await done(id);
    },
    async restore(id: string): Promise<void> {
      await done(id, (await api.post(`${pathOf(id)}/restore`)).data);
    },
    async endSessions(id: string): Promise<void> {
      await api.delete(`${pathOf(id)}/sessions`);
      await done(id);
    },
    /** Looks what has become of a user, when something was refused that seemed possible. */
    async lookAgain(id: string): Promise<void> {
      await data.invalidateQueries({ queryKey: userKey(id) });
    },
  };
}

/** Whether the server has refused something because whoever asked is no admin. */
export function isRefused(data: QueryClient): boolean {
  const queries = data.getQueryCache().findAll({ queryKey: [ALL] });
  return queries.some(({ state }) => isProblem(state.error, 'forbidden'));
}

/** Forgets what was refused, so that the next visit asks again. */
export function forgetRefusals(data: QueryClient): void {
  data.removeQueries({ queryKey: [ALL], predicate: ({ state }) => state.error !== null });
}

export function isProblem(failure: unknown, code: AuthError['code']): boolean {
  return failure instanceof AuthError && failure.code === code;
}

/** `query` is what the filter means at the time of asking. */
function usePaged<Item>(path: string, filter: object, pages: number, query = () => filter): Paged<Item> {
  const api = useApi();
  const { data, error, hasNextPage, isFetching, isFetchNextPageError, fetchNextPage, refetch } = useInfiniteQuery<
    Page<Item>,
    Error,
    InfiniteData<Page<Item>>,
    unknown[],
    string | null
  >({
    queryKey: [ALL, path, filter],
    queryFn: ({ pageParam, signal }) => pageOf<Item>(api, path, query(), pageParam, signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    // What is being read does not move because somebody has looked into another tab.
    refetchOnWindowFocus: false,
  });
  const here = data?.pages.length ?? 0;
  useEffect(() => {
    if (here > 0 && here < pages && hasNextPage && !isFetching && !isFetchNextPageError) void fetchNextPage();
  }, [here, pages, hasNextPage, isFetching, isFetchNextPageError, fetchNextPage]);
  return {
    items: data?.pages.flatMap(({ items }) => items) ?? null,
    failure: error,
    busy: isFetching,
    hasMore: hasNextPage,
    refetch,
  };
}

async function pageOf<Item>(
  api: AxiosInstance,
  path: string,
  query: object,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Page<Item>> {
  const given = Object.entries({ ...query, cursor, limit: PAGE }).filter(([, value]) => value);
  return (await api.get(path, { params: Object.fromEntries(given), signal })).data;
}

/** The filter as the server understands it: a time to look back is one from now. */
function queryOf({ since, ...filter }: AuditFilter): object {
  const days = SINCE[since as keyof typeof SINCE];
  return days ? { ...filter, since: new Date(Date.now() - days * DAY_MILLISECONDS).toISOString() } : filter;
}

function userKey(id: string) {
  return [ALL, 'user', id];
}

function pathOf(id: string): string {
  return `${USERS}/${encodeURIComponent(id)}`;
}
