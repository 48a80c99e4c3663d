//! The succession of signing keys. The values are opaque here; when a new key signs is the
//! caller's to say, that there is one order of keys is decided here.

use std::time::Duration;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _,
    sea_query::Expr,
};

use crate::{
    Error, NewAudit, NewSigningKey, SigningKey, Store, Timestamp, audit,
    entity::{meta, signing_key},
    install::{SECRET_KEY_CHECK, active},
};

/// A new signing key, and what becomes of those before it.
#[derive(Clone, Debug)]
pub struct KeyRotation {
    /// The key. One that signs from its making on takes over at once.
    pub key: NewSigningKey,
    /// For how long after the takeover tokens of the earlier keys may still be around.
    pub tokens_last: Duration,
    /// What to record.
    pub audit: NewAudit,
}

/// What came of a [`KeyRotation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRotationOutcome {
    /// The key is stored and the earlier ones will retire.
    Rotated(SigningKey),
    /// This one waits for its turn already, so nothing changed.
    AlreadyWaiting(SigningKey),
}

impl Store {
    /// Stores a new signing key and sets the time at which every earlier one retires, with the
    /// record, all or nothing. Rotations wait for each other at a guard row: a key that is to
    /// wait for its turn is refused while another one does, and one that takes over at once comes
    /// behind every key before it, one that waits included. So there is always one order.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn rotate_signing_key(
        &self,
        rotation: KeyRotation,
    ) -> Result<KeyRotationOutcome, Error> {
        self.write(rotation, |tx, rotation| {
            Box::pin(async move {
                let KeyRotation {
                    key,
                    tokens_last,
                    audit,
                } = rotation;
                meta::Entity::update_many()
                    .col_expr(meta::Column::Value, Expr::col(meta::Column::Value))
                    .filter(meta::Column::Name.eq(SECRET_KEY_CHECK))
                    .exec(tx)
                    .await?;
                let rows = signing_key::Entity::find().all(tx).await?;
                let now = key.created_at.as_micros();
                let (waiting, others): (Vec<_>, Vec<_>) =
                    rows.iter().partition(|row| is_waiting(row, now));
                let newest = others.iter().map(|row| row.signs_from).max();
                let free = newest.map_or(i64::MIN, |newest| newest + 1);
                let mut signs_from = key.signs_from.as_micros().max(free);
                if let Some(row) = waiting.first() {
                    if key.signs_from > key.created_at {
                        let row = SigningKey::from((*row).clone());
                        return Ok(KeyRotationOutcome::AlreadyWaiting(row));
                    }
                    // It was published, so it goes on verifying; it never signs.
                    signing_key::Entity::update_many()
                        .col_expr(signing_key::Column::SignsFrom, Expr::value(signs_from))
                        .filter(signing_key::Column::Id.eq(row.id.clone()))
                        .exec(tx)
                        .await?;
                    signs_from += 1;
                }
                let retires_at = Timestamp::from_micros(signs_from).plus(*tokens_last);
                signing_key::Entity::update_many()
                    .col_expr(
                        signing_key::Column::RetiresAt,
                        Expr::value(retires_at.as_micros()),
                    )
                    .filter(
                        Condition::any()
                            .add(signing_key::Column::RetiresAt.is_null())
                            .add(signing_key::Column::RetiresAt.gt(retires_at.as_micros())),
                    )
                    .exec(tx)
                    .await?;
                let row = signing_key::ActiveModel {
                    signs_from: Set(signs_from),
                    ..active(key)
                };
                signing_key::Entity::insert(row)
                    .exec_without_returning(tx)
                    .await?;
                audit::insert(tx, audit).await?;
                Ok(KeyRotationOutcome::Rotated(SigningKey {
                    id: key.id.clone(),
                    algorithm: key.algorithm.clone(),
                    public_key: key.public_key.clone(),
                    sealed_private_key: key.sealed_private_key.clone(),
                    created_at: key.created_at,
                    signs_from: Timestamp::from_micros(signs_from),
                    retires_at: None,
                }))
            })
        })
        .await
    }
}

/// Whether the key was announced and its time has not come. One that takes over at once may be
/// dated ahead by a little, so as to come behind another.
fn is_waiting(row: &signing_key::Model, now: i64) -> bool {
    const ANNOUNCED: i64 = 1_000_000;
    row.signs_from > now && row.signs_from - row.created_at > ANNOUNCED
}
