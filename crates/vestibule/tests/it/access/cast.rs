//! The callers of the access matrix: each a credential in a certain state, made anew as often as it is needed. What
//! they may do is left to the rows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::routes::{Body, Objects, additions};
use crate::support::{Client, DAY, TestApp, password, registration};

/// By what a caller is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An access token, with a refresh token beside it.
    Bearer,
    /// The session cookie of a browser.
    Cookie,
}

/// Who sends a request, by what became of their credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Has none.
    Nobody,
    /// Made one up.
    Forger,
    /// Logged out, and kept it.
    LoggedOut,
    /// Changed the password in another session.
    ChangedPassword,
    /// Is deleted.
    Deleted,
    /// Is disabled.
    Disabled,
    /// Was an admin when it was given out, and is none any more.
    Demoted,
    /// The same, logged in again since.
    FormerAdmin,
    /// Is signed in.
    User,
    /// Is signed in, and names an object of somebody else.
    AnotherUser,
    /// Is signed in and an admin.
    Admin,
    /// Let it run out.
    Expired,
}

impl Actor {
    pub(crate) const ALL: [Self; 12] = [
        Self::Nobody,
        Self::Forger,
        Self::LoggedOut,
        Self::ChangedPassword,
        Self::Deleted,
        Self::Disabled,
        Self::Demoted,
        Self::FormerAdmin,
        Self::User,
        Self::AnotherUser,
        Self::Admin,
        Self::Expired,
    ];

    /// Why the credential is no good, if it is not.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Nobody => Some("missing_token"),
            Self::Forger => Some("invalid_token"),
            Self::LoggedOut
            | Self::ChangedPassword
            | Self::Deleted
            | Self::Disabled
            | Self::Demoted => Some("revoked_token"),
            Self::Expired => Some("expired_token"),
            Self::FormerAdmin | Self::User | Self::AnotherUser | Self::Admin => None,
        }
    }
}

/// An actor in person.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) client: Client,
    /// A session, a document and whatever else users add: one's own, or for [`Actor::AnotherUser`] those of the bystander.
    /// A user: the bystander, for whoever may do something to others.
    pub(crate) objects: Objects,
    /// The name of somebody else, who does nothing.
    pub(crate) bystander: String,
}

/// Makes members, of a name each.
pub(crate) struct Cast<'app> {
    app: &'app TestApp,
    kind: Kind,
    made: usize,
}

impl<'app> Cast<'app> {
    /// For callers of one kind; an admin who stays is among them, so that others may cease to be one.
    pub(crate) async fn new(app: &'app TestApp, kind: Kind) -> Self {
        app.user("root").await;
        app.grant("root", "admin").await;
        Self { app, kind, made: 0 }
    }

    pub(crate) async fn make(&mut self, actor: Actor) -> Member {
        self.made += 1;
        let name = format!("{kind:?}{number}", kind = self.kind, number = self.made);
        let bystander = format!("{name}-bystander");
        let other = self.app.user(&bystander).await;
        let mut member = Member {
            client: self.stranger(),
            objects: Objects {
                session: session_of(&other).await,
                user: other.get("/api/auth/me").await.text_at("id"),
                document: document_of(&other, &bystander).await,
                added: BTreeMap::new(),
            },
            name,
            bystander,
        };
        member.objects.added = added_by(&other, &member).await;
        match actor {
            Actor::Nobody => {}
            Actor::Forger => self.forge(&mut member),
            _ => self.sign_in(&mut member, actor).await,
        }
        member
    }

    fn stranger(&self) -> Client {
        match self.kind {
            Kind::Bearer => self.app.stranger(),
            Kind::Cookie => self.app.stranger_in_browser(),
        }
    }

    fn forge(&self, member: &mut Member) {
        let made_up = "made.up.token".to_owned();
        match self.kind {
            Kind::Bearer => {
                member.client.access_token.clone_from(&made_up);
                member.client.refresh_token = made_up;
            }
            Kind::Cookie => member
                .client
                .set_cookie(Some(format!("vestibule={made_up}"))),
        }
    }

    async fn sign_in(&self, member: &mut Member, actor: Actor) {
        let name = member.name.clone();
        let form = registration(&name);
        self.open(member, "/api/auth/register", form).await;
        if matches!(actor, Actor::Demoted | Actor::FormerAdmin | Actor::Admin) {
            self.app.grant(&name, "admin").await;
        }
        if actor != Actor::AnotherUser {
            member.objects.session = session_of(&member.client).await;
            member.objects.added = added_by(&member.client, member).await;
            member.objects.document = document_of(&member.client, &name).await;
        }
        self.let_happen(member, actor).await;
    }

    /// Registers or logs in and keeps what comes back.
    async fn open(&self, member: &mut Member, path: &str, mut form: Value) {
        form["mode"] = match self.kind {
            Kind::Bearer => json!("token"),
            Kind::Cookie => json!("cookie"),
        };
        let answer = member.client.post(path, form).await;
        if self.kind == Kind::Bearer {
            member.client.keep(&answer);
        }
    }

    async fn let_happen(&self, member: &mut Member, actor: Actor) {
        let name = member.name.clone();
        let operator = self.app.operator();
        match actor {
            Actor::LoggedOut => {
                let window = member.client.apart();
                let answer = window.call("POST", "/api/auth/logout").await;
                answer.expect_status(204);
            }
            Actor::ChangedPassword => {
                let form = json!({ "login": name, "password": password(&name) });
                let mut elsewhere = self.app.stranger();
                let session = elsewhere.post("/api/auth/login", form).await;
                elsewhere.keep(&session);
                let form = json!({ "current_password": password(&name), "new_password": "another one of mine" });
                let answer = elsewhere.post("/api/auth/password", form).await;
                answer.expect_status(200);
            }
            Actor::Deleted => {
                operator.delete(&name).await.expect("deleted");
            }
            Actor::Disabled => {
                operator.disable(&name).await.expect("disabled");
            }
            Actor::Demoted => self.app.take(&name, "admin").await,
            Actor::FormerAdmin => {
                self.app.take(&name, "admin").await;
                let form = json!({ "login": name, "password": password(&name) });
                self.open(member, "/api/auth/login", form).await;
                member.objects.session = session_of(&member.client).await;
            }
            // Past the end of refresh tokens and cookies too.
            Actor::Expired => self.app.clock.advance(31 * DAY),
            Actor::Nobody | Actor::Forger | Actor::User | Actor::AnotherUser | Actor::Admin => {}
        }
    }
}

/// Adds one of each kind, of what the rows say that a member sends.
async fn added_by(client: &Client, member: &Member) -> BTreeMap<&'static str, String> {
    let mut added = BTreeMap::new();
    for row in additions() {
        let Body::Json(make) = row.body else {
            panic!("nothing is said of what {} takes", row.path);
        };
        let answer = client.post(row.path, make(member)).await;
        added.insert(row.path, answer.expect_status(201).text_at("id"));
    }
    added
}

/// Keeps a document under a key of its own, which is as long as an id: an answer may name the path.
async fn document_of(client: &Client, name: &str) -> String {
    let key = format!("{name:.<36}");
    let put = client.call("PUT", &format!("/api/user/data/{key}"));
    put.json(&json!({})).await.expect_status(201);
    key
}

async fn session_of(client: &Client) -> String {
    let answer = client.get("/api/auth/sessions").await.expect_status(200);
    let sessions = answer.json();
    let items = sessions["items"].as_array().expect("a list").clone();
    let current = items.into_iter().find(|session| session["current"] == true);
    let current = current.expect("the session that asks");
    current["id"].as_str().expect("an id").to_owned()
}
