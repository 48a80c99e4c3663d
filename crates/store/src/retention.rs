//! What is removed for good once its time is over. How long that is, is the caller's to say; that
//! nothing goes which has come back in the meantime is decided here.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait, QueryFilter as _, QuerySelect as _,
    TryGetable, Value,
};
use uuid::Uuid;

use crate::{
    Error, Store, Timestamp,
    entity::{audit_event, session, signing_key, todo, user},
};

/// A kind of row that is kept for a while after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perishable {
    /// Deleted users, with all that is theirs. Their audit events stay, which hold their ids alone.
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
    /// many those were. A row that has come back since it was chosen, such as the user who is
    /// restored at that moment, stays. Called again, it goes on with the next ones.
    pub async fn purge(
        &self,
        kind: Perishable,
        ended_before: Timestamp,
        limit: u64,
    ) -> Result<u64, Error> {
        self.write((kind, ended_before, limit), |tx, (kind, before, limit)| {
            Box::pin(async move {
                let (before, limit) = (before.as_micros(), *limit);
                match kind {
                    Perishable::DeletedUsers => {
                        let ended = user::Column::DeletedAt.lt(before).into();
                        remove::<user::Entity, Uuid>(tx, user::Column::Id, ended, limit).await
                    }
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
