//! What users change about their own accounts and sessions, and what an operator brings back.

use super::*;

impl Scene {
    /// Moves the clock, so that the next record is the newest.
    fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    pub(super) async fn caller(&self, access: &str) -> Caller {
        let caller = self.accounts.caller_of_bearer(access).await;
        caller.expect("signed in")
    }

    async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: &str,
    ) -> Result<Opened, Error> {
        let (current, new) = (current.to_owned().into(), new.to_owned().into());
        self.accounts
            .change_password(caller, current, new, &peer())
            .await
    }

    async fn rename(
        &self,
        caller: &Caller,
        username: &str,
        password: Option<&str>,
    ) -> Result<User, Error> {
        let edit = ProfileEdit {
            email: Edit::Keep,
            username: Edit::Set(username.to_owned()),
            name: Edit::Keep,
            current_password: password.map(|password| password.to_owned().into()),
        };
        self.accounts.change_profile(caller, edit, &peer()).await
    }
}

#[tokio::test]
async fn whoever_changes_the_password_keeps_one_new_session_of_the_same_kind() {
    let scene = scene(policy()).await;
    let (old_access, old_refresh) = tokens(scene.register("ada").await);
    scene.tick();
    let (other, _) = tokens(scene.login("ada", PASSWORD).await.expect("logs in"));
    let caller = scene.caller(&old_access).await;
    let new = "another long password";
    scene.tick();
    let opened = scene.change_password(&caller, PASSWORD, new).await;
    scene.tick();
    let (access, refresh) = tokens(opened.expect("changed"));
    scene.caller(&access).await;
    assert!(scene.accounts.refresh(&refresh, &peer()).await.is_ok());
    for ended in [&old_access, &other] {
        assert!(matches!(
            scene.accounts.caller_of_bearer(ended).await,
            Err(Error::RevokedToken)
        ));
    }
    assert!(matches!(
        scene.accounts.refresh(&old_refresh, &peer()).await,
        Err(Error::RevokedToken)
    ));
    assert!(scene.login("ada", PASSWORD).await.is_err());
    scene.tick();
    assert!(scene.login("ada", new).await.is_ok());
    assert_eq!(
        scene.audit().await,
        [
            "registered",
            "login",
            "password_changed",
            "login_failed",
            "login"
        ]
    );
}

#[tokio::test]
async fn a_new_password_keeps_the_rules_for_this_user() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada.lovelace").await);
    let caller = scene.caller(&access).await;
    let before = scene.accounts.0.gate.calls();
    for (new, code) in [
        ("short", "too_short"),
        ("password1", "common_password"),
        ("Ada.Lovelace", "password_is_name"),
        ("ada.lovelace@example.org", "password_is_name"),
    ] {
        let refused = broken(scene.change_password(&caller, PASSWORD, new).await);
        assert_eq!(refused, [("new_password".to_owned(), code)], "{new}");
    }
    let long = "x".repeat(257);
    let refused = broken(scene.change_password(&caller, &long, &long).await);
    assert_eq!(
        refused,
        [
            ("current_password".to_owned(), "too_long"),
            ("new_password".to_owned(), "too_long")
        ]
    );
    assert_eq!(scene.accounts.0.gate.calls(), before, "nothing was hashed");
}

#[tokio::test]
async fn a_wrong_current_password_counts_as_a_failed_login() {
    let limits = ThrottleSettings {
        login_per_account: Some(Limit {
            count: 3,
            window: Duration::from_secs(900),
        }),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    let new = "another long password";
    scene.tick();
    let before = scene.accounts.0.gate.calls();
    let refused = scene.change_password(&caller, "wrong", new).await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)));
    let refused = scene.rename(&caller, "countess", Some("wrong")).await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)));
    let wrong = || "wrong".to_owned().into();
    let refused = scene
        .accounts
        .delete_account(&caller, wrong(), &peer())
        .await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)));
    assert_eq!(
        scene.accounts.0.gate.calls() - before,
        3,
        "one hash each, as for a login"
    );
    scene.tick();
    // The limit is one for all ways to guess.
    for _ in 0..2 {
        assert!(matches!(
            scene.login("ada", PASSWORD).await,
            Err(Error::Limited(_))
        ));
        let limited = scene.change_password(&caller, PASSWORD, new).await;
        assert!(matches!(limited, Err(Error::Limited(_))));
    }
    assert_eq!(
        scene.audit().await,
        [
            "registered",
            "login_failed",
            "login_failed",
            "login_failed",
            "login_limited"
        ]
    );
}

#[tokio::test]
async fn of_parallel_password_changes_one_wins() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    let changes = (0..8).map(|number| {
        let (accounts, caller) = (scene.accounts.clone(), caller.clone());
        tokio::spawn(async move {
            let new = format!("another long password {number}");
            let current = PASSWORD.to_owned().into();
            let peer = peer();
            let changed = accounts.change_password(&caller, current, new.into(), &peer);
            changed.await.is_ok()
        })
    });
    let changes: Vec<_> = changes.collect();
    let mut won = 0;
    for change in changes {
        won += u32::from(change.await.expect("no panic"));
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn an_access_token_may_belong_to_a_cookie_session_and_ends_with_it() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let opened = scene
        .accounts
        .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
        .await;
    let value = cookie(opened.expect("logs in"));
    let granted = scene.accounts.refresh_by_cookie(&value, &peer()).await;
    let granted = granted.expect("granted");
    let caller = scene.caller(&granted.access_token).await;
    assert_eq!(
        (caller.mode, caller.credential),
        (Mode::Cookie, Credential::Bearer)
    );
    let new = "another long password";
    let changed = scene.change_password(&caller, PASSWORD, new).await;
    let fresh = cookie(changed.expect("changed"));
    assert!(scene.accounts.caller_of_cookie(&fresh).await.is_ok());
    assert!(scene.accounts.caller_of_cookie(&value).await.is_err());
    assert!(matches!(
        scene.accounts.caller_of_bearer(&granted.access_token).await,
        Err(Error::RevokedToken)
    ));
}

#[tokio::test]
async fn names_change_for_whoever_proves_the_password_and_the_record_names_the_fields() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    let missing = broken(scene.rename(&caller, "countess", None).await);
    assert_eq!(missing, [("current_password".to_owned(), "required")]);
    let same = scene.rename(&caller, "ada", None).await.expect("no change");
    assert_eq!(same, caller.user);
    scene.tick();
    let renamed = scene.rename(&caller, "countess", Some(PASSWORD)).await;
    assert_eq!(
        renamed.expect("changed").username.as_deref(),
        Some("countess")
    );
    let newest = scene.database.store().newest_audit(1).await;
    let newest = newest.expect("readable").remove(0);
    assert_eq!(newest.event, "profile_changed");
    assert_eq!(newest.detail.as_deref(), Some(r#"{"fields":["username"]}"#));
    assert_eq!(newest.actor, Some(caller.user.id));
    assert_eq!(
        scene.caller(&access).await.user.username.as_deref(),
        Some("countess"),
        "no session ends"
    );
}

#[tokio::test]
async fn trying_names_in_the_profile_is_limited_like_registering() {
    let limits = ThrottleSettings {
        register_per_ip: Some(Limit {
            count: 4,
            window: Duration::from_secs(3600),
        }),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    scene.register("eve").await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    for _ in 0..2 {
        let taken = scene.rename(&caller, "eve", Some(PASSWORD)).await;
        assert!(matches!(taken, Err(Error::UsernameTaken)));
    }
    let limited = scene.rename(&caller, "eve", Some(PASSWORD)).await;
    assert!(matches!(limited, Err(Error::Limited(_))));
}

#[tokio::test]
async fn a_deleted_account_looks_unknown_and_an_operator_restores_it() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("Ada").await);
    let caller = scene.caller(&access).await;
    let id = caller.user.id.to_string();
    let deleted = scene
        .accounts
        .delete_account(&caller, PASSWORD.to_owned().into(), &peer())
        .await;
    deleted.expect("deleted");
    assert!(matches!(
        scene.accounts.caller_of_bearer(&access).await,
        Err(Error::RevokedToken)
    ));
    let calls = scene.accounts.0.gate.calls();
    let events = scene.audit().await.len();
    assert!(matches!(
        scene.login("ada", PASSWORD).await,
        Err(Error::InvalidCredentials)
    ));
    assert_eq!(scene.accounts.0.gate.calls() - calls, 1, "one hash");
    assert_eq!(scene.audit().await.len() - events, 1, "one record");

    let operator = scene.accounts.operator();
    for login in ["ada", "ADA@example.ORG", &id] {
        let shown = operator.show(login).await.expect(login);
        assert!(shown[0].deleted_at.is_some());
        assert!(matches!(
            operator.disable(login).await,
            Err(Error::NoSuchUser)
        ));
    }
    assert!(matches!(
        operator.restore("nobody").await,
        Err(Error::NoSuchUser)
    ));
    let restored = operator.restore("ada").await;
    assert!(matches!(restored, Ok(Change::Made(user)) if user.id == caller.user.id));
    assert!(matches!(
        operator.restore("ada").await,
        Ok(Change::Nothing(_))
    ));
    assert!(scene.login("Ada@example.org", PASSWORD).await.is_ok());
    assert!(
        scene.accounts.refresh(&refresh, &peer()).await.is_err(),
        "no session comes back"
    );
}

#[tokio::test]
async fn a_name_taken_since_and_one_of_several_are_not_restored() {
    let scene = scene(policy()).await;
    let operator = scene.accounts.operator();
    let first = scene.register("ada").await.user.id;
    operator.delete("ada").await.expect("deleted");
    let second = scene.register("ada").await.user.id;
    assert!(matches!(
        operator.restore(&first.to_string()).await,
        Err(Error::EmailTaken)
    ));
    operator.delete(&second.to_string()).await.expect("deleted");
    let several = operator.restore("ada").await;
    assert!(
        matches!(several, Err(Error::Ambiguous(ids)) if ids.contains(&first) && ids.len() == 2)
    );
    let restored = operator.restore(&first.to_string()).await;
    assert!(matches!(restored, Ok(Change::Made(user)) if user.id == first));
    assert_eq!(operator.show("ada").await.expect("one").len(), 1);
}
