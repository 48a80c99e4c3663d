//! What the tests of the doors share: a server in this process with a clock that is moved by hand, and the actors who
//! send it requests. What an answer must always be like is held against it in `support/answer.rs`.

mod answer;
pub(crate) mod described;

use std::{
    collections::BTreeMap,
    future::IntoFuture,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use accounts::{Argon2Cost, Clock, Database, HashCost, Operator, Role, Timestamp};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, header},
    response::Response,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vestibule::{
    app::{self, App},
    config::{Document, Inputs, load_from},
    http,
};

use crate::place::Place;

pub(crate) use answer::Answer;

/// A minute, an hour, a day.
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The built-in pages; one of them is about a user.
pub(crate) const PAGES: [&str; 9] = [
    "/login",
    "/register",
    "/setup",
    "/dashboard",
    "/account",
    "/admin",
    "/admin/users",
    "/admin/users/01890a5d-ac96-774b-bcce-b302099a8057",
    "/admin/audit",
];

/// Saturday, 31 January 2026, 12:00 UTC.
const START: i64 = 1_769_860_800_000_000;
/// An address of the documentation range, so that nothing takes it for the machine itself.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// A server on a database of its own. It is reached without a network.
pub(crate) struct TestApp {
    /// The only clock there is.
    pub(crate) clock: Clock,
    pub(crate) app: App,
    router: Router,
    folder: Arc<Place>,
    database: Option<Database>,
}

impl TestApp {
    /// A server without any setting, and somebody whom it does not know.
    pub(crate) async fn new() -> (Self, Client) {
        Self::with(&[]).await
    }

    /// A server with these settings; a list setting may come several times.
    pub(crate) async fn with(settings: &[(&'static str, &str)]) -> (Self, Client) {
        Self::with_file(settings, "").await
    }

    /// A server with these settings and this `vestibule.toml`.
    pub(crate) async fn with_file(settings: &[(&'static str, &str)], file: &str) -> (Self, Client) {
        let folder = Arc::new(Place::new());
        let clock = Clock::fixed(Timestamp::from_micros(START));
        Self::on(folder, clock, settings, file).await
    }

    /// Another server on the same database and clock, with these settings.
    pub(crate) async fn beside(&self, settings: &[(&'static str, &str)]) -> (Self, Client) {
        Self::on(Arc::clone(&self.folder), self.clock.clone(), settings, "").await
    }

    async fn on(
        folder: Arc<Place>,
        clock: Clock,
        settings: &[(&'static str, &str)],
        file: &str,
    ) -> (Self, Client) {
        let data_dir = folder.path().join("data");
        let mut flags: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        flags.insert("data_dir", vec![data_dir.display().to_string()]);
        let database = folder.settings().iter();
        flags.extend(database.map(|(key, url)| (*key, vec![url.clone()])));
        for (key, value) in settings {
            flags.entry(key).or_default().push((*value).to_owned());
        }
        let file = Document {
            path: PathBuf::from("vestibule.toml"),
            text: Ok(file.to_owned()),
            readable_by_all: false,
        };
        let inputs = Inputs {
            flags,
            file: Some(file),
            ..Inputs::default()
        };
        let mut config = load_from(inputs).expect("settings without problems").config;
        // These tests are about doors, and do not wait for work that protects nobody. Who means to wait takes bcrypt.
        if let HashCost::Argon2id(cost) = &mut config.password.hash_cost {
            *cost = Argon2Cost::TRIFLING;
        }
        let database = app::open_database(&config).await.expect("a database");
        let accounts = app::open_accounts(&config, &database, clock.clone()).await;
        let site = app::open_site(&config).expect("a site");
        let app = App::new(accounts.expect("accounts"), config, site, clock.clone());
        let test = Self {
            clock,
            router: http::router(app.clone()),
            app,
            folder,
            database: Some(database),
        };
        let anonymous = Client::of(&test);
        (test, anonymous)
    }

    /// The example site of the repository, whose members' area is protected, with further settings.
    pub(crate) async fn with_site(settings: &[(&'static str, &str)]) -> (Self, Client) {
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site");
        let site = site.display().to_string();
        let mut all = vec![("site.dir", site.as_str()), ("site.protect", "/members/**")];
        all.extend(settings);
        Self::with(&all).await
    }

    /// Somebody who registered and keeps tokens.
    pub(crate) async fn user(&self, name: &str) -> Client {
        let mut client = Client::of(self);
        let answer = client
            .post("/api/auth/register", registration(name))
            .await
            .expect_status(201);
        client.keep(&answer);
        client
    }

    /// Somebody who registered in a browser, which keeps a cookie and says where its requests come from.
    pub(crate) async fn browser(&self, name: &str) -> Client {
        let client = self.stranger_in_browser();
        let mut form = registration(name);
        form["mode"] = json!("cookie");
        client
            .post("/api/auth/register", form)
            .await
            .expect_status(201);
        client
    }

    /// Somebody whom the server does not know.
    pub(crate) fn stranger(&self) -> Client {
        Client::of(self)
    }

    /// A browser that nobody logged in with.
    pub(crate) fn stranger_in_browser(&self) -> Client {
        Client {
            browser: Some(Browser {
                origin: self.app.config().public_url.to_string(),
                jar: Arc::default(),
            }),
            ..Client::of(self)
        }
    }

    /// The command line's side of the accounts.
    pub(crate) fn operator(&self) -> Operator<'_> {
        self.app.accounts().operator()
    }

    /// Gives a user a role, as `vestibule user roles` does.
    pub(crate) async fn grant(&self, login: &str, role: &str) {
        let role = Role::parse(role).expect("a role");
        self.operator()
            .change_roles(login, &[role].into(), &[].into())
            .await
            .expect("a user");
    }

    /// Takes a role from a user, as `vestibule user roles` does.
    pub(crate) async fn take(&self, login: &str, role: &str) {
        let role = Role::parse(role).expect("a role");
        self.operator()
            .change_roles(login, &[].into(), &[role].into())
            .await
            .expect("a user");
    }

    /// The router as its `Debug` form shows it, with the paths of all routes.
    pub(crate) fn router_shown(&self) -> String {
        format!("{:?}", self.router)
    }

    /// Every file of the data folder, byte for byte, but those that hold locks alone: the same before and after means
    /// that not even a transaction without effect was committed.
    pub(crate) fn written(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = std::fs::read_dir(self.folder.path().join("data")).expect("a folder");
        files
            .map(|file| file.expect("a file").path())
            .filter(|path| path.extension().is_none_or(|kind| kind != "db-shm"))
            .map(|path| (path.clone(), std::fs::read(path).expect("readable")))
            .collect()
    }

    /// Closes the database under the server, as a disk that fails would.
    pub(crate) async fn lose_database(&mut self) {
        let database = self.database.take().expect("it was lost before");
        database.close().await;
    }
}

/// What somebody of this name registers with.
pub(crate) fn registration(name: &str) -> Value {
    json!({ "email": email(name), "username": name, "password": password(name) })
}

pub(crate) fn email(name: &str) -> String {
    format!("{name}@example.org")
}

pub(crate) fn password(name: &str) -> String {
    format!("{name} likes long passwords")
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    is_https: bool,
    address: IpAddr,
    browser: Option<Browser>,
    /// What the last login or refresh gave.
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// What a browser adds to requests by itself.
#[derive(Clone)]
struct Browser {
    origin: String,
    jar: Arc<Mutex<Option<String>>>,
}

impl Client {
    fn of(test: &TestApp) -> Self {
        Self {
            router: test.router.clone(),
            is_https: test.app.is_https(),
            address: CLIENT,
            browser: None,
            access_token: String::new(),
            refresh_token: String::new(),
        }
    }

    /// The same from another place.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self {
            address: address.parse().expect("an address"),
            ..self.clone()
        }
    }

    /// The same in a window of its own: what it learns of cookies from now on, the original does not.
    pub(crate) fn apart(&self) -> Self {
        let browser = self.browser.as_ref().map(|browser| Browser {
            origin: browser.origin.clone(),
            jar: Arc::new(Mutex::new(self.cookie())),
        });
        Self {
            browser,
            ..self.clone()
        }
    }

    /// The same as a visitor of another server.
    pub(crate) fn on(&self, test: &TestApp) -> Self {
        Self {
            router: test.router.clone(),
            ..self.clone()
        }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let mut headers = HeaderMap::new();
        if let Some(browser) = &self.browser {
            browser.prepare(method, &mut headers);
        } else if !self.access_token.is_empty() {
            let value = format!("Bearer {}", self.access_token);
            headers.insert(header::AUTHORIZATION, value.parse().expect("a token"));
        }
        Call {
            client: self.clone(),
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers,
            extensions: Extensions::new(),
            body: Body::empty(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<Value>) -> Call {
        self.call("POST", path).json(&body.into())
    }

    /// Opens a page, as following a link or entering its address does.
    pub(crate) fn visit(&self, path: &str) -> Call {
        self.get(path)
            .header("sec-fetch-site", "none")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    /// Exchanges the refresh token, and keeps what comes back if it is a new pair.
    pub(crate) async fn refresh(&mut self) -> Answer {
        let answer = self
            .post(
                "/api/auth/refresh",
                json!({ "refresh_token": self.refresh_token }),
            )
            .without("authorization")
            .await;
        if answer.status == 200 {
            self.keep(&answer);
        }
        answer
    }

    /// Keeps the tokens of an answer for later requests.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        self.access_token = answer.text_at("access_token");
        self.refresh_token = answer.text_at("refresh_token");
    }

    /// `name=value` of the session cookie, if the browser holds one.
    pub(crate) fn cookie(&self) -> Option<String> {
        let jar = &self.browser.as_ref()?.jar;
        jar.lock().expect("a jar that nobody broke").clone()
    }

    /// Puts a cookie into the browser's jar.
    pub(crate) fn set_cookie(&self, cookie: Option<String>) {
        let browser = self.browser.as_ref().expect("a browser");
        *browser.jar.lock().expect("a jar that nobody broke") = cookie;
    }
}

impl Browser {
    /// What Chromium sends with a `fetch` of one of our own pages.
    fn prepare(&self, method: &str, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: &str| {
            headers.insert(name, value.parse().expect("a header"));
        };
        set("sec-fetch-site", "same-origin");
        set("sec-fetch-mode", "cors");
        set("sec-fetch-dest", "empty");
        if method != "GET" && method != "HEAD" {
            set("origin", &self.origin);
        }
        if let Some(cookie) = &*self.jar.lock().expect("a jar that nobody broke") {
            set("cookie", cookie);
        }
    }

    fn learn(&self, answer: &Answer) {
        let Some(set) = answer.header("set-cookie") else {
            return;
        };
        let pair = set.split(';').next().expect("a first part").to_owned();
        let is_removed = set.contains("Max-Age=0");
        *self.jar.lock().expect("a jar that nobody broke") = (!is_removed).then_some(pair);
    }
}

/// A request that is sent when it is awaited.
#[must_use]
pub(crate) struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
}

impl Call {
    /// Sets a header in place of whatever it was.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("the value of a header");
        self.headers.insert(name, value);
        self
    }

    /// Adds a header to those of the same name.
    pub(crate) fn another(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.headers
            .append(name, value.parse().expect("the value of a header"));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        self.stream(Body::from(body.into()))
    }

    /// A body that arrives as it will.
    pub(crate) fn stream(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Puts something beside the request, as the layers of the server do.
    pub(crate) fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Sends it, for a body that is read as it comes.
    pub(crate) async fn streamed(self) -> Response {
        let Self {
            client,
            method,
            path,
            headers,
            extensions,
            body,
        } = self;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        *request.headers_mut() = headers;
        *request.extensions_mut() = extensions;
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(client.address, 50_000)));
        match client.router.oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    async fn send(self) -> Answer {
        let (client, method, path) = (self.client.clone(), self.method.clone(), self.path.clone());
        let (parts, body) = self.streamed().await.into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
        };
        answer.check(&method, &path, client.is_https);
        if let Some(browser) = &client.browser {
            browser.learn(&answer);
        }
        answer
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
