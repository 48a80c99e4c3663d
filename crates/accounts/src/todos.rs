//! Todos: what a user means to do. A user reaches their own alone, and nothing of it is audited: it
//! changes nobody's rights, and an audit log that told of it would be a diary. What is atomic is
//! decided by the store.

use store::{Keyed, TodoAddition, TodoChange, TodoEditing};
use uuid::Uuid;

use crate::{
    Accounts, Caller, Edit, Error, FieldError, Timestamp, Todo, TodoList, TodoListing,
    VersionCondition, entropy,
    names::{self, Refusal},
    register::field,
};

/// In characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 5_000;

/// All that a user writes into a todo.
pub struct TodoContent {
    /// What it is: a line of 1 to 200 characters; space around it is taken off.
    pub title: String,
    /// More about it: at most 5,000 characters, in which a line may end as on any system.
    pub description: String,
    /// Whether it is done.
    pub completed: bool,
    /// By when it is to be done.
    pub due_at: Option<Timestamp>,
}

/// What a user wants of a todo that exists.
pub struct TodoEdit {
    /// The title, which no todo can be without.
    pub title: Edit<String>,
    /// The description.
    pub description: Edit<String>,
    /// Whether it is done.
    pub completed: Option<bool>,
    /// By when it is to be done.
    pub due_at: Edit<Timestamp>,
}

impl Accounts {
    /// Adds a todo.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule; [`Error::RevokedToken`] when the caller has been
    /// deleted in the meantime.
    pub async fn add_todo(&self, caller: &Caller, content: TodoContent) -> Result<Todo, Error> {
        let (title, description) = content.texts()?;
        let created_at = self.0.clock.now();
        let new = store::NewTodo {
            id: entropy::uuid_v7(created_at),
            owner: caller.user.id,
            title,
            description,
            completed: content.completed,
            due_at: content.due_at,
            created_at,
        };
        match self.0.store.add_todo(new).await? {
            TodoAddition::Added(todo) => Ok(todo),
            TodoAddition::NoSuchOwner => Err(Error::RevokedToken),
        }
    }

    /// One todo.
    ///
    /// # Errors
    /// [`Error::NoSuchTodo`].
    pub async fn todo(&self, caller: &Caller, todo: Uuid) -> Result<Todo, Error> {
        let found = self.0.store.todo(caller.user.id, todo).await?;
        found.ok_or(Error::NoSuchTodo)
    }

    /// A part of the todos. `text` is searched in titles and descriptions without regard to case.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that no todo can contain.
    pub async fn todos(&self, caller: &Caller, listing: TodoListing) -> Result<TodoList, Error> {
        let mut broken = Vec::new();
        let text = listing.text.as_deref();
        let key = text.and_then(|text| field("q", searched(text), &mut broken));
        refuse(broken)?;
        let listing = TodoListing {
            text: key,
            ..listing
        };
        Ok(self.0.store.todos(caller.user.id, listing).await?)
    }

    /// Writes the whole todo anew, where `condition` allows it. What is so already is no change.
    ///
    /// # Errors
    /// As [`Accounts::change_todo`].
    pub async fn replace_todo(
        &self,
        caller: &Caller,
        todo: Uuid,
        condition: VersionCondition,
        content: TodoContent,
    ) -> Result<Todo, Error> {
        let (title, description) = content.texts()?;
        let change = TodoChange {
            title: Some(title),
            description: Some(description),
            completed: Some(content.completed),
            due_at: Some(content.due_at),
        };
        self.write_todo(caller, todo, condition, change).await
    }

    /// Changes a todo, where `condition` allows it. What is so already is no change.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule; [`Error::NoSuchTodo`];
    /// [`Error::UnexpectedVersion`].
    pub async fn change_todo(
        &self,
        caller: &Caller,
        todo: Uuid,
        condition: VersionCondition,
        edit: TodoEdit,
    ) -> Result<Todo, Error> {
        self.write_todo(caller, todo, condition, edit.change()?)
            .await
    }

    /// Deletes a todo, where `condition` allows it.
    ///
    /// # Errors
    /// [`Error::NoSuchTodo`], [`Error::UnexpectedVersion`].
    pub async fn delete_todo(
        &self,
        caller: &Caller,
        todo: Uuid,
        condition: VersionCondition,
    ) -> Result<(), Error> {
        let (owner, now) = (caller.user.id, self.0.clock.now());
        let deleting = self.0.store.delete_todo(owner, todo, condition, now);
        edited(deleting.await?).map(drop)
    }

    async fn write_todo(
        &self,
        caller: &Caller,
        todo: Uuid,
        condition: VersionCondition,
        change: TodoChange,
    ) -> Result<Todo, Error> {
        let (owner, now) = (caller.user.id, self.0.clock.now());
        let changing = self
            .0
            .store
            .change_todo(owner, todo, condition, change, now);
        edited(changing.await?)
    }
}

impl TodoContent {
    /// Title and description, held against their rules.
    fn texts(&self) -> Result<(Keyed, Keyed), Error> {
        let mut broken = Vec::new();
        let title = field("title", title(&self.title), &mut broken);
        let description = field("description", description(&self.description), &mut broken);
        title.zip(description).ok_or(Error::Invalid(broken))
    }
}

impl TodoEdit {
    /// The edit with its texts held against their rules.
    fn change(self) -> Result<TodoChange, Error> {
        let mut broken = Vec::new();
        let title = match self.title {
            Edit::Keep => None,
            // None is a blank one, which is refused.
            Edit::Clear => field("title", title(""), &mut broken),
            Edit::Set(text) => field("title", title(&text), &mut broken),
        };
        let description = match self.description {
            Edit::Keep => None,
            Edit::Clear => Some(Keyed::default()),
            Edit::Set(text) => field("description", description(&text), &mut broken),
        };
        refuse(broken)?;
        Ok(TodoChange {
            title,
            description,
            completed: self.completed,
            due_at: match self.due_at {
                Edit::Keep => None,
                Edit::Clear => Some(None),
                Edit::Set(due_at) => Some(Some(due_at)),
            },
        })
    }
}

fn edited(outcome: TodoEditing) -> Result<Todo, Error> {
    match outcome {
        TodoEditing::Done(todo) => Ok(todo),
        TodoEditing::NoSuchTodo => Err(Error::NoSuchTodo),
        TodoEditing::Unexpected => Err(Error::UnexpectedVersion),
    }
}

fn refuse(broken: Vec<FieldError>) -> Result<(), Error> {
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(broken)),
    }
}

fn title(text: &str) -> Result<Keyed, Refusal> {
    let when_blank = "A todo needs a title of at least one character.";
    names::line(text, LONGEST_TITLE, "a title", when_blank).map(keyed)
}

/// Lines end as on Unix, whatever system they were written on, so that a length is the same for all.
fn description(text: &str) -> Result<Keyed, Refusal> {
    let text = text.replace("\r\n", "\n");
    let is_refused = |char| names::is_steering(char) && !matches!(char, '\t' | '\n');
    if text.contains(is_refused) {
        return Err(Refusal::new(
            "control_character",
            "A description takes text without control characters, but for tabs and new lines. Remove them and try \
             again.",
        ));
    }
    let length = text.chars().count();
    names::refuse_above(LONGEST_DESCRIPTION, length, "a description", "characters")?;
    Ok(keyed(text))
}

/// The key of a text to search for. What is longer than a title would cost more than it finds.
fn searched(text: &str) -> Result<String, Refusal> {
    names::refuse_controls(text)?;
    let length = text.chars().count();
    names::refuse_above(LONGEST_TITLE, length, "a text to search for", "characters")?;
    Ok(names::canonical(text))
}

fn keyed(text: String) -> Keyed {
    let key = names::canonical(&text);
    Keyed { text, key }
}
