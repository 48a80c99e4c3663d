//! Forward authentication: a proxy in front of somebody's app asks here, before each request, who sends it and whether
//! they may. The headers of the answer say who; what they hold is left to `site/identity.rs`, the rules for paths to
//! `site/rules.rs`.

use accounts::{Caller, Role};
use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    caller::Presented,
    csrf,
    error::{self, ApiError},
    peer,
    query::Query,
    site::{allows, login_header},
};
use crate::{
    app::App,
    site::{SitePath, identity::Identity, is_page_visit},
};

/// `/api/auth/forward`, by any method: 200 with the four headers for whoever may, else 401 or 403. Neither these nor
/// the redirect of a page visit have a body; what is no answer about the visitor is a problem document, as everywhere.
pub(super) async fn forward(State(app): State<App>, query: Query, request: Request) -> Response {
    match Question::read(query, &app, &request) {
        Ok(question) => question.answer(&app, request.headers()).await,
        Err(NoQuestion::Misused(error)) => error.into_response(),
        Err(NoQuestion::Refused(reason)) => refused(reason),
    }
}

/// 403, whose reason is for the log.
fn refused(reason: &'static str) -> Response {
    tracing::info!(
        event.reason = reason,
        "A forward-auth request was refused: {reason}"
    );
    StatusCode::FORBIDDEN.into_response()
}

/// Which family of headers counts. The other one may be the visitor's own, so it is never read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proxy {
    Nginx,
    CaddyOrTraefik,
}

impl Proxy {
    const ALL: [Self; 2] = [Self::Nginx, Self::CaddyOrTraefik];

    /// The headers with the address and the method of the visitor's request.
    fn headers(self) -> [HeaderName; 2] {
        match self {
            Self::Nginx => ["x-original-url", "x-original-method"],
            Self::CaddyOrTraefik => ["x-forwarded-uri", "x-forwarded-method"],
        }
        .map(HeaderName::from_static)
    }
}

/// What a proxy wants to know.
struct Question {
    /// What the visitor asked the proxy for, if that is said.
    target: Option<Target>,
    /// The method of the visitor's request.
    method: Method,
    /// A role that the visitor has to have, whatever the rules say.
    role: Option<Role>,
    /// Whether somebody who opens a page is sent to log in by this very answer.
    redirects: bool,
}

/// The target of the visitor's request.
struct Target {
    path: SitePath,
    query: Option<String>,
}

/// Why there is nothing to answer.
enum NoQuestion {
    /// The query is wrong, which whoever set up the proxy has to know.
    Misused(ApiError),
    /// What is told of the visitor's request cannot be taken, for this reason.
    Refused(&'static str),
}

impl Question {
    fn read(mut query: Query, app: &App, request: &Request) -> Result<Self, NoQuestion> {
        let proxy = query.value("from", proxy_named, "not_a_choice", EXPECTED_PROXY);
        let role = query.demanded_role();
        let mode = query.value("mode", mode_named, "not_a_choice", "Send auto, or no mode.");
        query.end().map_err(NoQuestion::Misused)?;
        let headers = request.headers();
        let told = told_by(proxy, headers, request.extensions(), app);
        let (target, method) = match told.map_err(NoQuestion::Refused)? {
            Some((target, method)) => (Some(target), method),
            None => (None, request.method().clone()),
        };
        Ok(Self {
            target,
            method,
            role,
            redirects: mode.is_some(),
        })
    }

    async fn answer(&self, app: &App, headers: &HeaderMap) -> Response {
        let presented = Presented::of(app, headers);
        if csrf::is_foreign(app, &self.method, headers, &presented) {
            return refused("a page of another origin has sent it");
        }
        match presented.caller(app.accounts()).await {
            Ok(caller) if self.admits(app, &caller) => {
                let identity = Identity::of(&caller.user, &app.config().site);
                identity.headers().into_response()
            }
            Ok(_) => refused("the visitor lacks the role"),
            Err(refusal) if refusal.is_about_the_credential() => self.to_login(headers, refusal),
            // Nobody knows who asks: nothing is shown, and nobody is asked to log in again.
            Err(failure) => failure.into_response(),
        }
    }

    /// Whether somebody who is signed in may have it. That they are is always needed, so that a rule by which a path
    /// is public takes nothing away.
    fn admits(&self, app: &App, caller: &Caller) -> bool {
        let by_rules = self.target.as_ref().is_none_or(|target| {
            let access = app.config().site.rules.access(&target.path);
            allows(&access, caller)
        });
        let by_role = self
            .role
            .as_ref()
            .is_none_or(|role| caller.user.roles.contains(role.as_str()));
        by_rules && by_role
    }

    /// 401 that names the place to log in, or for a page visit, where the proxy has asked for that, the way there.
    fn to_login(&self, headers: &HeaderMap, refusal: ApiError) -> Response {
        let asked = self.target.as_ref().map(Target::path_and_query);
        let location = login_header(asked.as_deref().unwrap_or_default());
        if self.redirects && is_page_visit(&self.method, headers) {
            return (StatusCode::FOUND, [location]).into_response();
        }
        let answer = (StatusCode::UNAUTHORIZED, [location]).into_response();
        let mut refusal = refusal.into_response();
        match refusal.headers_mut().remove(header::WWW_AUTHENTICATE) {
            Some(challenge) => error::with(answer, header::WWW_AUTHENTICATE, challenge),
            None => answer,
        }
    }
}

impl Target {
    /// Reads an address as a visitor sent it: a path, or a URL whose host is not looked at. None where a proxy, an app
    /// and we could read it in different ways.
    fn parse(address: &str) -> Option<Self> {
        let target = match address.split_once("://") {
            Some(("http" | "https", rest)) => &rest[rest.find(['/', '?', '#', '\\'])?..],
            _ => address,
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let is_ambiguous = |letter: char| letter == '#' || letter.is_control();
        if query.is_some_and(|query| query.contains(is_ambiguous)) {
            return None;
        }
        Some(Self {
            path: SitePath::parse_for_app(path).ok()?,
            query: query.map(str::to_owned),
        })
    }

    fn path_and_query(&self) -> String {
        let path = self.path.encoded();
        match &self.query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        }
    }
}

const EXPECTED_PROXY: &str = "Send nginx, caddy or traefik.";

fn proxy_named(name: &str) -> Option<Proxy> {
    match name {
        "nginx" => Some(Proxy::Nginx),
        "caddy" | "traefik" => Some(Proxy::CaddyOrTraefik),
        _ => None,
    }
}

fn mode_named(name: &str) -> Option<()> {
    (name == "auto").then_some(())
}

/// Target and method of the visitor's request, if the proxy tells them.
fn told_by(
    proxy: Option<Proxy>,
    headers: &HeaderMap,
    extensions: &Extensions,
    app: &App,
) -> Result<Option<(Target, Method)>, &'static str> {
    let Some(proxy) = proxy else {
        // Whoever sends them means them to be judged, and it is not said which may be believed.
        let names = Proxy::ALL.map(Proxy::headers).concat();
        return match names.iter().any(|name| headers.contains_key(name)) {
            true => Err("it tells of another request, and its query has no `from`"),
            false => Ok(None),
        };
    };
    let [url, method] = proxy.headers();
    let (url, method) = (single(headers, &url)?, single(headers, &method)?);
    if url.is_none() && method.is_none() {
        return Ok(None);
    }
    if !peer::is_trusted_proxy(app, extensions) {
        return Err("it tells of another request, and comes from none of the trusted_proxies");
    }
    let (Some(url), Some(method)) = (url, method) else {
        return Err("it names an address without a method, or the other way round");
    };
    let target = Target::parse(url).ok_or("the address that it names is malformed or ambiguous")?;
    let method = method
        .parse()
        .map_err(|_| "the method that it names is none")?;
    Ok(Some((target, method)))
}

/// The one value of a header.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let value = values
        .next()
        .map(|value| std::str::from_utf8(value.as_bytes()));
    match (value, values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        (Some(_), _) => Err("a header about the visitor's request comes twice or is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Option<String> {
        Target::parse(address).map(|target| target.path_and_query())
    }

    #[test]
    fn an_address_is_a_path_or_a_url_whose_host_is_not_looked_at() {
        for (address, target) in [
            ("/", "/"),
            ("/reports/?year=2026&q=a%2Fb", "/reports/?year=2026&q=a%2Fb"),
            ("https://example.org/reports", "/reports"),
            ("http://[::1]:8080/a%20b?", "/a%20b?"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/go?to=https://example.org/", "/go?to=https://example.org/"),
        ] {
            assert_eq!(read(address).as_deref(), Some(target), "{address}");
        }
    }

    #[test]
    fn what_two_programs_could_read_differently_is_no_address() {
        for address in [
            "",
            "*",
            "reports",
            "example.org:443",
            "//evil.example/",
            "https://example.org",
            "https://example.org//evil.example/",
            "https://example.org\\@evil.example/",
            "https://example.org?a=b",
            "ftp://example.org/",
            "javascript:alert(1)",
            "/a//b",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%00",
            "/a%",
            "/%2561",
            "/%ff",
            "/.env",
            "/a#b",
            "/a?b#c",
            "/a?b\r\nc",
        ] {
            assert_eq!(read(address), None, "{address:?}");
        }
    }
}
