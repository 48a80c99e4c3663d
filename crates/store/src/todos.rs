//! Todos: what users mean to do. Each event names the owner beside the todo, so that nobody reaches
//! another's. What a text may hold, and what its key is, is decided by the caller.

use std::cmp;

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, Order, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use crate::{
    Error, Store, Timestamp, VersionCondition,
    entity::todo::{self, NEVER},
    search::containing,
    users,
};

/// Something that its owner means to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// What it is, on one line.
    pub title: String,
    /// More about it; empty where there is nothing more.
    pub description: String,
    /// Whether it is done.
    pub completed: bool,
    /// By when it is to be done.
    pub due_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How often it was written, counted from 1.
    pub version: i64,
}

/// A todo as it is kept, deleted ones until they are purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTodo {
    /// What it is, or was.
    pub todo: Todo,
    /// Since when it is deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A text with the key that it is searched and sorted by, which is the same for all spellings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyed {
    /// As it was written.
    pub text: String,
    /// Its key, made by the caller.
    pub key: String,
}

/// A todo to make.
#[derive(Clone)]
#[expect(
    missing_docs,
    reason = "the fields are those of `Todo`, and whose it is"
)]
pub struct NewTodo {
    pub id: Uuid,
    pub owner: Uuid,
    pub title: Keyed,
    pub description: Keyed,
    pub completed: bool,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// What to change about a todo. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct TodoChange {
    /// Another title.
    pub title: Option<Keyed>,
    /// Another description.
    pub description: Option<Keyed>,
    /// Whether it is done.
    pub completed: Option<bool>,
    /// Another time by when it is to be done, or none.
    pub due_at: Option<Option<Timestamp>>,
}

/// What came of [`Store::add_todo`].
#[derive(Debug, PartialEq, Eq)]
pub enum TodoAddition {
    /// It is there.
    Added(Todo),
    /// The owner has no account any more.
    NoSuchOwner,
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub enum TodoEditing {
    /// It is now as wanted, or was so already.
    Done(Todo),
    /// The owner has none of this id.
    NoSuchTodo,
    /// The change was not meant for the version that it has.
    Unexpected,
}

/// The order of a list. What is equal is sorted by id, in the same direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TodoOrder {
    /// By when they were made.
    OldestFirst,
    /// By when they were made, backwards.
    #[default]
    NewestFirst,
    /// By when they are due; those that never are come last.
    DueFirst,
    /// By the key of the title, byte by byte.
    ByTitle,
}

/// Which part of which todos.
#[derive(Clone, Debug, Default)]
pub struct TodoListing {
    /// Whether they are done.
    pub completed: Option<bool>,
    /// The key of a text that the title or the description contains.
    pub text: Option<String>,
    /// In which order.
    pub order: TodoOrder,
    /// How many at the most.
    pub limit: u64,
    /// How many come before.
    pub offset: u64,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoList {
    /// What is in it.
    pub items: Vec<Todo>,
    /// How many there are in the whole list, which may be as of a moment later where there are more.
    pub total: u64,
}

impl Store {
    /// Adds a todo.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn add_todo(&self, new: NewTodo) -> Result<TodoAddition, Error> {
        self.write(new, |tx, new| {
            Box::pin(async move {
                if !users::has_account(tx, new.owner).await? {
                    return Ok(TodoAddition::NoSuchOwner);
                }
                let row = new.row();
                let added = todo::Entity::insert(row.clone().into_active_model().reset_all());
                added.exec_without_returning(tx).await?;
                Ok(TodoAddition::Added(Todo::from(row)))
            })
        })
        .await
    }

    /// The todo of this owner and id.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn todo(&self, owner: Uuid, todo: Uuid) -> Result<Option<Todo>, Error> {
        self.read((owner, todo), |db, (owner, todo)| {
            Box::pin(async move {
                let row = one(*owner, *todo).one(db).await?;
                Ok(row.map(Todo::from))
            })
        })
        .await
    }

    /// A part of the todos of this owner.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn todos(&self, owner: Uuid, listing: TodoListing) -> Result<TodoList, Error> {
        let turn = match listing.text {
            Some(_) => Some(self.searches.turn().await?),
            None => None,
        };
        // The turn is over with the work, and not with whoever waits for it.
        self.read((owner, listing, turn), |db, (owner, listing, _turn)| {
            Box::pin(async move {
                let rows = page(*owner, listing).all(db).await?;
                let total = match listing.total_told_by(rows.len()) {
                    Told::Exactly(total) => total,
                    Told::AtLeast(total) => {
                        let ids = chosen(*owner, listing).select_only();
                        cmp::max(total, ids.column(todo::Column::Id).count(db).await?)
                    }
                };
                let items = rows.into_iter().map(Todo::from).collect();
                Ok(TodoList { items, total })
            })
        })
        .await
    }

    /// The next todos of this owner behind the id `after`, `limit` at the most, in the order of their
    /// ids: deleted ones too, until they are purged.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_held_todos(
        &self,
        owner: Uuid,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<HeldTodo>, Error> {
        self.read((owner, after, limit), |db, (owner, after, limit)| {
            Box::pin(async move {
                let rows = page_of_held(*owner, *after, *limit).all(db).await?;
                Ok(rows.into_iter().map(HeldTodo::from).collect())
            })
        })
        .await
    }

    /// Changes a todo where `condition` allows it, and counts a new version. What is to be as it is
    /// already is no change, and without any nothing is written. Of changes that come at once, each
    /// is judged by what the one before has left.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn change_todo(
        &self,
        owner: Uuid,
        todo: Uuid,
        condition: VersionCondition,
        change: TodoChange,
        now: Timestamp,
    ) -> Result<TodoEditing, Error> {
        let wanted = (owner, todo, condition, change, now);
        self.write(wanted, |tx, (owner, todo, condition, change, now)| {
            Box::pin(async move {
                let Some(before) = find_locked(tx, *owner, *todo).await? else {
                    return Ok(TodoEditing::NoSuchTodo);
                };
                if !before.meets(condition) {
                    return Ok(TodoEditing::Unexpected);
                }
                let mut after = before.clone();
                change.write_into(&mut after);
                if after != before {
                    after.updated_at = now.as_micros();
                    after.version += 1;
                    update(tx, after.clone()).await?;
                }
                Ok(TodoEditing::Done(Todo::from(after)))
            })
        })
        .await
    }

    /// Deletes a todo where `condition` allows it, and gives what it was. It is kept until it is
    /// purged (see `retention.rs`), and found by nobody.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn delete_todo(
        &self,
        owner: Uuid,
        todo: Uuid,
        condition: VersionCondition,
        now: Timestamp,
    ) -> Result<TodoEditing, Error> {
        let wanted = (owner, todo, condition, now);
        self.write(wanted, |tx, (owner, todo, condition, now)| {
            Box::pin(async move {
                let Some(found) = find_locked(tx, *owner, *todo).await? else {
                    return Ok(TodoEditing::NoSuchTodo);
                };
                if !found.meets(condition) {
                    return Ok(TodoEditing::Unexpected);
                }
                let mut deleted = found.clone();
                deleted.deleted_at = now.as_micros();
                update(tx, deleted).await?;
                Ok(TodoEditing::Done(Todo::from(found)))
            })
        })
        .await
    }
}

impl NewTodo {
    fn row(&self) -> todo::Model {
        todo::Model {
            id: self.id,
            user_id: self.owner,
            title: self.title.text.clone(),
            title_key: self.title.key.clone(),
            description: self.description.text.clone(),
            description_key: self.description.key.clone(),
            completed: self.completed,
            due_at: stored_due(self.due_at),
            created_at: self.created_at.as_micros(),
            updated_at: self.created_at.as_micros(),
            deleted_at: NEVER,
            version: 1,
        }
    }
}

impl todo::Model {
    fn meets(&self, condition: &VersionCondition) -> bool {
        condition.allows(Some(&self.version.to_string()))
    }
}

impl TodoChange {
    fn write_into(&self, row: &mut todo::Model) {
        if let Some(title) = &self.title {
            row.title.clone_from(&title.text);
            row.title_key.clone_from(&title.key);
        }
        if let Some(description) = &self.description {
            row.description.clone_from(&description.text);
            row.description_key.clone_from(&description.key);
        }
        if let Some(completed) = self.completed {
            row.completed = completed;
        }
        if let Some(due_at) = self.due_at {
            row.due_at = stored_due(due_at);
        }
    }
}

/// How much a page tells of how long its whole list is.
enum Told {
    Exactly(u64),
    AtLeast(u64),
}

impl TodoListing {
    /// A page that is not full is the last one, so that most lists need not be counted.
    fn total_told_by(&self, rows: usize) -> Told {
        let rows = rows as u64;
        match rows {
            0 if self.offset > 0 => Told::AtLeast(0),
            _ if rows < self.limit => Told::Exactly(self.offset + rows),
            _ => Told::AtLeast(self.offset + rows),
        }
    }
}

impl From<todo::Model> for HeldTodo {
    fn from(row: todo::Model) -> Self {
        Self {
            deleted_at: time_of(row.deleted_at),
            todo: row.into(),
        }
    }
}

impl From<todo::Model> for Todo {
    fn from(row: todo::Model) -> Self {
        Self {
            id: row.id,
            title: row.title,
            description: row.description,
            completed: row.completed,
            due_at: time_of(row.due_at),
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            version: row.version,
        }
    }
}

fn time_of(stored: i64) -> Option<Timestamp> {
    (stored != NEVER).then(|| Timestamp::from_micros(stored))
}

fn stored_due(due_at: Option<Timestamp>) -> i64 {
    due_at.map_or(NEVER, Timestamp::as_micros)
}

/// The todos of an owner that are not deleted: every statement about todos begins with it.
fn owned(owner: Uuid) -> Select<todo::Entity> {
    // Part of the statement, and no value beside it: whoever plans once for all values is to know
    // that this one is the usual one.
    let never = Expr::Constant(NEVER.into());
    held(owner).filter(Expr::col(todo::Column::DeletedAt).eq(never))
}

/// The same with the deleted ones.
fn held(owner: Uuid) -> Select<todo::Entity> {
    todo::Entity::find().filter(todo::Column::UserId.eq(owner))
}

fn one(owner: Uuid, id: Uuid) -> Select<todo::Entity> {
    owned(owner).filter(todo::Column::Id.eq(id))
}

/// Locks the row until the transaction ends.
async fn find_locked<C: ConnectionTrait>(
    tx: &C,
    owner: Uuid,
    id: Uuid,
) -> Result<Option<todo::Model>, Error> {
    Ok(one(owner, id).lock_exclusive().one(tx).await?)
}

/// Writes a row that is locked.
async fn update<C: ConnectionTrait>(tx: &C, row: todo::Model) -> Result<(), Error> {
    let is_its_own = todo::Column::UserId.eq(row.user_id);
    let update = todo::Entity::update(row.into_active_model().reset_all()).validate()?;
    update.filter(is_its_own).exec_without_returning(tx).await?;
    Ok(())
}

/// The todos of a list, in no order.
fn chosen(owner: Uuid, listing: &TodoListing) -> Select<todo::Entity> {
    let mut todos = owned(owner);
    if let Some(completed) = listing.completed {
        todos = todos.filter(todo::Column::Completed.eq(completed));
    }
    if let Some(text) = &listing.text {
        let contains = |key| Expr::col(key).like(containing(text));
        let (title, description) = (todo::Column::TitleKey, todo::Column::DescriptionKey);
        todos = todos.filter(contains(title).or(contains(description)));
    }
    todos
}

/// The rows of a part of a list.
pub(crate) fn page(owner: Uuid, listing: &TodoListing) -> Select<todo::Entity> {
    let (column, order) = match listing.order {
        TodoOrder::OldestFirst => (todo::Column::CreatedAt, Order::Asc),
        TodoOrder::NewestFirst => (todo::Column::CreatedAt, Order::Desc),
        TodoOrder::DueFirst => (todo::Column::DueAt, Order::Asc),
        TodoOrder::ByTitle => (todo::Column::TitleKey, Order::Asc),
    };
    chosen(owner, listing)
        .order_by(column, order.clone())
        .order_by(todo::Column::Id, order)
        .limit(listing.limit)
        .offset(listing.offset)
}

/// The rows of a part of all that is held.
pub(crate) fn page_of_held(owner: Uuid, after: Option<Uuid>, limit: u64) -> Select<todo::Entity> {
    let todos = held(owner).order_by_asc(todo::Column::Id).limit(limit);
    match after {
        Some(after) => todos.filter(todo::Column::Id.gt(after)),
        None => todos,
    }
}
