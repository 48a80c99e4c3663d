//! Who may do what: every route of the router against every state that a credential can be in. What the routes do
//! for those who may is tested elsewhere.

pub(crate) mod cast;
pub(crate) mod routes;

use std::collections::{BTreeMap, BTreeSet};

use cast::{Actor, Cast, Kind, Member};
use routes::{Body, FORWARD, Objects, ROUTES, Row, SITE, SITE_RULES, Who};
use serde_json::json;

use crate::support::{Call, TestApp};

/// A server with a site behind its gate and no limits, which would answer before the matrix is through.
pub(crate) async fn server() -> TestApp {
    let site = format!("{}/../../examples/site", env!("CARGO_MANIFEST_DIR"));
    let settings = [
        ("site.dir", site.as_str()),
        ("site.protect", "/members/**"),
        ("limits.login_per_account", "off"),
        ("limits.login_per_ip", "off"),
        ("limits.register_per_ip", "off"),
        ("limits.refresh_per_ip", "off"),
    ];
    TestApp::with_file(&settings, SITE_RULES).await.0
}

/// Status and code of a cell of the matrix; no code for whoever is let in.
fn expected(row: &Row, actor: Actor) -> (u16, &'static str) {
    match (row.who, actor.refusal()) {
        (Who::Anyone, _) => (row.status, ""),
        (_, Some(code)) => (401, code),
        (Who::Owner, None) if actor == Actor::AnotherUser => (404, "not_found"),
        (Who::Admin, None) if actor != Actor::Admin => (403, "forbidden"),
        (Who::SignedIn | Who::Admin | Who::Owner, None) => (row.status, ""),
    }
}

/// The request with what its row says that it carries.
fn with_body(call: Call, row: &Row, sender: &Member) -> Call {
    let refresh_token = &sender.client.refresh_token;
    match row.body {
        Body::Json(make) => call.json(&make(sender)),
        Body::Form(make) => {
            let call = call.header("content-type", "application/x-www-form-urlencoded");
            call.body(make(sender))
        }
        Body::RefreshToken if !refresh_token.is_empty() => {
            let body = json!({ "refresh_token": refresh_token });
            call.without("authorization").json(&body)
        }
        Body::Nothing | Body::RefreshToken => call,
    }
}

/// Fills one cell, and gives what is wrong about it.
async fn wrong_cell(
    app: &TestApp,
    row: &Row,
    method: &str,
    actor: Actor,
    sender: &Member,
) -> Option<String> {
    let (status, code) = expected(row, actor);
    let changes_nothing = row.is_safe() || !code.is_empty();
    let before = changes_nothing.then(|| app.written());
    let call = sender.client.call(method, &row.path_to(&sender.objects));
    let answer = with_body(call, row, sender).await;
    let cell = format!("{actor:?}, {method} {}", row.path);
    let code_got = answer.code();
    let is_coded = method != "HEAD" && row.path != FORWARD;
    if answer.status != status || (!code.is_empty() && is_coded && code_got != code) {
        let got = answer.status;
        return Some(format!("{cell}: {got} {code_got}, not {status} {code}"));
    }
    if before.is_some_and(|before| app.written() != before) {
        return Some(format!("{cell}: something was written"));
    }
    None
}

/// One kind of credential in every state on every row. A member goes from row to row for as long as nothing is
/// changed by it; whoever may change something is somebody new.
async fn assert_matrix(kind: Kind) {
    let mut wrong = Vec::new();
    for actor in Actor::ALL {
        // One server each, so that time that passes does so for one actor and the files to compare stay small.
        let app = server().await;
        let mut cast = Cast::new(&app, kind).await;
        let mut member = cast.make(actor).await;
        for row in ROUTES.iter().chain(SITE) {
            for method in row.methods() {
                wrong.extend(wrong_cell(&app, row, method, actor, &member).await);
            }
            if !row.is_safe() && expected(row, actor).1.is_empty() {
                member = cast.make(actor).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_route_gives_each_bearer_what_is_theirs() {
    assert_matrix(Kind::Bearer).await;
}

#[tokio::test]
async fn each_route_gives_each_cookie_what_is_its_owners() {
    assert_matrix(Kind::Cookie).await;
}

#[tokio::test]
async fn the_matrix_has_a_row_for_each_route_of_the_router_and_no_other() {
    let app = server().await;
    let in_router = routes::of_router(&app).await;
    let rows = ROUTES.iter();
    let in_matrix: BTreeSet<_> = rows
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    let list = |routes: &BTreeSet<(String, String)>, others| {
        let missing = routes.difference(others);
        let lines = missing.map(|(method, path)| format!("\n  {method} {path}"));
        lines.collect::<String>()
    };
    let (new, gone) = (list(&in_router, &in_matrix), list(&in_matrix, &in_router));
    assert!(
        new.is_empty(),
        "Say who may use these, a row each in ROUTES of access/routes.rs:{new}"
    );
    assert!(
        gone.is_empty(),
        "These are no routes any more; take their rows out of access/routes.rs:{gone}"
    );
    assert_eq!(in_matrix.len(), ROUTES.len(), "a route has two rows");
}

#[tokio::test]
async fn another_users_object_is_answered_like_a_missing_one_by_every_method() {
    let missing = "01900000-0000-7000-8000-000000000000";
    for kind in [Kind::Bearer, Kind::Cookie] {
        let app = server().await;
        let mut cast = Cast::new(&app, kind).await;
        let member = cast.make(Actor::AnotherUser).await;
        for row in ROUTES.iter().filter(|row| row.who == Who::Owner) {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let is_asked = |other: &&Row| other.path == row.path && other.method == method;
                let asked = ROUTES.iter().find(is_asked);
                if asked.is_some_and(|row| row.who == Who::SignedIn) {
                    // Who names an object like somebody else's makes one of their own.
                    continue;
                }
                let ask = async |objects: &Objects| {
                    let path = row.path_to(objects);
                    let call = member.client.call(method, &path);
                    let call = match asked {
                        Some(row) => with_body(call, row, &member),
                        None => call,
                    };
                    let (status, headers, body) = call.await.without_request_id();
                    // Where the method is none of the path's, the answer names the path.
                    (status, headers, body.replace(&path, "[path]"))
                };
                let before = app.written();
                let of_another = ask(&member.objects).await;
                let missing = ask(&Objects::all(missing)).await;
                assert_eq!(missing, of_another, "{method} {}", row.path);
                for malformed in ["1", "not-an-id", "%00"] {
                    if of_another.0 == 404 {
                        let malformed = ask(&Objects::all(malformed)).await;
                        assert_eq!(malformed, of_another, "{method} {}", row.path);
                    }
                }
                assert!(matches!(of_another.0, 404 | 405), "{method} {}", row.path);
                assert_eq!(app.written(), before, "{method} {}", row.path);
            }
        }
    }
}

#[tokio::test]
async fn a_method_without_a_row_is_405_and_names_those_that_have_one() {
    let app = server().await;
    let mut methods: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in ROUTES.iter().filter(|row| row.method != "ANY") {
        methods.entry(row.path).or_default().extend(row.methods());
    }
    for (path, allowed) in methods {
        let concrete = path.replace(['{', '}', '*'], "");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = app.stranger().call(method, &concrete).await;
            if allowed.contains(method) {
                assert_ne!(answer.status, 405, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, 405, "{method} {path}");
            let named: BTreeSet<_> = answer
                .header("allow")
                .expect("methods")
                .split(',')
                .collect();
            assert_eq!(named, allowed, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(answer.code(), "method_not_allowed", "{method} {path}");
            }
        }
    }
}
