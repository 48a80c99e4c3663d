//! `/api/auth`: registration, login, refresh, logout, and who is calling. Also the public keys,
//! with which others check what login gives.

use accounts::{Error, Granted, Login, Mode, Opened, Proof, Registration, Timestamp, User};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    body::{self, JsonObject},
    caller::{Presented, SignedInCaller},
    cookie,
    cors::Sender,
    error::{ApiError, ApiResult},
    forms::Fields,
    limit,
    peer::{AccountSeen, ThisPeer},
};
use crate::app::App;

const MODES: [(&str, Mode); 2] = [("token", Mode::Token), ("cookie", Mode::Cookie)];

/// `POST /api/auth/register`: makes an account and opens its first session.
pub(super) async fn register(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    headers: HeaderMap,
    body: JsonObject,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let registration = registration(&mut fields);
    let mode = mode(&app, &mut fields, &headers)?;
    fields.end()?;
    let opened = app.accounts().register(registration, mode, &peer).await?;
    Ok(registered(&app, opened))
}

/// `POST /api/auth/login`: exchanges a name and a password for a session, always a new one.
pub(super) async fn login(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    headers: HeaderMap,
    body: JsonObject,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let entered = Login {
        login: fields.text_of(&["login", "email", "username"]),
        password: fields.secret("password"),
    };
    let mode = mode(&app, &mut fields, &headers)?;
    fields.end()?;
    let opened = app.accounts().login(entered, mode, &peer).await?;
    Ok(session(&app, opened))
}

/// `POST /api/auth/refresh`: exchanges a refresh token for a new pair; without a body, gives an
/// access token for the session of the cookie.
pub(super) async fn refresh(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let body = body::read(request.into_body()).await?;
    if body.is_empty() {
        let granted = match Presented::of(&app, &headers) {
            Presented::Cookie(value) => app.accounts().refresh_by_cookie(&value, &peer).await?,
            Presented::Nothing => return Err(ApiError::MissingToken),
            Presented::Bearer(_) | Presented::Unusable => {
                return Err(Error::InvalidToken("an access token is not refreshed").into());
            }
        };
        return Ok(access_token(granted));
    }
    let mut fields = Fields::of(body::object(&headers, &body)?);
    let token = fields.text("refresh_token");
    fields.end()?;
    let opened = app.accounts().refresh(&token, &peer).await?;
    Ok(session(&app, opened))
}

/// `POST /api/auth/logout`: ends the session of whatever proof the request carries, in a header
/// or as `{refresh_token}`. Nobody is told whether there was one.
pub(super) async fn logout(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let refresh_token = refresh_token_of(&headers, &body::read(request.into_body()).await?)?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    match (refresh_token, Presented::of(&app, &headers)) {
        (Some(token), _) => app.accounts().logout_refresh_token(&token, &peer).await?,
        (None, Presented::Bearer(token)) => app.accounts().logout_bearer(&token, &peer).await?,
        (None, Presented::Cookie(value)) => {
            app.accounts().logout_cookie(&value, &peer).await?;
            // Only here: a browser that forgot a cookie could no longer end its session.
            let remove = cookie::remove(&app);
            answer.headers_mut().insert(header::SET_COOKIE, remove);
        }
        (None, Presented::Unusable | Presented::Nothing) => {}
    }
    Ok(answer)
}

/// `GET /api/auth/me`: the user who makes this request.
pub(super) async fn me(SignedInCaller(caller): SignedInCaller) -> Json<UserView> {
    Json(UserView::from(caller.user))
}

/// `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517), for any service
/// that wants to check them.
pub(super) async fn jwks(State(app): State<App>) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/jwk-set+json"),
        ),
        // Shorter than the time for which a new key is published before it signs.
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ),
    ];
    (headers, app.accounts().jwks().to_string()).into_response()
}

/// A user as the API shows it.
#[derive(Serialize)]
pub(super) struct UserView {
    id: Uuid,
    email: String,
    username: Option<String>,
    name: Option<String>,
    roles: Vec<String>,
    email_verified: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            username: user.username,
            name: user.name,
            roles: user.roles.into_iter().collect(),
            email_verified: user.email_verified,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// The answer that opens a session, in the token form.
#[derive(Serialize)]
struct TokenSession {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    refresh_expires_in: u64,
    user: UserView,
}

/// The answer to a page that holds the access token in memory and the session in a cookie.
#[derive(Serialize)]
struct AccessToken {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    user: UserView,
}

/// The answer that opens a session, in the cookie form.
#[derive(Serialize)]
struct CookieSession {
    user: UserView,
    expires_in: u64,
}

/// What somebody enters to get an account.
pub(super) fn registration(fields: &mut Fields) -> Registration {
    Registration {
        email: fields.text("email"),
        password: fields.secret("password"),
        username: fields.optional_text("username"),
        name: fields.optional_text("name"),
    }
}

/// The answer to somebody who has an account now.
pub(super) fn registered(app: &App, opened: Opened) -> Response {
    let location = [(header::LOCATION, "/api/user/profile")];
    (StatusCode::CREATED, location, session(app, opened)).into_response()
}

/// The kind of session asked for. A page of another site is not offered a cookie, which its browser
/// would never send.
pub(super) fn mode(app: &App, fields: &mut Fields, headers: &HeaderMap) -> ApiResult<Mode> {
    match fields.choice("mode", &MODES) {
        Mode::Cookie if Sender::of(headers).is_cross_site(app) => Err(ApiError::CookieNotPossible),
        mode => Ok(mode),
    }
}

fn access_token(granted: Granted) -> Response {
    let account = AccountSeen(granted.user.id);
    let mut answer = Json(AccessToken {
        access_token: granted.access_token,
        token_type: "Bearer",
        expires_in: granted.expires_in.as_secs(),
        user: UserView::from(granted.user),
    })
    .into_response();
    if let Some(quota) = granted.quota {
        limit::tell(&quota, answer.headers_mut());
    }
    answer.extensions_mut().insert(account);
    answer
}

/// What a device gets of a session that was opened or refreshed.
pub(super) fn session(app: &App, opened: Opened) -> Response {
    let account = AccountSeen(opened.user.id);
    let user = UserView::from(opened.user);
    let quota = opened.quota;
    let mut answer = match opened.proof {
        Proof::Tokens {
            access_token,
            expires_in,
            refresh_token,
            refresh_expires_in,
        } => Json(TokenSession {
            access_token,
            token_type: "Bearer",
            expires_in: expires_in.as_secs(),
            refresh_token,
            refresh_expires_in: refresh_expires_in.as_secs(),
            user,
        })
        .into_response(),
        Proof::Cookie { value, expires_in } => {
            let set = [(header::SET_COOKIE, cookie::set(app, value, expires_in))];
            (
                set,
                Json(CookieSession {
                    user,
                    expires_in: expires_in.as_secs(),
                }),
            )
                .into_response()
        }
    };
    if let Some(quota) = quota {
        limit::tell(&quota, answer.headers_mut());
    }
    answer.extensions_mut().insert(account);
    answer
}

/// The token in the body of a logout, which may also be empty.
fn refresh_token_of(headers: &HeaderMap, body: &axum::body::Bytes) -> ApiResult<Option<String>> {
    if body.is_empty() {
        return Ok(None);
    }
    let mut fields = Fields::of(body::object(headers, body)?);
    let token = fields.optional_text("refresh_token");
    fields.end()?;
    Ok(token)
}
