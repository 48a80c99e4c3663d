/**
 * The server's API as types, written by tests/openapi.test.ts from docs/reference/openapi.json. What of it is public
 * is said in types.ts and errors.ts.
 */

export interface paths {
    readonly "/.well-known/jwks.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Public keys
         * @description The keys with which any service checks access tokens (RFC 7517).
         */
        readonly get: operations["jwks"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/audit": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List audit events
         * @description A page of audit events, the newest first.
         */
        readonly get: operations["list_audit_events"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/client": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * See your own address
         * @description Which address the server takes for that of whoever asks, and why. Behind a proxy it should be the address of the browser, not of the proxy.
         */
        readonly get: operations["get_client"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/stats": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * See figures
         * @description How many users and sessions there are, and what the last days brought; up to 5 s old.
         */
        readonly get: operations["get_stats"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/users": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List users
         * @description A page of users, the newest first; deleted ones only where they are asked for.
         */
        readonly get: operations["list_users"];
        readonly put?: never;
        /**
         * Add a user
         * @description Makes an account, whatever the setting `registration` says. Its address counts as verified.
         */
        readonly post: operations["add_user"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/users/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * See a user
         * @description One user, who may be disabled or deleted.
         */
        readonly get: operations["get_user"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Delete a user
         * @description Deletes an account, so that its names are free, and logs its user out everywhere. Nothing happens to one that is deleted already.
         */
        readonly delete: operations["delete_user"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Change a user
         * @description Changes the fields that are there, all of them or none; null clears a name (RFC 7396). Whoever loses a role or is disabled is logged out everywhere.
         */
        readonly patch: operations["change_user"];
        readonly trace?: never;
    };
    readonly "/api/admin/users/{id}/restore": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Restore a user
         * @description Brings a deleted account back. No session comes back. It is refused when somebody has taken a name since, and once the account is being purged; nothing happens to one that is not deleted.
         */
        readonly post: operations["restore_user"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/admin/users/{id}/sessions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Log a user out
         * @description Ends every session of a user, who may be the caller.
         */
        readonly delete: operations["end_user_sessions"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/forward": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Judge a visitor of a proxy
         * @description For `auth_request` of nginx, `forward_auth` of Caddy and the like: whether the visitor whose headers these are may have what they ask the proxy for, and who they are. A session is always needed; `site.rules` add roles for the path that the proxy names. Any method is answered alike. `vestibule print` writes the configuration of the proxy.
         */
        readonly get: operations["forward"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/login": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Log in
         * @description Exchanges a name and a password for a session, always a new one. Unknown, disabled and deleted users get the same answer as a wrong password.
         */
        readonly post: operations["login"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/logout": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Log out
         * @description Ends the session of whatever proof the request carries: a refresh token in the body, a bearer token, or the cookie. Nobody is told whether there was one.
         */
        readonly post: operations["logout"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/me": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Who is calling
         * @description The user who makes this request.
         */
        readonly get: operations["me"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Change one's password
         * @description Replaces the password, ends every session of the user, and gives this device a new one of the kind that it had. A wrong current password counts as a failed login.
         */
        readonly post: operations["change_password"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Refresh
         * @description Exchanges a refresh token for a new pair. A token that was used before ends its session, unless the answer was lost a moment ago. Without a body, gives an access token for the session of the cookie.
         */
        readonly post: operations["refresh"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/register": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Register
         * @description Makes an account and opens its first session. Where the setting `registration` is `closed`, only operators and admins add users.
         */
        readonly post: operations["register"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/sessions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List one's sessions
         * @description The open sessions of the caller, the last used first. There are 1,000 at the most: a login beyond ends 100, those expired or used longest ago.
         */
        readonly get: operations["list_sessions"];
        readonly put?: never;
        readonly post?: never;
        /**
         * End all other sessions
         * @description Ends every session of the caller but this one.
         */
        readonly delete: operations["end_other_sessions"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/sessions/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * End a session
         * @description Ends one session of the caller, which may be this one.
         */
        readonly delete: operations["end_session"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/setup": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Make the first admin
         * @description Makes the account of the first admin, for the code of the set-up link that the server shows at its start while there is no admin.
         */
        readonly post: operations["set_up"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/auth/token": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Log in or refresh as OAuth 2 has it
         * @description The token endpoint of RFC 6749 with the grant types `password` and `refresh_token`, for clients that were written for any OAuth 2 server. Its refusals have the form of section 5.2; what stops a request before it gets there is a problem document, as elsewhere.
         */
        readonly post: operations["token"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * This document
         * @description The description of the API, in OpenAPI 3.1. `/api/docs` shows it as a page, and `vestibule openapi` prints it.
         */
        readonly get: operations["get_openapi"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/todos": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List one's todos
         * @description A part of the todos of the caller. What is equal in the order asked for is sorted by id.
         */
        readonly get: operations["list_todos"];
        readonly put?: never;
        /**
         * Add a todo
         * @description Makes a todo. Space around its title is taken off.
         */
        readonly post: operations["add_todo"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/todos/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * See a todo
         * @description One todo, unless the client holds this version of it, or wants another.
         */
        readonly get: operations["get_todo"];
        /**
         * Replace a todo
         * @description The whole todo anew: an optional field that is left out is as in a new one.
         */
        readonly put: operations["replace_todo"];
        readonly post?: never;
        /**
         * Delete a todo
         * @description It is gone for its owner at once, and removed for good later.
         */
        readonly delete: operations["delete_todo"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Change a todo
         * @description Changes the fields that are there; null clears one (RFC 7396).
         */
        readonly patch: operations["change_todo"];
        readonly trace?: never;
    };
    readonly "/api/user/data": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List one's documents
         * @description What the caller keeps, by key, without the contents.
         */
        readonly get: operations["list_documents"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/user/data/{key}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read a document
         * @description A document, byte for byte as it was received.
         */
        readonly get: operations["get_document"];
        /**
         * Keep a document
         * @description Keeps any JSON value of up to 64 KiB, in place of the one that is there. A user may have 100 documents.
         */
        readonly put: operations["put_document"];
        readonly post?: never;
        /**
         * Delete a document
         * @description Deletes it for good.
         */
        readonly delete: operations["delete_document"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/user/export": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Export all of it
         * @description Everything that is held about the caller, as one file; five times an hour. It is written while it is read, and without its end where that fails.
         */
        readonly get: operations["export_user_data"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/user/profile": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * See one's profile
         * @description The user who makes this request.
         */
        readonly get: operations["get_profile"];
        /**
         * Replace one's profile
         * @description The whole profile anew: a username or name that is left out is none. A new e-mail address is not verified.
         */
        readonly put: operations["replace_profile"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /**
         * Change one's profile
         * @description Changes the fields that are there; null clears one (RFC 7396). A new e-mail address is not verified.
         */
        readonly patch: operations["change_profile"];
        readonly trace?: never;
    };
    readonly "/api/user/profile/delete": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Delete one's account
         * @description Deletes the account and ends every session of it. An operator or admin may restore it until the time of `retention.deleted` is over. The last admin cannot be deleted.
         */
        readonly post: operations["delete_account"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/livez": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Whether the process lives
         * @description Says no more than that it answers.
         */
        readonly get: operations["livez"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Whether the server can do its work
         * @description Looks at the database and its migrations, and whether the server is going down. The sentence of a 503 begins with the reason in one word.
         */
        readonly get: operations["readyz"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The answer to a page whose session is a cookie. */
        readonly AccessToken: {
            /** @example eyJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl */
            readonly access_token: string;
            /**
             * Format: int64
             * @description In seconds: for how long the access token is good, which is no longer than its session.
             * @example 900
             */
            readonly expires_in: number;
            /** @enum {string} */
            readonly token_type: "Bearer";
            readonly user: components["schemas"]["User"];
        };
        readonly Activity: {
            /**
             * Format: int64
             * @example 3
             */
            readonly failed_logins: number;
            /**
             * Format: int64
             * @example 3
             */
            readonly logins: number;
            /**
             * Format: int64
             * @example 3
             */
            readonly registrations: number;
        };
        readonly AdminUser: {
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly deleted_at: string | null;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly disabled_at: string | null;
            /** @example ada@example.org */
            readonly email: string;
            /** @example false */
            readonly email_verified: boolean;
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /** @example Ada */
            readonly name: string | null;
            readonly roles: readonly string[];
            /** @enum {string} */
            readonly status: "active" | "disabled" | "deleted";
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
            /** @example ada */
            readonly username: string | null;
        };
        readonly AdminUserPage: {
            readonly items: readonly components["schemas"]["AdminUser"][];
            /**
             * @description What to send as `cursor` for the next page; null on the last.
             * @example AQAGQx2
             */
            readonly next_cursor: string | null;
        };
        readonly AuditEvent: {
            /** @description Who did it. */
            readonly actor: {
                /**
                 * Format: uuid
                 * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
                 */
                readonly id: string | null;
                /** @enum {string} */
                readonly kind: "anonymous" | "user" | "operator";
            };
            /** @example 192.0.2.1 */
            readonly address: string | null;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly at: string;
            /**
             * @description What there is to say beyond the event, by its kind; null for most.
             * @example {
             *       "added": [
             *         "staff"
             *       ]
             *     }
             */
            readonly detail: unknown;
            /** @enum {string} */
            readonly event: "registered" | "login" | "login_failed" | "login_limited" | "refreshed_reuse" | "logout" | "password_changed" | "profile_changed" | "account_deleted" | "restored" | "disabled" | "enabled" | "roles_changed" | "session_ended" | "key_rotated" | "admin_created" | "imported" | "copied";
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /**
             * @description The X-Request-Id of the answer.
             * @example 01890a5d-ac96-774b-bcce-b302099a8057
             */
            readonly request_id: string | null;
            /**
             * Format: uuid
             * @description The user whom it happened to.
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly subject: string | null;
            /** @example Mozilla/5.0 */
            readonly user_agent: string | null;
        };
        readonly AuditEventPage: {
            readonly items: readonly components["schemas"]["AuditEvent"][];
            /**
             * @description What to send as `cursor` for the next page; null on the last.
             * @example AQAGQx2
             */
            readonly next_cursor: string | null;
        };
        readonly ClientSeen: {
            /**
             * @description What counts as the client's, for limits and in the audit log.
             * @example 198.51.100.7
             */
            readonly address: string;
            /**
             * @description Where the connection comes from.
             * @example 10.0.0.2
             */
            readonly connection: string;
            /** @description The headers with a client's address that came along. */
            readonly headers: readonly string[];
            /**
             * @description Whether they were ignored, as they came from somebody who is not trusted.
             * @example false
             */
            readonly ignored: boolean;
            /**
             * @description Whether that is one of the setting `trusted_proxies`.
             * @example true
             */
            readonly trusted: boolean;
        };
        /** @description The answer with `"mode": "cookie"`, beside the cookie. */
        readonly CookieSession: {
            /**
             * Format: int64
             * @description In seconds.
             * @example 604800
             */
            readonly expires_in: number;
            readonly user: components["schemas"]["User"];
        };
        readonly DocumentEntry: {
            /**
             * @description As the header `ETag` has it, quotes included.
             * @example "1"
             */
            readonly etag: string;
            /** @example settings */
            readonly key: string;
            /**
             * Format: int64
             * @description The length of the content in bytes.
             * @example 16
             */
            readonly size: number;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
        };
        readonly DocumentList: {
            readonly items: readonly components["schemas"]["DocumentEntry"][];
        };
        readonly Export: {
            readonly audit_events: readonly components["schemas"]["AuditEvent"][];
            readonly documents: readonly components["schemas"]["ExportedDocument"][];
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly exported_at: string;
            readonly sessions: readonly components["schemas"]["Session"][];
            readonly todos: readonly components["schemas"]["ExportedTodo"][];
            readonly user: components["schemas"]["User"];
        };
        readonly ExportedDocument: {
            /**
             * @example {
             *       "theme": "dark"
             *     }
             */
            readonly content: unknown;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /**
             * @description As the header `ETag` has it, quotes included.
             * @example "1"
             */
            readonly etag: string;
            /** @example settings */
            readonly key: string;
            /**
             * Format: int64
             * @description The length of the content in bytes.
             * @example 16
             */
            readonly size: number;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
        };
        readonly ExportedTodo: {
            /** @example false */
            readonly completed: boolean;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /**
             * Format: date-time
             * @description Where it is deleted and not purged yet.
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly deleted_at: string | null;
            /** @example Two pints. */
            readonly description: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly due_at: string | null;
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /** @example Buy milk */
            readonly title: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
        };
        readonly FieldError: {
            /**
             * @description A stable word for the rule that it breaks.
             * @example invalid_email
             */
            readonly code: string;
            /**
             * @description The name of the field in the request.
             * @example email
             */
            readonly field: string;
            /**
             * @description A sentence that says what to do.
             * @example Enter an e-mail address such as ada@example.org.
             */
            readonly message: string;
        };
        readonly Figures: {
            /**
             * Format: date-time
             * @description When they were counted.
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly as_of: string;
            readonly last_24_hours: components["schemas"]["Activity"];
            readonly last_7_days: components["schemas"]["Activity"];
            /** @description Open sessions by their kind. */
            readonly sessions: {
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly cookie: number;
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly token: number;
            };
            readonly users: {
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly active: number;
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly admins: number;
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly deleted: number;
                /**
                 * Format: int64
                 * @example 3
                 */
                readonly disabled: number;
            };
        };
        readonly FirstAdmin: {
            /**
             * @description What stands behind `code=` in the set-up link.
             * @example Zl3bq0M6vJp0i8nq5rQ2mW7cT1xY9uKdE4sGhA6fLoB
             */
            readonly code: string;
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email: string;
            /**
             * @description Whether the session is held as tokens or, by a browser, as a cookie.
             * @default token
             * @enum {string|null}
             */
            readonly mode?: "token" | "cookie" | null;
            /** @example Ada */
            readonly name?: string | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
            /** @example ada */
            readonly username?: string | null;
        };
        readonly Jwk: {
            /** @enum {string} */
            readonly alg: "ES256" | "EdDSA";
            /** @example 9mQ5 */
            readonly kid: string;
            /** @example EC */
            readonly kty: string;
            /** @enum {string} */
            readonly use: "sig";
        } & {
            readonly [key: string]: unknown;
        };
        readonly JwkSet: {
            readonly keys: readonly components["schemas"]["Jwk"][];
        };
        readonly Live: {
            /** @enum {string} */
            readonly status: "ok";
        };
        readonly Login: {
            /** @example ada */
            readonly login: string;
            /**
             * @description Whether the session is held as tokens or, by a browser, as a cookie.
             * @default token
             * @enum {string|null}
             */
            readonly mode?: "token" | "cookie" | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
        };
        readonly LoginByEmail: {
            /** @example ada@example.org */
            readonly email: string;
            /**
             * @description Whether the session is held as tokens or, by a browser, as a cookie.
             * @default token
             * @enum {string|null}
             */
            readonly mode?: "token" | "cookie" | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
        };
        readonly LoginByUsername: {
            /**
             * @description Whether the session is held as tokens or, by a browser, as a cookie.
             * @default token
             * @enum {string|null}
             */
            readonly mode?: "token" | "cookie" | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
            /** @example ada */
            readonly username: string;
        };
        readonly Logout: {
            /** @example vrt_AZqPbnwbfU6aUw8rbI0eRw */
            readonly refresh_token?: string | null;
        };
        readonly NewProfile: {
            /**
             * Format: password
             * @description Needed where the e-mail address or the username changes.
             * @example a long and uncommon sentence
             */
            readonly current_password?: string | null;
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email: string;
            /** @example Ada */
            readonly name?: string | null;
            /** @example ada */
            readonly username?: string | null;
        };
        readonly NewTodo: {
            /** @example false */
            readonly completed?: boolean;
            /** @example Two pints. */
            readonly description?: string | null;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly due_at?: string | null;
            /** @example Buy milk */
            readonly title: string;
        };
        readonly NewUser: {
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email: string;
            /** @example Ada */
            readonly name?: string | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
            /** @description All that the user is to have. */
            readonly roles?: readonly string[];
            /** @example ada */
            readonly username?: string | null;
        };
        /** @description A refusal in the form of RFC 6749 section 5.2. */
        readonly OAuthError: {
            /** @enum {string} */
            readonly error: "invalid_request" | "invalid_grant" | "unsupported_grant_type" | "rate_limited" | "temporarily_unavailable" | "server_error";
            /** @example The parameter grant_type is missing. */
            readonly error_description: string;
        };
        readonly OpenedSession: components["schemas"]["TokenSession"] | components["schemas"]["CookieSession"];
        readonly PasswordChange: {
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly current_password: string;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly new_password: string;
        };
        /** @description Why a request got no other answer (RFC 9457). */
        readonly Problem: {
            readonly code: components["schemas"]["ProblemCode"];
            /**
             * @description For people.
             * @example Some fields are not acceptable; see errors.
             */
            readonly detail: string;
            readonly errors?: readonly components["schemas"]["FieldError"][];
            /**
             * Format: int64
             * @example 422
             */
            readonly status: number;
            /** @example Unprocessable Entity */
            readonly title: string;
            /** @example about:blank */
            readonly type: string;
        };
        /**
         * @description What programs tell problems apart by. It stays the same; sentences may change.
         * @enum {string}
         */
        readonly ProblemCode: "malformed_request" | "invalid_credentials" | "missing_token" | "invalid_token" | "expired_token" | "revoked_token" | "refresh_token_reused" | "forbidden" | "cross_origin_refused" | "registration_closed" | "setup_refused" | "not_found" | "method_not_allowed" | "request_timeout" | "email_taken" | "username_taken" | "conflict" | "precondition_failed" | "payload_too_large" | "unsupported_media_type" | "validation_failed" | "cookie_not_possible" | "rate_limited" | "headers_too_large" | "internal_error" | "unavailable" | "storage_full";
        readonly ProfileChange: {
            /**
             * Format: password
             * @description Needed where the e-mail address or the username changes.
             * @example a long and uncommon sentence
             */
            readonly current_password?: string | null;
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email?: string;
            /** @example Ada */
            readonly name?: string | null;
            /** @example ada */
            readonly username?: string | null;
        };
        readonly Proof: {
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly current_password: string;
        };
        readonly Ready: {
            /** @enum {string} */
            readonly status: "ready";
        };
        readonly Refresh: {
            /** @example vrt_AZqPbnwbfU6aUw8rbI0eRw */
            readonly refresh_token: string;
        };
        readonly RefreshedSession: components["schemas"]["TokenSession"] | components["schemas"]["AccessToken"];
        readonly Registration: {
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email: string;
            /**
             * @description Whether the session is held as tokens or, by a browser, as a cookie.
             * @default token
             * @enum {string|null}
             */
            readonly mode?: "token" | "cookie" | null;
            /** @example Ada */
            readonly name?: string | null;
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password: string;
            /** @example ada */
            readonly username?: string | null;
        };
        readonly Session: {
            /** @example 192.0.2.1 */
            readonly address: string | null;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /**
             * @description Whether this request belongs to it.
             * @example true
             */
            readonly current: boolean;
            /**
             * @description The user agent that opened it.
             * @example Mozilla/5.0
             */
            readonly device: string | null;
            /**
             * Format: date-time
             * @description When it ends if it is not used again.
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly expires_at: string;
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /** @enum {string} */
            readonly kind: "token" | "cookie";
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly last_used_at: string;
        };
        readonly SessionList: {
            readonly items: readonly components["schemas"]["Session"][];
        };
        readonly Todo: {
            /** @example false */
            readonly completed: boolean;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /** @example Two pints. */
            readonly description: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly due_at: string | null;
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /** @example Buy milk */
            readonly title: string;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
        };
        readonly TodoChange: {
            /** @example false */
            readonly completed?: boolean;
            /** @example Two pints. */
            readonly description?: string | null;
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly due_at?: string | null;
            /** @example Buy milk */
            readonly title?: string;
        };
        readonly TodoList: {
            readonly items: readonly components["schemas"]["Todo"][];
            /**
             * Format: int64
             * @example 20
             */
            readonly limit: number;
            /**
             * Format: int64
             * @example 0
             */
            readonly offset: number;
            /**
             * Format: int64
             * @description How many the whole list has.
             * @example 1
             */
            readonly total: number;
        };
        readonly TokenRequest: {
            /** @example  */
            readonly client_id?: string;
            /** @example  */
            readonly client_secret?: string;
            /**
             * @description May be left out beside a username.
             * @enum {string}
             */
            readonly grant_type?: "password" | "refresh_token";
            /**
             * Format: password
             * @example a long and uncommon sentence
             */
            readonly password?: string;
            /** @example vrt_AZqPbnwbfU6aUw8rbI0eRw */
            readonly refresh_token?: string;
            /**
             * @description Ignored, as are the client's id and secret.
             * @example
             */
            readonly scope?: string;
            /**
             * @description An e-mail address or a username.
             * @example ada
             */
            readonly username?: string;
        } & {
            readonly [key: string]: unknown;
        };
        readonly TokenResponse: {
            /** @example eyJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl */
            readonly access_token: string;
            /**
             * Format: int64
             * @description In seconds: for how long the access token is good, which is no longer than its session.
             * @example 900
             */
            readonly expires_in: number;
            /** @example vrt_AZqPbnwbfU6aUw8rbI0eRw */
            readonly refresh_token: string;
            /** @enum {string} */
            readonly token_type: "Bearer";
        };
        readonly TokenSession: {
            /** @example eyJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl */
            readonly access_token: string;
            /**
             * Format: int64
             * @description In seconds: for how long the access token is good, which is no longer than its session.
             * @example 900
             */
            readonly expires_in: number;
            /**
             * Format: int64
             * @description In seconds.
             * @example 2592000
             */
            readonly refresh_expires_in: number;
            /** @example vrt_AZqPbnwbfU6aUw8rbI0eRw */
            readonly refresh_token: string;
            /** @enum {string} */
            readonly token_type: "Bearer";
            readonly user: components["schemas"]["User"];
        };
        readonly User: {
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly created_at: string;
            /** @example ada@example.org */
            readonly email: string;
            /** @example false */
            readonly email_verified: boolean;
            /**
             * Format: uuid
             * @example 019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47
             */
            readonly id: string;
            /** @example Ada */
            readonly name: string | null;
            readonly roles: readonly string[];
            /**
             * Format: date-time
             * @example 2026-01-31T12:00:00.000000Z
             */
            readonly updated_at: string;
            /** @example ada */
            readonly username: string | null;
        };
        readonly UserChange: {
            /** @example true */
            readonly disabled?: boolean;
            /**
             * Format: idn-email
             * @example ada@example.org
             */
            readonly email?: string;
            /** @example Ada */
            readonly name?: string | null;
            /** @description All that the user is to have. */
            readonly roles?: readonly string[];
            /** @example ada */
            readonly username?: string | null;
        };
    };
    responses: {
        /** @description `conflict`: The account is not in a state for this. */
        readonly conflict: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `cross_origin_refused`: A page of another origin made the browser send this. */
        readonly cross_origin_refused: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `cross_origin_refused`: A page of another origin made the browser send this.
         *
         *     `registration_closed`: Only operators and admins add users.
         */
        readonly "cross_origin_refused-registration_closed": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `cross_origin_refused`: A page of another origin made the browser send this.
         *
         *     `setup_refused`: The set-up link is not good any more, or there is an admin by now.
         */
        readonly "cross_origin_refused-setup_refused": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `email_taken`: Another account has the e-mail address.
         *
         *     `username_taken`: Another account has the username.
         */
        readonly "email_taken-username_taken": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `email_taken`: Another account has the e-mail address.
         *
         *     `username_taken`: Another account has the username.
         *
         *     `conflict`: The account is not in a state for this.
         */
        readonly "email_taken-username_taken-conflict": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `forbidden`: The account lacks the role for this. */
        readonly forbidden: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `forbidden`: The account lacks the role for this.
         *
         *     `cross_origin_refused`: A page of another origin made the browser send this.
         */
        readonly "forbidden-cross_origin_refused": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `headers_too_large`: The request line and headers are larger than the server reads. */
        readonly headers_too_large: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `internal_error`: A fault of the server, whose log has the cause under the request id. */
        readonly internal_error: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `invalid_credentials`: The name or the password is wrong. */
        readonly invalid_credentials: {
            headers: {
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `invalid_credentials`: The name or the password is wrong.
         *
         *     `missing_token`: Neither an access token nor a session cookie came along.
         *
         *     `invalid_token`: The token or cookie is not valid.
         *
         *     `expired_token`: The token has expired. Refresh it, or log in again.
         *
         *     `revoked_token`: The session has ended. Log in again.
         */
        readonly "invalid_credentials-missing_token-invalid_token-expired_token-revoked_token": {
            headers: {
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `malformed_request`: The request is not of the form that the protocol asks for: no JSON, a key twice, an unknown parameter. */
        readonly malformed_request: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `missing_token`: Neither an access token nor a session cookie came along.
         *
         *     `invalid_token`: The token or cookie is not valid.
         *
         *     `expired_token`: The token has expired. Refresh it, or log in again.
         *
         *     `revoked_token`: The session has ended. Log in again.
         */
        readonly "missing_token-invalid_token-expired_token-revoked_token": {
            headers: {
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `missing_token`: Neither an access token nor a session cookie came along.
         *
         *     `invalid_token`: The token or cookie is not valid.
         *
         *     `expired_token`: The token has expired. Refresh it, or log in again.
         *
         *     `revoked_token`: The session has ended. Log in again.
         *
         *     `refresh_token_reused`: The refresh token was used before, so its session has been ended.
         */
        readonly "missing_token-invalid_token-expired_token-revoked_token-refresh_token_reused": {
            headers: {
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found`: There is nothing here, or nothing of the caller's. */
        readonly not_found: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `payload_too_large`: The body is larger than this route reads. */
        readonly payload_too_large: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `precondition_failed`: It has changed since it was read, or is there already. Read it anew and try again. */
        readonly precondition_failed: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`: Too many attempts. Try again after the time in the header Retry-After. */
        readonly rate_limited: {
            headers: {
                readonly RateLimit: components["headers"]["RateLimit"];
                readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request_timeout`: The head or the body of the request did not arrive in time. */
        readonly request_timeout: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `storage_full`: The server's storage is full. */
        readonly storage_full: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unavailable`: The server cannot answer at the moment, or is read-only. Try again after the time in Retry-After. */
        readonly unavailable: {
            headers: {
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type`: The body is of another media type than this route reads. */
        readonly unsupported_media_type: {
            headers: {
                readonly "Accept-Patch": components["headers"]["Accept-Patch"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`: Some fields are not acceptable; each is named in errors. */
        readonly validation_failed: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `validation_failed`: Some fields are not acceptable; each is named in errors.
         *
         *     `cookie_not_possible`: A page of another site cannot use a session cookie. Ask for mode "token".
         */
        readonly "validation_failed-cookie_not_possible": {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The media types of a `PATCH` (RFC 5789 section 2.2). */
        readonly "Accept-Patch": string;
        /** @description For how long the answer may be kept. */
        readonly "Cache-Control": string;
        /** @description The name of the file. */
        readonly "Content-Disposition": string;
        /** @description The version, for `If-Match` and `If-None-Match`. */
        readonly ETag: string;
        /** @description Other parts of the list (RFC 8288): `first`, `prev`, `next`, `last`. */
        readonly Link: string;
        /** @description Where what was made is read, or where to log in. */
        readonly Location: string;
        /** @description As RFC 6749 section 5.1 wants it. */
        readonly Pragma: string;
        /** @description What is left of the limit that counted this request. */
        readonly RateLimit: string;
        /** @description The limit: how many requests in how many seconds. */
        readonly "RateLimit-Policy": string;
        /** @description The e-mail address, if somebody vouched for it. */
        readonly "Remote-Email": string;
        /** @description The roles, with commas between them. */
        readonly "Remote-Groups": string;
        /** @description The name, as percent-encoded UTF-8. */
        readonly "Remote-Name": string;
        /** @description The id of the user, or by `site.remote_user` the username or the address; empty where there is none. */
        readonly "Remote-User": string;
        /** @description After so many seconds another try makes sense. */
        readonly "Retry-After": number;
        /** @description The session cookie, where one is set or removed. */
        readonly "Set-Cookie": string;
        /** @description The challenge of RFC 6750 section 3. */
        readonly "WWW-Authenticate": string;
        /** @description The id of the request, which the log has as well; one that a trusted proxy gave it is kept. */
        readonly "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly jwks: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The keys. */
            readonly 200: {
                headers: {
                    readonly "Cache-Control": components["headers"]["Cache-Control"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "alg": "ES256",
                     *           "kid": "9mQ5",
                     *           "kty": "EC",
                     *           "use": "sig"
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/jwk-set+json": components["schemas"]["JwkSet"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly list_audit_events: {
        readonly parameters: {
            readonly query?: {
                /** @description Those that this user did, or that happened to them. */
                readonly user?: string;
                /** @description Those of this kind. */
                readonly event?: "registered" | "login" | "login_failed" | "login_limited" | "refreshed_reuse" | "logout" | "password_changed" | "profile_changed" | "account_deleted" | "restored" | "disabled" | "enabled" | "roles_changed" | "session_ended" | "key_rotated" | "admin_created" | "imported" | "copied";
                /** @description Those from this moment on. */
                readonly since?: string;
                /** @description How many items at the most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The events. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "actor": {
                     *             "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *             "kind": "anonymous"
                     *           },
                     *           "address": "192.0.2.1",
                     *           "at": "2026-01-31T12:00:00.000000Z",
                     *           "detail": {
                     *             "added": [
                     *               "staff"
                     *             ]
                     *           },
                     *           "event": "registered",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "request_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "subject": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "user_agent": "Mozilla/5.0"
                     *         }
                     *       ],
                     *       "next_cursor": "AQAGQx2"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AuditEventPage"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly get_client: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The address. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "address": "198.51.100.7",
                     *       "connection": "10.0.0.2",
                     *       "headers": [
                     *         "x-forwarded-for"
                     *       ],
                     *       "ignored": false,
                     *       "trusted": true
                     *     }
                     */
                    readonly "application/json": components["schemas"]["ClientSeen"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly get_stats: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The figures. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "as_of": "2026-01-31T12:00:00.000000Z",
                     *       "last_24_hours": {
                     *         "failed_logins": 3,
                     *         "logins": 3,
                     *         "registrations": 3
                     *       },
                     *       "last_7_days": {
                     *         "failed_logins": 3,
                     *         "logins": 3,
                     *         "registrations": 3
                     *       },
                     *       "sessions": {
                     *         "cookie": 3,
                     *         "token": 3
                     *       },
                     *       "users": {
                     *         "active": 3,
                     *         "admins": 3,
                     *         "deleted": 3,
                     *         "disabled": 3
                     *       }
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Figures"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly list_users: {
        readonly parameters: {
            readonly query?: {
                /** @description A part of an e-mail address, a username or a name. */
                readonly q?: string;
                /** @description A role that they have. */
                readonly role?: string;
                /** @description What they are; without it, all who are not deleted. */
                readonly status?: "active" | "disabled" | "deleted";
                /** @description How many items at the most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The users. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *           "disabled_at": "2026-01-31T12:00:00.000000Z",
                     *           "email": "ada@example.org",
                     *           "email_verified": false,
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "name": "Ada",
                     *           "roles": [
                     *             "staff"
                     *           ],
                     *           "status": "active",
                     *           "updated_at": "2026-01-31T12:00:00.000000Z",
                     *           "username": "ada"
                     *         }
                     *       ],
                     *       "next_cursor": "AQAGQx2"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AdminUserPage"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly add_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "email": "ada@example.org",
                 *       "name": "Ada",
                 *       "password": "a long and uncommon sentence",
                 *       "roles": [
                 *         "staff"
                 *       ],
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["NewUser"];
            };
        };
        readonly responses: {
            /** @description The user. */
            readonly 201: {
                headers: {
                    readonly Location: components["headers"]["Location"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *       "disabled_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "status": "active",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AdminUser"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden-cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly get_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a user, who may be deleted. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *       "disabled_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "status": "active",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AdminUser"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly delete_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a user, who may be deleted. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user is deleted. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden-cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["conflict"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly change_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a user, who may be deleted. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "disabled": true,
                 *       "email": "ada@example.org",
                 *       "name": "Ada",
                 *       "roles": [
                 *         "staff"
                 *       ],
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["UserChange"];
            };
        };
        readonly responses: {
            /** @description The user as changed. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *       "disabled_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "status": "active",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AdminUser"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden-cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken-conflict"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly restore_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a user, who may be deleted. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *       "disabled_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "status": "active",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["AdminUser"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden-cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken-conflict"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly end_user_sessions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a user, who may be deleted. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user has no session. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["forbidden-cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly forward: {
        readonly parameters: {
            readonly query?: {
                /** @description Which headers name the visitor's request: `X-Original-URL` and `X-Original-Method` of nginx, or `X-Forwarded-Uri` and `X-Forwarded-Method`. They count from `trusted_proxies` alone. */
                readonly from?: "nginx" | "caddy" | "traefik";
                /** @description A role that the visitor has to have. */
                readonly role?: string;
                /** @description `auto`: whoever opens a page is redirected to log in. */
                readonly mode?: "auto";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The visitor is signed in and may have it. */
            readonly 200: {
                headers: {
                    readonly "Remote-Email": components["headers"]["Remote-Email"];
                    readonly "Remote-Groups": components["headers"]["Remote-Groups"];
                    readonly "Remote-Name": components["headers"]["Remote-Name"];
                    readonly "Remote-User": components["headers"]["Remote-User"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description With `mode=auto`: somebody opens a page and has to log in first. */
            readonly 302: {
                headers: {
                    readonly Location: components["headers"]["Location"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            /** @description Nobody is signed in. */
            readonly 401: {
                headers: {
                    readonly Location: components["headers"]["Location"];
                    readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A role is missing, another origin has sent it, or what is said of the visitor's request is malformed or comes from no trusted proxy. */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly login: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Login"] | components["schemas"]["LoginByEmail"] | components["schemas"]["LoginByUsername"];
            };
        };
        readonly responses: {
            /** @description A session, in the form that `mode` asks for. */
            readonly 200: {
                headers: {
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "Set-Cookie": components["headers"]["Set-Cookie"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OpenedSession"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["invalid_credentials"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed-cookie_not_possible"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly logout: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                /**
                 * @example {
                 *       "refresh_token": "vrt_AZqPbnwbfU6aUw8rbI0eRw"
                 *     }
                 */
                readonly "application/json": components["schemas"]["Logout"];
            };
        };
        readonly responses: {
            /** @description There is no such session any more. */
            readonly 204: {
                headers: {
                    readonly "Set-Cookie": components["headers"]["Set-Cookie"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly me: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["User"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly change_password: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "current_password": "a long and uncommon sentence",
                 *       "new_password": "a long and uncommon sentence"
                 *     }
                 */
                readonly "application/json": components["schemas"]["PasswordChange"];
            };
        };
        readonly responses: {
            /** @description The new session. */
            readonly 200: {
                headers: {
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "Set-Cookie": components["headers"]["Set-Cookie"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OpenedSession"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["invalid_credentials-missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly refresh: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                /**
                 * @example {
                 *       "refresh_token": "vrt_AZqPbnwbfU6aUw8rbI0eRw"
                 *     }
                 */
                readonly "application/json": components["schemas"]["Refresh"];
            };
        };
        readonly responses: {
            /** @description A new pair of tokens; or an access token, for a cookie. */
            readonly 200: {
                headers: {
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RefreshedSession"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token-refresh_token_reused"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly register: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "email": "ada@example.org",
                 *       "mode": "token",
                 *       "name": "Ada",
                 *       "password": "a long and uncommon sentence",
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["Registration"];
            };
        };
        readonly responses: {
            /** @description The account is made, and this is its first session. */
            readonly 201: {
                headers: {
                    readonly Location: components["headers"]["Location"];
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "Set-Cookie": components["headers"]["Set-Cookie"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OpenedSession"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 403: components["responses"]["cross_origin_refused-registration_closed"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed-cookie_not_possible"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly list_sessions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The sessions. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "address": "192.0.2.1",
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "current": true,
                     *           "device": "Mozilla/5.0",
                     *           "expires_at": "2026-01-31T12:00:00.000000Z",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "kind": "token",
                     *           "last_used_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": components["schemas"]["SessionList"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly end_other_sessions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description This session is the only one. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly end_session: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of a session of the caller. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It has ended. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly set_up: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "code": "Zl3bq0M6vJp0i8nq5rQ2mW7cT1xY9uKdE4sGhA6fLoB",
                 *       "email": "ada@example.org",
                 *       "mode": "token",
                 *       "name": "Ada",
                 *       "password": "a long and uncommon sentence",
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["FirstAdmin"];
            };
        };
        readonly responses: {
            /** @description The account is made, and this is its first session. */
            readonly 201: {
                headers: {
                    readonly Location: components["headers"]["Location"];
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "Set-Cookie": components["headers"]["Set-Cookie"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OpenedSession"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 403: components["responses"]["cross_origin_refused-setup_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed-cookie_not_possible"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly token: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "client_id": "",
                 *       "client_secret": "",
                 *       "grant_type": "password",
                 *       "password": "a long and uncommon sentence",
                 *       "refresh_token": "vrt_AZqPbnwbfU6aUw8rbI0eRw",
                 *       "scope": "",
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
            };
        };
        readonly responses: {
            /** @description The token response of RFC 6749 section 5.1. */
            readonly 200: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl",
                     *       "expires_in": 900,
                     *       "refresh_token": "vrt_AZqPbnwbfU6aUw8rbI0eRw",
                     *       "token_type": "Bearer"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["TokenResponse"];
                };
            };
            /**
             * @description The grant is not good, or the form is not one.
             *
             *     `malformed_request`: The request is not of the form that the protocol asks for: no JSON, a key twice, an unknown parameter.
             */
            readonly 400: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "invalid_request",
                     *       "error_description": "The parameter grant_type is missing."
                     *     }
                     */
                    readonly "application/json": components["schemas"]["OAuthError"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            /** @description Too many attempts. */
            readonly 429: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "invalid_request",
                     *       "error_description": "The parameter grant_type is missing."
                     *     }
                     */
                    readonly "application/json": components["schemas"]["OAuthError"];
                };
            };
            readonly 431: components["responses"]["headers_too_large"];
            /**
             * @description A fault of the server.
             *
             *     `internal_error`: A fault of the server, whose log has the cause under the request id.
             */
            readonly 500: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "invalid_request",
                     *       "error_description": "The parameter grant_type is missing."
                     *     }
                     */
                    readonly "application/json": components["schemas"]["OAuthError"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description The server cannot answer at the moment.
             *
             *     `unavailable`: The server cannot answer at the moment, or is read-only. Try again after the time in Retry-After.
             */
            readonly 503: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "invalid_request",
                     *       "error_description": "The parameter grant_type is missing."
                     *     }
                     */
                    readonly "application/json": components["schemas"]["OAuthError"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description The server's storage is full.
             *
             *     `storage_full`: The server's storage is full.
             */
            readonly 507: {
                headers: {
                    readonly Pragma: components["headers"]["Pragma"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "invalid_request",
                     *       "error_description": "The parameter grant_type is missing."
                     *     }
                     */
                    readonly "application/json": components["schemas"]["OAuthError"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly get_openapi: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The document. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "openapi": "3.1.0"
                     *     }
                     */
                    readonly "application/json": unknown;
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly list_todos: {
        readonly parameters: {
            readonly query?: {
                /** @description Whether they are done. */
                readonly completed?: boolean;
                /** @description A part of the title or the description, in any case of letters. */
                readonly q?: string;
                /** @description The order; what has no `due_at` comes last. */
                readonly sort?: "created_at" | "-created_at" | "due_at" | "title";
                /** @description How many items at the most. */
                readonly limit?: number;
                /** @description How many to leave out before them. */
                readonly offset?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The todos. */
            readonly 200: {
                headers: {
                    readonly Link: components["headers"]["Link"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "completed": false,
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "description": "Two pints.",
                     *           "due_at": "2026-01-31T12:00:00.000000Z",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "title": "Buy milk",
                     *           "updated_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ],
                     *       "limit": 20,
                     *       "offset": 0,
                     *       "total": 1
                     *     }
                     */
                    readonly "application/json": components["schemas"]["TodoList"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly add_todo: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "completed": false,
                 *       "description": "Two pints.",
                 *       "due_at": "2026-01-31T12:00:00.000000Z",
                 *       "title": "Buy milk"
                 *     }
                 */
                readonly "application/json": components["schemas"]["NewTodo"];
            };
        };
        readonly responses: {
            /** @description The todo. */
            readonly 201: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly Location: components["headers"]["Location"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "completed": false,
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "description": "Two pints.",
                     *       "due_at": "2026-01-31T12:00:00.000000Z",
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "title": "Buy milk",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Todo"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly get_todo: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that is wanted, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of the version that the client holds. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The id of a todo of the caller. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The todo. */
            readonly 200: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "completed": false,
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "description": "Two pints.",
                     *       "due_at": "2026-01-31T12:00:00.000000Z",
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "title": "Buy milk",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Todo"];
                };
            };
            /** @description The client holds this version. */
            readonly 304: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly replace_todo: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that was seen, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of versions that it is not meant for, or `*` for any. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The id of a todo of the caller. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "completed": false,
                 *       "description": "Two pints.",
                 *       "due_at": "2026-01-31T12:00:00.000000Z",
                 *       "title": "Buy milk"
                 *     }
                 */
                readonly "application/json": components["schemas"]["NewTodo"];
            };
        };
        readonly responses: {
            /** @description The todo as changed. */
            readonly 200: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "completed": false,
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "description": "Two pints.",
                     *       "due_at": "2026-01-31T12:00:00.000000Z",
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "title": "Buy milk",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Todo"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly delete_todo: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that was seen, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of versions that it is not meant for, or `*` for any. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The id of a todo of the caller. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The todo is deleted. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly change_todo: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that was seen, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of versions that it is not meant for, or `*` for any. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The id of a todo of the caller. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "completed": false,
                 *       "description": "Two pints.",
                 *       "due_at": "2026-01-31T12:00:00.000000Z",
                 *       "title": "Buy milk"
                 *     }
                 */
                readonly "application/json": components["schemas"]["TodoChange"];
            };
        };
        readonly responses: {
            /** @description The todo as changed. */
            readonly 200: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "completed": false,
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "description": "Two pints.",
                     *       "due_at": "2026-01-31T12:00:00.000000Z",
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "title": "Buy milk",
                     *       "updated_at": "2026-01-31T12:00:00.000000Z"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Todo"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly list_documents: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The documents. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "etag": "\"1\"",
                     *           "key": "settings",
                     *           "size": 16,
                     *           "updated_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": components["schemas"]["DocumentList"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly get_document: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that is wanted, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of the version that the client holds. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The key of a document, in which case counts. */
                readonly key: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The document. */
            readonly 200: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "theme": "dark"
                     *     }
                     */
                    readonly "application/json": unknown;
                };
            };
            /** @description The client holds this version. */
            readonly 304: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly put_document: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that was seen, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of versions that it is not meant for, or `*` for any. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The key of a document, in which case counts. */
                readonly key: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "theme": "dark"
                 *     }
                 */
                readonly "application/json": unknown;
            };
        };
        readonly responses: {
            /** @description There was none, and now there is. */
            readonly 201: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly Location: components["headers"]["Location"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It takes the place of the one before. */
            readonly 204: {
                headers: {
                    readonly ETag: components["headers"]["ETag"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly delete_document: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the version that was seen, or `*` for any. */
                readonly "If-Match"?: string;
                /** @description The `ETag` of versions that it is not meant for, or `*` for any. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description The key of a document, in which case counts. */
                readonly key: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The document is deleted. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 404: components["responses"]["not_found"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 412: components["responses"]["precondition_failed"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly export_user_data: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The file. */
            readonly 200: {
                headers: {
                    readonly "Content-Disposition": components["headers"]["Content-Disposition"];
                    readonly RateLimit: components["headers"]["RateLimit"];
                    readonly "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "audit_events": [
                     *         {
                     *           "actor": {
                     *             "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *             "kind": "anonymous"
                     *           },
                     *           "address": "192.0.2.1",
                     *           "at": "2026-01-31T12:00:00.000000Z",
                     *           "detail": {
                     *             "added": [
                     *               "staff"
                     *             ]
                     *           },
                     *           "event": "registered",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "request_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "subject": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "user_agent": "Mozilla/5.0"
                     *         }
                     *       ],
                     *       "documents": [
                     *         {
                     *           "content": {
                     *             "theme": "dark"
                     *           },
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "etag": "\"1\"",
                     *           "key": "settings",
                     *           "size": 16,
                     *           "updated_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ],
                     *       "exported_at": "2026-01-31T12:00:00.000000Z",
                     *       "sessions": [
                     *         {
                     *           "address": "192.0.2.1",
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "current": true,
                     *           "device": "Mozilla/5.0",
                     *           "expires_at": "2026-01-31T12:00:00.000000Z",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "kind": "token",
                     *           "last_used_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ],
                     *       "todos": [
                     *         {
                     *           "completed": false,
                     *           "created_at": "2026-01-31T12:00:00.000000Z",
                     *           "deleted_at": "2026-01-31T12:00:00.000000Z",
                     *           "description": "Two pints.",
                     *           "due_at": "2026-01-31T12:00:00.000000Z",
                     *           "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *           "title": "Buy milk",
                     *           "updated_at": "2026-01-31T12:00:00.000000Z"
                     *         }
                     *       ],
                     *       "user": {
                     *         "created_at": "2026-01-31T12:00:00.000000Z",
                     *         "email": "ada@example.org",
                     *         "email_verified": false,
                     *         "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *         "name": "Ada",
                     *         "roles": [
                     *           "staff"
                     *         ],
                     *         "updated_at": "2026-01-31T12:00:00.000000Z",
                     *         "username": "ada"
                     *       }
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Export"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly get_profile: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["User"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["missing_token-invalid_token-expired_token-revoked_token"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly replace_profile: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "current_password": "a long and uncommon sentence",
                 *       "email": "ada@example.org",
                 *       "name": "Ada",
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["NewProfile"];
            };
        };
        readonly responses: {
            /** @description The user as changed. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["User"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["invalid_credentials-missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly change_profile: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "current_password": "a long and uncommon sentence",
                 *       "email": "ada@example.org",
                 *       "name": "Ada",
                 *       "username": "ada"
                 *     }
                 */
                readonly "application/json": components["schemas"]["ProfileChange"];
            };
        };
        readonly responses: {
            /** @description The user as changed. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created_at": "2026-01-31T12:00:00.000000Z",
                     *       "email": "ada@example.org",
                     *       "email_verified": false,
                     *       "id": "019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47",
                     *       "name": "Ada",
                     *       "roles": [
                     *         "staff"
                     *       ],
                     *       "updated_at": "2026-01-31T12:00:00.000000Z",
                     *       "username": "ada"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["User"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["invalid_credentials-missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["email_taken-username_taken"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly delete_account: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "current_password": "a long and uncommon sentence"
                 *     }
                 */
                readonly "application/json": components["schemas"]["Proof"];
            };
        };
        readonly responses: {
            /** @description The account is deleted. */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 401: components["responses"]["invalid_credentials-missing_token-invalid_token-expired_token-revoked_token"];
            readonly 403: components["responses"]["cross_origin_refused"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 409: components["responses"]["conflict"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 415: components["responses"]["unsupported_media_type"];
            readonly 422: components["responses"]["validation_failed"];
            readonly 429: components["responses"]["rate_limited"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
            readonly 507: components["responses"]["storage_full"];
        };
    };
    readonly livez: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It answers. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Live"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
    readonly readyz: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It can. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ready"
                     *     }
                     */
                    readonly "application/json": components["schemas"]["Ready"];
                };
            };
            readonly 400: components["responses"]["malformed_request"];
            readonly 408: components["responses"]["request_timeout"];
            readonly 413: components["responses"]["payload_too_large"];
            readonly 431: components["responses"]["headers_too_large"];
            readonly 500: components["responses"]["internal_error"];
            readonly 503: components["responses"]["unavailable"];
        };
    };
}
