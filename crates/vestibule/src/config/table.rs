//! The one table of settings: what each is called, what it may hold, its default and description.
//! Flags, variables, file keys, help and the reference page follow from it; a new setting is a row
//! here and a line in `meaning::resolve`, which turns the values into types.

use super::setting::{Kind, Setting};

/// Variables that hosting platforms set, with the setting that each one stands for. The
/// `VESTIBULE_` form wins over them.
pub(super) const FOREIGN_VARIABLES: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("PORT", "listen"),
    // Of OpenTelemetry.
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "otel.headers"),
    ("OTEL_SERVICE_NAME", "otel.service_name"),
    ("OTEL_TRACES_SAMPLER_ARG", "otel.sample_ratio"),
];

const SERVER: &str = "Server";
const SITE: &str = "Site";
const DATABASE: &str = "Database";
const SECRET_KEY: &str = "Secret key";
const ACCOUNTS: &str = "Accounts";
const TOKENS: &str = "Tokens";
const COOKIES: &str = "Cookies";
const LIMITS: &str = "Limits";
const PAGES: &str = "Built-in pages";
const LOG: &str = "Log";
pub(super) const TRACES: &str = "Traces";

const TLS_MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Every setting there is, in the order in which help and reference show them.
pub static SETTINGS: &[Setting] = &[
    Setting::new("listen", SERVER, Kind::Address)
        .help("Address and port on which to serve HTTP")
        .default("127.0.0.1:8080")
        .details(
            "Port 0 lets the system choose a free one, which the `ready on` line names. The \
             variable `PORT`, set by many hosting platforms, means `0.0.0.0:PORT`.",
        ),
    Setting::new("data_dir", SERVER, Kind::Path)
        .help("Folder for the database and the generated secret key")
        .default("./vestibule-data")
        .details(
            "Created with mode 0700 where it is missing. It must not lie inside the site's \
             folder.",
        ),
    Setting::new("public_url", SERVER, Kind::Origin)
        .help("The address under which browsers reach this server")
        .derived("`http://localhost:` and the port of `listen`; `https:` with `tls.cert`")
        .details(
            "The only source of absolute links, of the security of cookies, of the issuer \
             of tokens and of what counts as our own origin; the `Host` and `X-Forwarded-*` \
             headers never are. At its default the origins `localhost`, `127.0.0.1` and \
             `[::1]` on that port all count as ours. Changing it logs everyone out.",
        ),
    Setting::new("trusted_proxies", SERVER, Kind::Network)
        .help("Proxies whose X-Forwarded-For is believed")
        .repeatable()
        .details(
            "The client's address is the right-most entry of `X-Forwarded-For` that is not \
             in one of these networks, and a plain `X-Request-Id` of up to 64 characters is kept. \
             Without this setting both headers are ignored.",
        ),
    Setting::new("cors.origins", SERVER, Kind::Origin)
        .help("Other origins whose pages may call the API")
        .repeatable()
        .details("Exact origins; there is no wildcard, because credentials are allowed for them."),
    Setting::new("tls.cert", SERVER, Kind::Path)
        .help("File with the certificate with which to serve HTTPS itself")
        .details(
            "PEM: the server's own certificate first, then those that lead to its authority. `listen` then speaks TLS \
             1.2 and 1.3 alone, with HTTP/1.1 and HTTP/2. The file and that of `tls.key` are read again when they \
             change, and at once on SIGHUP. See [HTTPS](../guides/https.md).",
        ),
    Setting::new("tls.key", SERVER, Kind::Path)
        .help("File with the private key of that certificate")
        .details("PEM: PKCS 8, PKCS 1 or SEC 1, without a passphrase."),
    Setting::new("https_redirect", SERVER, Kind::Address)
        .help("Address and port on which to send plain http on to public_url")
        .details(
            "Usually `0.0.0.0:80`. `GET` and `HEAD` are answered 308 with the same path below `public_url`, which \
             must be https; everything else is refused, since what it held has already travelled in the clear.",
        ),
    Setting::new("metrics_listen", SERVER, Kind::Address)
        .help("Address and port on which to serve Prometheus metrics")
        .details(
            "`GET /metrics` there, and nowhere else. It asks for no login: choose an address that \
             only your monitoring reaches. Port 0 lets the system choose a free one.",
        ),
    Setting::new("read_only", SERVER, Kind::Switch)
        .help("Write nothing: serve reads and check tokens alone")
        .default("false")
        .bare_flag()
        .details(
            "For maintenance, such as a copy of the database. Pages, `me`, lists, the public keys and the \
             checks of tokens and cookies go on; a login, and whatever else changes something, is answered \
             503. The database must exist and have the newest schema. Commands keep to it too, but for \
             `migrate` and `restore`.",
        ),
    Setting::new("drain_delay", SERVER, Kind::Duration("0s", "5m"))
        .help("How long to go on serving after SIGTERM")
        .default("0s")
        .details(
            "`/readyz` answers 503 for so long before the listener closes, and each answer ends its connection, so \
             that a load balancer can look elsewhere first. See the guide on several nodes.",
        ),
    Setting::new("site.dir", SITE, Kind::Path)
        .help("Folder of the static site to serve at /")
        .short_flag("site")
        .details(
            "Where `page.html.br` or `page.html.gz` lies beside `page.html` and is no older, it is sent in its place to \
             whoever takes that, by the rules for `page.html`.",
        ),
    Setting::new("site.upstream", SITE, Kind::Origin)
        .help("Address of the app to serve at /, in place of a folder")
        .short_flag("upstream")
        .details(
            "For instance `http://127.0.0.1:5000`. Whatever is not Vestibule's own goes to the app, which is told who \
             asks. Only `http` is spoken with it, so it belongs on this machine or in a network of your own; nobody else \
             may reach it. See the guide on [an app behind the gate](../guides/an-app-behind-the-gate.md).",
        ),
    Setting::new(
        "site.upstream_timeout",
        SITE,
        Kind::Duration("100ms", "1h"),
    )
    .help("How long the app may be silent before its answer begins")
    .default("60s")
    .details(
        "After that the answer is 504. The time begins anew with each part of an upload that the app takes. An answer \
         that has begun may take as long as it will.",
    ),
    Setting::new("site.protect", SITE, Kind::Pattern)
        .help("Paths of the site that need a login")
        .repeatable()
        .short_flag("protect")
        .details(
            "`/members/**` means that page and everything below it, `*` anything within one \
             segment. Judged after `site.rules`.",
        ),
    Setting::new("site.rules", SITE, Kind::Rules)
        .help("Rules for paths of the site, first match first")
        .details(
            "For the file alone: `[[site.rules]]` tables with `path`, and either `roles = \
             [\"staff\"]` (any one of them is enough), `public = true`, or neither (any \
             login). A forward-auth proxy asks for a login everywhere, so that `roles` alone add to that.",
        ),
    Setting::new(
        "site.remote_user",
        SITE,
        Kind::Choice(&["id", "username", "email"]),
    )
    .help("What an app behind the server gets as Remote-User")
    .default("id")
    .details(
        "An id is one user's for ever. Usernames and addresses can be changed, and be taken by somebody else \
         after that; see the guide on proxies.",
    ),
    Setting::new("site.unverified_email", SITE, Kind::Switch)
        .help("Tell apps addresses that nobody has vouched for")
        .default("false")
        .bare_flag()
        .details(
            "Anybody can register with any address. Those given by an operator or admin are always told.",
        ),
    Setting::new("database.url", DATABASE, Kind::DatabaseUrl)
        .help("Where the database is")
        .derived("`sqlite://DATA_DIR/vestibule.db`")
        .url_password()
        .details(
            "`sqlite://PATH`, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `mysql://…` for \
             MariaDB; the scheme picks the engine, and nothing else changes. See \
             [databases](../guides/databases.md). The variable `DATABASE_URL` is read as well. A \
             password does not belong into the flag, which every user of the machine can read.",
        ),
    Setting::new("database.direct_url", DATABASE, Kind::DatabaseUrl)
        .help("The database without a pooler in between")
        .derived("`database.url`")
        .url_password()
        .details(
            "For migrations and locks, when `database.url` goes through a transaction pooler such \
             as PgBouncer.",
        ),
    Setting::new("database.replica_urls", DATABASE, Kind::DatabaseUrl)
        .help("Read replicas of the database, for admin lists and figures")
        .repeatable()
        .url_password()
        .details(
            "For PostgreSQL and MariaDB; one URL for each server. The list of users, the audit log and the \
             figures of admins come from there, everything else from `database.url`. One that fails or \
             lags is left alone. In a variable, and in the file that `VESTIBULE_DATABASE_REPLICA_URLS_FILE` \
             names, they are separated by commas. See [databases](../guides/databases.md#replicas).",
        ),
    Setting::new(
        "database.replica_max_lag",
        DATABASE,
        Kind::Duration("2s", "1h"),
    )
    .help("How old what a replica answers may be")
    .default("5s")
    .details("Each replica is looked at once a second; with more lag than this, or unknown, it is not asked."),
    Setting::new("database.tls", DATABASE, Kind::Choice(TLS_MODES))
        .help("How connections to the database are protected")
        .derived("what the URL says (`sslmode`, `ssl-mode`), or else `prefer`")
        .details(
            "`require` and what is stronger refuse a connection that is not encrypted; \
             `verify-full` also checks who the server is. `vestibule doctor` shows what was \
             negotiated.",
        ),
    Setting::new("database.max_connections", DATABASE, Kind::Count(1, 1000))
        .help("Most connections to the database")
        .default("10")
        .details(
            "For SQLite, those that read; one writes. Fewer are made where the process may not open enough files, three for each; a \
             warning at start says so.",
        ),
    Setting::new("database.min_connections", DATABASE, Kind::Count(0, 1000))
        .help("Connections that are kept although nobody needs them")
        .default("0")
        .details("For servers. At most `database.max_connections`."),
    Setting::new(
        "database.acquire_timeout",
        DATABASE,
        Kind::Duration("100ms", "30s"),
    )
    .help("How long to wait for a free connection")
    .default("3s")
    .details("After that the request is answered with 503."),
    Setting::new(
        "database.idle_timeout",
        DATABASE,
        Kind::Duration("10s", "24h"),
    )
    .help("After how long without use a connection is closed")
    .default("10m")
    .details("For servers. One that lay idle for 30 s is checked before it is used."),
    Setting::new(
        "database.max_lifetime",
        DATABASE,
        Kind::Duration("10s", "24h"),
    )
    .help("After how long a connection is replaced")
    .default("1h")
    .details("For servers."),
    Setting::new(
        "database.startup_timeout",
        DATABASE,
        Kind::Duration("0s", "1h"),
    )
    .help("How long `serve` waits for a database server that is not up")
    .default("60s")
    .details("It tries again and again, with a line in the log each time, and then ends with exit code 1."),
    Setting::new("secret_key", SECRET_KEY, Kind::SecretKey)
        .help("The key from which all other secrets are derived")
        .secret()
        .details(
            "At least 32 random bytes, as base64, base64url or hexadecimal digits, for \
             instance from `openssl rand -base64 32`. It encrypts signing keys at rest; a \
             database remembers its key and refuses another.",
        ),
    Setting::new("secret_key_file", SECRET_KEY, Kind::Path)
        .help("File that holds the secret key")
        .derived("`DATA_DIR/secret.key`, generated for an empty database")
        .details(
            "Either the raw bytes or one of the text forms of `secret_key`; give one of the \
             two. The file should have mode 0600.",
        ),
    Setting::new("registration", ACCOUNTS, Kind::Choice(&["open", "closed"]))
        .help("Who may open an account")
        .default("open")
        .details("`closed`: only operators and admins add users."),
    Setting::new("admin.email", ACCOUNTS, Kind::Text(254))
        .help("E-mail address of the first admin, made at the start")
        .details(
            "Together with `admin.password_file`, and only while there is no admin: then `serve` makes \
             the account, and shows no set-up link. If somebody has registered the address before, that \
             account becomes the admin's: its password is replaced and its sessions end.",
        ),
    Setting::new("admin.password_file", ACCOUNTS, Kind::Path)
        .help("File with the password of the first admin")
        .details(
            "Its first line is the password. It is read only while there is no admin, so it may be taken \
             away afterwards. The file should have mode 0600.",
        ),
    Setting::new(
        "password.algorithm",
        ACCOUNTS,
        Kind::Choice(&["argon2id", "bcrypt"]),
    )
    .help("How new passwords are hashed")
    .default("argon2id")
    .details(
        "`bcrypt` (cost 12) is for those who must: it takes passwords of at most 72 bytes, and longer ones are \
         refused. Hashes of argon2id stay as they are under it; under `argon2id`, one of bcrypt is replaced when its \
         user logs in.",
    ),
    Setting::new("password.min_length", ACCOUNTS, Kind::Count(8, 64))
        .help("Fewest characters of a new password")
        .default("8"),
    Setting::new("retention.deleted", ACCOUNTS, Kind::Duration("0s", "3650d"))
        .help("How long a deleted user can be restored")
        .default("30d")
        .details(
            "After that the account is removed for good, within about an hour while the server runs. Audit \
             events about it stay, which name it by its id alone.",
        ),
    Setting::new("audit.retention", ACCOUNTS, Kind::Duration("10s", "3650d"))
        .help("How long audit events are kept")
        .default("365d"),
    Setting::new("audit.file", ACCOUNTS, Kind::Path)
        .help("File in which the audit log is kept as well")
        .details(
            "A line of JSON for each event, written a few seconds after it happened. The file may be renamed at any \
             time, as `logrotate` does. See [monitoring](../guides/monitoring.md#the-audit-log-elsewhere).",
        ),
    Setting::new("audit.syslog", ACCOUNTS, Kind::Syslog)
        .help("Syslog to which audit events are sent as well")
        .details(
            "`unix:/dev/log`, or `udp://HOST:PORT` with port 514 where none is named; in the form of RFC 5424, the \
             event as JSON. What is sent by UDP may be lost on the way without anybody knowing.",
        ),
    Setting::new("token.access_ttl", TOKENS, Kind::Duration("10s", "24h"))
        .help("How long an access token is valid")
        .default("15m")
        .details(
            "Services that check tokens by the public keys alone go on accepting one for so \
             long after a logout. None is valid beyond the last moment of its session. At most \
             `token.refresh_idle_ttl`, to which the default gives way.",
        ),
    Setting::new(
        "token.refresh_idle_ttl",
        TOKENS,
        Kind::Duration("10s", "3650d"),
    )
    .help("How long an unused session lasts")
    .default("30d")
    .details("For sessions in token mode. At most `token.refresh_absolute_ttl`, to which the default gives way."),
    Setting::new(
        "token.refresh_absolute_ttl",
        TOKENS,
        Kind::Duration("10s", "3650d"),
    )
    .help("How long any session lasts")
    .default("90d"),
    Setting::new("token.refresh_grace", TOKENS, Kind::Duration("0s", "10m"))
        .help("How long a used refresh token may be repeated")
        .default("60s")
        .details(
            "Within it a used refresh token gets the same successor again, so that a lost \
             answer logs nobody out. `0s` gives the strict rule: any second use ends the \
             session.",
        ),
    Setting::new("token.issuer", TOKENS, Kind::Text(300))
        .help("The iss claim of access tokens")
        .derived("`public_url`"),
    Setting::new("token.audience", TOKENS, Kind::Text(300))
        .help("The aud claim of access tokens")
        .derived("`public_url`"),
    Setting::new(
        "token.algorithm",
        TOKENS,
        Kind::Choice(&["ES256", "EdDSA"]),
    )
    .help("The kind of new signing keys")
    .default("ES256")
    .details(
        "Of the first key of a database, and of those that `vestibule keys rotate` makes. Every \
         verifier library reads ES256.",
    ),
    Setting::new("signing_key_file", TOKENS, Kind::Path)
        .help("File with a signing key to use instead of generated ones")
        .details(
            "A P-256 or Ed25519 private key in PEM form (PKCS 8), for instance from `openssl genpkey \
             -algorithm ed25519`. It alone signs and verifies, whatever keys the database holds, \
             and every node needs the same. The file should have mode 0600.",
        ),
    Setting::new("cookie.idle_ttl", COOKIES, Kind::Duration("10s", "400d"))
        .help("How long an unused cookie session lasts")
        .default("7d")
        .details("At most `cookie.absolute_ttl`, to which the default gives way."),
    Setting::new(
        "cookie.absolute_ttl",
        COOKIES,
        Kind::Duration("10s", "400d"),
    )
    .help("How long any cookie session lasts")
    .default("30d")
    .details("Browsers keep no cookie longer than 400 days."),
    Setting::new("limits.login_per_account", LIMITS, Kind::Limit)
        .help("Failed logins per account and network")
        .default("10/15m"),
    Setting::new("limits.login_per_ip", LIMITS, Kind::Limit)
        .help("Failed logins per client address")
        .default("30/15m")
        .details("IPv6 addresses count per /64."),
    Setting::new("limits.register_per_ip", LIMITS, Kind::Limit)
        .help("Registrations per client address")
        .default("20/1h"),
    Setting::new("limits.refresh_per_ip", LIMITS, Kind::Limit)
        .help("Refreshed sessions per client address")
        .default("3000/1h"),
    Setting::new("redis.url", LIMITS, Kind::RedisUrl)
        .help("A Redis or Valkey in which several nodes count limits together")
        .url_password()
        .details(
            "`redis://USER:PASSWORD@HOST:PORT/DATABASE`, `rediss://…` for TLS, or `unix:///PATH`. Revocations reach \
             the other nodes sooner by it, too. Nothing is lost with it, and while it is away each node counts for \
             itself. See [several nodes](../guides/several-nodes.md#redis). A password does not belong into the flag, \
             which every user of the machine can read.",
        ),
    Setting::new("ui.enabled", PAGES, Kind::Switch)
        .help("Whether to serve the built-in pages")
        .default("true")
        .details("`/login`, `/register`, `/setup`, `/dashboard`, `/account` and `/admin`."),
    Setting::new("ui.name", PAGES, Kind::Text(60))
        .help("The name that the built-in pages show")
        .default("Vestibule"),
    Setting::new("ui.logo", PAGES, Kind::Path)
        .help("A picture for the built-in pages, in place of the mark")
        .details(
            "An SVG or PNG file of at most 256 KiB, read at start; it is the icon of the pages as well. See the guide \
             on branding.",
        ),
    Setting::new("ui.css", PAGES, Kind::Path)
        .help("A style sheet for the built-in pages, after their own")
        .details("A CSS file of at most 64 KiB, read at start. See the guide on branding."),
    Setting::new("ui.locale", PAGES, Kind::Choice(&["auto", "en", "de"]))
        .help("Language of the built-in pages")
        .default("auto")
        .details("`auto` is the one that the browser asks for, and English where it asks for others."),
    Setting::new("log.format", LOG, Kind::Choice(&["pretty", "json"]))
        .help("Form of the log")
        .derived("`pretty` on a terminal, else `json`"),
    Setting::new(
        "log.level",
        LOG,
        Kind::Choice(LEVELS),
    )
    .help("What to log")
    .default("info"),
    Setting::new("otel.endpoint", TRACES, Kind::Collector)
        .help("Collector of OpenTelemetry to which traces of requests are sent")
        .details(
            "By OTLP over HTTP, to `/v1/traces` below this URL. Builds with the cargo feature `otel` send traces, and \
             others refuse the settings of this section. See [monitoring](../guides/monitoring.md#traces).",
        ),
    Setting::new("otel.headers", TRACES, Kind::Header)
        .help("Headers that the collector asks for, such as an API key")
        .repeatable()
        .secret()
        .details(
            "Each as `name=value`, the value percent-encoded where it holds a comma or another special character. In a \
             variable, and in the file that `VESTIBULE_OTEL_HEADERS_FILE` names, they are separated by commas.",
        ),
    Setting::new("otel.service_name", TRACES, Kind::Text(200))
        .help("The name under which traces show this server")
        .default("vestibule")
        .details("More is told of it by the variable `OTEL_RESOURCE_ATTRIBUTES`, as OpenTelemetry has it."),
    Setting::new("otel.sample_ratio", TRACES, Kind::Share)
        .help("The share of requests that are traced")
        .default("1")
        .details(
            "Of those that are not part of a trace already. A request of one of `trusted_proxies` with a `traceparent` is \
             traced if its trace is recorded there.",
        ),
];

/// The row of this key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The candidate most like a misspelt name, if any is like it at all.
pub(super) fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    // 0.8 lets through swapped, missing and doubled letters, and keeps unrelated words out.
    candidates
        .map(|candidate| (strsim::jaro_winkler(name, &candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}
