//! Todos: each reached by its owner alone, written only in an expected version, listed in orders
//! that are the same everywhere.

use std::collections::BTreeMap;

use store::{
    AuditKind, Keyed, NewAudit, NewTodo, Perishable, Store, Timestamp, Todo, TodoAddition,
    TodoChange, TodoEditing, TodoList, TodoListing, TodoOrder, VersionCondition,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

fn keyed(text: &str) -> Keyed {
    Keyed {
        text: text.to_owned(),
        key: text.to_lowercase(),
    }
}

/// A todo that is made `seconds` after noon.
fn new(owner: Uuid, title: &str, seconds: u64) -> NewTodo {
    NewTodo {
        id: id(),
        owner,
        title: keyed(title),
        description: keyed(""),
        completed: false,
        due_at: None,
        created_at: after(seconds),
    }
}

async fn added(store: &Store, new: NewTodo) -> Todo {
    match store.add_todo(new).await.unwrap() {
        TodoAddition::Added(todo) => todo,
        TodoAddition::NoSuchOwner => panic!("no such owner"),
    }
}

fn titled(title: &str) -> TodoChange {
    TodoChange {
        title: Some(keyed(title)),
        ..TodoChange::default()
    }
}

/// What is left after a change `seconds` after noon.
async fn changed(
    store: &Store,
    (owner, todo): (Uuid, Uuid),
    condition: VersionCondition,
    change: TodoChange,
    seconds: u64,
) -> TodoEditing {
    let changing = store.change_todo(owner, todo, condition, change, after(seconds));
    changing.await.unwrap()
}

async fn delete(store: &Store, owner: Uuid, todo: Uuid, seconds: u64) {
    let deleting = store.delete_todo(owner, todo, VersionCondition::default(), after(seconds));
    assert!(matches!(deleting.await.unwrap(), TodoEditing::Done(_)));
}

fn all() -> TodoListing {
    TodoListing {
        limit: 100,
        ..TodoListing::default()
    }
}

async fn titles(store: &Store, owner: Uuid, listing: TodoListing) -> Vec<String> {
    let TodoList { items, total } = store.todos(owner, listing).await.unwrap();
    assert_eq!(items.len() as u64, total);
    items.into_iter().map(|todo| todo.title).collect()
}

conformance! {
    async fn a_todo_is_kept_as_it_was_given(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let new = NewTodo {
            title: keyed("Ünïcode \u{1f980} and 'quotes' \\ \"too\""),
            description: keyed("two\nlines\tand  trailing spaces  "),
            completed: true,
            due_at: Some(Timestamp::from_micros(-62_167_219_200_000_000)),
            ..new(ada, "", 1)
        };
        let expected = Todo {
            id: new.id,
            title: new.title.text.clone(),
            description: new.description.text.clone(),
            completed: true,
            due_at: new.due_at,
            created_at: after(1),
            updated_at: after(1),
            version: 1,
        };
        assert_eq!(added(&store, new).await, expected);
        assert_eq!(store.todo(ada, expected.id).await.unwrap(), Some(expected));
    }

    async fn the_longest_texts_fit(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let long = |text: usize, key: usize| Keyed { text: "\u{1f980}".repeat(text), key: "\u{1f980}".repeat(key) };
        let todo = added(&store, NewTodo { title: long(200, 600), description: long(5_000, 15_000), ..new(ada, "", 1) }).await;
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), Some(todo));
    }

    async fn a_change_is_counted_and_no_change_is_not(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let first = added(&store, new(ada, "first", 1)).await;
        let at = (ada, first.id);
        let due = TodoChange { due_at: Some(Some(after(99))), completed: Some(true), ..titled("second") };
        let second = Todo { title: "second".into(), due_at: Some(after(99)), completed: true, updated_at: after(2), version: 2, ..first };
        let done = changed(&store, at, one_of(&["7", "1"]), due.clone(), 2).await;
        assert_eq!(done, TodoEditing::Done(second.clone()));
        for change in [due, TodoChange::default()] {
            let same = changed(&store, at, one_of(&["2"]), change, 3).await;
            assert_eq!(same, TodoEditing::Done(second.clone()));
        }
        let never = TodoChange { due_at: Some(None), description: Some(keyed("more")), ..TodoChange::default() };
        let third = Todo { due_at: None, description: "more".into(), updated_at: after(4), version: 3, ..second };
        let done = changed(&store, at, VersionCondition::default(), never, 4).await;
        assert_eq!(done, TodoEditing::Done(third.clone()));
        assert_eq!(store.todo(ada, third.id).await.unwrap(), Some(third));
    }

    async fn another_version_than_was_expected_is_left_alone(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let todo = added(&store, new(ada, "first", 1)).await;
        for condition in [one_of(&[]), one_of(&["0", "2", "01"]), none_of(&["*"]), none_of(&["2", "1"])] {
            let change = changed(&store, (ada, todo.id), condition.clone(), titled("second"), 2).await;
            assert_eq!(change, TodoEditing::Unexpected);
            let deletion = store.delete_todo(ada, todo.id, condition, after(2)).await.unwrap();
            assert_eq!(deletion, TodoEditing::Unexpected);
        }
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), Some(todo));
    }

    async fn of_changes_that_expect_the_same_version_one_wins(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let todo = added(&store, new(ada, "first", 1)).await;
        for version in 1..=3 {
            let racers: Vec<_> = (0..20)
                .map(|racer| {
                    let (store, id) = (store.clone(), todo.id);
                    let change = titled(&format!("{version} by {racer}"));
                    tokio::spawn(async move { changed(&store, (ada, id), one_of(&[&version.to_string()]), change, 2).await })
                })
                .collect();
            let mut winners = Vec::new();
            for racer in racers {
                match racer.await.unwrap() {
                    TodoEditing::Done(todo) => winners.push(todo),
                    other => assert_eq!(other, TodoEditing::Unexpected),
                }
            }
            assert_eq!(winners.len(), 1);
            assert_eq!(store.todo(ada, todo.id).await.unwrap(), winners.pop());
        }
    }

    async fn of_changes_that_expect_nothing_each_is_counted_and_the_last_stays(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let todo = added(&store, new(ada, "first", 1)).await;
        let writers: Vec<_> = (0..20)
            .map(|writer| {
                let (store, id) = (store.clone(), todo.id);
                let change = titled(&format!("by {writer}"));
                tokio::spawn(async move { changed(&store, (ada, id), VersionCondition::default(), change, 2).await })
            })
            .collect();
        let mut by_version = BTreeMap::new();
        for writer in writers {
            let TodoEditing::Done(written) = writer.await.unwrap() else { panic!("not written") };
            by_version.insert(written.version, written);
        }
        assert!(by_version.keys().copied().eq(2..=21), "{by_version:?}");
        let (_, last) = by_version.pop_last().unwrap();
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), Some(last));
    }

    async fn a_change_and_a_deletion_at_once_end_in_a_deletion_or_one_refusal(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for _ in 0..10 {
            let todo = added(&store, new(ada, "first", 1)).await;
            let expected = || one_of(&["1"]);
            let changing = changed(&store, (ada, todo.id), expected(), titled("second"), 2);
            let deleting = store.delete_todo(ada, todo.id, expected(), after(2));
            let (change, deletion) = tokio::join!(changing, deleting);
            let left = store.todo(ada, todo.id).await.unwrap();
            match (change, deletion.unwrap()) {
                (TodoEditing::Done(changed), TodoEditing::Unexpected) => assert_eq!(left, Some(changed)),
                (TodoEditing::NoSuchTodo, TodoEditing::Done(_)) => assert_eq!(left, None),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn nobody_reaches_the_todo_of_somebody_else(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let (eve, _) = registered(&store, "eve").await;
        let todo = added(&store, new(ada, "secret", 1)).await;
        assert_eq!(store.todo(eve, todo.id).await.unwrap(), None);
        for expected in [VersionCondition::default(), one_of(&["1"]), one_of(&[])] {
            let change = changed(&store, (eve, todo.id), expected.clone(), titled("mine"), 2).await;
            assert_eq!(change, TodoEditing::NoSuchTodo);
            let deletion = store.delete_todo(eve, todo.id, expected, after(2)).await.unwrap();
            assert_eq!(deletion, TodoEditing::NoSuchTodo);
        }
        let search = TodoListing { text: Some("secret".into()), ..all() };
        for listing in [all(), search] {
            assert_eq!(titles(&store, eve, listing.clone()).await, [""; 0]);
            assert_eq!(titles(&store, ada, listing).await, ["secret"]);
        }
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), Some(todo));
    }

    async fn what_is_equal_is_sorted_by_id_in_the_direction_of_the_order(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let mut expected = Vec::new();
        for number in 0..9 {
            let due_at = (number < 6).then(|| after(5));
            expected.push(added(&store, NewTodo { due_at, ..new(ada, "same", 1) }).await.id);
        }
        for order in [TodoOrder::OldestFirst, TodoOrder::NewestFirst, TodoOrder::DueFirst, TodoOrder::ByTitle] {
            let mut read = Vec::new();
            for offset in [0, 4, 8] {
                let list = store.todos(ada, TodoListing { order, limit: 4, offset, ..all() }).await.unwrap();
                assert_eq!(list.total, 9);
                read.extend(list.items.into_iter().map(|todo| todo.id));
            }
            if order == TodoOrder::NewestFirst {
                read.reverse();
            }
            assert_eq!(read, expected, "{order:?}");
        }
    }

    async fn each_order_is_the_same_everywhere(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for (title, seconds, due) in [("b", 3, None), ("Ä", 1, Some(9)), ("a ", 2, Some(8)), ("a", 4, None), ("z", 5, Some(7))] {
            added(&store, NewTodo { due_at: due.map(after), ..new(ada, title, seconds) }).await;
        }
        let sorted = async |order| titles(&store, ada, TodoListing { order, ..all() }).await;
        assert_eq!(sorted(TodoOrder::OldestFirst).await, ["Ä", "a ", "b", "a", "z"]);
        assert_eq!(sorted(TodoOrder::NewestFirst).await, ["z", "a", "b", "a ", "Ä"]);
        assert_eq!(sorted(TodoOrder::DueFirst).await, ["z", "a ", "Ä", "b", "a"], "those that are never due come last");
        assert_eq!(sorted(TodoOrder::ByTitle).await, ["a", "a ", "b", "z", "Ä"], "byte by byte");
    }

    async fn a_text_is_found_literally_in_title_and_description(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for (seconds, title, description) in [
            (1, "100% wool", ""), (2, "snake_case", "C:\\temp"), (3, "Ärger", "Straße nach ÖDEN"), (4, "plain", "it's"),
        ] {
            added(&store, NewTodo { description: keyed(description), ..new(ada, title, seconds) }).await;
        }
        for (text, expected) in [
            ("%", &["100% wool"][..]),
            ("_", &["snake_case"]),
            ("\\", &["snake_case"]),
            ("\\t", &["snake_case"]),
            ("\\\\", &[]),
            ("ärg", &["Ärger"]),
            ("straße nach öden", &["Ärger"]),
            ("Ö", &[]),
            ("'", &["plain"]),
            ("a", &["snake_case", "Ärger", "plain"]),
        ] {
            let listing = TodoListing { text: Some(text.into()), order: TodoOrder::OldestFirst, ..all() };
            assert_eq!(titles(&store, ada, listing).await, expected, "{text}");
        }
    }

    async fn a_list_is_of_what_is_done_or_of_what_is_not(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for (seconds, title, completed) in [(1, "done", true), (2, "open", false), (3, "done too", true)] {
            added(&store, NewTodo { completed, ..new(ada, title, seconds) }).await;
        }
        let of = async |completed| titles(&store, ada, TodoListing { completed, ..all() }).await;
        assert_eq!(of(Some(true)).await, ["done too", "done"]);
        assert_eq!(of(Some(false)).await, ["open"]);
        assert_eq!(of(None).await, ["done too", "open", "done"]);
    }

    async fn the_total_is_that_of_the_whole_list_wherever_the_part_begins(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let total = async |limit, offset| {
            let list = store.todos(ada, TodoListing { limit, offset, ..all() }).await.unwrap();
            (list.items.len(), list.total)
        };
        assert_eq!(total(2, 0).await, (0, 0));
        assert_eq!(total(2, 5).await, (0, 0));
        for number in 0..5 {
            added(&store, new(ada, "todo", number)).await;
        }
        for (limit, offset, expected) in [
            (2, 0, (2, 5)), (2, 4, (1, 5)), (5, 0, (5, 5)), (6, 0, (5, 5)), (2, 5, (0, 5)), (2, u64::from(u32::MAX), (0, 5)),
            (100, i64::MAX as u64, (0, 5)),
        ] {
            assert_eq!(total(limit, offset).await, expected, "{limit} from {offset}");
        }
    }

    async fn a_deleted_todo_is_found_by_nobody_and_purged_when_its_time_is_over(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let mut gone = Vec::new();
        for seconds in [10, 20] {
            let todo = added(&store, new(ada, "gone", 1)).await;
            delete(&store, ada, todo.id, seconds).await;
            gone.push(todo.id);
        }
        let kept = added(&store, new(ada, "kept", 1)).await;
        for todo in gone {
            assert_eq!(store.todo(ada, todo).await.unwrap(), None);
            let change = changed(&store, (ada, todo), VersionCondition::default(), titled("back"), 30).await;
            assert_eq!(change, TodoEditing::NoSuchTodo);
            let again = store.delete_todo(ada, todo, VersionCondition::default(), after(30)).await.unwrap();
            assert_eq!(again, TodoEditing::NoSuchTodo);
        }
        assert_eq!(titles(&store, ada, all()).await, ["kept"]);
        let purged = async |seconds| store.purge(Perishable::DeletedTodos, after(seconds), 1).await.unwrap();
        assert_eq!((purged(20).await, purged(20).await), (1, 0), "only the one deleted before");
        assert_eq!((purged(9_000).await, purged(9_000).await), (1, 0), "a batch is as large as asked");
        assert_eq!(store.todo(ada, kept.id).await.unwrap(), Some(kept));
    }

    async fn todos_wait_for_a_deleted_user_and_go_with_a_purged_one(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let todo = added(&store, new(ada, "first", 1)).await;
        store.delete_user(ada, NewAudit { at: after(2), ..audit(AuditKind::AccountDeleted, ada) }).await.unwrap();
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), Some(todo.clone()), "until it is restored or purged");
        assert_eq!(store.add_todo(new(ada, "late", 3)).await.unwrap(), TodoAddition::NoSuchOwner);
        assert_eq!(store.purge(Perishable::DeletedUsers, after(3), 9).await.unwrap(), 2, "the account and its todo");
        assert_eq!(store.todo(ada, todo.id).await.unwrap(), None);
        assert_eq!(store.add_todo(new(ada, "late", 3)).await.unwrap(), TodoAddition::NoSuchOwner);
        let change = changed(&store, (ada, todo.id), VersionCondition::default(), titled("late"), 3).await;
        assert_eq!(change, TodoEditing::NoSuchTodo);
    }
}
