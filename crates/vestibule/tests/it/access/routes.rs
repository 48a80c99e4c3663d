//! Every route of the server with who may use it, a row each; that no row and no route is missing is compared with the
//! router itself. Who the callers are is left to `cast.rs`, what they get to `access.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use Body::{Form, Json, Nothing, RefreshToken};
use Who::{Admin, Anyone, Owner, SignedIn};

use super::cast::Member;
use crate::support::{TestApp, password, registration};

/// One method of one path.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// `ANY` for a path that takes each method alike.
    pub(crate) method: &'static str,
    /// As in `http.rs`, with `{id}` or `{key}` for an object and `{*path}` for what lies below.
    pub(crate) path: &'static str,
    pub(crate) who: Who,
    /// What makes the request succeed for whoever may send it.
    pub(crate) body: Body,
    /// What it is answered then.
    pub(crate) status: u16,
}

/// Who gets the answer of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everybody, whatever credential comes along.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in and has the role `admin`.
    Admin,
    /// The user to whom the object in the path belongs; to others there is none.
    Owner,
}

/// What a request carries, made of whoever sends it.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    Nothing,
    Json(fn(&Member) -> Value),
    /// `application/x-www-form-urlencoded`.
    Form(fn(&Member) -> String),
    /// The refresh token as JSON, of somebody who has one.
    RefreshToken,
}

const fn row(method: &'static str, path: &'static str, who: Who, body: Body, status: u16) -> Row {
    Row {
        method,
        path,
        who,
        body,
        status,
    }
}

/// The route that proxies ask, by any method. Its refusals have no body and so no code.
pub(crate) const FORWARD: &str = "/api/auth/forward";

/// All routes. One that the router has and this list lacks fails a test, and the other way round.
pub(crate) const ROUTES: &[Row] = &[
    row("POST", "/api/auth/register", Anyone, Json(newcomer), 201),
    // There is an admin, so nobody becomes the first.
    row("POST", "/api/auth/setup", Anyone, Json(first_admin), 403),
    row("POST", "/api/auth/login", Anyone, Json(login), 200),
    row("POST", "/api/auth/token", Anyone, Form(password_grant), 200),
    row("POST", "/api/auth/refresh", SignedIn, RefreshToken, 200),
    row("POST", "/api/auth/logout", Anyone, Nothing, 204),
    row("GET", "/api/auth/me", SignedIn, Nothing, 200),
    row("POST", "/api/auth/password", SignedIn, Json(change), 200),
    row("GET", "/api/auth/sessions", SignedIn, Nothing, 200),
    row("DELETE", "/api/auth/sessions", SignedIn, Nothing, 204),
    row("DELETE", "/api/auth/sessions/{id}", Owner, Nothing, 204),
    row("ANY", FORWARD, SignedIn, Nothing, 200),
    row("GET", "/api/user/profile", SignedIn, Nothing, 200),
    row("PUT", "/api/user/profile", SignedIn, Json(profile), 200),
    row("PATCH", "/api/user/profile", SignedIn, Json(name), 200),
    row(
        "POST",
        "/api/user/profile/delete",
        SignedIn,
        Json(proof),
        204,
    ),
    row("GET", "/api/user/data", SignedIn, Nothing, 200),
    row("GET", "/api/user/data/{key}", Owner, Nothing, 200),
    // Whoever writes under a key that somebody else has makes one of their own.
    row("PUT", "/api/user/data/{key}", SignedIn, Json(name), 201),
    row("DELETE", "/api/user/data/{key}", Owner, Nothing, 204),
    row("GET", "/api/user/export", SignedIn, Nothing, 200),
    row("GET", "/api/todos", SignedIn, Nothing, 200),
    row("POST", "/api/todos", SignedIn, Json(new_todo), 201),
    row("GET", "/api/todos/{id}", Owner, Nothing, 200),
    row("PUT", "/api/todos/{id}", Owner, Json(todo), 200),
    row("PATCH", "/api/todos/{id}", Owner, Json(todo), 200),
    row("DELETE", "/api/todos/{id}", Owner, Nothing, 204),
    row("GET", "/api/admin/users", Admin, Nothing, 200),
    row("POST", "/api/admin/users", Admin, Json(newcomer), 201),
    row("GET", "/api/admin/users/{id}", Admin, Nothing, 200),
    row("PATCH", "/api/admin/users/{id}", Admin, Json(name), 200),
    row("DELETE", "/api/admin/users/{id}", Admin, Nothing, 204),
    row("POST", "/api/admin/users/{id}/restore", Admin, Nothing, 200),
    row(
        "DELETE",
        "/api/admin/users/{id}/sessions",
        Admin,
        Nothing,
        204,
    ),
    row("GET", "/api/admin/audit", Admin, Nothing, 200),
    row("GET", "/api/admin/stats", Admin, Nothing, 200),
    row("GET", "/api/admin/client", Admin, Nothing, 200),
    row("GET", "/.well-known/jwks.json", Anyone, Nothing, 200),
    row("GET", "/livez", Anyone, Nothing, 200),
    row("GET", "/readyz", Anyone, Nothing, 200),
    row("GET", "/api/openapi.json", Anyone, Nothing, 200),
    row("ANY", "/api", Anyone, Nothing, 404),
    row("ANY", "/api/", Anyone, Nothing, 404),
    row("ANY", "/api/{*path}", Anyone, Nothing, 404),
    row("GET", "/login", Anyone, Nothing, 200),
    row("GET", "/register", Anyone, Nothing, 200),
    row("GET", "/setup", Anyone, Nothing, 200),
    row("GET", "/dashboard", Anyone, Nothing, 200),
    row("GET", "/account", Anyone, Nothing, 200),
    row("GET", "/admin", Anyone, Nothing, 200),
    row("GET", "/admin/users", Anyone, Nothing, 200),
    row("GET", "/admin/users/{id}", Anyone, Nothing, 200),
    row("GET", "/admin/audit", Anyone, Nothing, 200),
    row("GET", "/api/ui/{*path}", Anyone, Nothing, 200),
    row("GET", "/api/docs", Anyone, Nothing, 200),
    row("GET", "/api/docs/{*path}", Anyone, Nothing, 200),
];

/// What is no route but the site's, behind its gate.
pub(crate) const SITE: &[Row] = &[
    row("GET", "/", Anyone, Nothing, 200),
    row("GET", "/no-such-page", Anyone, Nothing, 404),
    row("GET", "/members/", SignedIn, Nothing, 200),
    row("GET", "/members/handbook.html", Admin, Nothing, 200),
];

/// The rule of the site by which the last row of [`SITE`] holds.
pub(crate) const SITE_RULES: &str =
    "[[site.rules]]\npath = '/members/handbook.html'\nroles = ['admin']";

/// What stands for `{id}` and `{key}`.
pub(crate) struct Objects {
    pub(crate) session: String,
    pub(crate) user: String,
    pub(crate) document: String,
    /// One of each kind that is added by a `POST` to a path and then is below it, by that path.
    pub(crate) added: BTreeMap<&'static str, String>,
}

/// The rows by which users add something of their own.
pub(crate) fn additions() -> impl Iterator<Item = &'static Row> {
    ROUTES
        .iter()
        .filter(|row| (row.method, row.who, row.status) == ("POST", SignedIn, 201))
}

impl Objects {
    /// The same text for each kind.
    pub(crate) fn all(id: &str) -> Self {
        let id = id.to_owned();
        Self {
            session: id.clone(),
            user: id.clone(),
            document: id.clone(),
            added: additions().map(|row| (row.path, id.clone())).collect(),
        }
    }
}

impl Row {
    /// Whether the method promises to change nothing (RFC 9110 section 9.2.1).
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "ANY")
    }

    /// The methods to send: a `HEAD` is answered wherever a `GET` is.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self.method {
            "GET" => &["GET", "HEAD"],
            "POST" => &["POST"],
            "PUT" => &["PUT"],
            "PATCH" => &["PATCH"],
            "DELETE" => &["DELETE"],
            "ANY" => &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            other => panic!("no method of ours: {other}"),
        }
    }

    /// The path with an object in it, of the kind that the path asks for.
    pub(crate) fn path_to(&self, objects: &Objects) -> String {
        let added = self.path.strip_suffix("/{id}");
        let object = match added.and_then(|above| objects.added.get(above)) {
            Some(added) => added,
            None if self.path.starts_with("/api/admin/users/") => &objects.user,
            None => &objects.session,
        };
        let below = match self.path {
            "/api/ui/{*path}" => "app.js",
            "/api/docs/{*path}" => "page.js",
            _ => "no/such/route",
        };
        let key = match self.method {
            "PUT" => "a-new-one",
            _ => &objects.document,
        };
        let path = self.path.replace("{id}", object).replace("{key}", key);
        path.replace("{*path}", below)
    }
}

fn newcomer(sender: &Member) -> Value {
    registration(&format!("{}-friend", sender.name))
}

fn first_admin(sender: &Member) -> Value {
    let mut body = newcomer(sender);
    body["code"] = "A".repeat(43).into();
    body
}

fn login(sender: &Member) -> Value {
    json!({ "login": sender.bystander, "password": password(&sender.bystander) })
}

fn password_grant(sender: &Member) -> String {
    let password = password(&sender.bystander).replace(' ', "+");
    format!(
        "grant_type=password&username={}&password={password}",
        sender.bystander
    )
}

fn change(sender: &Member) -> Value {
    json!({ "current_password": password(&sender.name), "new_password": "a password of another day" })
}

fn proof(sender: &Member) -> Value {
    json!({ "current_password": password(&sender.name) })
}

fn new_todo(_: &Member) -> Value {
    json!({ "title": "Feed the cat" })
}

/// Another one than there is, so that a change is one.
fn todo(_: &Member) -> Value {
    json!({ "title": "Water the plants", "completed": true })
}

fn name(_: &Member) -> Value {
    json!({ "name": "Ada" })
}

/// Leaves address and username as they are, so that no password is asked for.
fn profile(sender: &Member) -> Value {
    let whole = registration(&sender.name);
    json!({ "email": whole["email"], "username": whole["username"], "name": "Ada" })
}

/// Method and path of every route that the router has: the paths as its `Debug` form shows them, since axum has no other
/// list of them, the methods as each path tells them to a request with another.
pub(crate) async fn of_router(app: &TestApp) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for path in paths_in(&app.router_shown()) {
        let concrete = path.replace(['{', '}', '*'], "");
        let answer = app.stranger().call("TRACE", &concrete).await;
        let methods = match answer.status {
            405 => answer.header("allow").expect("methods").to_owned(),
            _ => "ANY".to_owned(),
        };
        for method in methods.split(',').filter(|method| *method != "HEAD") {
            found.insert((method.to_owned(), path.clone()));
        }
    }
    found
}

/// `RouteId(0): "/path", …` up to the brace that ends it; only what stands between quotes may hold braces of its own.
fn paths_in(router: &str) -> Vec<String> {
    let (_, paths) = router.split_once("paths: {").expect("the router's paths");
    let mut paths_found = Vec::new();
    let mut pieces = paths.split('"');
    while let (Some(between), Some(path)) = (pieces.next(), pieces.next()) {
        if between.contains('}') {
            break;
        }
        paths_found.push(path.to_owned());
    }
    paths_found
}
