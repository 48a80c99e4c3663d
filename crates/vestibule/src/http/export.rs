//! `GET /api/user/export`: everything that is held about a user as one JSON file, written while it
//! is read. A file that is not whole never looks as if it were.

use accounts::{Document, Export, ExportPage, HeldTodo, Timestamp};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    AuditEventView, auth::UserView, caller::SignedInCaller, error::ApiResult, limit,
    preconditions::EntityTag, sessions::SessionView, todos::TodoView,
};
use crate::app::App;

/// A document, whole: its content is the value that it is, in the spelling in which it was received.
#[derive(Serialize)]
struct DocumentView {
    key: String,
    size: u64,
    etag: EntityTag,
    created_at: Timestamp,
    updated_at: Timestamp,
    content: Box<RawValue>,
}

/// A todo, also one that is deleted and not purged yet.
#[derive(Serialize)]
struct HeldTodoView {
    #[serde(flatten)]
    todo: TodoView,
    deleted_at: Option<Timestamp>,
}

/// `GET /api/user/export`: the file.
pub(super) async fn export_user_data(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Response> {
    let mut export = app.accounts().export(caller).await?;
    // What fails before the first byte is answered like anything else that fails.
    let first = export.next_page().await?;
    let mut answer = headers(export.begun_at()).into_response();
    limit::tell(export.quota(), answer.headers_mut());
    let writing = Writing::begin(export, first);
    *answer.body_mut() = Body::from_stream(stream::try_unfold(writing, Writing::go_on));
    Ok(answer)
}

fn headers(begun_at: Timestamp) -> [(HeaderName, HeaderValue); 2] {
    let time = begun_at.to_string();
    let day = time.split('T').next().unwrap_or_default();
    let disposition = format!("attachment; filename=\"vestibule-export-{day}.json\"");
    let disposition = HeaderValue::try_from(disposition).expect("a day is written in ASCII");
    let json = HeaderValue::from_static("application/json");
    [
        (header::CONTENT_TYPE, json),
        (header::CONTENT_DISPOSITION, disposition),
    ]
}

/// What comes before the lists.
#[derive(Serialize)]
struct Head {
    exported_at: Timestamp,
    user: UserView,
}

/// A file that is being written: an object whose last members are lists, which come in pages.
struct Writing {
    export: Export,
    /// What is written and not sent yet.
    text: Vec<u8>,
    /// What was read and is not written yet.
    page: Option<ExportPage>,
    /// The list that is open, by its name.
    list: Option<&'static str>,
    is_whole: bool,
}

/// Why a file ends in the middle.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Rules(#[from] accounts::Error),
    #[error("a stored document cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

impl Writing {
    fn begin(export: Export, first: Option<ExportPage>) -> Self {
        let head = Head {
            exported_at: export.begun_at(),
            user: UserView::from(export.caller().user.clone()),
        };
        let mut text = serde_json::to_vec(&head).expect("texts and times can be written");
        // The lists belong to the same object.
        text.pop();
        Self {
            export,
            text,
            page: first,
            list: None,
            is_whole: false,
        }
    }

    /// Writes the next page, or the end. What fails here can be answered no more: the connection is
    /// closed before the end of the body, by which a client knows (RFC 9112 section 8), and the last
    /// brace is missing.
    async fn go_on(self) -> Result<Option<(Bytes, Self)>, Cut> {
        if self.is_whole {
            return Ok(None);
        }
        let written = self.with_next_page().await;
        let mut writing = written.inspect_err(|cause| {
            tracing::warn!(error.message = %cause, "An export was cut off: {cause}");
        })?;
        let text = std::mem::take(&mut writing.text);
        Ok(Some((text.into(), writing)))
    }

    async fn with_next_page(mut self) -> Result<Self, Cut> {
        let page = match self.page.take() {
            Some(first) => Some(first),
            None => self.export.next_page().await?,
        };
        match page {
            Some(page) => self.write(page)?,
            None => {
                self.text.extend_from_slice(b"]}\n");
                self.is_whole = true;
            }
        }
        Ok(self)
    }

    fn write(&mut self, page: ExportPage) -> Result<(), Cut> {
        let session = self.export.caller().session;
        match page {
            ExportPage::Sessions(page) => {
                self.write_items("sessions", page, |row| Ok(SessionView::of(row, session)))
            }
            ExportPage::AuditEvents(page) => {
                self.write_items("audit_events", page, |row| Ok(AuditEventView::from(row)))
            }
            ExportPage::Documents(page) => {
                self.write_items("documents", page, DocumentView::try_from)
            }
            ExportPage::Todos(page) => {
                self.write_items("todos", page, |row| Ok(HeldTodoView::from(row)))
            }
        }
    }

    /// Adds to the list of this name, which begins where another one is open or none.
    fn write_items<T, V: Serialize>(
        &mut self,
        list: &'static str,
        rows: Vec<T>,
        view: impl Fn(T) -> Result<V, Cut>,
    ) -> Result<(), Cut> {
        let mut is_first = self.list != Some(list);
        if is_first {
            let end = self.list.replace(list).map_or("", |_| "]");
            self.text.extend(format!("{end},\"{list}\":[").bytes());
        }
        for row in rows {
            if !is_first {
                self.text.push(b',');
            }
            is_first = false;
            serde_json::to_writer(&mut self.text, &view(row)?)?;
        }
        Ok(())
    }
}

impl From<HeldTodo> for HeldTodoView {
    fn from(HeldTodo { todo, deleted_at }: HeldTodo) -> Self {
        Self {
            todo: TodoView::from(todo),
            deleted_at,
        }
    }
}

impl TryFrom<Document> for DocumentView {
    type Error = Cut;

    fn try_from(document: Document) -> Result<Self, Cut> {
        let entry = document.entry;
        Ok(Self {
            key: entry.key,
            size: entry.size,
            etag: EntityTag::of(&entry.etag),
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            content: serde_json::from_slice(&document.content)?,
        })
    }
}
