//! Todos: what may be in one, and that nobody has a hand in another's.

use super::*;

/// A user of the scene who is signed in.
async fn user(scene: &Scene, name: &str) -> Caller {
    let (access, _) = tokens(scene.register(name).await);
    let caller = scene.accounts.caller_of_bearer(&access).await;
    caller.expect("signed in")
}

fn content(title: &str, description: &str) -> TodoContent {
    TodoContent {
        title: title.to_owned(),
        description: description.to_owned(),
        completed: false,
        due_at: None,
    }
}

fn edit() -> TodoEdit {
    TodoEdit {
        title: Edit::Keep,
        description: Edit::Keep,
        completed: None,
        due_at: Edit::Keep,
    }
}

fn search(text: &str) -> TodoListing {
    TodoListing {
        text: Some(text.to_owned()),
        limit: 100,
        ..TodoListing::default()
    }
}

#[tokio::test]
async fn texts_are_as_long_as_their_characters_and_hold_no_controls() {
    let scene = scene(policy()).await;
    let ada = user(&scene, "ada").await;
    let write = async |title: &str, description: &str| {
        let adding = scene.accounts.add_todo(&ada, content(title, description));
        adding.await
    };
    let crab = "\u{1f980}";
    let todo = write(&format!("  {}\n", crab.repeat(200)), &crab.repeat(5_000)).await;
    assert_eq!(todo.expect("just fits").title, crab.repeat(200));
    let todo = write("a", "\tone\r\ntwo\n\r\n ").await.expect("is fine");
    assert_eq!(todo.description, "\tone\ntwo\n\n ", "lines end in one way");
    assert_eq!(
        broken(write(&crab.repeat(201), &crab.repeat(5_001)).await),
        [
            ("title".into(), "too_long"),
            ("description".into(), "too_long")
        ]
    );
    for blank in ["", " \t\u{3000}"] {
        assert_eq!(broken(write(blank, "").await), [("title".into(), "blank")]);
    }
    for control in [
        "\0", "\u{b}", "\r", "\u{7f}", "\u{85}", "\u{202e}", "\u{2069}",
    ] {
        let text = format!("a{control}b");
        assert_eq!(
            broken(write(&text, &text).await),
            [
                ("title".into(), "control_character"),
                ("description".into(), "control_character")
            ],
            "{control:?}"
        );
    }
    let lines = write("one\ntwo", "").await;
    assert_eq!(broken(lines), [("title".into(), "control_character")]);
}

#[tokio::test]
async fn an_edit_keeps_the_rules_of_what_it_names() {
    let scene = scene(policy()).await;
    let ada = user(&scene, "ada").await;
    let accounts = &scene.accounts;
    let first = accounts.add_todo(&ada, content("first", "more")).await;
    let first = first.expect("adds");
    let change = async |edit| {
        accounts
            .change_todo(&ada, first.id, VersionCondition::default(), edit)
            .await
    };
    let refused = change(TodoEdit {
        title: Edit::Clear,
        description: Edit::Set("\0".to_owned()),
        ..edit()
    });
    assert_eq!(
        broken(refused.await),
        [
            ("title".into(), "blank"),
            ("description".into(), "control_character")
        ]
    );
    scene.clock.advance(Duration::from_secs(1));
    let changed = change(TodoEdit {
        description: Edit::Clear,
        due_at: Edit::Set(NOON),
        ..edit()
    });
    let changed = changed.await.expect("changes");
    assert_eq!((&*changed.title, &*changed.description), ("first", ""));
    assert_eq!((changed.due_at, changed.version), (Some(NOON), 2));
    assert!(changed.updated_at > first.updated_at);
    let whole = accounts
        .replace_todo(&ada, first.id, one_of("2"), content("first", ""))
        .await
        .expect("replaces");
    assert_eq!(
        (whole.due_at, whole.version),
        (None, 3),
        "what is left out is none"
    );
    let late = accounts.delete_todo(&ada, first.id, one_of("2")).await;
    assert!(matches!(late, Err(Error::UnexpectedVersion)));
}

#[tokio::test]
async fn a_text_is_found_in_any_spelling() {
    let scene = scene(policy()).await;
    let ada = user(&scene, "ada").await;
    let accounts = &scene.accounts;
    for (title, description) in [("Ärger mit ΟΔΌΣ", ""), ("Milk", "100% İstanbul")] {
        accounts
            .add_todo(&ada, content(title, description))
            .await
            .expect("adds");
    }
    let found = async |text: &str| {
        let list = accounts.todos(&ada, search(text)).await.expect("lists");
        let titles = list.items.into_iter().map(|todo| todo.title);
        titles.collect::<Vec<_>>()
    };
    for (text, title) in [
        ("äRGER", "Ärger mit ΟΔΌΣ"),
        ("A\u{308}rg", "Ärger mit ΟΔΌΣ"),
        ("οδός", "Ärger mit ΟΔΌΣ"),
        ("0% i", "Milk"),
        ("mil", "Milk"),
    ] {
        assert_eq!(found(text).await, [title], "{text}");
    }
    assert_eq!(found("m%k").await, [""; 0]);
    for (text, code) in [
        ("a\nb", "control_character"),
        (&*"a".repeat(201), "too_long"),
    ] {
        let refused = accounts.todos(&ada, search(text)).await;
        assert_eq!(broken(refused), [("q".into(), code)]);
    }
}

#[test]
fn the_key_of_a_character_is_three_at_the_most() {
    // The column for the key of a title is as wide.
    for character in '\0'..=char::MAX {
        let key = names::canonical(&character.to_string());
        assert!(key.chars().count() <= 3, "{character:?}");
    }
}

#[tokio::test]
async fn somebody_elses_todo_is_none() {
    let scene = scene(policy()).await;
    let (ada, eve) = (user(&scene, "ada").await, user(&scene, "eve").await);
    let accounts = &scene.accounts;
    let todo = accounts
        .add_todo(&ada, content("secret", ""))
        .await
        .expect("adds");
    let any = || VersionCondition::default();
    let refusals = [
        accounts.todo(&eve, todo.id).await.err(),
        accounts
            .change_todo(&eve, todo.id, any(), edit())
            .await
            .err(),
        accounts
            .replace_todo(&eve, todo.id, any(), content("mine", ""))
            .await
            .err(),
        accounts.delete_todo(&eve, todo.id, any()).await.err(),
        accounts.delete_todo(&eve, todo.id, one_of("9")).await.err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(Error::NoSuchTodo)), "{refusal:?}");
    }
    let list = accounts.todos(&eve, search("secret")).await.expect("lists");
    assert_eq!((list.items, list.total), (Vec::new(), 0));
    assert_eq!(accounts.todo(&ada, todo.id).await.expect("is there"), todo);
}

#[tokio::test]
async fn who_was_deleted_a_moment_ago_adds_nothing() {
    let scene = scene(policy()).await;
    let ada = user(&scene, "ada").await;
    scene
        .accounts
        .operator()
        .delete("ada")
        .await
        .expect("deletes");
    let adding = scene.accounts.add_todo(&ada, content("late", "")).await;
    assert!(matches!(adding, Err(Error::RevokedToken)));
}

#[tokio::test]
async fn a_deleted_todo_is_purged_when_its_time_is_over() {
    let scene = scene(policy()).await;
    let ada = user(&scene, "ada").await;
    let accounts = &scene.accounts;
    let todo = accounts
        .add_todo(&ada, content("gone", ""))
        .await
        .expect("adds");
    accounts
        .delete_todo(&ada, todo.id, VersionCondition::default())
        .await
        .expect("deletes");
    let kept = policy().deleted_retention;
    scene.clock.advance(kept);
    assert_eq!(accounts.purge().await.expect("purges").todos, 0);
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!(accounts.purge().await.expect("purges").todos, 1);
    assert_eq!(
        scene.audit().await,
        ["registered"],
        "nothing of it is on record"
    );
}
