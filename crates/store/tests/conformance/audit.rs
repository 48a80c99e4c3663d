//! Audit events: kept as they were recorded, newest first.

use store::{Actor, AuditKind, AuditStretch, NewAudit, Place};

use crate::{conformance, fixture::*};

conformance! {
    async fn an_event_comes_back_as_it_was_recorded(db) {
        let store = db.store().await;
        let event = NewAudit {
            actor: Actor::Operator,
            address: Some("2001:db8::1".into()),
            user_agent: Some("a \u{1F980} client".into()),
            request_id: Some("request".into()),
            detail: Some(serde_json::json!({"name_hash": "ab12"})),
            ..audit(AuditKind::LoginFailed, id())
        };
        store.record(event.clone()).await.unwrap();
        let found = &store.newest_audit(1).await.unwrap()[0];
        assert_eq!(found.id, event.id);
        assert_eq!(found.at, NOON);
        assert_eq!(found.event, "login_failed");
        assert_eq!((found.actor_kind.as_str(), found.actor), ("operator", None));
        assert_eq!(found.user_agent, event.user_agent);
        assert_eq!(found.detail.as_deref(), Some(r#"{"name_hash":"ab12"}"#));
    }

    async fn the_newest_come_first(db) {
        let store = db.store().await;
        for seconds in [1, 3, 2] {
            store.record(NewAudit { at: after(seconds), ..audit(AuditKind::Login, id()) }).await.unwrap();
        }
        let times: Vec<_> = store.newest_audit(2).await.unwrap().into_iter().map(|event| event.at).collect();
        assert_eq!(times, [after(3), after(2)]);
    }

    async fn a_stretch_begins_behind_its_place_and_goes_on_to_its_end(db) {
        let store = db.store().await;
        let mut events = Vec::new();
        for seconds in [4, 1, 3, 2, 2] {
            let event = NewAudit { at: after(seconds), ..audit(AuditKind::Login, id()) };
            store.record(event.clone()).await.unwrap();
            events.push((event.at, event.id));
        }
        events.sort_unstable();
        let read = async |from: usize, until, limit| {
            let (at, id) = events[from];
            let stretch = AuditStretch { after: Place { at, id }, until, limit };
            let found = store.audit_stretch(stretch).await.unwrap();
            found.into_iter().map(|event| (event.at, event.id)).collect::<Vec<_>>()
        };
        assert_eq!(read(0, after(9), 9).await, events[1..]);
        assert_eq!(read(1, after(3), 9).await, events[2..4], "one of the same time as the place is behind it");
        assert_eq!(read(1, after(9), 2).await, events[2..4]);
        assert_eq!(read(4, after(9), 9).await, []);
    }
}
