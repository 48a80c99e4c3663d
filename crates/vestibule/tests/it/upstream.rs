//! The gate of an app: who gets through, what the app is told, what of its answers is passed on, and that both sides
//! flow. The app is a real server on a port of its own; some of them speak as no server should.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use futures_util::{StreamExt as _, stream};
use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use vestibule::{
    app::refuse_itself_as_app,
    config::{Inputs, load_from},
    http,
    serve::{Bounds, Drained, bind, serve},
};

use crate::support::{Call, Client, TestApp};

/// Longer than anything here takes; reached only when what is awaited never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `future` yields, which must not take long.
async fn soon<F: IntoFuture>(future: F) -> F::Output {
    timeout(PATIENCE, future)
        .await
        .expect("what is waited for never comes")
}

/// An app that shows what a request has become.
fn telling() -> SocketAddr {
    let tell = |request: Request| async move {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let headers: Vec<String> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let asked = format!("{} {}", head.method, head.uri);
        let body = String::from_utf8_lossy(&body).into_owned();
        axum::Json(json!({ "asked": asked, "headers": headers, "body": body }))
    };
    let back = |request: Request| async move { request.into_body() };
    let own = || async {
        let headers = [
            (header::SET_COOKIE, "theme=dark; Path=/"),
            (header::LOCATION, "http://elsewhere.example/#there"),
            (header::CONNECTION, "x-hop"),
            (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        ];
        let mut answer = (StatusCode::FOUND, headers).into_response();
        for (name, value) in [
            ("set-cookie", "__Host-vestibule=evil; Path=/"),
            ("set-cookie", "vestibule=evil"),
            ("x-hop", "for us"),
        ] {
            answer
                .headers_mut()
                .append(name, value.parse().expect("a value"));
        }
        answer
    };
    let public = || async { ([(header::CACHE_CONTROL, "public, max-age=60")], "fresh") };
    let app = Router::new()
        .route("/back", any(back))
        .route("/own", any(own))
        .route("/members/cached", get(public))
        .fallback(tell);
    let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(
        listener,
        app,
        Bounds::default(),
        std::future::pending(),
    ));
    address
}

/// An app whose every byte is the test's.
fn scripted() -> (TcpListener, SocketAddr) {
    let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// The next connection to a scripted app, and the head of the request on it.
async fn asked(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = soon(listener.accept()).await.expect("a connection");
    let head = head(&mut stream).await;
    (stream, head)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await.expect("a head"));
    }
    String::from_utf8(head).expect("text")
}

/// A gate in front of that app, with a members' area.
async fn gate(app: SocketAddr, settings: &[(&'static str, &str)]) -> (TestApp, Client) {
    const RULES: &str = "
        [[site.rules]]
        path = '/members/staff/**'
        roles = ['staff']
    ";
    let upstream = format!("http://{app}");
    let mut all = vec![
        ("site.upstream", upstream.as_str()),
        ("site.protect", "/members/**"),
    ];
    all.extend(settings);
    TestApp::with_file(&all, RULES).await
}

/// What the app was told.
struct Told(Value);

impl Told {
    async fn by(call: Call) -> Self {
        let answer = call.streamed().await;
        assert_eq!(answer.status(), 200);
        Self(serde_json::from_str(&text(answer).await).expect("what the app was told"))
    }

    fn asked(&self) -> &str {
        self.0["asked"].as_str().expect("a text")
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().expect("headers").iter();
        headers
            .filter_map(|line| line.as_str()?.strip_prefix(name)?.strip_prefix(": "))
            .collect()
    }

    #[track_caller]
    fn one(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} comes twice");
        all.first().copied()
    }
}

async fn text(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), usize::MAX)
        .await
        .expect("a body");
    String::from_utf8(body.to_vec()).expect("text")
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let all = headers.get_all(name).iter();
    all.map(|value| value.to_str().expect("ASCII")).collect()
}

/// Every spelling in which a client might say who it is, or what it asks for.
const CLAIMS: [(&str, &str); 18] = [
    ("Remote-User", "root"),
    ("REMOTE_USER", "root"),
    ("remote_Email", "root@example.org"),
    ("Remote-Name", "Root"),
    ("Remote-Groups", "admin"),
    ("Remote_Groups", "admin"),
    ("Remote.User", "root"),
    ("PATH_INFO", "/members/staff"),
    ("X-Original-URL", "/members/staff"),
    ("X-Rewrite-URL", "/members/staff"),
    ("Forwarded", "for=203.0.113.9;host=evil.example"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Port", "8443"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-User", "root"),
    ("X-Real-IP", "203.0.113.9"),
];

fn claiming(call: Call) -> Call {
    let call = CLAIMS
        .into_iter()
        .fold(call, |call, (name, value)| call.another(name, value));
    call.header("connection", "Remote-User, X-Forwarded-For, x-secret")
        .header("x-secret", "for us")
}

#[tokio::test]
async fn the_app_is_told_who_asks_and_from_where_and_nothing_that_the_client_says_of_it() {
    let (app, _) = gate(telling(), &[]).await;
    let ada = app.browser("ada").await;
    let id = ada.get("/api/auth/me").await.text_at("id");
    let cookie = format!("theme=dark; {}; lang=de", ada.cookie().expect("a cookie"));
    let call = ada
        .get("/members/%6cist?q=%20a&b=/../c")
        .header("cookie", cookie)
        .header("host", "localhost:8080")
        .header("authorization", "Basic YXBwOm93bg==")
        .header("upgrade", "h2c");
    let told = Told::by(claiming(call)).await;
    assert_eq!(told.asked(), "GET /members/list?q=%20a&b=/../c");
    for (name, value) in [
        ("remote-user", Some(id.as_str())),
        ("remote-email", Some("")),
        ("remote-name", Some("")),
        ("remote-groups", Some("")),
        ("x-forwarded-for", Some("192.0.2.1")),
        ("x-forwarded-proto", Some("http")),
        ("x-forwarded-host", Some("localhost:8080")),
        ("host", Some("localhost:8080")),
        ("cookie", Some("theme=dark; lang=de")),
        ("authorization", Some("Basic YXBwOm93bg==")),
    ] {
        assert_eq!(told.one(name), value, "{name}");
    }
    assert_eq!(told.one("x-request-id").map(str::len), Some(36));
    let gone = [
        "remote_user",
        "remote_email",
        "remote_groups",
        "remote.user",
        "path_info",
        "x-original-url",
        "x-rewrite-url",
        "forwarded",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-user",
        "x-real-ip",
        "x-secret",
        "upgrade",
        "connection",
    ];
    for name in gone {
        assert_eq!(told.one(name), None, "{name}");
    }
}

#[tokio::test]
async fn whoever_is_not_known_is_told_by_no_header_on_a_public_page_and_a_session_is_known_there_too()
 {
    let (app, anon) = gate(telling(), &[]).await;
    let told = Told::by(claiming(anon.get("/"))).await;
    for name in [
        "remote-user",
        "remote-email",
        "remote-name",
        "remote-groups",
    ] {
        assert_eq!(told.one(name), None, "{name}");
    }
    let own_token = anon.get("/").bearer("of-the-app");
    let told = Told::by(own_token).await;
    assert_eq!(told.one("authorization"), Some("Bearer of-the-app"));

    let ada = app.user("ada").await;
    app.grant("ada", "staff").await;
    for path in ["/", "/members/", "/members/staff/"] {
        let told = Told::by(ada.get(path)).await;
        assert_eq!(told.one("remote-groups"), Some("staff"), "{path}");
        assert_eq!(
            told.one("authorization"),
            None,
            "a key to us is not the app's: {path}"
        );
    }
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_the_address_of_its_visitor_and_that_of_the_server() {
    let settings = [
        ("trusted_proxies", "192.0.2.0/24"),
        ("public_url", "https://example.org"),
    ];
    let (_app, anon) = gate(telling(), &settings).await;
    let told = Told::by(claiming(anon.get("/").header("host", "example.org"))).await;
    for (name, value) in [
        ("x-forwarded-for", Some("203.0.113.9")),
        ("x-forwarded-host", Some("evil.example")),
        ("x-forwarded-proto", Some("https")),
        ("x-forwarded-port", Some("8443")),
        ("x-forwarded-prefix", None),
        ("x-forwarded-user", None),
        ("host", Some("example.org")),
        ("x-original-url", None),
        ("remote-user", None),
    ] {
        assert_eq!(told.one(name), value, "{name}");
    }
    let stranger = anon.at("203.0.113.1");
    let told = Told::by(claiming(stranger.get("/"))).await;
    assert_eq!(told.one("x-forwarded-for"), Some("203.0.113.1"));
    assert_eq!(told.one("x-forwarded-proto"), Some("https"));
    assert_eq!(told.one("x-forwarded-host"), Some("example.org"));
}

#[tokio::test]
async fn what_is_protected_is_so_in_every_spelling_and_for_every_method() {
    let (app, anon) = gate(telling(), &[]).await;
    let ada = app.browser("ada").await;
    for path in [
        "/members",
        "/members/",
        "/members/a",
        "/%6dembers/a",
        "/MEMBERS/a",
    ] {
        let answer = anon.visit(path).await.expect_status(303);
        let next = answer.header("location").expect("a place");
        assert!(next.starts_with("/login?next=/"), "{next}");
        for method in ["GET", "POST", "PUT", "PROPFIND", "OPTIONS"] {
            anon.call(method, path)
                .await
                .expect_problem(401, "missing_token");
        }
        Told::by(ada.get(path)).await;
    }
    for path in ["/members/staff", "/members/staff/a", "/Members/Staff/a"] {
        ada.get(path).await.expect_problem(403, "forbidden");
    }
    for path in [
        "//members/a",
        "/a/../members/a",
        "/members%2fa",
        "/a/%2e%2e/members",
        "/members;a",
        "/%00",
    ] {
        ada.get(path).await.expect_problem(404, "not_found");
    }
    let told = Told::by(ada.call("PROPFIND", "/members/a").body("<all/>")).await;
    assert_eq!(
        (told.asked(), &told.0["body"]),
        ("PROPFIND /members/a", &json!("<all/>"))
    );
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_in_a_visitors_name() {
    let (app, anon) = gate(telling(), &[]).await;
    let ada = app.browser("ada").await;
    let evil = "https://evil.example";
    for path in ["/", "/members/"] {
        let post = || ada.call("POST", path).header("content-type", "text/plain");
        let refused = post().header("origin", evil).await;
        let refused = refused.expect_problem(403, "cross_origin_refused");
        assert!(refused.text().contains(evil), "{}", refused.text());
        let without = post().without("origin").without("sec-fetch-site");
        without.await.expect_problem(403, "cross_origin_refused");
        Told::by(post()).await;
        let open = || ada.get(path).header("sec-websocket-key", "eA==");
        open()
            .header("origin", evil)
            .await
            .expect_problem(403, "cross_origin_refused");
        Told::by(open().header("origin", "http://localhost:8080")).await;
    }
    Told::by(anon.call("POST", "/").header("origin", evil)).await;
    Told::by(
        app.user("eve")
            .await
            .call("POST", "/")
            .header("origin", evil),
    )
    .await;
}

#[tokio::test]
async fn an_answer_of_the_app_is_passed_on_but_for_what_is_not_its_to_say() {
    let (app, anon) = gate(telling(), &[]).await;
    let answer = anon.get("/own").streamed().await;
    assert_eq!(answer.status(), 302);
    let headers = answer.headers();
    assert_eq!(values(headers, "set-cookie"), ["theme=dark; Path=/"]);
    assert_eq!(
        values(headers, "location"),
        ["http://elsewhere.example/#there"]
    );
    assert_eq!(values(headers, "x-frame-options"), ["SAMEORIGIN"]);
    for name in [
        "x-hop",
        "connection",
        "x-content-type-options",
        "referrer-policy",
        "cache-control",
    ] {
        assert!(!headers.contains_key(name), "{name}");
    }
    let ada = app.browser("ada").await;
    for (path, caching) in [
        ("/members/", "private, no-cache"),
        ("/members/cached", "public, max-age=60"),
    ] {
        let answer = ada.get(path).streamed().await;
        assert_eq!(
            values(answer.headers(), "cache-control"),
            [caching],
            "{path}"
        );
    }
    let told = ada.call("HEAD", "/members/").streamed().await;
    assert!(told.headers().contains_key("content-length"));
    assert_eq!(text(told).await, "");
}

#[tokio::test]
async fn both_sides_flow_as_they_come() {
    let (_app, anon) = gate(telling(), &[]).await;
    let (send, mut sent) = mpsc::channel::<Bytes>(1);
    let chunks = stream::poll_fn(move |cx| sent.poll_recv(cx)).map(Ok::<_, std::io::Error>);
    let call = anon.call("POST", "/back").stream(Body::from_stream(chunks));
    let answer = soon(call.streamed()).await;
    let mut back = answer.into_body().into_data_stream();
    // Four times what is let through to our own routes at once.
    for chunk in [Bytes::from_static(b"first"), vec![b'x'; 256 * 1024].into()] {
        send.send(chunk.clone()).await.expect("somebody reads");
        let mut received = Vec::new();
        while received.len() < chunk.len() {
            let part = soon(back.next()).await.expect("more").expect("no error");
            received.extend_from_slice(&part);
        }
        assert!(received == chunk, "what was sent comes back before more is");
    }
    drop(send);
    assert!(soon(back.next()).await.is_none());
}

#[tokio::test]
async fn an_app_that_fails_is_a_502_or_504_and_takes_nothing_else_down() {
    let (listener, address) = scripted();
    let (app, anon) = gate(address, &[("site.upstream_timeout", "100ms")]).await;
    let silent = anon.get("/silent").await;
    silent.expect_problem(504, "gateway_timeout");
    let page = anon.visit("/silent").await.expect_status(504);
    assert_snapshot!(page.shown(), @r"
    504
    cache-control: no-store
    content-type: text/plain; charset=utf-8
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    The app behind this server did not answer in time.
    ");
    for wrong in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    ] {
        let (answer, ()) = tokio::join!(anon.call("POST", "/").into_future(), async {
            loop {
                let (mut stream, head) = asked(&listener).await;
                if head.starts_with("POST") {
                    return stream.write_all(wrong.as_bytes()).await.expect("a reader");
                }
            }
        });
        answer.expect_problem(502, "bad_gateway");
    }
    drop(listener);
    anon.get("/").await.expect_problem(502, "bad_gateway");
    anon.visit("/login").await.expect_status(200);
    app.user("ada")
        .await
        .get("/api/auth/me")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_client_that_stops_in_mid_body_is_told_that_it_was_too_slow() {
    let (_listener, address) = scripted();
    let (_app, anon) = gate(address, &[("site.upstream_timeout", "100ms")]).await;
    let stalled = stream::once(async { Ok::<_, std::io::Error>("some") }).chain(stream::pending());
    let call = anon.call("POST", "/").stream(Body::from_stream(stalled));
    let answer = call.await.expect_problem(408, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn only_what_is_safe_is_sent_again_when_a_connection_breaks() {
    let (listener, address) = scripted();
    let (_app, anon) = gate(address, &[]).await;
    let refused = tokio::spawn(anon.call("POST", "/once").into_future());
    drop(asked(&listener).await);
    let refused = soon(refused).await.expect("an answer");
    refused.expect_problem(502, "bad_gateway");
    let repeated = tokio::spawn(anon.get("/twice").streamed());
    drop(asked(&listener).await);
    let (mut stream, head) = asked(&listener).await;
    assert!(head.starts_with("GET /twice HTTP/1.1\r\n"), "{head}");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
        .await
        .expect("a reader");
    let repeated = soon(repeated).await.expect("an answer");
    assert_eq!(text(repeated).await, "ok");
    let answered = tokio::spawn(anon.get("/garbled").into_future());
    let (mut garbling, _) = asked(&listener).await;
    garbling
        .write_all(b"220 ready\r\n\r\n")
        .await
        .expect("a reader");
    let answered = soon(answered).await.expect("an answer");
    answered.expect_problem(502, "bad_gateway");
}

#[tokio::test]
async fn a_client_that_leaves_is_not_worked_for() {
    let (listener, address) = scripted();
    let (_app, anon) = gate(address, &[]).await;
    let waiting = tokio::spawn(anon.get("/slow").streamed());
    let (mut stream, _) = asked(&listener).await;
    waiting.abort();
    assert_eq!(soon(stream.read(&mut [0])).await.expect("an end"), 0);
}

#[tokio::test]
async fn a_server_that_would_ask_itself_does_not_start() {
    for (listen, upstream, is_refused) in [
        ("127.0.0.1:5000", "http://127.0.0.1:5000", true),
        ("0.0.0.0:5000", "http://localhost:5000", true),
        ("[::]:5000", "http://127.0.0.1:5000", true),
        ("0.0.0.0:5000", "http://192.0.2.1:5000", false),
        ("0.0.0.0:5000", "http://[::1]:5000", false),
        ("127.0.0.1:5001", "http://127.0.0.1:5000", false),
        ("127.0.0.2:5000", "http://127.0.0.1:5000", false),
    ] {
        let settings = [
            ("listen", listen),
            ("public_url", "https://example.org"),
            ("site.upstream", upstream),
        ];
        let flags = settings.map(|(key, value)| (key, vec![value.to_owned()]));
        let inputs = Inputs {
            flags: flags.into(),
            ..Inputs::default()
        };
        let config = load_from(inputs).expect("settings without problems").config;
        let refused = refuse_itself_as_app(&config).await;
        assert_eq!(refused.is_err(), is_refused, "{listen} {upstream}");
    }
}

/// A gate that is reached by sockets.
struct Listening {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    drained: JoinHandle<Drained>,
}

impl Listening {
    fn new(test: &TestApp) -> Self {
        let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, asked) = oneshot::channel();
        let app = http::router(test.app.clone());
        let drained = tokio::spawn(serve(listener, app, Bounds::default(), async move {
            let _asked_or_dropped = asked.await;
        }));
        Self {
            address,
            shutdown,
            drained,
        }
    }

    async fn send(&self, request: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address)
            .await
            .expect("a connection");
        client
            .write_all(request.as_bytes())
            .await
            .expect("a reader");
        client
    }

    /// Opens a WebSocket to the app in the name of a visitor: their end and the app's.
    async fn websocket(&self, listener: &TcpListener, visitor: &Client) -> (TcpStream, TcpStream) {
        let cookie = visitor.cookie().expect("a cookie");
        let request = format!(
            "GET /members/chat HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\n\
             Cookie: {cookie}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let mut near = self.send(&request).await;
        let (mut far, asked) = asked(listener).await;
        assert!(
            asked.contains("connection: upgrade\r\nupgrade: websocket\r\n"),
            "{asked}"
        );
        assert!(asked.contains("\r\nremote-user: "), "{asked}");
        assert!(
            asked.contains("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            "{asked}"
        );
        // The first words may come together with the head.
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello";
        far.write_all(answer.as_bytes()).await.expect("a reader");
        let answered = head(&mut near).await;
        assert!(answered.starts_with("HTTP/1.1 101 "), "{answered}");
        assert!(
            answered.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            "{answered}"
        );
        expect(&mut near, b"hello").await;
        (near, far)
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_reaches_the_app_by_every_method() {
    let (listener, address) = scripted();
    let (app, _) = gate(address, &[]).await;
    let server = Listening::new(&app);
    for method in ["GET", "HEAD", "DELETE"] {
        let request = format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        );
        let _near = server.send(&request).await;
        let (mut far, asked) = asked(&listener).await;
        assert!(asked.contains("transfer-encoding: chunked\r\n"), "{asked}");
        expect(&mut far, b"5\r\nhello\r\n0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn no_trailer_of_a_request_reaches_the_app_and_those_of_an_answer_reach_the_client() {
    let (listener, address) = scripted();
    let (app, _) = gate(address, &[]).await;
    let server = Listening::new(&app);
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: Remote-User\r\n\
                   Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nRemote-User: root\r\n\r\n";
    let mut near = server.send(request).await;
    let (mut far, asked) = asked(&listener).await;
    assert!(!asked.contains("trailer:"), "{asked}");
    assert!(asked.contains("transfer-encoding: chunked\r\n"), "{asked}");
    expect(&mut far, b"5\r\nhello\r\n0\r\n\r\n").await;
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
                  2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n";
    far.write_all(answer.as_bytes()).await.expect("a reader");
    let mut answered = String::new();
    soon(near.read_to_string(&mut answered))
        .await
        .expect("an end");
    assert!(
        answered.ends_with("2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n"),
        "{answered}"
    );
}

async fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut received = vec![0; bytes.len()];
    soon(stream.read_exact(&mut received)).await.expect("bytes");
    assert_eq!(received, bytes);
}

/// Waits for the end of a stream of which nothing more is expected.
async fn expect_end(stream: &mut TcpStream) {
    match soon(stream.read(&mut [0])).await {
        Ok(read) => assert_eq!(read, 0),
        Err(failure) => assert_eq!(failure.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn a_websocket_carries_bytes_both_ways_until_either_side_ends_it() {
    let (listener, address) = scripted();
    let (app, _) = gate(address, &[]).await;
    let ada = app.browser("ada").await;
    let server = Listening::new(&app);
    let (mut near, mut far) = server.websocket(&listener, &ada).await;
    for _ in 0..3 {
        near.write_all(b"\x81\x02up").await.expect("a reader");
        expect(&mut far, b"\x81\x02up").await;
        far.write_all(b"\x81\x04down").await.expect("a reader");
        expect(&mut near, b"\x81\x04down").await;
    }
    drop(far);
    expect_end(&mut near).await;
    let (near, mut far) = server.websocket(&listener, &ada).await;
    drop(near);
    expect_end(&mut far).await;
    let (mut near, mut far) = server.websocket(&listener, &ada).await;
    server.shutdown.send(()).expect("a server that runs");
    expect_end(&mut near).await;
    expect_end(&mut far).await;
    drop(near);
    assert_eq!(soon(server.drained).await.expect("an end").cut, 0);
}

#[tokio::test]
async fn a_websocket_and_a_stream_end_with_the_session_that_they_were_opened_in() {
    let (listener, address) = scripted();
    let (app, _) = gate(address, &[]).await;
    let (ada, eve) = (app.browser("ada").await, app.browser("eve").await);
    let server = Listening::new(&app);
    let (mut near, mut far) = server.websocket(&listener, &ada).await;
    let (mut eves, mut apps) = server.websocket(&listener, &eve).await;
    let events = format!(
        "GET /members/events HTTP/1.1\r\nHost: localhost:8080\r\nCookie: {}\r\n\r\n",
        ada.cookie().expect("a cookie")
    );
    let mut reader = server.send(&events).await;
    let (mut writer, _) = asked(&listener).await;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
    writer.write_all(answer.as_bytes()).await.expect("a reader");
    let mut answered = head(&mut reader).await;
    while !answered.ends_with("data: 1\n\n") {
        answered.push(soon(reader.read_u8()).await.expect("an event").into());
    }
    ada.call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
    expect_end(&mut near).await;
    expect_end(&mut far).await;
    expect_end(&mut writer).await;
    let mut rest = Vec::new();
    let _reset_or_end = soon(reader.read_to_end(&mut rest)).await;
    assert!(
        !rest.ends_with(b"0\r\n\r\n"),
        "a stream that was cut has no orderly end"
    );
    eves.write_all(b"still here").await.expect("a reader");
    expect(&mut apps, b"still here").await;
}
