//! Users who come from another program: added in batches, each with its audit event in one transaction, and again
//! without a change. Where they come from is in `foreign.rs`.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};
use uuid::Uuid;

use crate::{
    Error, NewAudit, NewUser, Store,
    admins::{self, ADMIN, lock_admins},
    entity::{user, user_role},
    users,
};

/// What becomes of a user who is brought from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The account is made, or would be.
    Added,
    /// An account of this id is here, or was and is deleted: they came before, and are not touched.
    CameBefore,
    /// Another account has the e-mail address.
    EmailTaken,
    /// Another account has the username.
    UsernameTaken,
}

impl Store {
    /// Adds those of the users who can be, and records how many came. Whoever is not added is not changed. Among the
    /// users themselves no name may stand twice.
    pub async fn import_users(
        &self,
        users: Vec<NewUser>,
        audit: NewAudit,
    ) -> Result<Vec<Arrival>, Error> {
        self.write_apart((users, audit), |tx, (users, audit)| {
            Box::pin(async move {
                let arrivals = judge(tx, users).await?;
                let added = || added(users, &arrivals);
                if added().any(|user| user.roles.contains(ADMIN)) {
                    lock_admins(tx).await?;
                }
                let count = added().count();
                if count > 0 {
                    insert_all(tx, added()).await.map_err(overtaken)?;
                    let mut detail = audit
                        .detail
                        .clone()
                        .unwrap_or_else(|| serde_json::json!({}));
                    detail["users"] = count.into();
                    admins::record(tx, audit, Some(detail)).await?;
                }
                Ok(arrivals)
            })
        })
        .await
    }

    /// What [`Store::import_users`] would come to. Changes nothing.
    pub async fn rehearse_import(&self, users: Vec<NewUser>) -> Result<Vec<Arrival>, Error> {
        self.read(users, |db, users| Box::pin(judge(db, users)))
            .await
    }
}

fn added<'a>(
    users: &'a [NewUser],
    arrivals: &'a [Arrival],
) -> impl Iterator<Item = &'a NewUser> + Clone {
    let pairs = users.iter().zip(arrivals);
    pairs.filter_map(|(user, arrival)| (*arrival == Arrival::Added).then_some(user))
}

/// Adds all of them by as few statements as if they were one: the server may be far away, and the time for an event is
/// bounded.
async fn insert_all<'a, C: ConnectionTrait>(
    tx: &C,
    users: impl Iterator<Item = &'a NewUser> + Clone,
) -> Result<(), Error> {
    user::Entity::insert_many(users.clone().map(users::row_of))
        .exec_without_returning(tx)
        .await?;
    let roles: Vec<user_role::ActiveModel> = users
        .flat_map(|user| {
            let of_role = |role: &String| user_role::ActiveModel {
                user_id: Set(user.id),
                role: Set(role.clone()),
            };
            user.roles.iter().map(of_role)
        })
        .collect();
    if !roles.is_empty() {
        user_role::Entity::insert_many(roles)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Somebody has taken the name since it was judged to be free; the event is run again, and will see that.
fn overtaken(error: Error) -> Error {
    match error {
        Error::Taken(_) => Error::Busy("a name was taken at the same moment".into()),
        error => error,
    }
}

/// What each of the users would come to. It is the constraints that keep names unique; this is for the answer.
async fn judge<C: ConnectionTrait>(db: &C, users: &[NewUser]) -> Result<Vec<Arrival>, Error> {
    let emails = users.iter().map(|user| user.email_key.clone());
    let emails = taken(db, user::Column::EmailKey, emails.collect()).await?;
    let usernames = users.iter().filter_map(|user| user.username_key.clone());
    let usernames = taken(db, user::Column::UsernameKey, usernames.collect()).await?;
    // Read last: whose names were seen just before they came in another run, is seen here for certain.
    let ids: Vec<Uuid> = users.iter().map(|user| user.id).collect();
    let known: Vec<Uuid> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let known: BTreeSet<Uuid> = known.into_iter().collect();
    let arrival = |user: &NewUser| {
        let username = user.username_key.as_ref();
        if known.contains(&user.id) {
            Arrival::CameBefore
        } else if emails.contains(&user.email_key) {
            Arrival::EmailTaken
        } else if username.is_some_and(|username| usernames.contains(username)) {
            Arrival::UsernameTaken
        } else {
            Arrival::Added
        }
    };
    Ok(users.iter().map(arrival).collect())
}

/// Which of the names somebody has.
async fn taken<C: ConnectionTrait>(
    db: &C,
    column: user::Column,
    names: Vec<String>,
) -> Result<BTreeSet<String>, Error> {
    let taken: Vec<String> = user::Entity::find()
        .select_only()
        .column(column)
        .filter(column.is_in(names))
        .into_tuple()
        .all(db)
        .await?;
    Ok(taken.into_iter().collect())
}
