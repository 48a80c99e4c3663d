//! The first admin: by a code that is good once, or named by the operator; never a second first one.

use store::{
    Actor, Appointment, AuditKind, Authority, LoginKey, NewAudit, NewUser, SetupCode, SetupOffer,
    SetupOutcome, Store,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

fn code(hash: &str) -> SetupCode {
    SetupCode {
        hash: hash.into(),
        expires_at: after(1_800),
    }
}

fn admin(name: &str) -> NewUser {
    NewUser {
        roles: roles(&["admin"]),
        email_verified: true,
        ..user(name)
    }
}

async fn register(
    store: &Store,
    seen: &str,
    name: &str,
    seconds: u64,
) -> Result<SetupOutcome, store::Error> {
    let new = admin(name);
    let event = NewAudit {
        at: after(seconds),
        ..audit(AuditKind::AdminCreated, new.id)
    };
    let session = session(new.id);
    store
        .register_first_admin(code(seen), new, session, event)
        .await
}

async fn appoint(store: &Store, new: NewUser) -> Appointment {
    let event = NewAudit {
        actor: Actor::Operator,
        ..audit(AuditKind::AdminCreated, new.id)
    };
    store.appoint_first_admin(new, event).await.unwrap().outcome
}

async fn events_about(store: &Store, who: Uuid) -> Vec<String> {
    let events = store.newest_audit(99).await.unwrap();
    events
        .into_iter()
        .filter(|event| event.subject == Some(who))
        .map(|event| event.event)
        .collect()
}

conformance! {
    async fn a_set_up_code_makes_one_admin_and_is_used_up(db) {
        let store = db.store().await;
        assert_eq!(store.open_setup_code().await.unwrap(), None);
        assert_eq!(store.offer_setup(code("one")).await.unwrap(), SetupOffer::Open);
        assert_eq!(store.open_setup_code().await.unwrap(), Some(code("one")));
        assert!(!store.has_admin().await.unwrap());
        let made = match register(&store, "one", "root", 1).await.unwrap() {
            SetupOutcome::Registered(made) => made,
            SetupOutcome::Refused => panic!("the code was open"),
        };
        assert!(made.roles.contains("admin") && made.email_verified);
        assert!(store.has_admin().await.unwrap());
        assert_eq!(store.list_sessions(made.id, NOON, 9).await.unwrap().len(), 1);
        assert_eq!(events_about(&store, made.id).await, ["admin_created"]);
        assert_eq!(store.open_setup_code().await.unwrap(), None);
        assert_eq!(register(&store, "one", "eve", 1).await.unwrap(), SetupOutcome::Refused);
    }

    async fn only_the_newest_code_is_good_and_only_in_its_time(db) {
        let store = db.store().await;
        assert_eq!(register(&store, "one", "root", 1).await.unwrap(), SetupOutcome::Refused, "none is open");
        store.offer_setup(code("one")).await.unwrap();
        store.offer_setup(code("two")).await.unwrap();
        for (seen, seconds) in [("one", 1), ("two", 1_800)] {
            assert_eq!(register(&store, seen, "root", seconds).await.unwrap(), SetupOutcome::Refused, "{seen}");
        }
        let made = register(&store, "two", "root", 1_799).await.unwrap();
        assert!(matches!(made, SetupOutcome::Registered(_)));
    }

    async fn a_taken_name_does_not_use_the_code_up(db) {
        let store = db.store().await;
        registered(&store, "ada").await;
        store.offer_setup(code("one")).await.unwrap();
        assert!(matches!(register(&store, "one", "ada", 1).await, Err(store::Error::Taken(_))));
        assert!(matches!(register(&store, "one", "root", 1).await.unwrap(), SetupOutcome::Registered(_)));
    }

    async fn an_admin_made_otherwise_closes_the_code(db) {
        let store = db.store().await;
        store.offer_setup(code("one")).await.unwrap();
        let root = admin("root");
        store.add_user(Authority::Operator, root.clone(), audit(AuditKind::AdminCreated, root.id)).await.unwrap();
        assert_eq!(store.open_setup_code().await.unwrap(), None);
        assert_eq!(register(&store, "one", "eve", 1).await.unwrap(), SetupOutcome::Refused);
        assert_eq!(store.offer_setup(code("two")).await.unwrap(), SetupOffer::AdminExists);
        assert_eq!(register(&store, "two", "eve", 1).await.unwrap(), SetupOutcome::Refused);
    }

    async fn of_twenty_with_the_right_code_one_becomes_the_admin(db) {
        let store = db.store().await;
        store.offer_setup(code("one")).await.unwrap();
        let racers: Vec<_> = (0..20)
            .map(|racer| {
                let store = store.clone();
                tokio::spawn(async move { register(&store, "one", &format!("racer{racer}"), 1).await })
            })
            .collect();
        let mut made = 0;
        for racer in racers {
            made += u32::from(matches!(racer.await.unwrap().unwrap(), SetupOutcome::Registered(_)));
        }
        assert_eq!(made, 1);
        let users = store.list_users(store::UserFilter { text: None, limit: 99 }).await.unwrap();
        assert_eq!(users.len(), 1, "who was refused has left no account");
    }

    async fn the_operator_appoints_a_new_account_or_takes_over_the_one_of_that_address(db) {
        let store = db.store().await;
        let (ada, ada_session) = registered(&store, "ada").await;
        store.disable(ada, audit(AuditKind::Disabled, ada)).await.unwrap();
        store.offer_setup(code("one")).await.unwrap();

        let wanted = NewUser { password_hash: Some("another hash".into()), username: None, username_key: None, ..admin("ada") };
        let promoted = match appoint(&store, wanted).await {
            Appointment::Promoted(user) => user,
            other => panic!("{other:?}"),
        };
        assert_eq!((promoted.id, promoted.username.as_deref()), (ada, Some("ada")), "the names stay");
        assert!(promoted.is_active() && promoted.email_verified && promoted.roles.contains("admin"));
        let stored = store.credentials(LoginKey::Username("ada".into())).await.unwrap().unwrap();
        assert_eq!(stored.user, promoted, "it is stored as it was answered");
        assert_eq!(stored.password_hash.as_deref(), Some("another hash"));
        assert_eq!(store.signed_in(ada_session).await.unwrap(), None);
        assert_eq!(events_about(&store, ada).await[0], "admin_created");

        assert_eq!(appoint(&store, admin("eve")).await, Appointment::AdminExists);
        assert_eq!(store.open_setup_code().await.unwrap(), None);
        assert!(store.credentials(LoginKey::Username("eve".into())).await.unwrap().is_none());
    }

    async fn of_an_appointment_and_a_code_at_once_one_makes_the_admin(db) {
        let store = db.store().await;
        store.offer_setup(code("one")).await.unwrap();
        let by_code = {
            let store = store.clone();
            tokio::spawn(async move { register(&store, "one", "guest", 1).await.unwrap() })
        };
        let appointed = appoint(&store, admin("root")).await;
        let by_code = by_code.await.unwrap();
        let made = matches!(appointed, Appointment::Made(_));
        assert_ne!(made, matches!(by_code, SetupOutcome::Registered(_)));
    }
}
