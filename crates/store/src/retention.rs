//! What is removed for good once its time is over. How long that is, is the caller's to say; that
//! nothing goes which has come back in the meantime is decided here.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, TryGetable, Value, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Error, Store, Timestamp, documents,
    entity::{audit_event, session, signing_key, todo, user},
};

/// A kind of row that is kept for a while after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perishable {
    /// Deleted users, after all that is theirs. Their audit events stay, which hold their ids alone.
    DeletedUsers,
    /// Deleted todos.
    DeletedTodos,
    /// Audit events.
    AuditEvents,
    /// Sessions one of whose lifetimes is over.
    ExpiredSessions,
    /// Signing keys whose last token has expired.
    RetiredSigningKeys,
}

impl Store {
    /// Removes at most `limit` rows of a kind whose end was before `ended_before`, and says how
    /// many those were; fewer are the last. A row that has come back since it was chosen, such as
    /// the user who is restored at that moment, stays. Called again, it goes on with the next ones.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn purge(
        &self,
        kind: Perishable,
        ended_before: Timestamp,
        limit: u64,
    ) -> Result<u64, Error> {
        self.write_apart((kind, ended_before, limit), |tx, (kind, before, limit)| {
            Box::pin(async move {
                let (before, limit) = (before.as_micros(), *limit);
                match kind {
                    Perishable::DeletedUsers => remove_users(tx, before, limit).await,
                    Perishable::DeletedTodos => {
                        let ended = todo::Column::DeletedAt.lt(before).into();
                        remove::<todo::Entity, Uuid>(tx, todo::Column::Id, ended, limit).await
                    }
                    Perishable::AuditEvents => {
                        let (key, ended) = (audit_event::Column::Id, audit_event::Column::At);
                        let ended = ended.lt(before).into();
                        remove::<audit_event::Entity, Uuid>(tx, key, ended, limit).await
                    }
                    Perishable::ExpiredSessions => {
                        let ended = Condition::any()
                            .add(session::Column::IdleExpiresAt.lt(before))
                            .add(session::Column::ExpiresAt.lt(before));
                        remove::<session::Entity, Uuid>(tx, session::Column::Id, ended, limit).await
                    }
                    Perishable::RetiredSigningKeys => {
                        let (key, ended) =
                            (signing_key::Column::Id, signing_key::Column::RetiresAt);
                        let ended = ended.lt(before).into();
                        remove::<signing_key::Entity, String>(tx, key, ended, limit).await
                    }
                }
            })
        })
        .await
    }
}

/// Removes what some users have who were deleted, and then them, `limit` rows in all: one who has
/// hundreds of thousands goes in as many events as it takes. With the first of them a user is marked,
/// and from there on restored by nobody.
async fn remove_users(
    tx: &impl ConnectionTrait,
    deleted_before: i64,
    limit: u64,
) -> Result<u64, Error> {
    // Locked, so that whoever is restored at this moment either is not chosen or is not restored.
    let users: Vec<Uuid> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.lt(deleted_before))
        .order_by_asc(user::Column::DeletedAt)
        .limit(limit)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    if users.is_empty() {
        return Ok(0);
    }
    user::Entity::update_many()
        .col_expr(user::Column::Purging, Expr::value(true))
        .filter(user::Column::Id.is_in(users.clone()))
        .filter(user::Column::Purging.eq(false))
        .exec(tx)
        .await?;
    let are_theirs = todo::Column::UserId.is_in(users.clone()).into();
    let (key, are_they) = (todo::Column::Id, user::Column::Id.is_in(users.clone()));
    let mut removed = remove::<todo::Entity, Uuid>(tx, key, are_theirs, limit).await?;
    removed += documents::remove_some(tx, &users, limit - removed).await?;
    // Where that was not all, nothing is left of the limit.
    let key = user::Column::Id;
    removed += remove::<user::Entity, Uuid>(tx, key, are_they.into(), limit - removed).await?;
    Ok(removed)
}

/// Chooses rows and removes them. In two statements, since not every engine bounds a DELETE, and
/// with the condition in both, since another transaction may have come between.
async fn remove<E, K>(
    tx: &impl ConnectionTrait,
    key: E::Column,
    ended: Condition,
    limit: u64,
) -> Result<u64, Error>
where
    E: EntityTrait,
    K: TryGetable + Into<Value>,
{
    let chosen: Vec<K> = E::find()
        .select_only()
        .column(key)
        .filter(ended.clone())
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if chosen.is_empty() {
        return Ok(0);
    }
    let removed = E::delete_many()
        .filter(key.is_in(chosen))
        .filter(ended)
        .exec(tx)
        .await?;
    Ok(removed.rows_affected)
}
