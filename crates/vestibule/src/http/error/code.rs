//! The codes of problems: the stable words by which clients tell them apart, each with its one status. What an
//! answer says in a given case is left to `error.rs`; which operation may give which, to `openapi`.

use axum::http::StatusCode;

/// The code of a problem. No answer is written with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::http) enum Code {
    MalformedRequest,
    InvalidCredentials,
    MissingToken,
    InvalidToken,
    ExpiredToken,
    RevokedToken,
    RefreshTokenReused,
    Forbidden,
    CrossOriginRefused,
    RegistrationClosed,
    SetupRefused,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    EmailTaken,
    UsernameTaken,
    Conflict,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    CookieNotPossible,
    RateLimited,
    HeadersTooLarge,
    InternalError,
    BadGateway,
    Unavailable,
    GatewayTimeout,
    StorageFull,
}

impl Code {
    /// All that the API gives, in the order of their status. Those about an app behind the gate belong to the site.
    pub(in crate::http) const OF_API: [Self; 27] = [
        Self::MalformedRequest,
        Self::InvalidCredentials,
        Self::MissingToken,
        Self::InvalidToken,
        Self::ExpiredToken,
        Self::RevokedToken,
        Self::RefreshTokenReused,
        Self::Forbidden,
        Self::CrossOriginRefused,
        Self::RegistrationClosed,
        Self::SetupRefused,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::EmailTaken,
        Self::UsernameTaken,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
        Self::CookieNotPossible,
        Self::RateLimited,
        Self::HeadersTooLarge,
        Self::InternalError,
        Self::Unavailable,
        Self::StorageFull,
    ];

    /// The word itself.
    pub(in crate::http) fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The status of each answer that bears it.
    pub(in crate::http) fn status(self) -> StatusCode {
        self.row().0
    }

    /// What it tells a client, in a sentence.
    pub(in crate::http) fn meaning(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedRequest => (
                S::BAD_REQUEST,
                "malformed_request",
                "The request is not of the form that the protocol asks for: no JSON, a key \
                 twice, an unknown parameter.",
            ),
            Self::InvalidCredentials => (
                S::UNAUTHORIZED,
                "invalid_credentials",
                "The name or the password is wrong.",
            ),
            Self::MissingToken => (
                S::UNAUTHORIZED,
                "missing_token",
                "Neither an access token nor a session cookie came along.",
            ),
            Self::InvalidToken => (
                S::UNAUTHORIZED,
                "invalid_token",
                "The token or cookie is not valid.",
            ),
            Self::ExpiredToken => (
                S::UNAUTHORIZED,
                "expired_token",
                "The token has expired. Refresh it, or log in again.",
            ),
            Self::RevokedToken => (
                S::UNAUTHORIZED,
                "revoked_token",
                "The session has ended. Log in again.",
            ),
            Self::RefreshTokenReused => (
                S::UNAUTHORIZED,
                "refresh_token_reused",
                "The refresh token was used before, so its session has been ended.",
            ),
            Self::Forbidden => (
                S::FORBIDDEN,
                "forbidden",
                "The account lacks the role for this.",
            ),
            Self::CrossOriginRefused => (
                S::FORBIDDEN,
                "cross_origin_refused",
                "A page of another origin made the browser send this.",
            ),
            Self::RegistrationClosed => (
                S::FORBIDDEN,
                "registration_closed",
                "Only operators and admins add users.",
            ),
            Self::SetupRefused => (
                S::FORBIDDEN,
                "setup_refused",
                "The set-up link is not good any more, or there is an admin by now.",
            ),
            Self::NotFound => (
                S::NOT_FOUND,
                "not_found",
                "There is nothing here, or nothing of the caller's.",
            ),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The path does not take this method; see the header Allow.",
            ),
            Self::RequestTimeout => (
                S::REQUEST_TIMEOUT,
                "request_timeout",
                "The head or the body of the request did not arrive in time.",
            ),
            Self::EmailTaken => (
                S::CONFLICT,
                "email_taken",
                "Another account has the e-mail address.",
            ),
            Self::UsernameTaken => (
                S::CONFLICT,
                "username_taken",
                "Another account has the username.",
            ),
            Self::Conflict => (
                S::CONFLICT,
                "conflict",
                "The account is not in a state for this.",
            ),
            Self::PreconditionFailed => (
                S::PRECONDITION_FAILED,
                "precondition_failed",
                "It has changed since it was read, or is there already. Read it anew and try again.",
            ),
            Self::PayloadTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "The body is larger than this route reads.",
            ),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body is of another media type than this route reads.",
            ),
            Self::ValidationFailed => (
                S::UNPROCESSABLE_ENTITY,
                "validation_failed",
                "Some fields are not acceptable; each is named in errors.",
            ),
            Self::CookieNotPossible => (
                S::UNPROCESSABLE_ENTITY,
                "cookie_not_possible",
                "A page of another site cannot use a session cookie. Ask for mode \"token\".",
            ),
            Self::RateLimited => (
                S::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many attempts. Try again after the time in the header Retry-After.",
            ),
            Self::HeadersTooLarge => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers_too_large",
                "The request line and headers are larger than the server reads.",
            ),
            Self::InternalError => (
                S::INTERNAL_SERVER_ERROR,
                "internal_error",
                "A fault of the server, whose log has the cause under the request id.",
            ),
            Self::Unavailable => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "The server cannot answer at the moment, or is read-only. Try again after \
                 the time in Retry-After.",
            ),
            Self::BadGateway => (
                S::BAD_GATEWAY,
                "bad_gateway",
                "The app behind the gate cannot be reached, or gave no answer that could be passed on.",
            ),
            Self::GatewayTimeout => (
                S::GATEWAY_TIMEOUT,
                "gateway_timeout",
                "The app behind the gate did not answer in time.",
            ),
            Self::StorageFull => (
                S::INSUFFICIENT_STORAGE,
                "storage_full",
                "The server's storage is full.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_another_word() {
        let words: BTreeSet<_> = Code::OF_API.into_iter().map(Code::as_str).collect();
        assert_eq!(words.len(), Code::OF_API.len());
    }

    #[test]
    fn codes_stand_in_the_order_of_their_status() {
        let order: BTreeSet<_> = Code::OF_API.into_iter().collect();
        let in_order: Vec<_> = order.into_iter().collect();
        assert_eq!(in_order, Code::OF_API);
        assert!(Code::OF_API.is_sorted_by_key(|code| code.status()));
    }
}
