//! `vestibule doctor --url URL`: what visitors meet at a server that runs, with all that stands before it. It needs
//! nothing of the server but its address, and an account of it to look further.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    Finding, fail, ok,
    visitor::{Asked, Seen, Visitor},
    warn,
};
use crate::client_addresses::is_inside;

/// A host that is nobody's (RFC 6761, 6.4).
const STRANGER: &str = "vestibule-doctor.invalid";
const FOREIGN_ORIGIN: &str = "https://vestibule-doctor.invalid";
/// An address that is nobody's (RFC 5737).
const FORGED_ADDRESS: &str = "203.0.113.77";
/// How a browser asks when somebody opens a page, and when a script does.
const PAGE_VISIT: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
const SCRIPT: [(&str, &str); 2] = [("sec-fetch-mode", "cors"), ("accept", "application/json")];

/// What is known of the server beside its address.
pub(super) struct Known {
    /// A path that needs a login.
    pub(super) protected: Option<String>,
    /// An account of it.
    pub(super) account: Option<(String, SecretString)>,
}

/// Whether to go on, and with what.
type Looked = Result<Finding, Finding>;

/// Goes through all of it. Where nobody answers, that is all there is to say.
pub(super) async fn findings(visitor: &Visitor, known: Known) -> Vec<Finding> {
    let mut findings = match reach(visitor).await {
        Ok(found) => vec![found],
        Err(failed) => return vec![failed],
    };
    findings.push(ready(visitor).await);
    findings.extend(encryption(visitor).await);
    findings.push(own_address(visitor).await);
    findings.push(other_origins(visitor).await);
    findings.push(forwarded_host(visitor).await);
    findings.push(metrics(visitor).await);
    if let Some(path) = &known.protected {
        findings.extend(protected(visitor, path).await);
    }
    if let Some((login, password)) = &known.account {
        findings.extend(signed_in(visitor, login, password).await);
    }
    findings
}

/// Whether Vestibule answers there, and refuses whoever has no credential.
async fn reach(visitor: &Visitor) -> Looked {
    let url = visitor.server();
    let seen = match visitor.ask("/api/auth/me", Asked::get(&SCRIPT)).await {
        Ok(seen) => seen,
        Err(reason) => {
            let fix = "look at the name, the certificate, the firewall and whether the server runs";
            return Err(fail(
                "reach",
                format!("{url}: {reason}"),
                Some(fix.to_owned()),
            ));
        }
    };
    let status = seen.status;
    if status != 401 || seen.code().as_deref() != Some("missing_token") {
        let fix = "have the proxy pass every path below /api to Vestibule";
        let found = format!("{url}: /api/auth/me is answered {status}, and not by Vestibule");
        return Err(fail("reach", found, Some(fix.to_owned())));
    }
    let is_kept = seen
        .header("cache-control")
        .is_none_or(|rule| !rule.contains("no-store"));
    if is_kept {
        let fix = "have the proxy leave Cache-Control as it is, and cache nothing below /api";
        let found = format!("{url}: an answer of the API may be kept by caches on the way");
        return Err(fail("reach", found, Some(fix.to_owned())));
    }
    Ok(ok("reach", format!("Vestibule answers at {url}")))
}

async fn ready(visitor: &Visitor) -> Finding {
    match visitor.ask("/readyz", Asked::get(&[])).await {
        Ok(seen) if seen.status == 200 => ok("ready", "it can serve".to_owned()),
        Ok(seen) => fail(
            "ready",
            format!("/readyz is answered {}: {}", seen.status, text(&seen)),
            Some("run `vestibule doctor` where the server runs".to_owned()),
        ),
        Err(reason) => fail("ready", reason, None),
    }
}

/// Passwords travel to this server.
async fn encryption(visitor: &Visitor) -> Vec<Finding> {
    let server = visitor.server();
    if !server.is_https() {
        let is_local = is_of_this_machine(server.host());
        let found = format!("{server} is not https");
        let fix =
            "set tls.cert and tls.key, or put TLS in front, and public_url to the https address";
        return vec![match is_local {
            true => ok("encryption", format!("{found}, and is this machine")),
            false => fail(
                "encryption",
                format!("{found}: passwords and cookies travel in the clear"),
                Some(fix.to_owned()),
            ),
        }];
    }
    let mut findings = Vec::new();
    let page = visitor.ask("/login", Asked::get(&PAGE_VISIT)).await;
    findings.push(match page {
        Ok(seen) if seen.headers.contains_key("strict-transport-security") => ok(
            "encryption",
            "TLS with a certificate that is believed, and HSTS".to_owned(),
        ),
        Ok(_) => fail(
            "encryption",
            "there is TLS and no HSTS: Vestibule does not know that browsers reach it by https"
                .to_owned(),
            Some(format!(
                "set public_url to {server}, and have the proxy leave the header as it is"
            )),
        ),
        Err(reason) => fail("encryption", reason, None),
    });
    if server.port() == 443 {
        findings.push(plain_http(visitor).await);
    }
    findings
}

/// What whoever forgets the s of https meets.
async fn plain_http(visitor: &Visitor) -> Finding {
    let seen = match visitor.ask_in_the_clear("/login").await {
        Ok(seen) => seen,
        Err(_nobody) => return ok("plain http", "nobody answers on port 80".to_owned()),
    };
    let to = seen.header("location").unwrap_or_default();
    if seen.is_redirection() && to.starts_with(&format!("{}/", visitor.server())) {
        return ok("plain http", "is sent on to https".to_owned());
    }
    fail(
        "plain http",
        format!(
            "http://{}/login is answered {}",
            visitor.server().host(),
            seen.status
        ),
        Some("have whatever listens on port 80 redirect to https (https_redirect does)".to_owned()),
    )
}

/// Whether the server takes this address for its own: by it cookies are secure, and our own pages are told from others.
/// An empty login counts against nobody, as it is refused before anything is looked up.
async fn own_address(visitor: &Visitor) -> Finding {
    let server = visitor.server();
    match empty_login(visitor, server.as_str()).await {
        Ok(seen) if seen.status == 422 => ok("public_url", format!("pages of {server} may log in")),
        Ok(seen) if seen.code().as_deref() == Some("cross_origin_refused") => fail(
            "public_url",
            format!("the server takes {server} for somebody else's: no page of it can log in"),
            Some(format!("set public_url to {server}")),
        ),
        Ok(seen) => unexpected("public_url", "a login", &seen),
        Err(reason) => fail("public_url", reason, None),
    }
}

async fn other_origins(visitor: &Visitor) -> Finding {
    match empty_login(visitor, FOREIGN_ORIGIN).await {
        Ok(seen) if seen.code().as_deref() == Some("cross_origin_refused") => {
            ok("other origins", "cannot log in".to_owned())
        }
        Ok(seen) => fail(
            "other origins",
            format!(
                "a login by a page of {FOREIGN_ORIGIN} is answered {}",
                seen.status
            ),
            Some("have the proxy leave the header Origin as it is".to_owned()),
        ),
        Err(reason) => fail("other origins", reason, None),
    }
}

async fn empty_login(visitor: &Visitor, origin: &str) -> Result<Seen, String> {
    let headers = [("origin", origin)];
    visitor
        .ask("/api/auth/login", Asked::post(&headers, json!({})))
        .await
}

/// Whether a visitor can have the server believe that it is called otherwise.
async fn forwarded_host(visitor: &Visitor) -> Finding {
    let forged = [
        ("x-forwarded-host", STRANGER),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=vestibule-doctor.invalid;proto=http"),
    ];
    for path in ["/login", "/api/openapi.json"] {
        let seen = match visitor.ask(path, Asked::get(&forged)).await {
            Ok(seen) => seen,
            Err(reason) => return fail("forged host", reason, None),
        };
        let mut values = seen.headers.values();
        let is_named = values.any(|value| contains(value.as_bytes(), STRANGER));
        if is_named || contains(&seen.body, STRANGER) {
            return fail(
                "forged host",
                format!("{path} repeats the host that a visitor made up"),
                Some("have the proxy make no address of X-Forwarded-Host".to_owned()),
            );
        }
    }
    ok("forged host", "is not repeated".to_owned())
}

/// Figures of the server are for its operator.
async fn metrics(visitor: &Visitor) -> Finding {
    match visitor.ask("/metrics", Asked::get(&[])).await {
        Ok(seen) if contains(&seen.body, "vestibule_") => fail(
            "metrics",
            "everybody can read them at /metrics".to_owned(),
            Some("have the proxy pass no request to the address of metrics_listen".to_owned()),
        ),
        Ok(_) => ok("metrics", "are not for visitors".to_owned()),
        Err(reason) => fail("metrics", reason, None),
    }
}

/// What strangers meet at a path that needs a login.
async fn protected(visitor: &Visitor, path: &str) -> Vec<Finding> {
    let page = visitor.ask(path, Asked::get(&PAGE_VISIT)).await;
    let script = visitor.ask(path, Asked::get(&SCRIPT)).await;
    let elsewhere = format!("{path}//{STRANGER}/..");
    let lured = visitor.ask(&elsewhere, Asked::get(&PAGE_VISIT)).await;
    let page = match page {
        Ok(seen) if seen.is_redirection() && leads_to_login(visitor, &seen) => {
            ok("protected page", format!("{path} leads strangers to the login"))
        }
        Ok(seen) if seen.status == 200 => fail(
            "protected page",
            format!("{path} is open to everybody"),
            Some("protect it with site.protect, or by forward-auth in the proxy: `vestibule print nginx`".to_owned()),
        ),
        Ok(seen) => unexpected("protected page", path, &seen),
        Err(reason) => fail("protected page", reason, None),
    };
    let script = match script {
        Ok(seen) if seen.status == 401 => ok(
            "protected fetch",
            "a script is told 401, and sent nowhere".to_owned(),
        ),
        Ok(seen) => fail(
            "protected fetch",
            format!("a script that asks for {path} is answered {}", seen.status),
            Some(
                "have the proxy redirect page visits alone: `vestibule print nginx` does"
                    .to_owned(),
            ),
        ),
        Err(reason) => fail("protected fetch", reason, None),
    };
    let lured = match lured {
        Ok(seen) if leads_elsewhere(visitor, &seen) => fail(
            "open redirect",
            format!("{elsewhere} leads to another server"),
            Some("have the proxy pass the address of a visit on as it came".to_owned()),
        ),
        Ok(_) => ok("open redirect", "none found".to_owned()),
        Err(reason) => fail("open redirect", reason, None),
    };
    vec![page, script, lured]
}

/// Logs in as a browser would that lies about its address, and out again.
async fn signed_in(visitor: &Visitor, login: &str, password: &SecretString) -> Vec<Finding> {
    let forged = format!("for={FORGED_ADDRESS}");
    let headers = [
        ("origin", visitor.server().as_str()),
        ("x-forwarded-for", FORGED_ADDRESS),
        ("x-real-ip", FORGED_ADDRESS),
        ("forwarded", &forged),
    ];
    let body = json!({ "login": login, "password": password.expose_secret(), "mode": "cookie" });
    let seen = match visitor
        .ask("/api/auth/login", Asked::post(&headers, body))
        .await
    {
        Ok(seen) if seen.status == 200 => seen,
        Ok(seen) => return vec![unexpected("login", "the login", &seen)],
        Err(reason) => return vec![fail("login", reason, None)],
    };
    let Some(set) = seen.header("set-cookie") else {
        let fix = "have the proxy pass Set-Cookie on";
        return vec![fail(
            "login",
            "no cookie came".to_owned(),
            Some(fix.to_owned()),
        )];
    };
    let cookie = set.split(';').next().unwrap_or_default();
    vec![
        ok("login", format!("{login} is signed in")),
        cookie_flags(visitor, set),
        client_address(visitor, cookie).await,
        foreign_change(visitor, cookie).await,
        logout(visitor, cookie).await,
    ]
}

/// RFC 6265bis, 4.1.3.2: a `__Host-` cookie is of this host alone, over TLS alone.
fn cookie_flags(visitor: &Visitor, set: &str) -> Finding {
    let has = |flag: &str| {
        set.split(';')
            .skip(1)
            .any(|part| part.trim().eq_ignore_ascii_case(flag))
    };
    let is_https = visitor.server().is_https();
    let is_bound = set.starts_with("__Host-") && has("Secure");
    if is_bound != is_https {
        let found = match is_https {
            true => {
                "it may be sent without TLS: Vestibule does not know that browsers reach it by https"
            }
            false => "it is for https, where this address is not: no browser keeps it",
        };
        let fix = format!("set public_url to {}", visitor.server());
        return fail("cookie", found.to_owned(), Some(fix));
    }
    let missing: Vec<_> = ["HttpOnly", "SameSite=Lax", "Path=/"]
        .into_iter()
        .filter(|flag| !has(flag))
        .collect();
    if missing.is_empty() {
        return ok(
            "cookie",
            set.split_once(';')
                .map_or("", |(_, flags)| flags.trim())
                .to_owned(),
        );
    }
    fail(
        "cookie",
        format!("it comes without {}", missing.join(", ")),
        Some("have the proxy leave Set-Cookie as it is".to_owned()),
    )
}

/// By the address of a visitor limits count, and the audit log speaks.
async fn client_address(visitor: &Visitor, cookie: &str) -> Finding {
    let headers = [("cookie", cookie)];
    let seen = match visitor
        .ask("/api/auth/sessions", Asked::get(&headers))
        .await
    {
        Ok(seen) if seen.status == 200 => seen,
        Ok(seen) => return unexpected("client address", "the list of sessions", &seen),
        Err(reason) => return fail("client address", reason, None),
    };
    let sessions = seen.member("/items").unwrap_or_default();
    let mut sessions = sessions.as_array().into_iter().flatten();
    let current = sessions.find(|session| session["current"] == true);
    let address = current.and_then(|session| session["address"].as_str());
    let Some(address) = address.and_then(|address| address.parse::<IpAddr>().ok()) else {
        return fail("client address", "the session has none".to_owned(), None);
    };
    if address.to_string() == FORGED_ADDRESS {
        return fail(
            "client address",
            "the server believes what a visitor says: limits can be passed by, and the audit log lies".to_owned(),
            Some(
                "have the proxy set X-Forwarded-For itself (`vestibule print` shows how), and name in trusted_proxies \
                 nobody but the proxy"
                    .to_owned(),
            ),
        );
    }
    if is_inside(address.to_canonical()) && !is_of_this_machine(visitor.server().host()) {
        return warn(
            "client address",
            format!(
                "you seem to come from {address}: if that is your proxy, all visitors count as one"
            ),
            Some(format!(
                "set trusted_proxies = [\"{address}\"] if your proxy is there"
            )),
        );
    }
    ok(
        "client address",
        format!("you come from {address}, whatever you say"),
    )
}

/// A page of somebody else's, open in the browser of whoever is signed in.
async fn foreign_change(visitor: &Visitor, cookie: &str) -> Finding {
    let headers = [("cookie", cookie), ("origin", FOREIGN_ORIGIN)];
    match visitor
        .ask("/api/auth/logout", Asked::post(&headers, json!({})))
        .await
    {
        Ok(seen) if seen.code().as_deref() == Some("cross_origin_refused") => {
            ok("foreign page", "changes nothing".to_owned())
        }
        Ok(seen) => fail(
            "foreign page",
            format!("its request was answered {}", seen.status),
            Some("have the proxy leave the header Origin as it is".to_owned()),
        ),
        Err(reason) => fail("foreign page", reason, None),
    }
}

async fn logout(visitor: &Visitor, cookie: &str) -> Finding {
    let headers = [("cookie", cookie), ("origin", visitor.server().as_str())];
    let ended = visitor
        .ask("/api/auth/logout", Asked::post(&headers, json!({})))
        .await;
    let after = visitor.ask("/api/auth/me", Asked::get(&headers)).await;
    match (ended, after) {
        (Ok(ended), _) if ended.status != 204 => unexpected("logout", "the logout", &ended),
        (Ok(_), Ok(after)) if after.status == 401 => {
            ok("logout", "the cookie is of no more use".to_owned())
        }
        (Ok(_), Ok(after)) => fail(
            "logout",
            format!(
                "with the cookie of an ended session, /api/auth/me is answered {}",
                after.status
            ),
            Some("have no proxy cache anything below /api".to_owned()),
        ),
        (Err(reason), _) | (_, Err(reason)) => fail("logout", reason, None),
    }
}

fn unexpected(check: &'static str, what: &str, seen: &Seen) -> Finding {
    fail(
        check,
        format!("{what} is answered {}: {}", seen.status, text(seen)),
        None,
    )
}

/// The sentence of a problem document.
fn text(seen: &Seen) -> String {
    let detail = seen.member("/detail");
    let detail = detail.as_ref().and_then(|detail| detail.as_str());
    detail.unwrap_or("no reason is given").to_owned()
}

fn leads_to_login(visitor: &Visitor, seen: &Seen) -> bool {
    let to = seen.header("location").unwrap_or_default();
    let path = to.strip_prefix(visitor.server().as_str()).unwrap_or(to);
    path.starts_with("/login?next=/")
}

fn leads_elsewhere(visitor: &Visitor, seen: &Seen) -> bool {
    let here = visitor.server().url();
    let to = seen.header("location").and_then(|to| here.join(to).ok());
    to.is_some_and(|to| to.origin() != here.origin())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn is_of_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
