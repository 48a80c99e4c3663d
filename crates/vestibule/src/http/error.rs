//! The one translation of refusals into answers: status, code, sentence (RFC 9457). The cause of
//! a failure goes to the log, here and nowhere else, and never to the client.

mod code;

use accounts::{Error, FieldError};
use axum::{
    Json,
    http::{HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub(in crate::http) use code::Code;

use super::limit;
use crate::serve::RETRY_AFTER;

/// The same while the operator has made the server read-only, which takes longer to pass.
const RETRY_AFTER_MAINTENANCE: HeaderValue = HeaderValue::from_static("60");

/// The answer of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// Why a request got no other answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The rules say no, or could not say anything.
    Rules(Error),
    /// The request is not of the form that the protocol asks for.
    Malformed(&'static str),
    /// The query has a parameter that the route does not take.
    UnknownParameter {
        /// Its name, or as much of it as is shown.
        name: String,
        /// The names of those that it does take.
        known: Vec<&'static str>,
    },
    /// The body is of another type than JSON.
    UnsupportedMediaType,
    /// A credential is needed and none came.
    MissingToken,
    /// A page of another origin made the browser send this.
    CrossOrigin {
        /// The origin that the browser named, if it did.
        received: Option<String>,
    },
    /// The caller lacks the role.
    Forbidden,
    /// A cookie was asked for by a page that could not use it.
    CookieNotPossible,
}

impl ApiError {
    /// Whether another credential could help, rather than another time.
    pub(crate) fn is_about_the_credential(&self) -> bool {
        matches!(
            self,
            Self::MissingToken
                | Self::Rules(Error::InvalidToken(_) | Error::ExpiredToken | Error::RevokedToken)
        )
    }
}

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self::Rules(error.into())
    }
}

/// A problem document.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// An answer with a problem document, which no cache may keep, whichever layer gave it.
pub(in crate::http) fn problem(code: Code, detail: &str) -> Response {
    problem_with(code, detail, &[])
}

fn problem_with(code: Code, detail: &str, errors: &[FieldError]) -> Response {
    let status = code.status();
    let title = status.canonical_reason().unwrap_or("Error");
    let document = Problem {
        r#type: "about:blank",
        title,
        status: status.as_u16(),
        detail,
        code: code.as_str(),
        errors,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Json(document)).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Rules(error) => refusal(error),
            Self::Malformed(detail) => problem(Code::MalformedRequest, detail),
            Self::UnknownParameter { name, known } => problem(
                Code::MalformedRequest,
                &format!(
                    "The query has a parameter \"{name}\", which is none of this route's: {}.",
                    known.join(", ")
                ),
            ),
            Self::UnsupportedMediaType => problem(
                Code::UnsupportedMediaType,
                "Send JSON, with the header Content-Type: application/json.",
            ),
            Self::MissingToken => challenge(
                Code::MissingToken,
                "Send an access token in the header Authorization: Bearer, or the session cookie.",
                "Bearer realm=\"vestibule\"",
            ),
            Self::CrossOrigin { received } => problem(
                Code::CrossOriginRefused,
                &cross_origin_detail(received.as_deref()),
            ),
            Self::CookieNotPossible => problem(
                Code::CookieNotPossible,
                "A page of another site cannot use a session cookie. Ask for mode \"token\".",
            ),
            Self::Forbidden => forbidden(),
        }
    }
}

fn refusal(error: Error) -> Response {
    match error {
        Error::Invalid(errors) => problem_with(
            Code::ValidationFailed,
            "Some fields are not acceptable; see errors.",
            &errors,
        ),
        Error::InvalidCredentials => challenge(
            Code::InvalidCredentials,
            "The name or the password is wrong.",
            "Bearer realm=\"vestibule\"",
        ),
        Error::InvalidToken(reason) => {
            tracing::debug!(event.reason = reason, "A token was refused: {reason}");
            refused_token(
                Code::InvalidToken,
                "The token or cookie is not valid. Log in again.",
            )
        }
        Error::ExpiredToken => refused_token(
            Code::ExpiredToken,
            "The token has expired. Refresh it, or log in again.",
        ),
        Error::RevokedToken => {
            refused_token(Code::RevokedToken, "The session has ended. Log in again.")
        }
        Error::TokenReused => refused_token(
            Code::RefreshTokenReused,
            "This refresh token was used before, so its session has been ended. Log in again.",
        ),
        Error::EmailTaken => taken(
            Code::EmailTaken,
            "email",
            "An account with this e-mail address exists.",
        ),
        Error::UsernameTaken => taken(
            Code::UsernameTaken,
            "username",
            "This username is taken. Choose another.",
        ),
        Error::RegistrationClosed => problem(
            Code::RegistrationClosed,
            "Registration is closed. Ask the operator of this site for an account.",
        ),
        Error::SetupRefused => problem(
            Code::SetupRefused,
            "This set-up link is not good any more, or there is an admin by now. Restart the server for a new \
             link, or run: vestibule user add EMAIL --role admin",
        ),
        Error::Limited(limited) => limit::answer(&limited),
        Error::NoSuchUser | Error::NoSuchSession | Error::NoSuchTodo | Error::NoSuchDocument => {
            not_found()
        }
        Error::UnexpectedVersion => problem(
            Code::PreconditionFailed,
            "This is not in a version that If-Match or If-None-Match asks for. Read it again before you change it.",
        ),
        Error::DocumentTooLarge => problem(
            Code::PayloadTooLarge,
            "A document has 65,536 bytes at the most.",
        ),
        Error::NotAdmin => forbidden(),
        Error::UserDeleted => conflict("This user is deleted. Restore the account first."),
        Error::UserPurging => conflict(
            "The time to restore this account is over, and what belonged to it is being removed.",
        ),
        Error::LastAdmin => {
            conflict("The last admin can be neither demoted, disabled nor deleted.")
        }
        Error::Ambiguous(_) => conflict("Several accounts could be meant. Name one by its id."),
        Error::Unavailable(cause) => {
            tracing::error!(
                error.message = cause,
                "A request could not be answered: {cause}"
            );
            unavailable("The server cannot answer at the moment. Try again shortly.")
        }
        Error::ReadOnly => with(
            unavailable(
                "The server is read-only at the moment, so nothing can be changed. Try again later.",
            ),
            header::RETRY_AFTER,
            RETRY_AFTER_MAINTENANCE,
        ),
        Error::StorageFull(cause) => {
            tracing::error!(error.message = cause, "The storage is full: {cause}");
            problem(Code::StorageFull, "The server's storage is full.")
        }
        Error::Internal(cause) => {
            tracing::error!(error.message = cause, "A request failed: {cause}");
            problem(
                Code::InternalError,
                "Something went wrong on the server. The request id helps its operator to find out what.",
            )
        }
    }
}

fn forbidden() -> Response {
    problem(Code::Forbidden, "Your account lacks the role for this.")
}

/// 503 with `Retry-After`.
pub(crate) fn unavailable(detail: &str) -> Response {
    with(
        problem(Code::Unavailable, detail),
        header::RETRY_AFTER,
        HeaderValue::from_static(RETRY_AFTER),
    )
}

/// The one answer for what does not exist and what is not the caller's to know.
pub(crate) fn not_found() -> Response {
    problem(Code::NotFound, "There is nothing here.")
}

/// A path under `/api` that is no route.
pub(super) async fn unknown_route(uri: Uri) -> Response {
    match uri.path().ends_with('/') {
        true => problem(
            Code::NotFound,
            "There is nothing here. No path of the API ends with a slash.",
        ),
        false => not_found(),
    }
}

/// A known path with another method. The router adds `Allow`.
pub(super) async fn method_not_allowed(uri: Uri) -> Response {
    let detail = format!(
        "{} does not take this method; see the header Allow.",
        uri.path()
    );
    problem(Code::MethodNotAllowed, &detail)
}

/// 401 with the challenge of RFC 6750 section 3.
fn challenge(code: Code, detail: &str, challenge: &'static str) -> Response {
    with(
        problem(code, detail),
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

/// The same for a credential that came and is not good (RFC 6750 section 3.1).
fn refused_token(code: Code, detail: &str) -> Response {
    let error = "Bearer realm=\"vestibule\", error=\"invalid_token\"";
    challenge(code, detail, error)
}

/// The account is not in a state for this.
fn conflict(detail: &str) -> Response {
    problem(Code::Conflict, detail)
}

fn taken(code: Code, field: &'static str, sentence: &'static str) -> Response {
    let errors = [FieldError {
        field: field.into(),
        code: "taken",
        message: sentence.into(),
    }];
    problem_with(code, sentence, &errors)
}

/// The answer with one more header.
pub(super) fn with(mut answer: Response, name: HeaderName, value: HeaderValue) -> Response {
    answer.headers_mut().insert(name, value);
    answer
}

fn cross_origin_detail(received: Option<&str>) -> String {
    match received {
        Some(origin) => format!(
            "This request came from the origin {origin}, which is not the server's. If it is one of \
             yours, set public_url to it, or add it to cors.origins."
        ),
        None => {
            "This request comes with a session cookie or from another site, and does not name its \
             origin. Send it from a page of this server, or with an access token and no cookie."
                .to_owned()
        }
    }
}
