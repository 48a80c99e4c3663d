//! What ends what while sessions are remembered: by another program on the same database, by the command line beside
//! the real server, and across the sleep of a process.

use std::time::Duration;

use accounts::Accounts;
use serde_json::json;
use vestibule::app;

use crate::{
    place::Place,
    process::{Answer, Server, run, stderr},
    support::TestApp,
};

const ME: &str = "/api/auth/me";

/// So long what is remembered may be believed, and a moment.
const PAST_BELIEF: Duration = Duration::from_millis(5_001);

/// Another program on the same database, such as a second node.
async fn another_node(app: &TestApp) -> Accounts {
    let config = app.app.config();
    let database = app::open_database(config).await.expect("the same database");
    let accounts = app::open_accounts(config, &database, app.clock.clone()).await;
    accounts.expect("the same secret key")
}

#[tokio::test]
async fn what_another_node_ends_is_refused_by_its_reason_once_the_count_is_read() {
    let (app, _anon) = TestApp::new().await;
    let node = another_node(&app).await;
    let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
    for client in [&ada, &eve] {
        client.get(ME).await.expect_status(200);
    }
    node.operator().disable("ada").await.expect("a user");
    node.operator().delete("eve").await.expect("a user");
    let accounts = app.app.accounts();
    accounts.read_revocations().await.expect("a database");
    for client in [&ada, &eve] {
        let refused = client.get(ME).await;
        refused.expect_problem(401, "revoked_token");
    }
}

#[tokio::test]
async fn a_node_that_reads_no_count_for_five_seconds_asks_the_database_each_time() {
    let (app, _anon) = TestApp::new().await;
    let node = another_node(&app).await;
    let ada = app.user("ada").await;
    ada.get(ME).await.expect_status(200);
    node.operator().disable("ada").await.expect("a user");
    app.clock.advance(PAST_BELIEF);
    let refused = ada.get(ME).await;
    refused.expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_node_that_lost_the_database_believes_itself_for_five_seconds_and_then_is_unavailable() {
    let (mut app, _anon) = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
    for client in [&ada, &eve] {
        client.get(ME).await.expect_status(200);
    }
    app.lose_database().await;
    for client in [&ada, &eve] {
        client.get(ME).await.expect_status(200);
    }
    app.clock.advance(PAST_BELIEF);
    for client in [&ada, &eve] {
        let refused = client.get(ME).await.expect_problem(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
    }
}

/// Registers somebody whose session the server remembers from here on.
fn remembered(server: &Server) -> String {
    let form = json!({ "email": "ada@example.org", "password": "correct horse battery staple" });
    let registered = server.post("/api/auth/register", &form).json();
    let token = registered["access_token"].as_str().expect("a token");
    assert_eq!(server.me(token).status, 200);
    token.to_owned()
}

fn disable(folder: &std::path::Path) {
    let output = run(folder, ["user", "disable", "ada@example.org"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn what_the_command_line_ends_the_running_server_refuses_before_long() {
    let folder = Place::new();
    let server = Server::start(folder.path(), &[]);
    let token = remembered(&server);
    disable(folder.path());
    // The server looks twice a second, so that this ends.
    let refused = (0..20_000)
        .map(|_| server.me(&token))
        .find(|answer| answer.status != 200);
    let refused = refused.expect("the server takes notice");
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (401, Some("revoked_token"))
    );
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_server_that_was_stopped_for_long_believes_nothing_when_it_goes_on() {
    let folder = Place::new();
    let server = Server::start(folder.path(), &[]);
    let token = remembered(&server);
    server.signal("STOP");
    disable(folder.path());
    // Time itself is the event: for five seconds the server may go by what it remembers.
    tokio::time::sleep(PAST_BELIEF).await;
    // The request is there before the server goes on. Whether it is judged first or the overdue count is read first
    // is a race, and either refuses; that nothing is believed without a count is proved above, with a clock of the
    // test's own.
    let waiting = server.send("GET", ME, &[&format!("Authorization: Bearer {token}")], "");
    server.signal("CONT");
    assert_eq!(Answer::read(waiting).status, 401);
    assert_eq!(server.stop(), Some(0));
}
