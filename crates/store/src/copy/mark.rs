//! The mark of a database that is the target of a copy that has not ended: nobody may take it for
//! an installation, and only a copy from the same source may go on with it.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    EntityTrait as _, QueryFilter as _, sea_query::Expr,
};

use crate::{Error, OpenError, Store, engine, entity::meta};

/// Its row in the table of facts.
pub(super) const NAME: &str = "unfinished_copy";

/// The source of the copy that the database is the unfinished target of.
pub(super) async fn of(db: &impl ConnectionTrait) -> Result<Option<String>, Error> {
    if !engine::has_table(db, meta::TABLE).await? {
        return Ok(None);
    }
    let row = meta::Entity::find_by_id(NAME).one(db).await?;
    Ok(row.map(|row| String::from_utf8_lossy(&row.value).into_owned()))
}

impl Store {
    /// Refuses a database that bears the mark.
    pub(crate) async fn refuse_unfinished_copy(&self, database: &str) -> Result<(), OpenError> {
        let from = self.read((), |db, ()| Box::pin(of(db))).await?;
        refuse_from(from, database)
    }
}

/// The same, for a connection that is not of a store.
pub(super) async fn refuse(db: &DatabaseConnection, database: &str) -> Result<(), OpenError> {
    refuse_from(of(db).await?, database)
}

fn refuse_from(source: Option<String>, database: &str) -> Result<(), OpenError> {
    match source {
        None => Ok(()),
        Some(from) => Err(OpenError::UnfinishedCopy {
            database: database.to_owned(),
            from,
        }),
    }
}

pub(super) async fn put(tx: &DatabaseTransaction, from: &str) -> Result<(), Error> {
    let row = meta::ActiveModel {
        name: Set(NAME.to_owned()),
        value: Set(from.as_bytes().to_vec()),
    };
    meta::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Waits for whoever holds the mark, and holds it until the transaction ends. A copy that was ended
/// may still have a transaction under way, of which its engine learns later than we do.
pub(super) async fn hold(tx: &DatabaseTransaction) -> Result<(), Error> {
    let held = meta::Entity::update_many()
        .col_expr(meta::Column::Value, Expr::col(meta::Column::Value))
        .filter(meta::Column::Name.eq(NAME))
        .exec(tx)
        .await?;
    match held.rows_affected {
        1 => Ok(()),
        _ => Err(Error::Busy(
            "somebody has taken the mark of the copy away".into(),
        )),
    }
}

pub(super) async fn take_away(tx: &DatabaseTransaction) -> Result<(), Error> {
    meta::Entity::delete_many()
        .filter(meta::Column::Name.eq(NAME))
        .exec(tx)
        .await?;
    Ok(())
}
