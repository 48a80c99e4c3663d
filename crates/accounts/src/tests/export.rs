//! An export: all that is held about a user, page by page, for whoever is still signed in.

use super::*;

/// What an export holds, read to its end.
#[derive(Default)]
struct Whole {
    sessions: Vec<Session>,
    audit_events: Vec<AuditRecord>,
    documents: Vec<Document>,
    todos: Vec<HeldTodo>,
    pages: usize,
}

impl Scene {
    async fn exported(&self, caller: &Caller) -> Whole {
        let mut export = self.accounts.export(caller.clone()).await.expect("begins");
        let mut whole = Whole::default();
        while let Some(page) = export.next_page().await.expect("reads") {
            whole.pages += 1;
            match page {
                ExportPage::Sessions(page) => whole.sessions.extend(page),
                ExportPage::AuditEvents(page) => whole.audit_events.extend(page),
                ExportPage::Documents(page) => {
                    let bytes: usize = page.iter().map(|document| document.content.len()).sum();
                    assert!(bytes <= 1 << 20, "{bytes} bytes at once");
                    whole.documents.extend(page);
                }
                ExportPage::Todos(page) => whole.todos.extend(page),
            }
        }
        assert!(export.next_page().await.expect("reads").is_none());
        whole
    }
}

#[tokio::test]
async fn everything_of_the_user_is_in_it_once_and_nothing_of_others() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    let eve = scene.newcomer("eve").await;
    let none = VersionCondition::default;
    for number in 0..40 {
        for caller in [&ada, &eve] {
            let (key, content) = (
                format!("k{number:02}"),
                caller.user.id.to_string().into_bytes(),
            );
            let putting = scene.accounts.put_document(caller, &key, content, none());
            putting.await.expect("puts");
        }
    }
    for number in 0..120 {
        for (caller, title) in [(&ada, "of ada"), (&eve, "of eve")] {
            let content = TodoContent {
                title: title.to_owned(),
                description: String::new(),
                completed: false,
                due_at: None,
            };
            let added = scene.accounts.add_todo(caller, content);
            let added = added.await.expect("adds");
            if number == 0 {
                let deleting =
                    scene
                        .accounts
                        .delete_todo(caller, added.id, VersionCondition::default());
                deleting.await.expect("deletes");
            }
        }
    }
    for _ in 0..250 {
        scene.login("ada", PASSWORD).await.expect("logs in");
    }
    let _ = scene.login("ada", "a wrong password").await;
    let whole = scene.exported(&ada).await;
    assert_eq!(whole.sessions.len(), 251);
    assert!(
        whole
            .sessions
            .iter()
            .all(|session| session.user == ada.user.id)
    );
    assert_eq!(
        whole.audit_events.len(),
        252,
        "registered, logged in, and a failed login"
    );
    let documents = whole.documents.iter();
    let keys: Vec<_> = documents
        .map(|document| document.entry.key.as_str())
        .collect();
    let expected: Vec<_> = (0..40).map(|number| format!("k{number:02}")).collect();
    assert_eq!(keys, expected);
    let own = ada.user.id.to_string().into_bytes();
    assert!(
        whole
            .documents
            .iter()
            .all(|document| document.content == own)
    );
    let mut titles = whole.todos.iter().map(|held| held.todo.title.as_str());
    assert!(titles.by_ref().take(120).all(|title| title == "of ada"));
    assert_eq!(titles.next(), None, "and nothing of others");
    assert_eq!(whole.todos.len(), 120);
    let deleted = whole
        .todos
        .iter()
        .filter(|held| held.deleted_at == Some(NOON));
    assert_eq!(deleted.count(), 1);
    assert_eq!(whole.pages, 2 + 2 + 3 + 2);
}

#[tokio::test]
async fn what_others_did_is_told_without_who_they_are_and_where() {
    let scene = scene(policy()).await;
    let root = scene.newcomer("root").await;
    let operator = scene.accounts.operator();
    let admin_role = || [Role::parse("admin").expect("a role")].into();
    operator
        .change_roles("root", &admin_role(), &[].into())
        .await
        .expect("grants");
    let root = Caller {
        user: operator.show("root").await.expect("there").remove(0),
        ..root
    };
    let ada = scene.register("ada").await.user;
    let elsewhere = Peer::new(
        "203.0.113.9".parse().expect("an address"),
        Some("theirs"),
        Some("request 9".into()),
    );
    let admin = scene
        .accounts
        .admin(root, elsewhere.clone())
        .expect("an admin");
    admin.end_sessions(ada.id).await.expect("ends");
    let wrong = entered("ada", "a wrong password");
    let failed = scene.accounts.login(wrong, Mode::Token, &elsewhere).await;
    assert!(failed.is_err());
    let (access, _) = tokens(scene.login("ada", PASSWORD).await.expect("logs in"));
    let ada = scene.caller(&access).await;
    let whole = scene.exported(&ada).await;
    let event = |name: &str| {
        let found = whole.audit_events.iter().find(|event| event.event == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let ended = event("session_ended");
    assert_eq!((ended.actor, ended.subject), (None, Some(ada.user.id)));
    assert_eq!(
        (&ended.address, &ended.user_agent, &ended.request_id),
        (&None, &None, &None)
    );
    let failed = event("login_failed");
    assert_eq!(
        failed.address.as_deref(),
        Some("203.0.113.9"),
        "a user finds out who tries"
    );
    let own = event("login");
    assert_eq!(
        (own.actor, own.address.as_deref()),
        (Some(ada.user.id), Some("192.0.2.1"))
    );
}

#[tokio::test]
async fn five_exports_an_hour_are_allowed_for_each_account() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    let eve = scene.newcomer("eve").await;
    for left in (0..5).rev() {
        let export = scene.accounts.export(ada.clone()).await.expect("allowed");
        assert_eq!(export.quota().remaining, left);
    }
    let Err(Error::Limited(limited)) = scene.accounts.export(ada.clone()).await else {
        panic!("not limited");
    };
    assert_eq!(
        (limited.quota.limit, limited.quota.window),
        (5, Duration::from_hours(1))
    );
    scene
        .accounts
        .export(eve)
        .await
        .expect("the limit is of an account");
    scene.clock.advance(limited.quota.reset);
    scene.accounts.export(ada).await.expect("its time is over");
}

#[tokio::test]
async fn an_export_ends_with_the_session_that_has_begun_it() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    let mut export = scene.accounts.export(caller).await.expect("begins");
    assert!(export.next_page().await.expect("reads").is_some());
    scene
        .accounts
        .logout_bearer(&access, &peer())
        .await
        .expect("logs out");
    assert!(matches!(export.next_page().await, Err(Error::RevokedToken)));
    assert!(
        matches!(export.next_page().await, Err(Error::RevokedToken)),
        "and does not go on"
    );
}
