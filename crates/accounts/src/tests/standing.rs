//! What ends what, with sessions remembered: at once where it is ended, elsewhere once the count of
//! revocations is read, and never later than five seconds after that was last possible.

use futures_util::future::LocalBoxFuture;
use store::{AuditKind, Counted, SESSIONS_OF_A_USER};

use super::{
    admin::{nothing, roles},
    *,
};
use crate::standing::Scope;

/// Another program on the same database, such as a second node or the command line.
async fn elsewhere(scene: &Scene) -> Accounts {
    let database = connect(scene.folder.path()).await;
    let opened = open(&database, 7, policy(), scene.clock.clone()).await;
    opened.expect("the same secret opens")
}

impl Scene {
    /// An access token of a session that is remembered from here on.
    pub(super) async fn remembered(&self, name: &str) -> String {
        let (access, _) = tokens(self.register(name).await);
        self.caller(&access).await;
        access
    }

    async fn is_refused(&self, access: &str) -> bool {
        let caller = self.accounts.caller_of_bearer(access).await;
        match caller {
            Ok(_) => false,
            Err(Error::RevokedToken) => true,
            Err(other) => panic!("another refusal: {other}"),
        }
    }

    async fn read_revocations(&self) {
        self.accounts.read_revocations().await.expect("readable");
    }

    /// Ends a session behind the back of whoever remembers it, so that only a read finds out.
    async fn end_unnoticed(&self, session: Uuid) {
        let audit = self
            .accounts
            .audit(AuditKind::Logout, Actor::Operator, None, None);
        let ended = self.database.store().close_session(session, audit).await;
        assert!(ended.expect("stored").outcome);
    }
}

#[tokio::test]
async fn a_session_in_use_is_read_once() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let session = scene.caller(&access).await.session;
    scene.end_unnoticed(session).await;
    assert!(!scene.is_refused(&access).await, "it is remembered");
    scene.read_revocations().await;
    assert!(scene.is_refused(&access).await);
}

/// Somebody whose session is remembered, with all that proves it.
struct Held<'scene> {
    scene: &'scene Scene,
    root: &'scene Admin,
    name: String,
    user: Uuid,
    access: String,
    /// Of a session with tokens.
    refresh: Option<String>,
    /// Of a session with a cookie.
    cookie: Option<String>,
}

impl<'scene> Held<'scene> {
    async fn open(scene: &'scene Scene, root: &'scene Admin, name: String, mode: Mode) -> Self {
        let accounts = &scene.accounts;
        let opened = accounts.register(form(&name), mode, &peer()).await;
        let opened = opened.expect("registers");
        let user = opened.user.id;
        let (access, refresh, cookie) = match mode {
            Mode::Token => {
                let (access, refresh) = tokens(opened);
                (access, Some(refresh), None)
            }
            Mode::Cookie => {
                let cookie = cookie(opened);
                let granted = accounts.refresh_by_cookie(&cookie, &peer()).await;
                (granted.expect("granted").access_token, None, Some(cookie))
            }
        };
        Self {
            scene,
            root,
            name,
            user,
            access,
            refresh,
            cookie,
        }
    }

    async fn caller(&self) -> Caller {
        self.scene.caller(&self.access).await
    }

    /// The same user by another session.
    async fn at_another_device(&self) -> (Caller, String) {
        let (access, _) = tokens(self.scene.login(&self.name, PASSWORD).await.expect("in"));
        (self.scene.caller(&access).await, access)
    }

    async fn is_refused(&self) -> bool {
        let is_refused = self.scene.is_refused(&self.access).await;
        if let Some(cookie) = &self.cookie {
            let caller = self.scene.accounts.caller_of_cookie(cookie).await;
            assert_eq!(matches!(caller, Err(Error::RevokedToken)), is_refused);
        }
        is_refused
    }
}

type Ending = for<'held> fn(&'held Held<'held>) -> LocalBoxFuture<'held, Result<(), Error>>;

fn new_password() -> SecretString {
    "another good password".to_owned().into()
}

const BY_ANY_PROOF: [(&str, Ending); 12] = [
    ("logging out with an access token", |held| {
        Box::pin(async {
            held.scene
                .accounts
                .logout_bearer(&held.access, &peer())
                .await
        })
    }),
    ("ending one session", |held| {
        Box::pin(async {
            let (other, _) = held.at_another_device().await;
            let ended = held.caller().await.session;
            let accounts = &held.scene.accounts;
            accounts.end_session(&other, ended, &peer()).await
        })
    }),
    ("ending the others", |held| {
        Box::pin(async {
            let (other, access) = held.at_another_device().await;
            let accounts = &held.scene.accounts;
            accounts.end_other_sessions(&other, &peer()).await?;
            assert!(!held.scene.is_refused(&access).await, "the one that asks");
            Ok(())
        })
    }),
    ("changing the password", |held| {
        Box::pin(async {
            let (caller, peer) = (held.caller().await, peer());
            let accounts = &held.scene.accounts;
            let current = PASSWORD.to_owned().into();
            let changing = accounts.change_password(&caller, current, new_password(), &peer);
            changing.await.map(drop)
        })
    }),
    ("deleting oneself", |held| {
        Box::pin(async {
            let (caller, peer) = (held.caller().await, peer());
            let accounts = &held.scene.accounts;
            let password = PASSWORD.to_owned().into();
            accounts.delete_account(&caller, password, &peer).await
        })
    }),
    ("a password that the operator sets", |held| {
        Box::pin(async {
            let operator = held.scene.accounts.operator();
            let setting = operator.set_password(&held.name, new_password());
            setting.await.map(drop)
        })
    }),
    ("a role that the operator takes", |held| {
        Box::pin(async {
            let operator = held.scene.accounts.operator();
            let (staff, none) = (roles(&["staff"]), roles(&[]));
            operator.change_roles(&held.name, &staff, &none).await?;
            assert!(!held.is_refused().await, "a role more");
            assert!(held.caller().await.user.roles.contains("staff"));
            let taking = operator.change_roles(&held.name, &none, &staff);
            taking.await.map(drop)
        })
    }),
    ("an operator who disables", |held| {
        Box::pin(async {
            let operator = held.scene.accounts.operator();
            operator.disable(&held.name).await.map(drop)
        })
    }),
    ("an operator who deletes", |held| {
        Box::pin(async {
            let operator = held.scene.accounts.operator();
            operator.delete(&held.name).await.map(drop)
        })
    }),
    ("an admin who disables", |held| {
        Box::pin(async {
            let disabled = AccountEdit {
                disabled: Some(true),
                ..nothing()
            };
            held.root.change_user(held.user, disabled).await.map(drop)
        })
    }),
    ("an admin who deletes", |held| {
        Box::pin(async { held.root.delete_user(held.user).await })
    }),
    ("an admin who ends sessions", |held| {
        Box::pin(async { held.root.end_sessions(held.user).await })
    }),
];

const BY_COOKIE: [(&str, Ending); 1] = [("logging out with the cookie", |held| {
    Box::pin(async {
        let cookie = held.cookie.as_deref().expect("a session with a cookie");
        held.scene.accounts.logout_cookie(cookie, &peer()).await
    })
})];

const BY_REFRESH_TOKEN: [(&str, Ending); 1] = [("logging out with the refresh token", |held| {
    Box::pin(async {
        let token = held.refresh.as_deref().expect("a session with tokens");
        let accounts = &held.scene.accounts;
        accounts.logout_refresh_token(token, &peer()).await
    })
})];

#[tokio::test]
async fn whatever_ends_a_session_here_is_noticed_by_the_next_request() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    for (mode, of_its_own) in [(Mode::Token, BY_REFRESH_TOKEN), (Mode::Cookie, BY_COOKIE)] {
        let endings = BY_ANY_PROOF.into_iter().chain(of_its_own);
        for (number, (what, end)) in endings.enumerate() {
            let name = format!("{mode:?}{number}");
            let held = Held::open(&scene, &root, name, mode).await;
            assert!(!held.is_refused().await, "it is remembered");
            end(&held).await.expect(what);
            assert!(held.is_refused().await, "{mode:?}: {what}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_what_is_remembered() {
    let scene = scene(policy()).await;
    let (access, first) = tokens(scene.register("ada").await);
    scene.caller(&access).await;
    scene
        .accounts
        .refresh(&first, &peer())
        .await
        .expect("current");
    assert!(!scene.is_refused(&access).await, "a refresh ends nothing");
    scene.clock.advance(Duration::from_secs(60));
    scene.read_revocations().await;
    scene.caller(&access).await;
    let reused = scene.accounts.refresh(&first, &peer()).await;
    assert!(matches!(reused, Err(Error::TokenReused)));
    assert!(scene.is_refused(&access).await);
}

#[tokio::test]
async fn a_login_beyond_the_most_sessions_ends_what_is_remembered() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    scene.clock.advance(Duration::from_secs(1));
    for _ in 1..SESSIONS_OF_A_USER {
        scene.login("ada", PASSWORD).await.expect("there is room");
    }
    assert!(!scene.is_refused(&access).await, "a login ends nothing");
    scene.login("ada", PASSWORD).await.expect("it makes room");
    assert!(scene.is_refused(&access).await);
}

#[tokio::test]
async fn a_new_name_is_seen_by_the_next_request() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let edit = ProfileEdit {
        email: Edit::Keep,
        username: Edit::Keep,
        name: Edit::Set("Ada Lovelace".to_owned()),
        current_password: None,
    };
    let caller = scene.caller(&access).await;
    let edited = scene.accounts.change_profile(&caller, edit, &peer()).await;
    edited.expect("edits");
    let name = scene.caller(&access).await.user.name;
    assert_eq!(name.as_deref(), Some("Ada Lovelace"));
}

#[tokio::test]
async fn a_profile_is_judged_by_what_is_stored_and_not_by_what_is_remembered() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let other = elsewhere(&scene).await;
    let edit = |name: Edit<&str>, username: Edit<&str>, password: Option<&str>| {
        let owned = |edit| match edit {
            Edit::Set(text) => Edit::Set(str::to_owned(text)),
            Edit::Clear => Edit::Clear,
            Edit::Keep => Edit::Keep,
        };
        ProfileEdit {
            email: Edit::Keep,
            username: owned(username),
            name: owned(name),
            current_password: password.map(|password| password.to_owned().into()),
        }
    };
    let (here, peer) = (scene.caller(&access).await, peer());
    let edited = async |accounts: &Accounts, edit| {
        let user = accounts.change_profile(&here, edit, &peer).await?;
        let stored = scene.database.store().user(user.id).await;
        assert_eq!(stored.expect("readable").as_ref(), Some(&user));
        Ok::<_, Error>(user)
    };
    let rename = edit(Edit::Set("Countess"), Edit::Set("countess"), Some(PASSWORD));
    edited(&other, rename).await.expect("edits");

    let as_remembered = edited(&scene.accounts, edit(Edit::Clear, Edit::Keep, None)).await;
    assert_eq!(as_remembered.expect("edits").name, None);
    let as_stored = edit(Edit::Keep, Edit::Set("countess"), None);
    let as_stored = edited(&scene.accounts, as_stored).await;
    assert_eq!(
        as_stored.expect("nothing to do").username.as_deref(),
        Some("countess")
    );
    let back = |password| edit(Edit::Keep, Edit::Set("ada"), password);
    let without = edited(&scene.accounts, back(None)).await;
    assert_eq!(broken(without), [("current_password".into(), "required")]);
    let with = edited(&scene.accounts, back(Some(PASSWORD))).await;
    assert_eq!(with.expect("edits").username.as_deref(), Some("ada"));
    let told = scene.audit().await;
    let changes = told.iter().filter(|event| *event == "profile_changed");
    assert_eq!(changes.count(), 3);
}

#[tokio::test]
async fn what_another_program_ends_is_refused_once_the_count_is_read() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let other = elsewhere(&scene).await;
    other.operator().disable("ada").await.expect("disables");
    scene.read_revocations().await;
    assert!(scene.is_refused(&access).await);
}

#[tokio::test]
async fn without_a_count_for_five_seconds_each_request_reads_for_itself() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let other = elsewhere(&scene).await;
    other.operator().disable("ada").await.expect("disables");
    scene.clock.advance(Duration::from_secs(5));
    assert!(!scene.is_refused(&access).await, "five seconds are allowed");
    scene.clock.advance(Duration::from_micros(1));
    assert!(
        scene.is_refused(&access).await,
        "as after a process was stopped"
    );
}

#[tokio::test]
async fn without_a_count_and_without_a_database_the_answer_is_unavailable() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    scene.database.clone().close().await;
    scene.caller(&access).await;
    scene.clock.advance(Duration::from_secs(6));
    assert!(scene.accounts.read_revocations().await.is_err());
    let refused = scene.accounts.caller_of_bearer(&access).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn revocations_of_ones_own_leave_what_is_remembered_of_others() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let session = scene.caller(&access).await.session;
    for name in ["eve", "bob"] {
        let ended = scene.remembered(name).await;
        scene
            .accounts
            .logout_bearer(&ended, &peer())
            .await
            .expect("logs out");
    }
    // Were it read from the database, it would be refused: nobody told this program.
    let store = scene.database.store();
    let before = store.revocation_count().await.expect("readable");
    scene.read_revocations().await;
    scene.end_unnoticed(session).await;
    assert!(
        !scene.is_refused(&access).await,
        "still remembered after {before:?}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_between_commit_and_answer_cuts_no_revocation() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let session = scene.caller(&access).await.session;
    let (committed, wait_for_commit) = tokio::sync::oneshot::channel();
    let (go_on, wait_to_go_on) = tokio::sync::oneshot::channel::<()>();
    let (told, wait_until_told) = tokio::sync::oneshot::channel::<()>();
    let audit = scene
        .accounts
        .audit(AuditKind::Logout, Actor::Operator, None, None);
    let accounts = scene.accounts.clone();
    let request = tokio::spawn(async move {
        let ending = accounts.revoking(Scope::Session(session), move |store| async move {
            let Counted { outcome, count } = store.close_session(session, audit).await?;
            committed.send(()).expect("somebody waits");
            wait_to_go_on.await.expect("somebody says so");
            // Dropped with the outcome, behind the forgetting.
            Ok(Counted {
                outcome: (outcome, told),
                count,
            })
        });
        ending.await.map(|_| ())
    });
    wait_for_commit.await.expect("commits");
    request.abort();
    assert!(request.await.expect_err("was cut").is_cancelled());
    go_on.send(()).expect("the event goes on");
    assert!(wait_until_told.await.is_err());
    assert!(scene.is_refused(&access).await);
}

#[tokio::test]
async fn a_session_that_was_prolonged_elsewhere_is_not_refused_from_memory() {
    let scene = scene(Policy {
        refresh_idle_ttl: Duration::from_secs(600),
        ..policy()
    })
    .await;
    let (access, refresh) = tokens(scene.register("ada").await);
    scene.caller(&access).await;
    let other = elsewhere(&scene).await;
    scene.clock.advance(Duration::from_secs(599));
    scene.read_revocations().await;
    let opened = other.refresh(&refresh, &peer()).await;
    let (access, _) = tokens(opened.expect("current"));
    scene.clock.advance(Duration::from_secs(2));
    scene.caller(&access).await;
}

#[tokio::test]
async fn lifetimes_end_while_a_session_is_remembered() {
    let scene = scene(Policy {
        cookie_idle_ttl: Duration::from_secs(600),
        ..policy()
    })
    .await;
    scene.register("ada").await;
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let opened = scene
            .accounts
            .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
            .await;
        let value = cookie(opened.expect("logs in"));
        let caller = scene.accounts.caller_of_cookie(&value).await;
        caller.expect("in use, and remembered");
        cookies.push(value);
    }
    let expired = async |cookie: &str| {
        let caller = scene.accounts.caller_of_cookie(cookie).await;
        matches!(caller, Err(Error::ExpiredToken))
    };
    scene.clock.advance(Duration::from_secs(599));
    scene.read_revocations().await;
    assert!(!expired(&cookies[0]).await);
    scene.clock.advance(Duration::from_secs(1));
    assert!(!expired(&cookies[0]).await, "it was in use a moment ago");
    assert!(expired(&cookies[1]).await, "it was idle for too long");
}

#[tokio::test]
async fn the_use_of_a_remembered_cookie_is_noted_every_five_minutes() {
    let scene = scene(policy()).await;
    let value = scene.register_for_cookie("ada").await;
    let last_used = async || {
        let caller = scene
            .accounts
            .caller_of_cookie(&value)
            .await
            .expect("in use");
        let stored = scene.database.store().signed_in(caller.session).await;
        let used = stored
            .expect("readable")
            .expect("open")
            .session
            .last_used_at;
        used.saturating_since(NOON).as_secs()
    };
    assert_eq!(last_used().await, 0);
    for (seconds, expected) in [(299, 0), (1, 300), (299, 300), (1, 600)] {
        scene.clock.advance(Duration::from_secs(seconds));
        scene.read_revocations().await;
        assert_eq!(last_used().await, expected);
    }
}

#[tokio::test]
async fn the_proof_of_another_kind_is_refused_by_a_remembered_session_too() {
    let scene = scene(policy()).await;
    let access = scene.remembered("ada").await;
    let caller = scene.caller(&access).await;
    let bearing = token::Bearing {
        user: caller.user.id,
        session: caller.session,
    };
    let now = scene.clock.now();
    let forged = scene
        .accounts
        .0
        .cookies
        .issue(bearing, now, now.plus(Duration::from_secs(60)));
    let refused = scene.accounts.caller_of_cookie(&forged).await;
    assert!(matches!(refused, Err(Error::InvalidToken(_))));
}
