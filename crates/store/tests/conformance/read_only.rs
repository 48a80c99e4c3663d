//! A database that is open for reading alone: questions are answered, events refused.

use store::{AuditKind, Authority, Error, OpenError, Store};

use crate::{conformance, fixture::*};

conformance! {
    async fn questions_are_answered_and_events_refused(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let reading = Store::connect_read_only(&db.options).await.unwrap();
        assert_eq!(reading.migrate_up(None).await.unwrap(), Vec::<String>::new());
        reading.check_ready().await.unwrap();
        assert!(reading.check_writable().is_err());
        assert_eq!(reading.signed_in(session_id).await.unwrap().unwrap().user.id, ada);

        let eve = user("eve");
        let event = audit(AuditKind::Registered, eve.id);
        assert!(matches!(reading.add_user(Authority::Operator, eve, event).await, Err(Error::ReadOnly)));
        assert!(matches!(reading.record(audit(AuditKind::Login, ada)).await, Err(Error::ReadOnly)));
        assert!(matches!(reading.rotate(rotation(session_id, 1, 1)).await, Err(Error::ReadOnly)));
        let touched = reading.touch_session(session_id, after(900), after(900), after(1_900)).await;
        assert!(matches!(touched, Err(Error::ReadOnly)));
        assert_eq!(store.newest_audit(9).await.unwrap().len(), 1);
        assert_eq!(store.signed_in(session_id).await.unwrap().unwrap().session.generation, 1);
    }

    async fn what_others_write_is_seen(db) {
        let store = db.store().await;
        let reading = Store::connect_read_only(&db.options).await.unwrap();
        let (ada, session_id) = registered(&store, "ada").await;
        assert!(reading.signed_in(session_id).await.unwrap().is_some());
        store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap();
        assert_eq!(reading.signed_in(session_id).await.unwrap(), None);
    }

    async fn an_older_schema_is_refused_and_stays_as_it_is(db) {
        let store = db.connect().await;
        store.migrate_up(Some(1)).await.unwrap();
        let reading = Store::connect_read_only(&db.options).await.unwrap();
        assert!(matches!(reading.migrate_up(None).await, Err(OpenError::OlderSchema)));
        let applied = store.migration_status().await.unwrap();
        assert_eq!(applied.iter().filter(|step| step.applied_at.is_some()).count(), 1);
    }
}
