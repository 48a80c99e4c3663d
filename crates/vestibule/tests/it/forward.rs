//! What proxies are told of their visitors: who they are, whether they may, and where they log in.

use serde_json::json;

use crate::support::{Answer, Call, Client, DAY, TestApp};

/// The test client comes from here.
const TRUSTED: (&str, &str) = ("trusted_proxies", "192.0.2.0/24");
const FOREIGN: &str = "https://evil.example";

/// The staff's own part of an app, and what its operator takes for open to everybody.
const RULES: &str = "[[site.rules]]\npath = '/staff/**'\nroles = ['staff']\n\
                     [[site.rules]]\npath = '/open/**'\npublic = true\n";

async fn server() -> (TestApp, Client) {
    TestApp::with_file(&[TRUSTED], RULES).await
}

/// The header families, as `from`, the header of the address and that of the method.
const FAMILIES: [(&str, &str, &str); 3] = [
    ("nginx", "x-original-url", "x-original-method"),
    ("caddy", "x-forwarded-uri", "x-forwarded-method"),
    ("traefik", "x-forwarded-uri", "x-forwarded-method"),
];

/// A proxy asks for a visitor, who has sent this.
fn asks(visitor: &Client, from: &str, method: &str, target: &str) -> Call {
    let family = FAMILIES.iter().find(|(name, ..)| *name == from);
    let (_, url_header, method_header) = family.expect("a family");
    visitor
        .get(&format!("/api/auth/forward?from={from}"))
        .header(url_header, target)
        .header(method_header, method)
}

fn nginx(visitor: &Client, method: &str, target: &str) -> Call {
    asks(visitor, "nginx", method, target)
}

/// What never changes, whatever was asked: nothing to keep, nothing to read, nothing that a visitor would send again.
#[track_caller]
fn assert_bare(answer: &Answer) {
    assert!(answer.body.is_empty(), "{}", answer.shown());
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("set-cookie"), None);
    let is_to_log_in = matches!(answer.status, 302 | 401);
    assert_eq!(
        answer.header("location").is_some(),
        is_to_log_in,
        "{}",
        answer.shown()
    );
}

async fn status(call: Call) -> u16 {
    let answer = call.await;
    assert_bare(&answer);
    answer.status
}

#[tokio::test]
async fn whoever_is_signed_in_is_told_to_the_proxy_by_four_headers() {
    let (app, _) = server().await;
    let ada = app.browser("ada").await;
    let change = json!({ "name": "Ada L\u{f6}ve" });
    ada.call("PATCH", "/api/user/profile")
        .json(&change)
        .await
        .expect_status(200);
    app.grant("ada", "staff").await;
    let id = ada.get("/api/auth/me").await.text_at("id");
    for (from, ..) in FAMILIES {
        let answer = asks(&ada, from, "GET", "/staff/plans?year=2026")
            .await
            .expect_status(200);
        assert_bare(&answer);
        assert_eq!(answer.header("remote-user"), Some(id.as_str()));
        assert_eq!(
            answer.header("remote-email"),
            Some(""),
            "nobody has vouched for it"
        );
        assert_eq!(answer.header("remote-name"), Some("Ada%20L%C3%B6ve"));
        assert_eq!(answer.header("remote-groups"), Some("staff"));
    }
}

#[tokio::test]
async fn a_stranger_is_told_where_to_log_in_and_comes_back_to_what_they_asked_for() {
    let (_app, stranger) = server().await;
    for (asked, next) in [
        (
            "/reports?year=2026&q=a%20b",
            "/login?next=/reports%3Fyear%3D2026%26q%3Da%2520b",
        ),
        (
            "https://app.example.org/caf%c3%a9",
            "/login?next=/caf%25C3%25A9",
        ),
        (
            "/go?to=//evil.example/",
            "/login?next=/go%3Fto%3D//evil.example/",
        ),
        ("/go?to=\\evil.example", "/login"),
        ("/open/news", "/login?next=/open/news"),
    ] {
        for (from, ..) in FAMILIES {
            let answer = asks(&stranger, from, "GET", asked).await.expect_status(401);
            assert_bare(&answer);
            assert_eq!(answer.header("location"), Some(next), "{asked}");
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"vestibule\"")
            );
        }
    }
    let answer = stranger.get("/api/auth/forward").await.expect_status(401);
    assert_eq!(answer.header("location"), Some("/login"));
}

/// What is behind a proxy is no folder: a link in a mail may carry a token of any length.
#[tokio::test]
async fn a_name_may_be_longer_than_those_of_files() {
    let (app, stranger) = server().await;
    let ada = app.browser("ada").await;
    let long = format!("/verify/{}", "x".repeat(1000));
    for (from, ..) in FAMILIES {
        assert_eq!(status(asks(&ada, from, "GET", &long)).await, 200);
        let answer = asks(&stranger, from, "GET", &long).await.expect_status(401);
        let next = format!("/login?next={long}");
        assert_eq!(answer.header("location"), Some(next.as_str()));
    }
}

#[tokio::test]
async fn with_mode_auto_a_page_visit_is_redirected_and_a_script_is_not() {
    let (_app, stranger) = server().await;
    let asked = |call: Call| {
        call.header("x-forwarded-uri", "/reports")
            .header("x-forwarded-method", "GET")
    };
    let path = "/api/auth/forward?from=caddy&mode=auto";
    let answer = asked(stranger.visit(path)).await.expect_status(302);
    assert_bare(&answer);
    assert_eq!(answer.header("location"), Some("/login?next=/reports"));
    let fetch = || asked(stranger.get(path)).header("accept", "text/html");
    assert_eq!(
        status(fetch()).await,
        302,
        "a browser that is too old to say more"
    );
    assert_eq!(
        status(fetch().header("x-requested-with", "XMLHttpRequest")).await,
        401
    );
    assert_eq!(status(fetch().header("sec-fetch-mode", "cors")).await, 401);
    assert_eq!(
        status(asked(stranger.get(path)).header("accept", "application/json")).await,
        401
    );
    let form = asked(stranger.visit(path)).header("x-forwarded-method", "POST");
    assert_eq!(
        status(form).await,
        401,
        "a form that is sent is no visit of a page"
    );
}

#[tokio::test]
async fn rules_and_the_query_ask_for_roles_and_no_rule_opens_anything_to_strangers() {
    let (app, stranger) = server().await;
    let bob = app.browser("bob").await;
    let eve = app.browser("eve").await;
    app.grant("eve", "staff").await;
    for (path, of_bob, of_eve) in [
        ("/", 200, 200),
        ("/open/news", 200, 200),
        ("/staff", 403, 200),
        ("/staff/", 403, 200),
        ("/%73taff/plans", 403, 200),
        ("/staff/index.html", 403, 200),
    ] {
        assert_eq!(status(nginx(&bob, "GET", path)).await, of_bob, "{path}");
        assert_eq!(status(nginx(&eve, "GET", path)).await, of_eve, "{path}");
        assert_eq!(status(nginx(&stranger, "GET", path)).await, 401, "{path}");
    }
    let of_role = "/api/auth/forward?role=staff";
    assert_eq!(status(bob.get(of_role)).await, 403);
    assert_eq!(status(eve.get(of_role)).await, 200);
    assert_eq!(status(stranger.get(of_role)).await, 401);
}

#[tokio::test]
async fn only_trusted_proxies_tell_of_others_and_only_in_their_own_family() {
    let (app, _) = server().await;
    let bob = app.browser("bob").await;
    for (from, url, method) in FAMILIES {
        let elsewhere = bob.at("203.0.113.9");
        assert_eq!(
            status(asks(&elsewhere, from, "GET", "/")).await,
            403,
            "{from}"
        );
        let path = format!("/api/auth/forward?from={from}");
        assert_eq!(
            status(elsewhere.get(&path)).await,
            200,
            "nothing is told of a request"
        );
        let (_, other_url, other_method) = FAMILIES
            .iter()
            .find(|family| family.1 != url)
            .expect("another family");
        let by_visitor = asks(&bob, from, "GET", "/staff/plans").header(other_url, "/");
        assert_eq!(
            status(by_visitor.header(other_method, "GET")).await,
            403,
            "the rule for staff"
        );
        let by_visitor = asks(&bob, from, "GET", "/").header(other_url, "/staff/plans");
        assert_eq!(
            status(by_visitor).await,
            200,
            "{other_url} is the visitor's own"
        );
        assert_eq!(
            status(bob.get("/api/auth/forward").header(url, "/")).await,
            403,
            "no `from`"
        );
        assert_eq!(
            status(bob.get(&path).header(url, "/")).await,
            403,
            "no method"
        );
        assert_eq!(
            status(bob.get(&path).header(method, "GET")).await,
            403,
            "no address"
        );
        let twice = asks(&bob, from, "GET", "/").another(url, "/");
        assert_eq!(status(twice).await, 403, "two addresses");
        assert_eq!(
            status(asks(&bob, from, "a b", "/")).await,
            403,
            "no method's name"
        );
        let bytes = asks(&bob, from, "GET", "/").header(url, b"/\xff");
        assert_eq!(status(bytes).await, 403, "no UTF-8");
    }
}

#[tokio::test]
async fn an_address_that_can_be_read_in_two_ways_is_refused_to_everybody() {
    let (app, stranger) = server().await;
    let bob = app.browser("bob").await;
    for target in [
        "//staff/",
        "/x/../staff/",
        "/staff%2Fplans",
        "/a;b",
        "/%2573taff/",
        "/.env",
        "/a#/staff",
    ] {
        assert_eq!(status(nginx(&bob, "GET", target)).await, 403, "{target}");
        assert_eq!(
            status(nginx(&stranger, "GET", target)).await,
            403,
            "{target}"
        );
    }
}

#[tokio::test]
async fn what_a_foreign_page_sends_is_refused_by_the_method_of_the_visitor() {
    let (app, stranger) = server().await;
    let ada = app.browser("ada").await;
    let from = |origin: &str, site: &str, method: &str| {
        let call = nginx(&ada, method, "/").header("sec-fetch-site", site);
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        status(call.header("origin", origin))
    };
    let own = app.app.config().public_url.to_string();
    for method in ["POST", "PUT", "DELETE", "PROPFIND", "get"] {
        assert_eq!(from(&own, "same-origin", method).await, 200, "{method}");
        assert_eq!(from(FOREIGN, "cross-site", method).await, 403, "{method}");
        assert_eq!(from(FOREIGN, "same-origin", method).await, 403, "{method}");
        assert_eq!(from("null", "same-origin", method).await, 403, "{method}");
    }
    assert_eq!(
        from(FOREIGN, "cross-site", "GET").await,
        200,
        "a link leads here"
    );
    let socket =
        nginx(&ada, "GET", "/live").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(
        status(socket.header("origin", FOREIGN)).await,
        403,
        "a WebSocket"
    );
    let silent = nginx(&ada, "POST", "/")
        .without("sec-fetch-site")
        .without("origin");
    assert_eq!(
        status(silent).await,
        403,
        "a cookie, and no word of a browser"
    );

    let bearer = app.user("eve").await;
    assert_eq!(
        status(nginx(&bearer, "POST", "/").header("origin", FOREIGN)).await,
        200
    );
    let anonymous = nginx(&stranger, "POST", "/").header("origin", FOREIGN);
    assert_eq!(status(anonymous).await, 401);
}

#[tokio::test]
async fn every_method_is_answered_alike_and_nothing_is_kept() {
    let (app, stranger) = TestApp::with(&[("cors.origins", "https://app.example.com")]).await;
    let ada = app.browser("ada").await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let call = |client: &Client| {
            client
                .call(method, "/api/auth/forward")
                .header("if-none-match", "*")
        };
        assert_eq!(status(call(&ada)).await, 200, "{method}");
        assert_eq!(status(call(&stranger)).await, 401, "{method}");
    }
    let preflight = stranger
        .call("OPTIONS", "/api/auth/forward")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST");
    assert_eq!(
        status(preflight).await,
        401,
        "a listed origin is not let through either"
    );
}

#[tokio::test]
async fn asking_counts_as_use_of_the_session() {
    let (app, _) = server().await;
    let ada = app.browser("ada").await;
    // Four times of nearly the seven days after which an unused session ends.
    for _ in 0..4 {
        app.clock.advance(6 * DAY);
        assert_eq!(status(nginx(&ada, "GET", "/")).await, 200);
    }
    app.clock.advance(8 * DAY);
    assert_eq!(status(nginx(&ada, "GET", "/")).await, 401);
}

#[tokio::test]
async fn a_session_that_has_ended_opens_nothing() {
    let (app, _) = server().await;
    let ada = app.browser("ada").await;
    let cookie = ada.cookie();
    assert_eq!(status(nginx(&ada, "GET", "/")).await, 200);
    ada.post("/api/auth/logout", json!({}))
        .await
        .expect_status(204);
    ada.set_cookie(cookie);
    let answer = nginx(&ada, "GET", "/").await.expect_status(401);
    assert_bare(&answer);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"vestibule\", error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_query_that_asks_for_something_else_is_told_so() {
    let (app, _) = server().await;
    let ada = app.browser("ada").await;
    for (query, status, code) in [
        ("from=apache", 422, "validation_failed"),
        ("role=Staff", 422, "validation_failed"),
        ("role=staff,admin", 422, "validation_failed"),
        ("role=", 422, "validation_failed"),
        ("mode=manual", 422, "validation_failed"),
        ("roles=staff", 400, "malformed_request"),
        ("role=staff&role=admin", 400, "malformed_request"),
    ] {
        let answer = ada.get(&format!("/api/auth/forward?{query}")).await;
        answer.expect_problem(status, code);
    }
}

#[tokio::test]
async fn without_its_database_the_server_lets_nobody_through() {
    let (mut app, stranger) = server().await;
    let ada = app.browser("ada").await;
    app.lose_database().await;
    nginx(&ada, "GET", "/")
        .await
        .expect_problem(503, "unavailable");
    assert_eq!(status(nginx(&stranger, "GET", "/")).await, 401);
}
