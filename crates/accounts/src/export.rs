//! Everything that is held about a user, for that user: read page by page as it is asked for, so
//! that neither memory nor a connection to the database is held for whoever reads slowly. What the
//! pages are written as is up to the doors.

use store::{AuditRecord, Document, HeldTodo, Place, Session, Timestamp};
use uuid::Uuid;

use crate::{Accounts, Caller, Error, throttle::Quota};

/// Rows of one page. A document has 64 KiB at the most, a todo half of that.
const ROWS: u64 = 200;
const DOCUMENTS: u64 = 16;
const TODOS: u64 = 100;

/// An export under way.
pub struct Export {
    accounts: Accounts,
    caller: Caller,
    begun_at: Timestamp,
    quota: Quota,
    next: Next,
}

/// A part of what is held. Of each kind there is a page at least, which may be empty.
pub enum ExportPage {
    /// Sessions, those that have expired and are not removed yet included.
    Sessions(Vec<Session>),
    /// What the user did and what happened to them, the newest first. Of what others did it is not
    /// told from where, nor by whom.
    AuditEvents(Vec<AuditRecord>),
    /// Documents, whole.
    Documents(Vec<Document>),
    /// Todos, those that are deleted and not purged yet included.
    Todos(Vec<HeldTodo>),
}

/// What is to be read next, and behind which row of it.
#[derive(Clone)]
enum Next {
    Sessions(Option<Uuid>),
    AuditEvents(Option<Place>),
    Documents(Option<String>),
    Todos(Option<Uuid>),
    Nothing,
}

impl Accounts {
    /// Begins an export of what is held about the caller. Each page of it is of the moment at which
    /// it is read: what does not change meanwhile is in it once.
    ///
    /// # Errors
    /// [`Error::Limited`] after five within an hour.
    pub fn export(&self, caller: Caller) -> Result<Export, Error> {
        Ok(Export {
            quota: self.0.throttle.export(caller.user.id)?,
            accounts: self.clone(),
            begun_at: self.0.clock.now(),
            caller,
            next: Next::Sessions(None),
        })
    }
}

impl Export {
    /// Whose it is, as of the beginning.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When it was begun.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// What is left of the limit on exports.
    #[must_use]
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Reads on; `None` once all is read. What could not be read is tried again by the next call. It
    /// ends with the session that has begun it: who was logged out in the middle learns nothing more.
    ///
    /// # Errors
    /// [`Error::RevokedToken`], [`Error::ExpiredToken`], [`Error::Unavailable`].
    pub async fn next_page(&mut self) -> Result<Option<ExportPage>, Error> {
        self.accounts.still_stands(&self.caller).await?;
        match self.next.clone() {
            Next::Sessions(after) => self.sessions(after).await.map(Some),
            Next::AuditEvents(after) => self.audit_events(after).await.map(Some),
            Next::Documents(after) => self.documents(after).await.map(Some),
            Next::Todos(after) => self.todos(after).await.map(Some),
            Next::Nothing => Ok(None),
        }
    }

    async fn sessions(&mut self, after: Option<Uuid>) -> Result<ExportPage, Error> {
        let (store, user) = (&self.accounts.0.store, self.caller.user.id);
        let page = store.page_of_sessions(user, after, ROWS).await?;
        self.next = match last_of_full(&page, ROWS) {
            Some(last) => Next::Sessions(Some(last.id)),
            None => Next::AuditEvents(None),
        };
        Ok(ExportPage::Sessions(page))
    }

    async fn audit_events(&mut self, after: Option<Place>) -> Result<ExportPage, Error> {
        let (store, user) = (&self.accounts.0.store, self.caller.user.id);
        let page = store.page_of_audit_about(user, after, ROWS).await?;
        self.next = match page.next {
            Some(place) => Next::AuditEvents(Some(place)),
            None => Next::Documents(None),
        };
        let events = page.items.into_iter();
        Ok(ExportPage::AuditEvents(
            events.map(|event| as_seen_by(user, event)).collect(),
        ))
    }

    async fn documents(&mut self, after: Option<String>) -> Result<ExportPage, Error> {
        let (store, user) = (&self.accounts.0.store, self.caller.user.id);
        let page = store.page_of_documents(user, after, DOCUMENTS).await?;
        self.next = match last_of_full(&page, DOCUMENTS) {
            Some(last) => Next::Documents(Some(last.entry.key.clone())),
            None => Next::Todos(None),
        };
        Ok(ExportPage::Documents(page))
    }

    async fn todos(&mut self, after: Option<Uuid>) -> Result<ExportPage, Error> {
        let (store, user) = (&self.accounts.0.store, self.caller.user.id);
        let page = store.page_of_held_todos(user, after, TODOS).await?;
        self.next = match last_of_full(&page, TODOS) {
            Some(last) => Next::Todos(Some(last.todo.id)),
            None => Next::Nothing,
        };
        Ok(ExportPage::Todos(page))
    }
}

/// The row behind which another page may begin: a page that has room left is the last.
fn last_of_full<T>(page: &[T], limit: u64) -> Option<&T> {
    page.last().filter(|_| page.len() as u64 >= limit)
}

/// The event without what it says of somebody else: an admin's address and browser are their own.
/// Of an anonymous one they are kept, for that is how a user finds out who tries their password.
fn as_seen_by(user: Uuid, event: AuditRecord) -> AuditRecord {
    let is_of_others = event.actor.is_some_and(|actor| actor != user);
    match is_of_others {
        false => event,
        true => AuditRecord {
            actor: None,
            address: None,
            user_agent: None,
            request_id: None,
            ..event
        },
    }
}
