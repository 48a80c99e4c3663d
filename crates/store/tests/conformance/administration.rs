//! What an admin changes about accounts: all or nothing, an admin remains, and whoever asks must be
//! one when it happens. The same for the operator, who is no user, is in `users.rs`.

use std::collections::BTreeSet;

use store::{
    AccountChange, Actor, AdminChange, AuditKind, AuditRecord, Authority, Closing, Error, LoginKey,
    Name, NewAudit, NewUser, ProfileChange, Recorded, Store, Unique, User, UserAddition,
    UserRestoration,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

fn by(admin: Uuid, kind: AuditKind, subject: Uuid) -> NewAudit {
    NewAudit {
        actor: Actor::User(admin),
        at: after(60),
        ..audit(kind, subject)
    }
}

fn with_roles(admin: Uuid, user: Uuid, names: &[&str]) -> AccountChange {
    AccountChange {
        roles: Some(Recorded {
            to: roles(names),
            audit: by(admin, AuditKind::RolesChanged, user),
        }),
        ..AccountChange::default()
    }
}

fn with_disabled(admin: Uuid, user: Uuid, disabled: bool) -> AccountChange {
    let kind = if disabled {
        AuditKind::Disabled
    } else {
        AuditKind::Enabled
    };
    AccountChange {
        disabled: Some(Recorded {
            to: disabled,
            audit: by(admin, kind, user),
        }),
        ..AccountChange::default()
    }
}

fn with_names(admin: Uuid, user: Uuid, names: ProfileChange) -> AccountChange {
    AccountChange {
        profile: Some(Recorded {
            to: names,
            audit: by(admin, AuditKind::ProfileChanged, user),
        }),
        ..AccountChange::default()
    }
}

fn email(text: &str) -> ProfileChange {
    ProfileChange {
        email: Some(name(text)),
        ..ProfileChange::default()
    }
}

fn name(text: &str) -> Name {
    Name {
        text: text.into(),
        key: text.to_lowercase(),
    }
}

fn changed(change: AdminChange) -> User {
    match change {
        AdminChange::Changed(user) => user,
        other => panic!("not changed: {other:?}"),
    }
}

/// What is recorded of an admin's doings, oldest first: event and detail.
async fn recorded(store: &Store, admin: Uuid) -> Vec<String> {
    let is_theirs = |event: &AuditRecord| event.actor == Some(admin) && event.at == after(60);
    let events = store
        .newest_audit(99)
        .await
        .unwrap()
        .into_iter()
        .filter(is_theirs);
    let mut told: Vec<_> = events
        .map(|event| format!("{} {}", event.event, event.detail.unwrap_or_default()))
        .collect();
    told.sort();
    told
}

/// How many of two things that happened at once came to pass.
async fn race<T: Send + 'static>(
    left: impl Future<Output = T> + Send + 'static,
    right: impl Future<Output = T> + Send + 'static,
) -> [T; 2] {
    let (left, right) = (tokio::spawn(left), tokio::spawn(right));
    [left.await.unwrap(), right.await.unwrap()]
}

/// Whether `admin` was let make an account.
async fn added(store: &Store, admin: Uuid, new: NewUser) -> bool {
    let event = by(admin, AuditKind::Registered, new.id);
    let adding = store.add_user(Authority::Admin(admin), new, event).await;
    match adding.unwrap() {
        UserAddition::Added(_) => true,
        UserAddition::NotAdmin => false,
    }
}

/// Whether `admin` was let restore the account of `name`.
async fn restored(store: &Store, admin: Uuid, who: Uuid, name: &str) -> bool {
    let (email, username) = (format!("{name}@example.org"), Some(name.to_owned()));
    let event = by(admin, AuditKind::Restored, who);
    let authority = Authority::Admin(admin);
    let restoring = store
        .restore_user(authority, who, email, username, event)
        .await;
    match restoring.unwrap() {
        UserRestoration::Restored(_) => true,
        UserRestoration::NotAdmin => false,
        UserRestoration::Purging | UserRestoration::NotDeleted => {
            panic!("it is deleted, and not long ago")
        }
    }
}

/// Whether `admin` was let end the sessions of somebody who has one.
async fn logged_out(store: &Store, admin: Uuid, who: Uuid) -> bool {
    let event = by(admin, AuditKind::SessionEnded, who);
    let closing = store.close_sessions_of(admin, who, event).await;
    match closing.unwrap().outcome {
        Closing::Closed => true,
        Closing::NotAdmin => false,
        other => panic!("{other:?}"),
    }
}

conformance! {
    async fn everything_about_an_account_changes_at_once(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, session_id) = registered(&store, "ada").await;
        let names = ProfileChange { username: Some(None), name: Some(Some("Ada".into())), ..email("Ada@Example.net") };
        let change = AccountChange {
            roles: with_roles(root, ada, &["staff"]).roles,
            disabled: with_disabled(root, ada, true).disabled,
            ..with_names(root, ada, names)
        };
        let user = changed(store.change_account(root, ada, change.clone()).await.unwrap().outcome);
        assert_eq!((user.email.as_str(), user.email_verified), ("Ada@Example.net", true), "an admin vouches for it");
        assert_eq!((user.username.as_deref(), user.name.as_deref()), (None, Some("Ada")));
        assert_eq!((&user.roles, user.disabled_at, user.updated_at), (&roles(&["staff"]), Some(after(60)), after(60)));
        assert_eq!(store.user(ada).await.unwrap().unwrap(), user, "it is stored as it was answered");
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        assert!(store.credentials(LoginKey::Email("ada@example.net".into())).await.unwrap().is_some());
        let told = [
            "disabled ",
            r#"profile_changed {"fields":["email","username","name"]}"#,
            r#"roles_changed {"added":["staff"],"removed":[]}"#,
        ];
        assert_eq!(recorded(&store, root).await, told);

        let again = store.change_account(root, ada, change).await.unwrap();
        assert_eq!(again.outcome, AdminChange::Unchanged(user));
        assert_eq!(recorded(&store, root).await, told, "what is so already is not recorded");
    }

    async fn a_taken_name_keeps_all_the_rest_from_happening(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, session_id) = registered(&store, "ada").await;
        registered(&store, "eve").await;
        let before = store.user(ada).await.unwrap();
        let both = ProfileChange { username: Some(Some(name("eve"))), ..email("eve@example.org") };
        let username = ProfileChange { username: Some(Some(name("EVE"))), ..ProfileChange::default() };
        for (names, taken) in [(both, Unique::UserEmail), (username, Unique::UserUsername)] {
            let change = AccountChange {
                disabled: with_disabled(root, ada, true).disabled,
                roles: with_roles(root, ada, &["staff"]).roles,
                ..with_names(root, ada, names)
            };
            let refused = store.change_account(root, ada, change).await;
            assert!(matches!(refused, Err(Error::Taken(unique)) if unique == taken), "{refused:?}");
        }
        assert_eq!(store.user(ada).await.unwrap(), before);
        assert!(store.signed_in(session_id).await.unwrap().is_some());
        assert_eq!(recorded(&store, root).await, [""; 0]);
    }

    async fn an_admin_vouches_for_an_address_by_naming_it_again(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, session_id) = registered(&store, "ada").await;
        let named = || with_names(root, ada, email("ada@example.org"));
        let user = changed(store.change_account(root, ada, named()).await.unwrap().outcome);
        assert!(user.email_verified);
        assert_eq!(store.user(ada).await.unwrap().unwrap(), user);
        let again = store.change_account(root, ada, named()).await.unwrap();
        assert!(matches!(again.outcome, AdminChange::Unchanged(_)));
        assert!(store.signed_in(session_id).await.unwrap().is_some(), "names end no session");
    }

    async fn sessions_end_with_a_role_and_not_with_a_new_one_or_the_end_of_a_ban(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, session_id) = registered(&store, "ada").await;
        store.change_account(root, ada, with_roles(root, ada, &["staff", "press"])).await.unwrap();
        assert!(store.signed_in(session_id).await.unwrap().is_some());
        store.change_account(root, ada, with_roles(root, ada, &["press", "guest"])).await.unwrap();
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        changed(store.change_account(root, ada, with_disabled(root, ada, true)).await.unwrap().outcome);
        let user = changed(store.change_account(root, ada, with_disabled(root, ada, false)).await.unwrap().outcome);
        assert!(user.is_active());
    }

    async fn the_last_admin_stays_one_whatever_else_is_asked(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let before = store.user(root).await.unwrap();
        let named = ProfileChange { name: Some(Some("Root".into())), ..ProfileChange::default() };
        let demoted = AccountChange { roles: with_roles(root, root, &["staff"]).roles, ..with_names(root, root, named) };
        for change in [demoted, with_disabled(root, root, true)] {
            assert_eq!(store.change_account(root, root, change).await.unwrap().outcome, AdminChange::LastAdmin);
        }
        let deleted = store.delete_account(root, root, by(root, AuditKind::AccountDeleted, root)).await;
        assert_eq!(deleted.unwrap().outcome, AdminChange::LastAdmin);
        assert_eq!(store.user(root).await.unwrap(), before);
        assert_eq!(recorded(&store, root).await, [""; 0]);

        admin(&store, "other").await;
        let user = changed(store.change_account(root, root, with_roles(root, root, &[])).await.unwrap().outcome);
        assert_eq!(user.roles, BTreeSet::new(), "with another one, they may");
    }

    async fn who_is_no_admin_any_more_changes_nothing(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let was = admin(&store, "was").await;
        let (ada, session_id) = registered(&store, "ada").await;
        changed(store.change_account(root, was, with_disabled(root, was, true)).await.unwrap().outcome);
        let change = store.change_account(was, ada, with_disabled(was, ada, true)).await;
        assert_eq!(change.unwrap().outcome, AdminChange::NotAdmin);
        let deletion = store.delete_account(was, ada, by(was, AuditKind::AccountDeleted, ada)).await;
        assert_eq!(deletion.unwrap().outcome, AdminChange::NotAdmin);
        let by_user = store.change_account(ada, ada, with_roles(ada, ada, &["admin"])).await;
        assert_eq!(by_user.unwrap().outcome, AdminChange::NotAdmin);
        let nobody = store.change_account(id(), ada, with_disabled(root, ada, true)).await;
        assert_eq!(nobody.unwrap().outcome, AdminChange::NotAdmin);
        assert!(store.user(ada).await.unwrap().unwrap().is_active());

        let (gone, _) = registered(&store, "gone").await;
        store.delete_user(gone, by(root, AuditKind::AccountDeleted, gone)).await.unwrap();
        for who in [was, ada, id()] {
            let said = [
                added(&store, who, user("new")).await,
                restored(&store, who, gone, "gone").await,
                logged_out(&store, who, ada).await,
            ];
            assert_eq!(said, [false; 3]);
        }
        assert!(store.credentials(LoginKey::Username("new".into())).await.unwrap().is_none());
        assert!(store.user(gone).await.unwrap().unwrap().deleted_at.is_some());
        assert!(store.signed_in(session_id).await.unwrap().is_some());
        assert_eq!(recorded(&store, was).await, [""; 0]);
    }

    async fn an_admin_who_is_demoted_at_once_with_what_they_do_has_done_it_or_is_refused(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        for round in 0..4 {
            for way in ["add", "restore", "log out"] {
                let names = ["was", "ada", "new"].map(|name| format!("{name}{round}{}", way.replace(' ', "")));
                let was = admin(&store, &names[0]).await;
                let (ada, _) = registered(&store, &names[1]).await;
                if way == "restore" {
                    store.delete_user(ada, by(root, AuditKind::AccountDeleted, ada)).await.unwrap();
                }
                let (acting, demoting, [_, old, new]) = (store.clone(), store.clone(), names.clone());
                let [done, demoted] = race(
                    async move {
                        match way {
                            "add" => added(&acting, was, user(&new)).await,
                            "restore" => restored(&acting, was, ada, &old).await,
                            _ => logged_out(&acting, was, ada).await,
                        }
                    },
                    async move {
                        let demotion = demoting.change_account(root, was, with_roles(root, was, &[])).await;
                        matches!(demotion.unwrap().outcome, AdminChange::Changed(_))
                    },
                )
                .await;
                assert!(demoted, "{way}");
                let is_so = match way {
                    "add" => store.credentials(LoginKey::Username(names[2].clone())).await.unwrap().is_some(),
                    "restore" => store.credentials_of(ada).await.unwrap().is_some(),
                    _ => store.list_sessions(ada, NOON, 9).await.unwrap().is_empty(),
                };
                assert_eq!(is_so, done, "{way}");
                assert_eq!(recorded(&store, was).await.len(), usize::from(done), "{way}");
                assert!(!added(&store, was, user("late")).await, "from then on");
            }
        }
    }

    async fn an_unknown_and_a_deleted_account_are_not_changed(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, _) = registered(&store, "ada").await;
        changed(store.delete_account(root, ada, by(root, AuditKind::AccountDeleted, ada)).await.unwrap().outcome);
        for who in [ada, id()] {
            let change = store.change_account(root, who, with_roles(root, who, &["staff"])).await;
            assert_eq!(change.unwrap().outcome, AdminChange::NoSuchUser);
            let deletion = store.delete_account(root, who, by(root, AuditKind::AccountDeleted, who)).await;
            assert_eq!(deletion.unwrap().outcome, AdminChange::NoSuchUser);
            let closing = store.close_sessions_of(root, who, by(root, AuditKind::SessionEnded, who)).await;
            assert_eq!(closing.unwrap().outcome, Closing::NoSuchUser);
        }
        assert!(store.user(ada).await.unwrap().unwrap().deleted_at.is_some(), "a deleted one can be seen");
        assert_eq!(store.user(id()).await.unwrap(), None);
    }

    async fn every_session_of_a_user_is_closed_and_recorded_once(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        let (ada, first) = registered(&store, "ada").await;
        let (_, other) = registered(&store, "eve").await;
        log_in(&store, session(ada)).await.unwrap();
        let close = || store.close_sessions_of(root, ada, by(root, AuditKind::SessionEnded, ada));
        assert_eq!(close().await.unwrap().outcome, Closing::Closed);
        assert_eq!(store.list_sessions(ada, NOON, 9).await.unwrap(), []);
        assert_eq!(store.signed_in(first).await.unwrap(), None);
        assert!(store.signed_in(other).await.unwrap().is_some());
        assert_eq!(close().await.unwrap().outcome, Closing::NoneOpen);
        assert_eq!(recorded(&store, root).await.len(), 1);
    }

    async fn of_two_admins_who_act_against_each_other_at_once_one_wins(db) {
        let store = db.store().await;
        // A third one, so that the last admin is not what decides.
        admin(&store, "third").await;
        for round in 0..4 {
            let names = [format!("left{round}"), format!("right{round}")];
            let (left, right) = (admin(&store, &names[0]).await, admin(&store, &names[1]).await);
            for way in ["demote", "disable", "delete"] {
                let against = |by_whom: Uuid, whom: Uuid| {
                    let store = store.clone();
                    async move {
                        match way {
                            "demote" => store.change_account(by_whom, whom, with_roles(by_whom, whom, &[])).await,
                            "disable" => store.change_account(by_whom, whom, with_disabled(by_whom, whom, true)).await,
                            _ => store.delete_account(by_whom, whom, by(by_whom, AuditKind::AccountDeleted, whom)).await,
                        }
                        .unwrap()
                    }
                };
                let outcomes = race(against(left, right), against(right, left)).await;
                let lost = outcomes.iter().filter(|ended| ended.outcome == AdminChange::NotAdmin).count();
                let won = outcomes.iter().filter(|ended| matches!(ended.outcome, AdminChange::Changed(_))).count();
                assert_eq!((won, lost), (1, 1), "{way}: {outcomes:?}");
                if way == "delete" {
                    break;
                }
                for who in [left, right] {
                    let event = || audit(AuditKind::RolesChanged, who);
                    store.set_roles(who, roles(&["admin"]), roles(&[]), event()).await.unwrap();
                    store.enable(who, event()).await.unwrap();
                }
            }
        }
    }

    async fn of_the_last_two_admins_one_remains_whatever_they_do_at_once(db) {
        let store = db.store().await;
        let (left, right) = (admin(&store, "left").await, admin(&store, "right").await);
        let give_up = |who: Uuid| {
            let store = store.clone();
            async move { store.change_account(who, who, with_roles(who, who, &[])).await.unwrap() }
        };
        let outcomes = race(give_up(left), give_up(right)).await;
        let refused = outcomes.iter().filter(|ended| ended.outcome == AdminChange::LastAdmin).count();
        assert_eq!(refused, 1, "{outcomes:?}");
    }

    async fn a_change_and_a_deletion_at_once_leave_a_deleted_account(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        for round in 0..6 {
            let (ada, _) = registered(&store, &format!("ada{round}")).await;
            let (changing, deleting) = (store.clone(), store.clone());
            let change = with_names(root, ada, email(&format!("new{round}@example.org")));
            let deletion = by(root, AuditKind::AccountDeleted, ada);
            let [changed, deleted] = race(
                async move { changing.change_account(root, ada, change).await.unwrap() },
                async move { deleting.delete_account(root, ada, deletion).await.unwrap() },
            )
            .await;
            assert!(matches!(deleted.outcome, AdminChange::Changed(_)), "{deleted:?}");
            assert!(matches!(changed.outcome, AdminChange::Changed(_) | AdminChange::NoSuchUser), "{changed:?}");
            assert!(store.user(ada).await.unwrap().unwrap().deleted_at.is_some());
            for address in ["ada", "new"].map(|name| format!("{name}{round}@example.org")) {
                assert!(store.credentials(LoginKey::Email(address)).await.unwrap().is_none(), "the names are free");
            }
        }
    }

    async fn of_a_restoration_and_a_registration_at_once_one_gets_the_name(db) {
        let store = db.store().await;
        let root = admin(&store, "root").await;
        for round in 0..6 {
            let ada = format!("ada{round}");
            let (old, _) = registered(&store, &ada).await;
            store.delete_account(root, old, by(root, AuditKind::AccountDeleted, old)).await.unwrap();
            let (restoring, registering) = (store.clone(), store.clone());
            let keys = (format!("{ada}@example.org"), Some(ada.clone()));
            let heir = NewUser { id: id(), ..user(&ada) };
            let (heir_session, events) = (session(heir.id), (by(root, AuditKind::Restored, old), audit(AuditKind::Registered, heir.id)));
            let [restored, registered] = race(
                async move {
                    match restoring.restore_user(Authority::Operator, old, keys.0, keys.1, events.0).await {
                        Ok(UserRestoration::Restored(_)) => true,
                        Err(Error::Taken(Unique::UserEmail)) => false,
                        other => panic!("{other:?}"),
                    }
                },
                async move {
                    match registering.register(heir, heir_session, events.1).await {
                        Ok(_) => true,
                        Err(Error::Taken(Unique::UserEmail)) => false,
                        Err(other) => panic!("{other:?}"),
                    }
                },
            )
            .await;
            assert!(restored != registered, "round {round}: {restored} {registered}");
        }
    }
}
