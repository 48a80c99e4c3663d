//! A panic in the handler of every route: it ends the one request with a 500, and neither the log nor an answer tells
//! what the request held, nor what the panic said.

use std::{
    io, panic,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;
use tracing_subscriber::{fmt, prelude::*};
use vestibule::telemetry;

use super::Canaries;
use crate::{
    access::routes::{Objects, ROUTES, SITE},
    support::{Call, Client, TestApp, password},
};

/// Something that goes with a request and panics where the request is let go of: that is in its handler, inside every
/// layer, whichever the route.
#[derive(Clone)]
struct Bomb {
    is_armed: Arc<AtomicBool>,
    message: String,
}

impl Bomb {
    fn new(message: &str) -> Self {
        Self {
            is_armed: Arc::new(AtomicBool::new(true)),
            message: message.to_owned(),
        }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            panic!("{}", self.message);
        }
    }
}

/// Has the program report the panics of bombs; that of an assertion is for whoever reads the output of the tests.
fn report_bombs() {
    let usual = panic::take_hook();
    telemetry::report_panics();
    let ours = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        match message.starts_with("canary-") {
            true => ours(panic),
            false => usual(panic),
        }
    }));
}

/// The log of the program as it is written, to be read by the test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// As the program starts its own, at its most talkative. Everything of this process is in it from now on.
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::registry()
            .with(telemetry::filter("trace"))
            .with(fmt::layer().json().with_writer(move || writer.clone()))
            .init();
        report_bombs();
        log
    }

    /// What was written since this was last asked.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8(bytes).expect("the log is UTF-8")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The request with something to hide in every place, and the bomb beside it.
fn loaded(call: Call, canaries: &mut Canaries) -> Call {
    let mut secret = |what: &'static str| {
        let secret = format!("canary-{}-{what}", canaries.0.len());
        canaries.add(what, secret)
    };
    let body = json!({
        "email": secret("an address of a form"), "login": secret("a name of a form"),
        "password": secret("a password"), "current_password": secret("a current password"),
        "new_password": secret("a new password"), "refresh_token": secret("a refresh token"),
        "code": secret("a code"), "name": secret("a name"),
    });
    call.header(
        "referer",
        format!("http://localhost/?{}", secret("a referer")).replace(' ', "+"),
    )
    .header("user-agent", secret("a user agent"))
    .header("x-request-id", secret("an id of a client"))
    .another(
        "cookie",
        &format!("theirs={}", secret("a foreign cookie").replace(' ', "+")),
    )
    .json(&body)
    .extension(Bomb::new(&secret("the message of the panic")))
}

/// Sends the panic through every route, and gives what the log says of it.
async fn panic_on_every_route(client: &Client, canaries: &mut Canaries, log: &Log) -> String {
    let mut whole = String::new();
    for row in ROUTES.iter().chain(SITE) {
        for method in row.methods() {
            let query = canaries.add("a query", format!("canary-{}-in-a-query", canaries.0.len()));
            let path = format!("{}?access_token={query}", row.path_to(&Objects::all("1")));
            let answer = loaded(client.call(method, &path), canaries).await;
            let asked = format!("{method} {}: {}", row.path, answer.shown());
            let written = log.take();
            let is_of_here = |line: &&str| line.contains("panicked at") && line.contains(file!());
            let panics: Vec<_> = written.lines().filter(is_of_here).collect();
            assert_eq!(panics.len(), 1, "{asked}");
            assert!(panics[0].contains("\"name\":\"request\""), "{}", panics[0]);
            assert_eq!(answer.status, 500, "{asked}");
            if *method != "HEAD" {
                assert_eq!(answer.code(), "internal_error", "{asked}");
            }
            canaries.assert_not_in("an answer", answer.shown().as_bytes());
            whole.push_str(&written);
        }
    }
    whole
}

#[tokio::test]
async fn a_panic_in_any_route_tells_nothing_of_its_request() {
    let site = format!("{}/../../examples/site", env!("CARGO_MANIFEST_DIR"));
    let settings = [("site.dir", site.as_str()), ("site.protect", "/members/**")];
    let (app, anon) = TestApp::with(&settings).await;
    let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
    let mut canaries = Canaries(Vec::new());
    canaries.add("the password of ada", password("ada"));
    canaries.add("the password of eve", password("eve"));
    canaries.add("an access token", &ada.access_token);
    canaries.add("a refresh token", &ada.refresh_token);
    let cookie = eve.cookie().expect("a cookie");
    canaries.add("the cookie", cookie.split_once('=').expect("a value").1);

    let log = Log::start();
    let mut written = String::new();
    for client in [&anon, &ada, &eve] {
        written += &panic_on_every_route(client, &mut canaries, &log).await;
    }
    assert!(canaries.0.len() >= 20);
    canaries.assert_not_in("the log", written.as_bytes());
    let ready = anon.get("/readyz").await.expect_status(200);
    canaries.assert_not_in("/readyz", &ready.body);
    for client in [&ada, &eve] {
        client.get("/api/auth/me").await.expect_status(200);
    }
}
