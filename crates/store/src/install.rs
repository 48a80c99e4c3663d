//! What makes a database one installation: the check value of the secret key and the signing
//! keys that were encrypted under it. The values are opaque here.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait as _, QueryOrder as _};

use crate::{
    Error, Store, Timestamp, engine,
    entity::{meta, signing_key},
};

pub(crate) const SECRET_KEY_CHECK: &str = "secret_key_check";

/// A signing key to store.
#[derive(Clone, Debug)]
pub struct NewSigningKey {
    /// The key id, `kid` of RFC 7517.
    pub id: String,
    /// The name of its algorithm in RFC 7518.
    pub algorithm: String,
    /// The public half.
    pub public_key: Vec<u8>,
    /// The private half, encrypted.
    pub sealed_private_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs; it is published before.
    pub signs_from: Timestamp,
}

/// A stored signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The key id.
    pub id: String,
    /// The name of its algorithm.
    pub algorithm: String,
    /// The public half.
    pub public_key: Vec<u8>,
    /// The private half, encrypted.
    pub sealed_private_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Until when tokens of it are accepted; no end yet if `None`.
    pub retires_at: Option<Timestamp>,
}

/// What came of [`Store::found`].
#[derive(Debug, PartialEq, Eq)]
pub enum Founding {
    /// The database held no keys; now it holds these.
    Founded,
    /// It was founded before, with a secret key of this check value.
    Existing {
        /// The stored check value.
        check: Vec<u8>,
    },
}

impl Store {
    /// Stores the check value of the secret key and the first signing key, both or neither, if
    /// the database was not founded before. Of several callers at once one founds.
    pub async fn found(&self, check: Vec<u8>, key: NewSigningKey) -> Result<Founding, Error> {
        self.write((check, key), |tx, (check, key)| {
            Box::pin(async move {
                if let Some(row) = meta::Entity::find_by_id(SECRET_KEY_CHECK).one(tx).await? {
                    return Ok(Founding::Existing { check: row.value });
                }
                let row = meta::ActiveModel {
                    name: Set(SECRET_KEY_CHECK.to_owned()),
                    value: Set(check.clone()),
                };
                meta::Entity::insert(row).exec_without_returning(tx).await?;
                signing_key::Entity::insert(active(key))
                    .exec_without_returning(tx)
                    .await?;
                Ok(Founding::Founded)
            })
        })
        .await
    }

    /// The check value of the secret key, if the database was founded. It may be asked for before
    /// the schema is up to date.
    pub async fn secret_key_check(&self) -> Result<Option<Vec<u8>>, Error> {
        self.read((), |db, ()| Box::pin(check_of(db))).await
    }

    /// Every signing key, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        self.read((), |db, ()| {
            Box::pin(async move {
                let rows = signing_key::Entity::find()
                    .order_by_asc(signing_key::Column::SignsFrom)
                    .order_by_asc(signing_key::Column::Id)
                    .all(db)
                    .await?;
                Ok(rows.into_iter().map(SigningKey::from).collect())
            })
        })
        .await
    }
}

/// The check value in the database, also in one whose schema is not up to date.
pub(crate) async fn check_of(db: &impl ConnectionTrait) -> Result<Option<Vec<u8>>, Error> {
    if !engine::has_table(db, meta::TABLE).await? {
        return Ok(None);
    }
    let row = meta::Entity::find_by_id(SECRET_KEY_CHECK).one(db).await?;
    Ok(row.map(|row| row.value))
}

pub(crate) fn active(key: &NewSigningKey) -> signing_key::ActiveModel {
    signing_key::ActiveModel {
        id: Set(key.id.clone()),
        algorithm: Set(key.algorithm.clone()),
        public_key: Set(key.public_key.clone()),
        sealed_private_key: Set(key.sealed_private_key.clone()),
        created_at: Set(key.created_at.as_micros()),
        signs_from: Set(key.signs_from.as_micros()),
        retires_at: Set(None),
    }
}

impl From<signing_key::Model> for SigningKey {
    fn from(row: signing_key::Model) -> Self {
        Self {
            id: row.id,
            algorithm: row.algorithm,
            public_key: row.public_key,
            sealed_private_key: row.sealed_private_key,
            created_at: Timestamp::from_micros(row.created_at),
            signs_from: Timestamp::from_micros(row.signs_from),
            retires_at: row.retires_at.map(Timestamp::from_micros),
        }
    }
}
