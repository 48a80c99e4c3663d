//! What admins do to the accounts of others, and what is recorded of it.

use store::AuditRecord;

use super::*;

impl Scene {
    /// Somebody who registered, was made an admin, and asks as one.
    pub(super) async fn admin(&self, name: &str) -> Admin {
        let access = self.access_of_admin(name).await;
        self.as_admin(&access).await.expect("an admin")
    }

    async fn access_of_admin(&self, name: &str) -> String {
        let (access, _) = tokens(self.register(name).await);
        let admin = [Role::parse("admin").expect("a role")].into();
        let operator = self.accounts.operator();
        let change = operator.change_roles(name, &admin, &BTreeSet::new()).await;
        change.expect("changed");
        self.clock.advance(Duration::from_millis(1));
        access
    }

    async fn id_of(&self, name: &str) -> Uuid {
        let users = self.accounts.operator().show(name).await;
        users.expect("a user")[0].id
    }

    async fn as_admin(&self, access: &str) -> Result<Admin, Error> {
        let caller = self.accounts.caller_of_bearer(access).await?;
        self.accounts.admin(caller, peer())
    }

    async fn newest_event(&self) -> AuditRecord {
        let newest = self.database.store().newest_audit(1).await;
        newest.expect("readable").remove(0)
    }
}

pub(super) fn nothing() -> AccountEdit {
    AccountEdit {
        email: Edit::Keep,
        username: Edit::Keep,
        name: Edit::Keep,
        roles: None,
        disabled: None,
    }
}

pub(super) fn roles(names: &[&str]) -> BTreeSet<Role> {
    let read = |name: &&str| Role::parse(name).expect("a role");
    names.iter().map(read).collect()
}

#[tokio::test]
async fn only_admins_are_admins() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let refused = scene.as_admin(&access).await;
    assert!(matches!(refused, Err(Error::NotAdmin)));
    let operator = scene.accounts.operator();
    let (given, none) = (roles(&["staff", "administrator"]), roles(&[]));
    operator
        .change_roles("ada", &given, &none)
        .await
        .expect("changed");
    let refused = scene.as_admin(&access).await;
    assert!(matches!(refused, Err(Error::NotAdmin)));
}

#[tokio::test]
async fn an_admin_adds_users_whatever_the_setting_says_and_within_the_rules() {
    let mut closed = policy();
    closed.registration_open = false;
    let scene = scene(policy()).await;
    let access = scene.access_of_admin("root").await;
    let closed = open(&scene.database, 7, closed, scene.clock.clone()).await;
    let closed = closed.expect("opens");
    let caller = closed.caller_of_bearer(&access).await.expect("signed in");
    let root_id = caller.user.id;
    let admin = closed.admin(caller, peer()).expect("an admin");
    let new = |name: &str, role_names: &[&str]| NewAccount {
        registration: form(name),
        roles: roles(role_names),
    };
    let ada = admin.add_user(new("ada", &["staff"])).await.expect("added");
    assert!(ada.email_verified, "the admin vouches for the address");
    let event = scene.newest_event().await;
    assert_eq!(
        (event.event.as_str(), event.actor),
        ("registered", Some(root_id))
    );
    assert_eq!(
        (event.subject, event.request_id.as_deref()),
        (Some(ada.id), Some("request 1"))
    );
    assert_eq!(event.detail.as_deref(), Some(r#"{"roles":["staff"]}"#));
    scene.login("ada", PASSWORD).await.expect("logs in");

    scene.clock.advance(Duration::from_millis(1));
    let both = new("eve", &["staff", "admin"]);
    admin.add_user(both).await.expect("added");
    let event = scene.newest_event().await;
    assert_eq!(event.event, "admin_created");
    assert_eq!(
        event.detail.as_deref(),
        Some(r#"{"roles":["admin","staff"]}"#)
    );
    scene.clock.advance(Duration::from_millis(1));
    admin.add_user(new("carl", &[])).await.expect("added");
    assert_eq!(scene.newest_event().await.detail, None);
    let taken = admin.add_user(new("ada", &[])).await;
    assert!(matches!(taken, Err(Error::EmailTaken)));
    let mut weak = new("bob", &[]);
    weak.registration.password = "bob@example.org".to_owned().into();
    weak.registration.username = Some("-".into());
    let told = broken(admin.add_user(weak).await);
    assert_eq!(told[0], ("username".into(), "invalid_username"));
    assert_eq!(told[1].0, "password");
}

#[tokio::test]
async fn a_change_is_recorded_as_what_it_was() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let ada = scene.register("ada").await.user.id;
    scene.clock.advance(Duration::from_millis(1));
    let edit = AccountEdit {
        email: Edit::Set(" Ada@EXAMPLE.net ".into()),
        username: Edit::Set("ada".into()),
        roles: Some(roles(&["staff"])),
        ..nothing()
    };
    let root_id = scene.id_of("root").await;
    let user = root.change_user(ada, edit).await.expect("changed");
    assert_eq!(
        (user.email.as_str(), user.email_verified),
        ("Ada@example.net", true)
    );
    let events = scene
        .database
        .store()
        .newest_audit(2)
        .await
        .expect("readable");
    let mut told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.event.as_str(),
                event.detail.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("profile_changed", r#"{"fields":["email"]}"#),
            ("roles_changed", r#"{"added":["staff"],"removed":[]}"#),
        ]
    );
    for event in &events {
        assert_eq!((event.actor, event.subject), (Some(root_id), Some(ada)));
        assert_eq!(event.address.as_deref(), Some("192.0.2.1"));
        assert_eq!(event.user_agent.as_deref(), Some("test"));
    }
    let before = scene.audit().await.len();
    let same = root
        .change_user(ada, nothing())
        .await
        .expect("nothing to do");
    assert_eq!((same, scene.audit().await.len()), (user, before));
}

#[tokio::test]
async fn every_broken_rule_of_a_change_is_named_and_nothing_changes() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let ada = scene.register("ada").await.user;
    let many: Vec<_> = (0..33).map(|number| format!("role{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let edit = AccountEdit {
        email: Edit::Clear,
        username: Edit::Set("-".into()),
        name: Edit::Set("a\u{202e}b".into()),
        roles: Some(roles(&many)),
        disabled: Some(true),
    };
    assert_eq!(
        broken(root.change_user(ada.id, edit).await),
        [
            ("email".into(), "required"),
            ("username".into(), "invalid_username"),
            ("name".into(), "control_character"),
            ("roles".into(), "too_many"),
        ]
    );
    assert_eq!(root.user(ada.id).await.expect("there"), ada);
    let new = NewAccount {
        registration: form("eve"),
        roles: roles(&many),
    };
    assert_eq!(
        broken(root.add_user(new).await),
        [("roles".into(), "too_many")]
    );
    let listing = UserListing {
        text: Some("a\0".into()),
        role: Some("No role".into()),
        ..UserListing::default()
    };
    assert_eq!(
        broken(root.users(listing).await),
        [
            ("q".into(), "control_character"),
            ("role".into(), "invalid_role")
        ]
    );
}

#[tokio::test]
async fn who_is_disabled_deleted_or_logged_out_by_an_admin_is_out() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let (access, _) = tokens(scene.register("ada").await);
    let ada = scene
        .accounts
        .caller_of_bearer(&access)
        .await
        .expect("signed in")
        .user
        .id;
    let is_out = async |access: &str| {
        let caller = scene.accounts.caller_of_bearer(access).await;
        assert!(matches!(caller, Err(Error::RevokedToken)));
    };
    root.end_sessions(ada).await.expect("ended");
    is_out(&access).await;
    scene.clock.advance(Duration::from_millis(1));
    let (access, _) = tokens(
        scene
            .login("ada", PASSWORD)
            .await
            .expect("may log in again"),
    );
    let keep_out = |disabled| AccountEdit {
        disabled: Some(disabled),
        ..nothing()
    };
    root.change_user(ada, keep_out(true))
        .await
        .expect("disabled");
    is_out(&access).await;
    assert!(matches!(
        scene.login("ada", PASSWORD).await,
        Err(Error::InvalidCredentials)
    ));
    root.change_user(ada, keep_out(false))
        .await
        .expect("enabled");
    let (access, _) = tokens(
        scene
            .login("ada", PASSWORD)
            .await
            .expect("may log in again"),
    );
    root.delete_user(ada).await.expect("deleted");
    is_out(&access).await;
    assert!(matches!(
        scene.login("ada", PASSWORD).await,
        Err(Error::InvalidCredentials)
    ));
    let restored = root.restore_user(ada).await.expect("restored");
    assert!(restored.is_active());
    is_out(&access).await;
    scene
        .login("ada", PASSWORD)
        .await
        .expect("may log in again");
}

#[tokio::test]
async fn asking_for_what_is_so_already_changes_and_records_nothing() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let ada = scene.register("ada").await.user.id;
    assert!(root.restore_user(ada).await.expect("is there").is_active());
    root.delete_user(ada).await.expect("deleted");
    let before = scene.audit().await.len();
    root.delete_user(ada).await.expect("is deleted");
    root.end_sessions(ada).await.expect("has none");
    assert_eq!(scene.audit().await.len(), before);
    let edit = AccountEdit {
        name: Edit::Set("Ada".into()),
        ..nothing()
    };
    assert!(matches!(
        root.change_user(ada, edit).await,
        Err(Error::UserDeleted)
    ));

    let nobody = Uuid::nil();
    assert!(matches!(root.user(nobody).await, Err(Error::NoSuchUser)));
    assert!(matches!(
        root.change_user(nobody, nothing()).await,
        Err(Error::NoSuchUser)
    ));
    assert!(matches!(
        root.delete_user(nobody).await,
        Err(Error::NoSuchUser)
    ));
    assert!(matches!(
        root.restore_user(nobody).await,
        Err(Error::NoSuchUser)
    ));
    assert!(matches!(
        root.end_sessions(nobody).await,
        Err(Error::NoSuchUser)
    ));
}

#[tokio::test]
async fn a_name_that_was_taken_since_keeps_an_account_deleted() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let ada = scene.register("ada").await.user.id;
    root.delete_user(ada).await.expect("deleted");
    scene.register("ada").await;
    assert!(matches!(
        root.restore_user(ada).await,
        Err(Error::EmailTaken)
    ));
    assert!(root.user(ada).await.expect("there").deleted_at.is_some());
}

#[tokio::test]
async fn an_admin_who_has_lost_the_role_meanwhile_is_none() {
    let scene = scene(policy()).await;
    let (root, other) = (scene.admin("root").await, scene.admin("other").await);
    let (root_id, other_id) = (scene.id_of("root").await, scene.id_of("other").await);
    let demoted = |names: &[&str]| AccountEdit {
        roles: Some(roles(names)),
        ..nothing()
    };
    root.change_user(other_id, demoted(&[]))
        .await
        .expect("demoted");
    let late = other.change_user(root_id, demoted(&[])).await;
    assert!(matches!(late, Err(Error::NotAdmin)));
    assert!(matches!(
        other.delete_user(root_id).await,
        Err(Error::NotAdmin)
    ));
    let ada = scene.remembered("ada").await;
    let gone = scene.register("gone").await.user.id;
    root.delete_user(gone).await.expect("deleted");
    let new = NewAccount {
        registration: form("eve"),
        roles: roles(&["admin"]),
    };
    assert!(matches!(other.add_user(new).await, Err(Error::NotAdmin)));
    let operator = scene.accounts.operator();
    assert!(matches!(operator.show("eve").await, Err(Error::NoSuchUser)));
    assert!(matches!(
        other.restore_user(gone).await,
        Err(Error::NotAdmin)
    ));
    assert!(root.user(gone).await.expect("there").deleted_at.is_some());
    assert!(matches!(
        other.end_sessions(scene.id_of("ada").await).await,
        Err(Error::NotAdmin)
    ));
    scene.caller(&ada).await;
    let alone = root.change_user(root_id, demoted(&["staff"])).await;
    assert!(matches!(alone, Err(Error::LastAdmin)));
    assert!(matches!(
        root.delete_user(root_id).await,
        Err(Error::LastAdmin)
    ));
}

#[tokio::test]
async fn figures_are_counted_anew_after_a_few_seconds() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let first = root.figures().await.expect("counted");
    assert_eq!(
        (first.as_of, first.now.active_users),
        (scene.clock.now(), 1)
    );
    scene.register("ada").await;
    assert!(scene.login("ada", "wrong").await.is_err());
    assert_eq!(root.figures().await.expect("counted"), first);
    scene.clock.advance(Duration::from_secs(5));
    let second = root.figures().await.expect("counted");
    assert_eq!((second.now.active_users, second.now.admins), (2, 1));
    assert_eq!(
        (second.last_day.registrations, second.last_day.failed_logins),
        (2, 1)
    );
    scene.clock.advance(Duration::from_hours(25));
    let third = root.figures().await.expect("counted");
    assert_eq!(
        (third.last_day.registrations, third.last_week.registrations),
        (0, 2)
    );
}

#[tokio::test]
async fn figures_are_counted_to_the_end_for_others_when_the_client_that_asked_goes_away() {
    let scene = scene(policy()).await;
    let root = scene.admin("root").await;
    let began = scene.clock.now();
    {
        let mut asking = std::pin::pin!(root.figures());
        assert!(
            futures_util::poll!(&mut asking).is_pending(),
            "they are being counted"
        );
    }
    scene.clock.advance(Duration::from_secs(1));
    let figures = root.figures().await.expect("counted");
    assert_eq!(figures.as_of, began, "nothing is counted twice");
}
