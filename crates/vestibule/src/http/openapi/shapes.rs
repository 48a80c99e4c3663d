//! The named shapes: what bodies of requests and answers hold. Requests are held against the code that reads them, and
//! answers against the code that writes them, by `tests/it/openapi`.

use accounts::AuditKind;
use serde_json::{Map, Value, json};

use super::schema::{
    Field, Schema, anything, count, id, line, list, named, object, one_of, optional, required,
    text, time, truth, word,
};
use crate::http::error::Code;

/// All of them by their names.
pub(super) fn all() -> Map<String, Value> {
    let mut shapes = Map::new();
    for group in [
        problems(),
        accounts(),
        sessions(),
        todos(),
        documents(),
        administration(),
        server(),
    ] {
        for (name, schema) in group {
            shapes.insert(name.to_owned(), schema.into_value());
        }
    }
    shapes
}

type Shapes = Vec<(&'static str, Schema)>;

fn problems() -> Shapes {
    let problem = object([
        required("type", text("about:blank")),
        required("title", text("Unprocessable Entity")),
        required("status", count(422).between(400, 599)),
        required(
            "detail",
            text("Some fields are not acceptable; see errors."),
        )
        .described("For people."),
        required("code", named("ProblemCode")),
        optional("errors", list(named("FieldError"))),
    ])
    .described("Why a request got no other answer (RFC 9457).");
    let code = word(Code::OF_API.map(Code::as_str)).described(
        "What programs tell problems apart by. It stays the same; sentences may change.",
    );
    let field_error = object([
        required("field", text("email")).described("The name of the field in the request."),
        required("code", text("invalid_email").pattern("[a-z_]+"))
            .described("A stable word for the rule that it breaks."),
        required(
            "message",
            text("Enter an e-mail address such as ada@example.org."),
        )
        .described("A sentence that says what to do."),
    ]);
    let oauth = object([
        required(
            "error",
            word([
                "invalid_request",
                "invalid_grant",
                "unsupported_grant_type",
                "rate_limited",
                "temporarily_unavailable",
                "server_error",
            ]),
        ),
        required(
            "error_description",
            text("The parameter grant_type is missing."),
        ),
    ])
    .described("A refusal in the form of RFC 6749 section 5.2.");
    vec![
        ("Problem", problem),
        ("ProblemCode", code),
        ("FieldError", field_error),
        ("OAuthError", oauth),
    ]
}

fn accounts() -> Shapes {
    let name = || optional("name", display_name());
    let username = || optional("username", new_username());
    let registration = || {
        [
            required("email", new_email()),
            required("password", new_password()),
            username(),
            name(),
        ]
    };
    let with_mode = |fields: Vec<Field>| object(fields.into_iter().chain([mode()]));
    let code = required("code", text("Zl3bq0M6vJp0i8nq5rQ2mW7cT1xY9uKdE4sGhA6fLoB"))
        .described("What stands behind `code=` in the set-up link.");
    let first_admin: Vec<Field> = [code].into_iter().chain(registration()).collect();
    let added = registration().into_iter().chain([roles()]);
    let current_password = || {
        optional("current_password", password().or_null())
            .described("Needed where the e-mail address or the username changes.")
    };
    let proof = || required("current_password", password());
    vec![
        ("User", object(user())),
        ("Registration", with_mode(registration().into())),
        ("FirstAdmin", with_mode(first_admin)),
        (
            "NewProfile",
            object([
                required("email", new_email()),
                username(),
                name(),
                current_password(),
            ]),
        ),
        (
            "ProfileChange",
            object([
                optional("email", new_email()),
                username(),
                name(),
                current_password(),
            ]),
        ),
        ("Proof", object([proof()])),
        (
            "PasswordChange",
            object([proof(), required("new_password", new_password())]),
        ),
        ("NewUser", object(added)),
        (
            "UserChange",
            object([
                optional("email", new_email()),
                username(),
                name(),
                roles(),
                optional("disabled", truth(true)),
            ]),
        ),
    ]
}

fn sessions() -> Shapes {
    let login_by = |name: &'static str, example: &str| {
        object([
            required(name, text(example)),
            required("password", password()),
            mode(),
        ])
    };
    let refreshing = || required("refresh_token", refresh_token());
    let access = || {
        [
            required(
                "access_token",
                text("eyJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl"),
            ),
            required("token_type", word(["Bearer"])),
            required("expires_in", seconds(900)).described(
                "In seconds: for how long the access token is good, which is no longer than its session.",
            ),
        ]
    };
    let refresh_expires_in = required("refresh_expires_in", seconds(2_592_000));
    let whose = || required("user", named("User"));
    let session = [
        required("id", id()),
        required("kind", word(["token", "cookie"])),
        required("device", text("Mozilla/5.0").or_null())
            .described("The user agent that opened it."),
        required("address", text("192.0.2.1").or_null()),
        required("created_at", time()),
        required("last_used_at", time()),
        required("expires_at", time()).described("When it ends if it is not used again."),
        required("current", truth(true)).described("Whether this request belongs to it."),
    ];
    let items = required("items", list(named("Session")).of_at_most(1000));
    vec![
        ("Login", login_by("login", "ada")),
        ("LoginByEmail", login_by("email", "ada@example.org")),
        ("LoginByUsername", login_by("username", "ada")),
        ("Refresh", object([refreshing()])),
        (
            "Logout",
            object([optional("refresh_token", refresh_token().or_null())]),
        ),
        ("TokenRequest", token_request()),
        (
            "TokenResponse",
            object(access().into_iter().chain([refreshing()])),
        ),
        (
            "TokenSession",
            object(
                access()
                    .into_iter()
                    .chain([refreshing(), refresh_expires_in, whose()]),
            ),
        ),
        (
            "CookieSession",
            object([whose(), required("expires_in", seconds(604_800))])
                .described("The answer with `\"mode\": \"cookie\"`, beside the cookie."),
        ),
        (
            "AccessToken",
            object(access().into_iter().chain([whose()]))
                .described("The answer to a page whose session is a cookie."),
        ),
        ("Session", object(session)),
        ("SessionList", object([items])),
        ("OpenedSession", one_of(&["TokenSession", "CookieSession"])),
        ("RefreshedSession", one_of(&["TokenSession", "AccessToken"])),
    ]
}

fn todos() -> Shapes {
    let others = || {
        [
            optional("description", todo_description().or_null()),
            optional("completed", truth(false)),
            optional("due_at", time().or_null()),
        ]
    };
    let list = [
        required("items", list(named("Todo")).of_at_most(100)),
        required("total", count(1)).described("How many the whole list has."),
        required("limit", count(20)),
        required("offset", count(0)),
    ];
    let with_title = |title: Field| object([title].into_iter().chain(others()));
    vec![
        ("Todo", object(todo())),
        ("NewTodo", with_title(required("title", todo_title()))),
        ("TodoChange", with_title(optional("title", todo_title()))),
        ("TodoList", object(list)),
    ]
}

fn documents() -> Shapes {
    let entry = || {
        [
            required("key", text("settings")),
            required("size", count(16)).described("The length of the content in bytes."),
            required("etag", text("\"1\""))
                .described("As the header `ETag` has it, quotes included."),
            required("updated_at", time()),
        ]
    };
    let whole = [
        required("created_at", time()),
        required("content", anything(&json!({ "theme": "dark" }))),
    ];
    let export = [
        required("exported_at", time()),
        required("user", named("User")),
        required("sessions", list(named("Session"))),
        required("audit_events", list(named("AuditEvent"))),
        required("documents", list(named("ExportedDocument"))),
        required("todos", list(named("ExportedTodo"))),
    ];
    let deleted_at = required("deleted_at", time().or_null())
        .described("Where it is deleted and not purged yet.");
    vec![
        ("DocumentEntry", object(entry())),
        (
            "DocumentList",
            object([required(
                "items",
                list(named("DocumentEntry")).of_at_most(100),
            )]),
        ),
        ("ExportedDocument", object(entry().into_iter().chain(whole))),
        (
            "ExportedTodo",
            object(todo().into_iter().chain([deleted_at])),
        ),
        ("Export", object(export)),
    ]
}

fn administration() -> Shapes {
    let statuses = ["active", "disabled", "deleted"];
    let as_admins_see = [
        required("status", word(statuses)),
        required("disabled_at", time().or_null()),
        required("deleted_at", time().or_null()),
    ];
    let actor = [
        required("kind", word(["anonymous", "user", "operator"])),
        required("id", id().or_null()),
    ];
    let event = [
        required("id", id()),
        required("at", time()),
        required("event", audit_event()),
        required("actor", object(actor)).described("Who did it."),
        required("subject", id().or_null()).described("The user whom it happened to."),
        required("address", text("192.0.2.1").or_null()),
        required("user_agent", text("Mozilla/5.0").or_null()),
        required(
            "request_id",
            text("01890a5d-ac96-774b-bcce-b302099a8057")
                .of_length(1, 64)
                .or_null(),
        )
        .described("The X-Request-Id of the answer."),
        required("detail", anything(&json!({ "added": ["staff"] })))
            .described("What there is to say beyond the event, by its kind; null for most."),
    ];
    let users = ["active", "disabled", "deleted", "admins"].map(|name| required(name, count(3)));
    let open = ["token", "cookie"].map(|name| required(name, count(3)));
    let activity =
        ["registrations", "logins", "failed_logins"].map(|name| required(name, count(3)));
    let figures = [
        required("as_of", time()).described("When they were counted."),
        required("users", object(users)),
        required("sessions", object(open)).described("Open sessions by their kind."),
        required("last_24_hours", named("Activity")),
        required("last_7_days", named("Activity")),
    ];
    let client = [
        required("address", text("198.51.100.7"))
            .described("What counts as the client's, for limits and in the audit log."),
        required("connection", text("10.0.0.2")).described("Where the connection comes from."),
        required("trusted", truth(true))
            .described("Whether that is one of the setting `trusted_proxies`."),
        required("headers", list(text("x-forwarded-for")))
            .described("The headers with a client's address that came along."),
        required("ignored", truth(false))
            .described("Whether they were ignored, as they came from somebody who is not trusted."),
    ];
    vec![
        ("AdminUser", object(user().into_iter().chain(as_admins_see))),
        ("AdminUserPage", page_of("AdminUser")),
        ("AuditEvent", object(event)),
        ("AuditEventPage", page_of("AuditEvent")),
        ("Activity", object(activity)),
        ("Figures", object(figures)),
        ("ClientSeen", object(client)),
    ]
}

fn server() -> Shapes {
    let status = |word_of_it| object([required("status", word([word_of_it]))]);
    // What a key holds beyond this is its kind's (RFC 7517 section 4).
    let key = object([
        required("kty", text("EC")),
        required("kid", text("9mQ5")),
        required("use", word(["sig"])),
        required("alg", word(["ES256", "EdDSA"])),
    ])
    .open();
    vec![
        ("Live", status("ok")),
        ("Ready", status("ready")),
        ("Jwk", key),
        ("JwkSet", object([required("keys", list(named("Jwk")))])),
    ]
}

/// The events of the audit log.
pub(super) fn audit_event() -> Schema {
    word(AuditKind::ALL.map(AuditKind::as_str))
}

/// A name of a role.
pub(super) fn role() -> Schema {
    text("staff").pattern("[a-z0-9_-]{1,32}")
}

fn roles() -> Field {
    optional("roles", list(role()).of_at_most(32)).described("All that the user is to have.")
}

fn user() -> Vec<Field> {
    vec![
        required("id", id()),
        required("email", text("ada@example.org")),
        required("username", text("ada").or_null()),
        required("name", text("Ada").or_null()),
        required("roles", list(role())),
        required("email_verified", truth(false)),
        required("created_at", time()),
        required("updated_at", time()),
    ]
}

fn todo() -> Vec<Field> {
    vec![
        required("id", id()),
        required("title", todo_title()),
        required("description", todo_description()),
        required("completed", truth(false)),
        required("due_at", time().or_null()),
        required("created_at", time()),
        required("updated_at", time()),
    ]
}

fn todo_title() -> Schema {
    line("Buy milk").of_length(1, 200)
}

/// Of several lines, which end as on any system, and with tabs.
fn todo_description() -> Schema {
    text("Two pints.")
        .of_length(0, 5000)
        .pattern(r"([^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\r\n)*")
}

fn page_of(item: &str) -> Schema {
    object([
        required("items", list(named(item)).of_at_most(100)),
        required("next_cursor", text("AQAGQx2").or_null())
            .described("What to send as `cursor` for the next page; null on the last."),
    ])
}

/// The form of RFC 6749 sections 4.3.2 and 6, of which unknown parameters are ignored.
fn token_request() -> Schema {
    object([
        optional("grant_type", word(["password", "refresh_token"]))
            .described("May be left out beside a username."),
        optional("username", text("ada")).described("An e-mail address or a username."),
        optional("password", password()),
        optional("refresh_token", refresh_token()),
        optional("scope", text("")).described("Ignored, as are the client's id and secret."),
        optional("client_id", text("")),
        optional("client_secret", text("")),
    ])
    .open()
}

fn mode() -> Field {
    optional("mode", word(["token", "cookie"]).or_null().usually("token"))
        .described("Whether the session is held as tokens or, by a browser, as a cookie.")
}

fn new_email() -> Schema {
    text("ada@example.org")
        .of_length(3, 254)
        .format("idn-email")
}

/// An empty field of a form is none.
fn new_username() -> Schema {
    text("ada")
        .pattern("([A-Za-z0-9][A-Za-z0-9._-]{2,31})?")
        .or_null()
}

fn display_name() -> Schema {
    line("Ada").of_length(0, 100).or_null()
}

/// One that is compared, whatever the rules were when it was set.
fn password() -> Schema {
    text("a long and uncommon sentence")
        .of_length(0, 256)
        .format("password")
}

/// One that is set. The least length is that of `password.min_length` by default.
fn new_password() -> Schema {
    password().of_length(8, 256).pattern(r"[^\u0000]*")
}

fn refresh_token() -> Schema {
    text("vrt_AZqPbnwbfU6aUw8rbI0eRw")
}

fn seconds(example: u64) -> Schema {
    count(example).described("In seconds.")
}
