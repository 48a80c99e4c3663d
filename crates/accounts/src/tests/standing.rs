//! What ends what, with sessions remembered: at once where it is ended, elsewhere once the count of
//! revocations is read, and never later than five seconds after that was last possible.

use std::collections::BTreeSet;

use store::{AuditKind, Counted};

use super::*;
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

#[tokio::test]
async fn whatever_ends_a_session_here_is_noticed_by_the_next_request() {
    let scene = scene(policy()).await;
    let accounts = &scene.accounts;
    let operator = accounts.operator();
    let roles = |names: &[&str]| -> BTreeSet<Role> {
        names
            .iter()
            .map(|name| Role::parse(name).expect("a role"))
            .collect()
    };
    let new = || "another good password".to_owned().into();

    let ada = scene.remembered("ada").await;
    accounts
        .logout_bearer(&ada, &peer())
        .await
        .expect("logs out");
    assert!(scene.is_refused(&ada).await, "logging out");

    let eve = scene.remembered("eve").await;
    let (other, _) = tokens(scene.login("eve", PASSWORD).await.expect("logs in"));
    let (caller, of_other) = (scene.caller(&eve).await, scene.caller(&other).await);
    accounts
        .end_session(&caller, of_other.session, &peer())
        .await
        .expect("ends");
    assert!(scene.is_refused(&other).await, "ending a session");
    let (other, _) = tokens(scene.login("eve", PASSWORD).await.expect("logs in"));
    scene.caller(&other).await;
    accounts
        .end_other_sessions(&caller, &peer())
        .await
        .expect("ends");
    assert!(scene.is_refused(&other).await, "ending the others");
    assert!(!scene.is_refused(&eve).await, "this one was to stay");

    let peer = peer();
    let changing = accounts.change_password(&caller, PASSWORD.to_owned().into(), new(), &peer);
    let (changed, _) = tokens(changing.await.expect("changes"));
    assert!(scene.is_refused(&eve).await, "changing the password");
    operator
        .change_roles("eve", &roles(&["staff"]), &roles(&[]))
        .await
        .expect("gives");
    assert!(
        scene.caller(&changed).await.user.roles.contains("staff"),
        "a role more"
    );
    operator
        .change_roles("eve", &roles(&[]), &roles(&["staff"]))
        .await
        .expect("takes");
    assert!(scene.is_refused(&changed).await, "a role less");

    let bob = scene.remembered("bob").await;
    operator.set_password("bob", new()).await.expect("sets");
    assert!(scene.is_refused(&bob).await, "a set password");

    let dora = scene.remembered("dora").await;
    operator.disable("dora").await.expect("disables");
    assert!(scene.is_refused(&dora).await, "disabling");

    let carl = scene.remembered("carl").await;
    operator.delete("carl").await.expect("deletes");
    assert!(scene.is_refused(&carl).await, "deleting");

    let gwen = scene.remembered("gwen").await;
    let caller = scene.caller(&gwen).await;
    let deleting = accounts.delete_account(&caller, PASSWORD.to_owned().into(), &peer);
    deleting.await.expect("deletes");
    assert!(scene.is_refused(&gwen).await, "deleting oneself");
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
        let ending = accounts.revoking(Scope::Session(session), |store| async move {
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
    other.refresh(&refresh, &peer()).await.expect("current");
    scene.clock.advance(Duration::from_secs(2));
    scene.caller(&access).await;
}

#[tokio::test]
async fn lifetimes_end_while_a_session_is_remembered() {
    let scene = scene(Policy {
        refresh_idle_ttl: Duration::from_secs(600),
        ..policy()
    })
    .await;
    let access = scene.remembered("ada").await;
    let expired = async || {
        let caller = scene.accounts.caller_of_bearer(&access).await;
        matches!(caller, Err(Error::ExpiredToken))
    };
    scene.clock.advance(Duration::from_secs(599));
    scene.read_revocations().await;
    assert!(!expired().await);
    scene.clock.advance(Duration::from_secs(1));
    assert!(expired().await, "the session was idle for too long");
}

#[tokio::test]
async fn the_use_of_a_remembered_cookie_is_noted_every_five_minutes() {
    let scene = scene(policy()).await;
    let opened = scene
        .accounts
        .register(form("ada"), Mode::Cookie, &peer())
        .await;
    let value = cookie(opened.expect("registers"));
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
