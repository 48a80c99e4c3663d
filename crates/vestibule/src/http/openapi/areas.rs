//! Every operation, by area. `http.rs` has the same routes with their handlers; a test compares the two.

mod administration;
mod user_data;

use axum::http::Method;
use serde_json::json;

use super::{
    operation::{Access, Answer, Operation, operation},
    schema::{anything, named, one_of, word},
    shapes,
};
use crate::http::{
    auth, error::Code, forward, health, oauth, openapi, password, profile, sessions, setup,
};

/// The headers of an answer that opens a session.
const OPENS: &[&str] = &["Set-Cookie", "RateLimit", "RateLimit-Policy"];
/// The same where a new account comes with it.
const REGISTERS: &[&str] = &["Location", "Set-Cookie", "RateLimit", "RateLimit-Policy"];

/// A group of operations in the document.
pub(super) struct Area {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) operations: Vec<Operation>,
}

/// All areas, in the order in which somebody new would read them.
pub(super) fn all() -> Vec<Area> {
    vec![
        Area {
            name: "Authentication",
            description: "From nobody to a session, and back.",
            operations: signing_in(),
        },
        Area {
            name: "Sessions",
            description: "The devices that a user is signed in with.",
            operations: own_sessions(),
        },
        Area {
            name: "Proxies",
            description: "For proxies in front of other apps.",
            operations: for_proxies(),
        },
        Area {
            name: "Profile",
            description: "What users may see and change about themselves.",
            operations: own_profile(),
        },
        Area {
            name: "Todos",
            description: "What users mean to do. Nobody sees those of another.",
            operations: user_data::of_todos(),
        },
        Area {
            name: "Data",
            description: "JSON documents that a user keeps here, and all that is held about a user.",
            operations: user_data::of_documents(),
        },
        Area {
            name: "Administration",
            description: "What users with the role `admin` may do.",
            operations: administration::operations(),
        },
        Area {
            name: "Server",
            description: "Public keys, health, and this document.",
            operations: server(),
        },
    ]
}

fn signing_in() -> Vec<Operation> {
    let registered = || {
        let description = "The account is made, and this is its first session.";
        Answer::json(201, description, "OpenedSession").with(REGISTERS)
    };
    vec![
        operation(Method::POST, "/api/auth/register", &auth::register)
            .does(
                "Register",
                "Makes an account and opens its first session. Where the setting \
                 `registration` is `closed`, only operators and admins add users.",
            )
            .takes(named("Registration"))
            .answers(registered())
            .may(&[
                Code::RegistrationClosed,
                Code::EmailTaken,
                Code::UsernameTaken,
                Code::CookieNotPossible,
                Code::RateLimited,
            ]),
        operation(Method::POST, "/api/auth/setup", &setup::set_up)
            .does(
                "Make the first admin",
                "Makes the account of the first admin, for the code of the set-up link \
                 that the server shows at its start while there is no admin.",
            )
            .takes(named("FirstAdmin"))
            .answers(registered())
            .may(&[
                Code::SetupRefused,
                Code::EmailTaken,
                Code::UsernameTaken,
                Code::CookieNotPossible,
                Code::RateLimited,
            ]),
        operation(Method::POST, "/api/auth/login", &auth::login)
            .does(
                "Log in",
                "Exchanges a name and a password for a session, always a new one. Unknown, \
                 disabled and deleted users get the same answer as a wrong password.",
            )
            .takes(one_of(&["Login", "LoginByEmail", "LoginByUsername"]))
            .answers(
                Answer::json(
                    200,
                    "A session, in the form that `mode` asks for.",
                    "OpenedSession",
                )
                .with(OPENS),
            )
            .may(&[
                Code::InvalidCredentials,
                Code::CookieNotPossible,
                Code::RateLimited,
            ]),
        operation(Method::POST, "/api/auth/token", &oauth::token)
            .does(
                "Log in or refresh as OAuth 2 has it",
                "The token endpoint of RFC 6749 with the grant types `password` and \
                 `refresh_token`, for clients that were written for any OAuth 2 server. \
                 Its refusals have the form of section 5.2; what stops a request before it \
                 gets there is a problem document, as elsewhere.",
            )
            .takes_form(named("TokenRequest"))
            .answers(
                Answer::json(
                    200,
                    "The token response of RFC 6749 section 5.1.",
                    "TokenResponse",
                )
                .with(&["Pragma", "RateLimit", "RateLimit-Policy"]),
            )
            .answers(
                Answer::json(
                    400,
                    "The grant is not good, or the form is not one.",
                    "OAuthError",
                )
                .with(&["Pragma"]),
            )
            .answers(
                Answer::json(429, "Too many attempts.", "OAuthError").with(&[
                    "Pragma",
                    "Retry-After",
                    "RateLimit",
                    "RateLimit-Policy",
                ]),
            )
            .answers(Answer::json(500, "A fault of the server.", "OAuthError").with(&["Pragma"]))
            .answers(
                Answer::json(503, "The server cannot answer at the moment.", "OAuthError")
                    .with(&["Pragma", "Retry-After"]),
            )
            .answers(
                Answer::json(507, "The server's storage is full.", "OAuthError").with(&["Pragma"]),
            ),
        operation(Method::POST, "/api/auth/refresh", &auth::refresh)
            .does(
                "Refresh",
                "Exchanges a refresh token for a new pair. A token that was used before \
                 ends its session, unless the answer was lost a moment ago. Without a \
                 body, gives an access token for the session of the cookie.",
            )
            .by(Access::AnyoneOrCookie)
            .may_take(named("Refresh"))
            .answers(
                Answer::json(
                    200,
                    "A new pair of tokens; or an access token, for a cookie.",
                    "RefreshedSession",
                )
                .with(&["RateLimit", "RateLimit-Policy"]),
            )
            .may(&[
                Code::MissingToken,
                Code::InvalidToken,
                Code::ExpiredToken,
                Code::RevokedToken,
                Code::RefreshTokenReused,
                Code::RateLimited,
            ]),
        operation(Method::POST, "/api/auth/logout", &auth::logout)
            .does(
                "Log out",
                "Ends the session of whatever proof the request carries: a refresh token \
                 in the body, a bearer token, or the cookie. Nobody is told whether there \
                 was one.",
            )
            .by(Access::AnyoneOrCredential)
            .may_take(named("Logout"))
            .answers(
                Answer::empty(204, "There is no such session any more.").with(&["Set-Cookie"]),
            ),
        operation(Method::GET, "/api/auth/me", &auth::me)
            .does("Who is calling", "The user who makes this request.")
            .by(Access::SignedIn)
            .answers(Answer::json(200, "The user.", "User")),
    ]
}

fn own_sessions() -> Vec<Operation> {
    vec![
        operation(Method::GET, "/api/auth/sessions", &sessions::list_sessions)
            .does(
                "List one's sessions",
                "The open sessions of the caller, the last used first. There are 1,000 at the most: a \
                 login beyond ends 100, those expired or used longest ago.",
            )
            .by(Access::SignedIn)
            .answers(Answer::json(200, "The sessions.", "SessionList")),
        operation(
            Method::DELETE,
            "/api/auth/sessions",
            &sessions::end_other_sessions,
        )
        .does(
            "End all other sessions",
            "Ends every session of the caller but this one.",
        )
        .by(Access::SignedIn)
        .answers(Answer::empty(204, "This session is the only one.")),
        operation(
            Method::DELETE,
            "/api/auth/sessions/{id}",
            &sessions::end_session,
        )
        .does(
            "End a session",
            "Ends one session of the caller, which may be this one.",
        )
        .by(Access::SignedIn)
        .of("The id of a session of the caller.")
        .answers(Answer::empty(204, "It has ended.")),
        operation(
            Method::POST,
            "/api/auth/password",
            &password::change_password,
        )
        .does(
            "Change one's password",
            "Replaces the password, ends every session of the user, and gives this \
                 device a new one of the kind that it had. A wrong current password counts \
                 as a failed login.",
        )
        .by(Access::SignedIn)
        .takes(named("PasswordChange"))
        .answers(Answer::json(200, "The new session.", "OpenedSession").with(OPENS))
        .may(&[Code::InvalidCredentials, Code::RateLimited]),
    ]
}

fn for_proxies() -> Vec<Operation> {
    let whoever = "The visitor is signed in and may have it.";
    let identity = [
        "Remote-User",
        "Remote-Email",
        "Remote-Name",
        "Remote-Groups",
    ];
    vec![
        operation(Method::GET, "/api/auth/forward", &forward::forward)
            .does(
                "Judge a visitor of a proxy",
                "For `auth_request` of nginx, `forward_auth` of Caddy and the like: whether the visitor whose headers \
                 these are may have what they ask the proxy for, and who they are. A session is always needed; \
                 `site.rules` add roles for the path that the proxy names. Any method is answered alike. \
                 `vestibule print` writes the configuration of the proxy.",
            )
            .by(Access::Forwarded)
            .query(
                "from",
                word(["nginx", "caddy", "traefik"]),
                "Which headers name the visitor's request: `X-Original-URL` and `X-Original-Method` of nginx, or \
                 `X-Forwarded-Uri` and `X-Forwarded-Method`. They count from `trusted_proxies` alone.",
            )
            .strict_query("role", shapes::role(), "A role that the visitor has to have.")
            .query("mode", word(["auto"]), "`auto`: whoever opens a page is redirected to log in.")
            .answers(Answer::empty(200, whoever).with(&identity))
            .answers(
                Answer::empty(302, "With `mode=auto`: somebody opens a page and has to log in first.")
                    .with(&["Location"]),
            )
            .answers(
                Answer::empty(401, "Nobody is signed in.").with(&["Location", "WWW-Authenticate"]),
            )
            .answers(Answer::empty(
                403,
                "A role is missing, another origin has sent it, or what is said of the visitor's request is malformed \
                 or comes from no trusted proxy.",
            )),
    ]
}

fn own_profile() -> Vec<Operation> {
    let changes = [
        Code::InvalidCredentials,
        Code::EmailTaken,
        Code::UsernameTaken,
        Code::RateLimited,
    ];
    vec![
        operation(Method::GET, "/api/user/profile", &profile::get_profile)
            .does("See one's profile", "The user who makes this request.")
            .by(Access::SignedIn)
            .answers(Answer::json(200, "The user.", "User")),
        operation(Method::PUT, "/api/user/profile", &profile::replace_profile)
            .does(
                "Replace one's profile",
                "The whole profile anew: a username or name that is left out is none. A \
                 new e-mail address is not verified.",
            )
            .by(Access::SignedIn)
            .takes(named("NewProfile"))
            .answers(Answer::json(200, "The user as changed.", "User"))
            .may(&changes),
        operation(Method::PATCH, "/api/user/profile", &profile::change_profile)
            .does(
                "Change one's profile",
                "Changes the fields that are there; null clears one (RFC 7396). A new \
                 e-mail address is not verified.",
            )
            .by(Access::SignedIn)
            .takes_patch(named("ProfileChange"))
            .answers(Answer::json(200, "The user as changed.", "User"))
            .may(&changes),
        operation(
            Method::POST,
            "/api/user/profile/delete",
            &profile::delete_account,
        )
        .does(
            "Delete one's account",
            "Deletes the account and ends every session of it. An operator or admin \
                 may restore it until the time of `retention.deleted` is over. The last \
                 admin cannot be deleted.",
        )
        .by(Access::SignedIn)
        .takes(named("Proof"))
        .answers(Answer::empty(204, "The account is deleted."))
        .may(&[Code::InvalidCredentials, Code::Conflict, Code::RateLimited]),
    ]
}

fn server() -> Vec<Operation> {
    vec![
        operation(Method::GET, "/.well-known/jwks.json", &auth::jwks)
            .does(
                "Public keys",
                "The keys with which any service checks access tokens (RFC 7517).",
            )
            .answers(Answer {
                content: Some(("application/jwk-set+json", named("JwkSet"))),
                ..Answer::empty(200, "The keys.").with(&["Cache-Control"])
            }),
        operation(Method::GET, "/livez", &health::livez)
            .does(
                "Whether the process lives",
                "Says no more than that it answers.",
            )
            .answers(Answer::json(200, "It answers.", "Live")),
        operation(Method::GET, "/readyz", &health::readyz)
            .does(
                "Whether the server can do its work",
                "Looks at the database and its migrations, and whether the server is going \
                 down. The sentence of a 503 begins with the reason in one word.",
            )
            .answers(Answer::json(200, "It can.", "Ready")),
        operation(Method::GET, "/api/openapi.json", &openapi::get_openapi)
            .does(
                "This document",
                "The description of the API, in OpenAPI 3.1. `/api/docs` shows it as a \
                 page, and `vestibule openapi` prints it.",
            )
            .answers(Answer {
                content: Some(("application/json", anything(&json!({ "openapi": "3.1.0" })))),
                ..Answer::empty(200, "The document.")
            }),
    ]
}
