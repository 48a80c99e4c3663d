//! Documents: what users keep under keys of their own, byte for byte. All events of one user's
//! documents wait for each other at the row of the user, so that neither a version nor their number
//! changes between a condition and what it allows. What a key or a content may be is up to others.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    Error, Store, Timestamp, VersionCondition,
    entity::{document, user},
};

/// A document to keep.
#[derive(Clone)]
pub struct NewDocument {
    /// Whose it is.
    pub owner: Uuid,
    /// Under which key; letters differ by case.
    pub key: String,
    /// What it holds.
    pub content: Vec<u8>,
    /// The version of this content: the same for the same bytes.
    pub etag: String,
    /// When it is written.
    pub at: Timestamp,
}

/// What is known of a document without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentEntry {
    /// Under which key it is kept.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its version.
    pub etag: String,
    /// When there was first one under this key.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// A document, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What is known of it.
    pub entry: DocumentEntry,
    /// What it holds.
    pub content: Vec<u8>,
}

/// What came of [`Store::put_document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentWriting {
    /// There was none under this key.
    Created,
    /// It stands in the place of another one.
    Replaced,
    /// It was not meant for what is there, so nothing changed.
    Unexpected,
    /// The owner has as many as may be, so nothing changed.
    TooMany,
    /// The owner has no account any more, or none that may be used.
    NoSuchOwner,
}

/// What came of [`Store::remove_document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentRemoval {
    /// It is gone for good.
    Removed,
    /// That was not meant for what is there, so nothing changed.
    Unexpected,
    /// There is none under this key, whatever the condition.
    NoSuchDocument,
    /// The owner has no account any more, or none that may be used.
    NoSuchOwner,
}

impl Store {
    /// Keeps a document under its key, where `condition` allows it and the owner then has `most` at
    /// the most.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn put_document(
        &self,
        new: NewDocument,
        condition: VersionCondition,
        most: u64,
    ) -> Result<DocumentWriting, Error> {
        self.write((new, condition, most), |tx, (new, condition, most)| {
            Box::pin(async move {
                if !lock_owner(tx, new.owner).await? {
                    return Ok(DocumentWriting::NoSuchOwner);
                }
                let current = etag_of(tx, new.owner, &new.key).await?;
                if !condition.allows(current.as_deref()) {
                    return Ok(DocumentWriting::Unexpected);
                }
                if current.is_some() {
                    replace(tx, new).await?;
                    return Ok(DocumentWriting::Replaced);
                }
                if owned(new.owner).count(tx).await? >= *most {
                    return Ok(DocumentWriting::TooMany);
                }
                insert(tx, new).await?;
                Ok(DocumentWriting::Created)
            })
        })
        .await
    }

    /// Removes the document of this owner and key, where `condition` allows it.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn remove_document(
        &self,
        owner: Uuid,
        key: String,
        condition: VersionCondition,
    ) -> Result<DocumentRemoval, Error> {
        self.write((owner, key, condition), |tx, (owner, key, condition)| {
            Box::pin(async move {
                if !lock_owner(tx, *owner).await? {
                    return Ok(DocumentRemoval::NoSuchOwner);
                }
                let Some(current) = etag_of(tx, *owner, key).await? else {
                    return Ok(DocumentRemoval::NoSuchDocument);
                };
                if !condition.allows(Some(&current)) {
                    return Ok(DocumentRemoval::Unexpected);
                }
                document::Entity::delete_many()
                    .filter(is_at(*owner, key))
                    .exec(tx)
                    .await?;
                Ok(DocumentRemoval::Removed)
            })
        })
        .await
    }

    /// The document of this owner and key.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn document(&self, owner: Uuid, key: String) -> Result<Option<Document>, Error> {
        self.read((owner, key), |db, (owner, key)| {
            Box::pin(async move {
                let found = one(*owner, key).one(db).await?;
                Ok(found.map(Document::from))
            })
        })
        .await
    }

    /// All documents of this owner, in the order of the bytes of their keys. No content is read.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn document_entries(&self, owner: Uuid) -> Result<Vec<DocumentEntry>, Error> {
        self.read(owner, |db, owner| {
            Box::pin(async move {
                let rows: Vec<EntryRow> = owned(*owner)
                    .select_only()
                    .columns([
                        document::Column::Key,
                        document::Column::Size,
                        document::Column::Etag,
                        document::Column::CreatedAt,
                        document::Column::UpdatedAt,
                    ])
                    .order_by_asc(document::Column::Key)
                    .into_tuple()
                    .all(db)
                    .await?;
                Ok(rows.into_iter().map(DocumentEntry::from).collect())
            })
        })
        .await
    }

    /// The next documents of this owner behind the key `after`, `limit` at the most, in the order of the
    /// bytes of their keys.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_documents(
        &self,
        owner: Uuid,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<Document>, Error> {
        self.read((owner, after, limit), |db, (owner, after, limit)| {
            Box::pin(async move {
                let mut select = owned(*owner)
                    .order_by_asc(document::Column::Key)
                    .limit(*limit);
                if let Some(after) = after {
                    select = select.filter(document::Column::Key.gt(after));
                }
                let rows = select.all(db).await?;
                Ok(rows.into_iter().map(Document::from).collect())
            })
        })
        .await
    }
}

/// Locks the row of an account until the transaction ends, and says whether it is active.
async fn lock_owner<C: ConnectionTrait>(tx: &C, owner: Uuid) -> Result<bool, Error> {
    let row: Option<Uuid> = user::Entity::find_by_id(owner)
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_null())
        .filter(user::Column::DisabledAt.is_null())
        .lock_exclusive()
        .into_tuple()
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// Removes documents of these owners, `limit` at the most, and says how many those were.
pub(crate) async fn remove_some<C: ConnectionTrait>(
    tx: &C,
    owners: &[Uuid],
    limit: u64,
) -> Result<u64, Error> {
    let chosen: Vec<(Uuid, String)> = document::Entity::find()
        .select_only()
        .columns([document::Column::UserId, document::Column::Key])
        .filter(document::Column::UserId.is_in(owners.iter().copied()))
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if chosen.is_empty() {
        return Ok(0);
    }
    let are_chosen = chosen.iter().fold(Condition::any(), |any, (owner, key)| {
        any.add(is_at(*owner, key))
    });
    let removed = document::Entity::delete_many()
        .filter(are_chosen)
        .exec(tx)
        .await?;
    Ok(removed.rows_affected)
}

/// The columns of an entry, in the order in which they are selected.
type EntryRow = (String, i64, String, i64, i64);

fn owned(owner: Uuid) -> Select<document::Entity> {
    document::Entity::find().filter(document::Column::UserId.eq(owner))
}

fn one(owner: Uuid, key: &str) -> Select<document::Entity> {
    owned(owner).filter(document::Column::Key.eq(key))
}

/// Names one document for a change, by its owner and its key.
fn is_at(owner: Uuid, key: &str) -> SimpleExpr {
    let is_of_owner = document::Column::UserId.eq(owner);
    is_of_owner.and(document::Column::Key.eq(key))
}

async fn etag_of<C: ConnectionTrait>(
    tx: &C,
    owner: Uuid,
    key: &str,
) -> Result<Option<String>, Error> {
    let etag = one(owner, key)
        .select_only()
        .column(document::Column::Etag)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(etag)
}

async fn insert<C: ConnectionTrait>(tx: &C, new: &NewDocument) -> Result<(), Error> {
    let row = document::ActiveModel {
        user_id: Set(new.owner),
        key: Set(new.key.clone()),
        etag: Set(new.etag.clone()),
        size: Set(size_of(new)),
        created_at: Set(new.at.as_micros()),
        updated_at: Set(new.at.as_micros()),
        content: Set(new.content.clone()),
    };
    document::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

async fn replace<C: ConnectionTrait>(tx: &C, new: &NewDocument) -> Result<(), Error> {
    document::Entity::update_many()
        .col_expr(document::Column::Etag, Expr::value(new.etag.clone()))
        .col_expr(document::Column::Size, Expr::value(size_of(new)))
        .col_expr(document::Column::UpdatedAt, Expr::value(new.at.as_micros()))
        .col_expr(document::Column::Content, Expr::value(new.content.clone()))
        .filter(is_at(new.owner, &new.key))
        .exec(tx)
        .await?;
    Ok(())
}

fn size_of(new: &NewDocument) -> i64 {
    i64::try_from(new.content.len()).unwrap_or(i64::MAX)
}

impl From<EntryRow> for DocumentEntry {
    fn from((key, size, etag, created_at, updated_at): EntryRow) -> Self {
        Self {
            key,
            size: u64::try_from(size).unwrap_or(0),
            etag,
            created_at: Timestamp::from_micros(created_at),
            updated_at: Timestamp::from_micros(updated_at),
        }
    }
}

impl From<document::Model> for Document {
    fn from(row: document::Model) -> Self {
        let entry = (row.key, row.size, row.etag, row.created_at, row.updated_at);
        Self {
            entry: entry.into(),
            content: row.content,
        }
    }
}
