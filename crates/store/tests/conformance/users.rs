//! Users: registration, names, passwords, roles, the last admin.

use store::{
    AdminChange, AuditKind, Authority, Editing, Error, LoginKey, Name, NewAudit, NewUser, Opening,
    OwnDeletion, ProfileChange, Unique, UserFilter, UserRestoration,
};

use uuid::Uuid;

use crate::{conformance, fixture::*};

conformance! {
    async fn registration_stores_the_user_the_session_and_the_event(db) {
        let store = db.store().await;
        let new = NewUser { roles: roles(&["staff", "admin"]), name: Some("Ada".into()), ..user("Ada") };
        let opened = session(new.id);
        let (user_id, session_id) = (new.id, opened.id);
        let made = store.register(new, opened, audit(AuditKind::Registered, user_id)).await.unwrap();

        let found = store.signed_in(session_id).await.unwrap().expect("the session is open");
        assert_eq!(found.user, made);
        assert_eq!(found.user.roles, roles(&["admin", "staff"]));
        assert_eq!(found.session.generation, 1);
        let events = store.newest_audit(10).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event, "registered");
        assert_eq!(events[0].subject, Some(user_id));
    }

    async fn a_taken_name_is_named_and_leaves_nothing_behind(db) {
        let store = db.store().await;
        registered(&store, "ada").await;
        let rival = user("ADA");
        let opened = session(rival.id);
        let session_id = opened.id;
        let event = audit(AuditKind::Registered, rival.id);
        let refused = store.register(rival, opened, event).await;
        assert!(matches!(refused, Err(Error::Taken(Unique::UserEmail))), "{refused:?}");

        let other_email = NewUser { email_key: "other@example.org".into(), ..user("Ada") };
        let event = audit(AuditKind::Registered, other_email.id);
        let refused = store.add_user(Authority::Operator, other_email, event).await;
        assert!(matches!(refused, Err(Error::Taken(Unique::UserUsername))), "{refused:?}");

        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        assert_eq!(store.newest_audit(10).await.unwrap().len(), 1);
        assert_eq!(store.list_users(UserFilter { text: None, limit: 10 }).await.unwrap().len(), 1);
    }

    async fn of_fifty_parallel_registrations_of_one_name_one_wins(db) {
        let store = db.store().await;
        let attempts: Vec<_> = (0..50)
            .map(|number| {
                let store = store.clone();
                // Case variants of one name, with the one canonical key they share.
                let name: String = "grace"
                    .chars()
                    .enumerate()
                    .map(|(place, letter)| if number >> place & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
                    .collect();
                let new = user(&name);
                let (opened, event) = (session(new.id), audit(AuditKind::Registered, new.id));
                tokio::spawn(async move { store.register(new, opened, event).await })
            })
            .collect();
        let mut won = 0;
        for attempt in attempts {
            match attempt.await.unwrap() {
                Ok(_) => won += 1,
                Err(Error::Taken(_)) => {}
                Err(other) => panic!("neither won nor taken: {other}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(store.newest_audit(100).await.unwrap().len(), 1);
    }

    async fn accounts_are_found_by_their_canonical_keys_alone(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "Ada").await;
        let by = async |key: LoginKey| store.credentials(key).await.unwrap().map(|found| found.user.id);
        assert_eq!(by(LoginKey::Email("ada@example.org".into())).await, Some(ada));
        assert_eq!(by(LoginKey::Username("ada".into())).await, Some(ada));
        // Neither case nor accents nor trailing spaces are the engine's to judge.
        for other in ["Ada", "áda", "ada ", " ada", "ad", ""] {
            assert_eq!(by(LoginKey::Username(other.into())).await, None, "{other:?}");
        }
        assert_eq!(by(LoginKey::Email("ada".into())).await, None);
    }

    async fn names_that_differ_in_accent_or_space_are_different_names(db) {
        let store = db.store().await;
        for name in ["jose", "josé", "jose ", "josè"] {
            registered(&store, name).await;
        }
        assert_eq!(store.list_users(UserFilter { text: None, limit: 10 }).await.unwrap().len(), 4);
    }

    async fn a_list_takes_percent_and_underscore_literally(db) {
        let store = db.store().await;
        for name in ["a_b", "axb", "c%d", "cxd"] {
            registered(&store, name).await;
        }
        let named = async |text: &str| {
            let filter = UserFilter { text: Some(text.into()), limit: 10 };
            let found = store.list_users(filter).await.unwrap();
            found.into_iter().map(|user| user.username.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(named("a_b").await, ["a_b"]);
        assert_eq!(named("c%d").await, ["c%d"]);
        assert_eq!(named("xd@").await, ["cxd"]);
        assert_eq!(named("\\").await, Vec::<String>::new());
    }

    async fn a_list_is_as_long_as_it_is_with_the_roles_of_each(db) {
        let store = db.store().await;
        for number in 0..1_203 {
            let new = NewUser { roles: roles(&["staff", &format!("role{number}")]), ..user(&format!("user{number:04}")) };
            let event = audit(AuditKind::Registered, new.id);
            store.add_user(Authority::Operator, new, event).await.unwrap();
        }
        let all = store.list_users(UserFilter { text: None, limit: 10_000 }).await.unwrap();
        assert_eq!(all.len(), 1_203);
        for user in all {
            let number: u32 = user.username.unwrap()[4..].parse().unwrap();
            assert_eq!(user.roles, roles(&["staff", &format!("role{number}")]));
        }
    }

    async fn a_new_password_ends_every_session(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let changed = store.set_password(ada, "new".into(), audit(AuditKind::PasswordChanged, ada)).await;
        assert!(changed.unwrap().outcome);
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        let found = store.credentials(LoginKey::Username("ada".into())).await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("new"));
        let nobody = store.set_password(id(), "new".into(), audit(AuditKind::PasswordChanged, ada)).await;
        assert!(!nobody.unwrap().outcome);
    }

    async fn a_login_that_raced_a_password_change_opens_nothing(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        store.set_password(ada, "new".into(), audit(AuditKind::PasswordChanged, ada)).await.unwrap();
        let late = session(ada);
        let session_id = late.id;
        let opening = log_in(&store, late).await;
        assert_eq!(opening.unwrap().outcome, Opening::Stale);
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
    }

    async fn a_login_may_replace_the_hash_it_was_checked_against(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let opening = log_in_as_seen(&store, session(ada), HASH, Some("stronger")).await.unwrap();
        assert!(matches!(opening.outcome, Opening::Opened(user) if user.id == ada));
        let found = store.credentials(LoginKey::Username("ada".into())).await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("stronger"));
    }

    async fn a_disabled_user_loses_every_session_and_opens_no_other(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let change = store.disable(ada, audit(AuditKind::Disabled, ada)).await.unwrap().outcome;
        assert!(matches!(&change, AdminChange::Changed(user) if user.disabled_at == Some(NOON)), "{change:?}");
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        let opening = log_in(&store, session(ada)).await;
        assert_eq!(opening.unwrap().outcome, Opening::Stale);

        let again = store.disable(ada, audit(AuditKind::Disabled, ada)).await.unwrap().outcome;
        assert!(matches!(again, AdminChange::Unchanged(_)));
        let change = store.enable(ada, audit(AuditKind::Enabled, ada)).await.unwrap().outcome;
        assert!(matches!(change, AdminChange::Changed(user) if user.is_active()));
        assert_eq!(store.signed_in(session_id).await.unwrap(), None, "no session comes back");
        let nobody = store.disable(id(), audit(AuditKind::Disabled, ada)).await.unwrap().outcome;
        assert_eq!(nobody, AdminChange::NoSuchUser);
    }

    async fn losing_a_role_ends_sessions_and_gaining_one_does_not(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let event = || audit(AuditKind::RolesChanged, ada);
        store.set_roles(ada, roles(&["staff"]), roles(&[]), event()).await.unwrap();
        let kept = store.signed_in(session_id).await.unwrap().expect("still signed in");
        assert_eq!(kept.user.roles, roles(&["staff"]));
        let same = store.set_roles(ada, roles(&["staff"]), roles(&["other"]), event()).await.unwrap().outcome;
        assert!(matches!(same, AdminChange::Unchanged(_)));
        store.set_roles(ada, roles(&[]), roles(&["staff"]), event()).await.unwrap();
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
    }

    async fn the_last_admin_can_be_neither_demoted_nor_disabled(db) {
        let store = db.store().await;
        let last = admin(&store, "root").await;
        let demoted = store.set_roles(last, roles(&[]), roles(&["admin"]), audit(AuditKind::RolesChanged, last)).await;
        assert_eq!(demoted.unwrap().outcome, AdminChange::LastAdmin);
        let disabled = store.disable(last, audit(AuditKind::Disabled, last)).await;
        assert_eq!(disabled.unwrap().outcome, AdminChange::LastAdmin);

        let other = admin(&store, "other").await;
        store.disable(other, audit(AuditKind::Disabled, other)).await.unwrap();
        let disabled = store.disable(last, audit(AuditKind::Disabled, last)).await.unwrap().outcome;
        assert_eq!(disabled, AdminChange::LastAdmin, "a disabled admin does not count");
    }

    async fn of_two_admins_who_demote_each_other_at_once_one_remains(db) {
        let store = db.store().await;
        let (left, right) = (admin(&store, "left").await, admin(&store, "right").await);
        for round in 0..10 {
            let demote = |who| {
                let store = store.clone();
                let event = audit(AuditKind::RolesChanged, who);
                tokio::spawn(async move { store.set_roles(who, roles(&[]), roles(&["admin"]), event).await })
            };
            let (first, second) = (demote(left), demote(right));
            let outcomes = [first.await.unwrap().unwrap().outcome, second.await.unwrap().unwrap().outcome];
            let refused = outcomes.iter().filter(|change| **change == AdminChange::LastAdmin).count();
            assert_eq!(refused, 1, "round {round}: {outcomes:?}");
            for who in [left, right] {
                store.set_roles(who, roles(&["admin"]), roles(&[]), audit(AuditKind::RolesChanged, who)).await.unwrap();
            }
        }
    }

    async fn a_changed_password_leaves_one_new_session(db) {
        let store = db.store().await;
        let (ada, old) = registered(&store, "ada").await;
        log_in(&store, session(ada)).await.unwrap();
        let fresh = session(ada);
        let fresh_id = fresh.id;
        let event = || audit(AuditKind::PasswordChanged, ada);
        let changed = store.change_password(fresh, HASH.into(), "new".into(), event()).await.unwrap().outcome;
        assert!(matches!(changed, Opening::Opened(user) if user.id == ada));
        let left = store.list_sessions(ada, NOON, 9).await.unwrap();
        assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [fresh_id]);
        assert_eq!(store.signed_in(old).await.unwrap(), None);

        let late = store.change_password(session(ada), HASH.into(), "newer".into(), event()).await.unwrap().outcome;
        assert_eq!(late, Opening::Stale);
        let found = store.credentials_of(ada).await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("new"));
        assert!(store.signed_in(fresh_id).await.unwrap().is_some(), "what came too late ends nothing");
    }

    async fn of_many_password_changes_at_once_one_wins(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let racers: Vec<_> = (0..10)
            .map(|racer| {
                let (store, fresh) = (store.clone(), session(ada));
                let event = audit(AuditKind::PasswordChanged, ada);
                tokio::spawn(async move {
                    store.change_password(fresh, HASH.into(), format!("new {racer}"), event).await
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            won += u32::from(matches!(racer.await.unwrap().unwrap().outcome, Opening::Opened(_)));
        }
        assert_eq!(won, 1);
        assert_eq!(store.list_sessions(ada, NOON, 99).await.unwrap().len(), 1);
    }

    async fn a_profile_changes_in_the_fields_that_are_named(db) {
        let store = db.store().await;
        let verified = NewUser { email_verified: true, name: Some("Ada".into()), ..user("ada") };
        let ada = verified.id;
        store.add_user(Authority::Operator, verified, audit(AuditKind::Registered, ada)).await.unwrap();
        let change = async |change: ProfileChange| {
            let event = audit(AuditKind::ProfileChanged, ada);
            match store.change_profile(ada, change, Some(HASH.into()), event).await.unwrap().outcome {
                Editing::Changed(user) => user,
                other => panic!("nothing else has happened: {other:?}"),
            }
        };
        let named = |text: &str| Name { text: text.into(), key: text.to_lowercase() };
        let user = change(ProfileChange { name: Some(None), ..ProfileChange::default() }).await;
        assert_eq!((user.name.as_deref(), user.email_verified), (None, true));
        let user = change(ProfileChange { username: Some(Some(named("Countess"))), ..ProfileChange::default() }).await;
        assert_eq!((user.username.as_deref(), user.email_verified), (Some("Countess"), true));
        let user = change(ProfileChange {
            email: Some(named("Ada@Example.net")),
            username: Some(None),
            name: Some(Some("Lovelace".into())),
        }).await;
        assert_eq!((user.email.as_str(), user.email_verified), ("Ada@Example.net", false));
        assert_eq!(store.credentials_of(ada).await.unwrap().unwrap().user, user, "it is stored as it was answered");
        let by = async |key| store.credentials(key).await.unwrap().map(|found| found.user.id);
        assert_eq!(by(LoginKey::Email("ada@example.net".into())).await, Some(ada));
        assert_eq!(by(LoginKey::Email("ada@example.org".into())).await, None);
        assert_eq!(by(LoginKey::Username("countess".into())).await, None);
    }

    async fn what_is_so_already_is_judged_by_the_account_as_it_is_and_so_is_the_need_of_a_password(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let change = async |change: ProfileChange, seen: Option<&str>| {
            let event = audit(AuditKind::ProfileChanged, ada);
            store.change_profile(ada, change, seen.map(Into::into), event).await.unwrap()
        };
        let name = |text: &str| Name { text: text.into(), key: text.to_lowercase() };
        let wanted = |email: &str, username: &str, called: &str| ProfileChange {
            email: Some(name(email)),
            username: Some(Some(name(username))),
            name: Some(Some(called.into())),
        };
        let before = store.user(ada).await.unwrap().unwrap();
        for (email, username) in [("new@example.org", "ada"), ("ada@example.org", "new"), ("Ada@example.org", "ada")] {
            let refused = change(wanted(email, username, "Ada"), None).await;
            assert_eq!((refused.outcome, refused.count), (Editing::PasswordNeeded, None), "{email} {username}");
        }
        assert_eq!(store.user(ada).await.unwrap().unwrap(), before);
        assert_eq!(store.newest_audit(9).await.unwrap().len(), 1, "the registration");

        let Editing::Changed(after) = change(wanted("ada@example.org", "ada", "Ada"), None).await.outcome else {
            panic!("a name to be called by needs no password");
        };
        let recorded = store.newest_audit(9).await.unwrap();
        let details: Vec<_> = recorded.iter().filter_map(|event| event.detail.as_deref()).collect();
        assert_eq!(details, [r#"{"fields":["name"]}"#]);
        for seen in [None, Some(HASH)] {
            let again = change(wanted("ada@example.org", "ada", "Ada"), seen).await;
            assert_eq!((again.outcome, again.count), (Editing::Unchanged(after.clone()), None));
        }
        assert_eq!(store.newest_audit(9).await.unwrap(), recorded);
    }

    async fn a_profile_takes_no_name_of_another_and_no_old_proof(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        registered(&store, "eve").await;
        let name = |text: &str| Name { text: text.into(), key: text.into() };
        let change = async |change: ProfileChange, seen: &str| {
            store.change_profile(ada, change, Some(seen.into()), audit(AuditKind::ProfileChanged, ada)).await
        };
        let username = ProfileChange { username: Some(Some(name("eve"))), ..ProfileChange::default() };
        let email = ProfileChange { email: Some(name("eve@example.org")), ..ProfileChange::default() };
        let both = ProfileChange { username: username.username.clone(), ..email.clone() };
        let own = ProfileChange { email: Some(name("ada@example.org")), ..username.clone() };
        assert!(matches!(change(username.clone(), HASH).await, Err(Error::Taken(Unique::UserUsername))));
        assert!(matches!(change(email, HASH).await, Err(Error::Taken(Unique::UserEmail))));
        assert!(matches!(change(both, HASH).await, Err(Error::Taken(Unique::UserEmail))));
        assert!(matches!(change(own, HASH).await, Err(Error::Taken(Unique::UserUsername))), "the address is her own");
        let free = ProfileChange { username: Some(Some(name("free"))), ..ProfileChange::default() };
        assert_eq!(change(free.clone(), "another hash").await.unwrap().outcome, Editing::Stale);
        store.disable(ada, audit(AuditKind::Disabled, ada)).await.unwrap();
        assert_eq!(change(free, HASH).await.unwrap().outcome, Editing::Stale);
        assert_eq!(store.credentials_of(ada).await.unwrap().unwrap().user.username.as_deref(), Some("ada"));
    }

    async fn a_deleted_user_is_gone_until_restored_and_the_names_are_free(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let deleted = store.delete_user(ada, audit(AuditKind::AccountDeleted, ada)).await.unwrap().outcome;
        assert!(matches!(deleted, AdminChange::Changed(user) if user.deleted_at == Some(NOON)));
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        assert!(store.credentials(LoginKey::Username("ada".into())).await.unwrap().is_none());
        assert!(store.credentials_of(ada).await.unwrap().is_none());
        assert_eq!(store.list_users(UserFilter { text: None, limit: 9 }).await.unwrap(), []);
        let again = store.delete_user(ada, audit(AuditKind::AccountDeleted, ada)).await.unwrap().outcome;
        assert_eq!(again, AdminChange::NoSuchUser);
        let opening = log_in(&store, session(ada)).await;
        assert_eq!(opening.unwrap().outcome, Opening::Stale);

        let restore = async || {
            let keys = ("ada@example.org".to_owned(), Some("ada".to_owned()));
            store.restore_user(Authority::Operator, ada, keys.0, keys.1, audit(AuditKind::Restored, ada)).await
        };
        assert!(matches!(restore().await.unwrap(), UserRestoration::Restored(user) if user.is_active() && user.id == ada));
        assert_eq!(restore().await.unwrap(), UserRestoration::NotDeleted);
        assert_eq!(store.signed_in(session_id).await.unwrap(), None, "no session comes back");
        assert!(store.credentials(LoginKey::Username("ada".into())).await.unwrap().is_some());

        store.delete_user(ada, audit(AuditKind::AccountDeleted, ada)).await.unwrap();
        let (heir, _) = registered(&store, "ada").await;
        assert_ne!(heir, ada);
        assert!(matches!(restore().await, Err(Error::Taken(Unique::UserEmail))));
        assert!(store.deleted_user(ada).await.unwrap().is_some(), "still deleted");
    }

    async fn deleted_users_are_found_by_id_and_by_the_names_they_had(db) {
        let store = db.store().await;
        let (first, _) = registered(&store, "Ada").await;
        let deletion = |who, seconds| NewAudit { at: after(seconds), ..audit(AuditKind::AccountDeleted, who) };
        store.delete_user(first, deletion(first, 1)).await.unwrap();
        let (second, _) = registered(&store, "ada").await;
        store.delete_user(second, deletion(second, 2)).await.unwrap();
        let (living, _) = registered(&store, "ada").await;
        let named = async |text: &str| {
            let found = store.deleted_users_named(text.into(), 9).await.unwrap();
            found.into_iter().map(|user| user.id).collect::<Vec<_>>()
        };
        for text in ["ada", "ADA", "ada@example.org", "Ada@EXAMPLE.org"] {
            assert_eq!(named(text).await, [second, first], "{text}");
        }
        for text in ["", "ad", "a%", "ada "] {
            assert_eq!(named(text).await, Vec::<Uuid>::new(), "{text:?}");
        }
        assert_eq!(store.deleted_user(first).await.unwrap().map(|user| user.id), Some(first));
        assert_eq!(store.deleted_user(living).await.unwrap(), None);
    }

    async fn the_last_admin_cannot_be_deleted_by_anybody(db) {
        let store = db.store().await;
        let last = admin(&store, "root").await;
        let event = |who| audit(AuditKind::AccountDeleted, who);
        assert_eq!(store.delete_user(last, event(last)).await.unwrap().outcome, AdminChange::LastAdmin);
        let own = store.delete_own_account(last, HASH.into(), event(last)).await.unwrap().outcome;
        assert_eq!(own, OwnDeletion::LastAdmin);
        let other = admin(&store, "other").await;
        let stale = store.delete_own_account(other, "another hash".into(), event(other)).await.unwrap().outcome;
        assert_eq!(stale, OwnDeletion::Stale);
        let own = store.delete_own_account(other, HASH.into(), event(other)).await.unwrap().outcome;
        assert_eq!(own, OwnDeletion::Deleted);
        let own = store.delete_own_account(last, HASH.into(), event(last)).await.unwrap().outcome;
        assert_eq!(own, OwnDeletion::LastAdmin, "a deleted admin does not count");
    }

    async fn of_two_admins_who_delete_themselves_at_once_one_remains(db) {
        let store = db.store().await;
        let left = admin(&store, "left").await;
        let right = admin(&store, "right").await;
        let racers = [left, right].map(|who| {
            let store = store.clone();
            let event = audit(AuditKind::AccountDeleted, who);
            tokio::spawn(async move { store.delete_own_account(who, HASH.into(), event).await })
        });
        let mut refused = 0;
        for racer in racers {
            match racer.await.unwrap().unwrap().outcome {
                OwnDeletion::Deleted => {}
                OwnDeletion::LastAdmin => refused += 1,
                OwnDeletion::Stale => panic!("nobody changed a password"),
            }
        }
        assert_eq!(refused, 1);
    }
}
