//! `POST /api/auth/token`: login and refresh in the form of RFC 6749, for Swagger UI and for
//! clients that were written for any OAuth 2 server. There is one client, the installation itself,
//! so that what a request says about clients and scopes is ignored.

use accounts::{Error, Login, Mode, Opened, Proof};
use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode;
use serde::Serialize;
use url::form_urlencoded;

use super::{
    body,
    error::ApiError,
    limit,
    peer::{AccountSeen, ThisPeer},
};
use crate::app::App;

/// The parameters that mean something to us or to other servers. Each may come once; others may
/// come as they like.
const PARAMETERS: [&str; 7] = [
    "grant_type",
    "username",
    "password",
    "refresh_token",
    "scope",
    "client_id",
    "client_secret",
];

/// What a request asks for.
enum Grant {
    /// RFC 6749 section 4.3.
    Password(Login),
    /// RFC 6749 section 6.
    RefreshToken(String),
}

/// `POST /api/auth/token`: exchanges a name and a password, or a refresh token, for tokens.
pub(super) async fn token(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    request: Request,
) -> Response {
    let granted = async {
        let opened = match Grant::of(request).await? {
            Grant::Password(login) => app.accounts().login(login, Mode::Token, &peer).await,
            Grant::RefreshToken(token) => app.accounts().refresh(&token, &peer).await,
        };
        answer(opened.map_err(Refusal::of_rules)?)
    };
    let mut response = granted.await.unwrap_or_else(IntoResponse::into_response);
    // RFC 6749 section 5.1 asks for both; the other one is every answer's.
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::PRAGMA, no_cache);
    response
}

impl Grant {
    async fn of(request: Request) -> Result<Self, Refusal> {
        if !body::is_form(request.headers()) {
            return Err(Refusal::request(
                "Send a form, with the header Content-Type: application/x-www-form-urlencoded.",
            ));
        }
        let mut form = Form::parse(&body::read(request.into_body()).await?)?;
        match form.take("grant_type").as_deref() {
            Some("password") => form.password(),
            // As FastAPI's own form has it: who sends a name and a password means them.
            None if form.has("username") => form.password(),
            Some("refresh_token") => {
                let missing = Refusal::request("The parameter refresh_token is missing.");
                form.take("refresh_token")
                    .map(Self::RefreshToken)
                    .ok_or(missing)
            }
            Some(_) => Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The grant types of this server are password and refresh_token.",
            )),
            None => Err(Refusal::request("The parameter grant_type is missing.")),
        }
    }
}

/// The parameters that were sent with a value.
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn parse(body: &Bytes) -> Result<Self, Refusal> {
        // The parser would put something else in the place of broken letters, and a password must
        // be the one that was typed.
        if percent_decode(body).decode_utf8().is_err() {
            return Err(Refusal::request("The form is not valid UTF-8."));
        }
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            let Some(known) = PARAMETERS.iter().copied().find(|known| *known == name) else {
                continue;
            };
            if seen.iter().any(|(before, _)| *before == known) {
                return Err(Refusal::request("A parameter comes twice."));
            }
            seen.push((known, value.into_owned()));
        }
        // RFC 6749 section 3.2: without a value is the same as left out.
        seen.retain(|(_, value)| !value.is_empty());
        Ok(Self(seen))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.swap_remove(place).1)
    }

    fn password(mut self) -> Result<Grant, Refusal> {
        match (self.take("username"), self.take("password")) {
            (Some(login), Some(password)) => Ok(Grant::Password(Login {
                login,
                password: password.into(),
            })),
            _ => Err(Refusal::request(
                "The parameters username and password are both needed.",
            )),
        }
    }
}

/// The token response of RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
}

fn answer(opened: Opened) -> Result<Response, Refusal> {
    let Proof::Tokens {
        access_token,
        expires_in,
        refresh_token,
        ..
    } = opened.proof
    else {
        let cause = "a session of the token kind was opened with a cookie".to_owned();
        return Err(Refusal::of_rules(Error::Internal(cause)));
    };
    let mut answer = Json(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: expires_in.as_secs(),
        refresh_token,
    })
    .into_response();
    if let Some(quota) = opened.quota {
        limit::tell(&quota, answer.headers_mut());
    }
    answer.extensions_mut().insert(AccountSeen(opened.user.id));
    Ok(answer)
}

/// The error response of RFC 6749 section 5.2.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    /// What else the client is told, as elsewhere.
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct ErrorResponse {
    error: &'static str,
    error_description: &'static str,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self {
            status,
            error,
            description,
            headers: Vec::new(),
        }
    }

    fn request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// In the words of RFC 6749 what `error.rs` says in ours. That one is asked in any case: it
    /// logs the cause of a failure and knows when to try again.
    fn of_rules(error: Error) -> Self {
        let (error_word, description) = words(&error);
        let ours = ApiError::Rules(error).into_response();
        let kept = [
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
        ];
        let headers = kept
            .into_iter()
            .filter_map(|name| Some((name.clone(), ours.headers().get(name)?.clone())))
            .collect();
        let status = match ours.status() {
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => status,
            // 401 is for clients that fail to authenticate, and there are none here.
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            headers,
            ..Self::new(status, error_word, description)
        }
    }
}

fn words(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::InvalidCredentials => ("invalid_grant", "The name or the password is wrong."),
        Error::InvalidToken(_) => ("invalid_grant", "The refresh token is not valid."),
        Error::ExpiredToken => ("invalid_grant", "The refresh token has expired."),
        Error::RevokedToken => ("invalid_grant", "The session has ended."),
        Error::TokenReused => (
            "invalid_grant",
            "This refresh token was used before, so its session has been ended.",
        ),
        Error::Invalid(_) => ("invalid_request", "The password is too long to be one."),
        Error::Limited(_) => (
            "rate_limited",
            "Too many attempts. Try again after the time in the header Retry-After.",
        ),
        Error::Unavailable(_) | Error::StorageFull(_) | Error::ReadOnly => (
            "temporarily_unavailable",
            "The server cannot answer at the moment. Try again shortly.",
        ),
        // Nothing else is said about a login or a refresh.
        _ => ("server_error", "Something went wrong on the server."),
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Rules(error) => Self::of_rules(error),
            ApiError::Malformed(detail) => Self::request(detail),
            _ => Self::request("The request is not of the form that RFC 6749 asks for."),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorResponse {
            error: self.error,
            error_description: self.description,
        };
        let mut answer = (self.status, Json(body)).into_response();
        answer.headers_mut().extend(self.headers);
        answer
    }
}
