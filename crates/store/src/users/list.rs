//! What operators and admins see of users, deleted ones included: one, all, or a page of them.
//! What text and which roles may be asked for is decided by the caller.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, Func},
};
use uuid::Uuid;

use super::{User, user_of};
use crate::{
    Error, Page, Place, Store, Timestamp,
    entity::{user, user_role},
    page,
    search::containing,
};

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Text that the e-mail address, the username or the name contains.
    pub text: Option<String>,
    /// How many at the most.
    pub limit: u64,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// Its user may log in.
    Active,
    /// Its user is kept out.
    Disabled,
    /// Its user is gone, its names are free, and it may be restored.
    Deleted,
}

impl UserStatus {
    /// The word of this status, if it is one.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let all = [Self::Active, Self::Disabled, Self::Deleted];
        all.into_iter().find(|status| status.as_str() == word)
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

/// Which page of which users.
#[derive(Clone, Debug, Default)]
pub struct UserListing {
    /// Text that the e-mail address, the username or the name contains.
    pub text: Option<String>,
    /// A role that they have.
    pub role: Option<String>,
    /// What they are; `None` for all that are not deleted.
    pub status: Option<UserStatus>,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// How many at the most.
    pub limit: u64,
}

impl Store {
    /// The password hashes of accounts that are not deleted, in the order of their ids, from the
    /// one behind `after` on; at most `limit` of them.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn password_hashes(
        &self,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Uuid, String)>, Error> {
        self.read((after, limit), |db, (after, limit)| {
            Box::pin(async move {
                let mut hashes = user::Entity::find()
                    .select_only()
                    .columns([user::Column::Id, user::Column::PasswordHash])
                    .filter(user::Column::DeletedAt.is_null())
                    .filter(user::Column::PasswordHash.is_not_null());
                if let Some(after) = after {
                    hashes = hashes.filter(user::Column::Id.gt(*after));
                }
                let page = hashes.order_by_asc(user::Column::Id).limit(*limit);
                Ok(page.into_tuple().all(db).await?)
            })
        })
        .await
    }

    /// Users who are not deleted, oldest first.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn list_users(&self, filter: UserFilter) -> Result<Vec<User>, Error> {
        self.read(filter, |db, filter| {
            Box::pin(async move {
                let mut condition = Condition::all().add(user::Column::DeletedAt.is_null());
                if let Some(text) = &filter.text {
                    condition = condition.add(named_like(text));
                }
                let rows = user::Entity::find()
                    .filter(condition)
                    .order_by_asc(user::Column::CreatedAt)
                    .order_by_asc(user::Column::Id)
                    .limit(filter.limit)
                    .all(db)
                    .await?;
                all_with_roles(db, rows).await
            })
        })
        .await
    }

    /// The account of this id, also if it is disabled or deleted.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn user(&self, user: Uuid) -> Result<Option<User>, Error> {
        self.read(user, |db, user| {
            Box::pin(async move {
                let row = user::Entity::find_by_id(*user).one(db).await?;
                Ok(all_with_roles(db, row.into_iter().collect()).await?.pop())
            })
        })
        .await
    }

    /// The deleted account of this id.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn deleted_user(&self, user: Uuid) -> Result<Option<User>, Error> {
        self.read(user, |db, user| {
            Box::pin(async move {
                let rows = user::Entity::find_by_id(*user)
                    .filter(user::Column::DeletedAt.is_not_null())
                    .all(db)
                    .await?;
                Ok(all_with_roles(db, rows).await?.pop())
            })
        })
        .await
    }

    /// Deleted accounts that had this e-mail address or username, the last deleted first; at most
    /// `limit` of them. The letters A to Z are taken in either case.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn deleted_users_named(&self, text: String, limit: u64) -> Result<Vec<User>, Error> {
        self.read((text, limit), |db, (text, limit)| {
            Box::pin(async move {
                let is = |column: user::Column| {
                    let lower = Func::lower(Expr::col(column));
                    Condition::any()
                        .add(column.eq(text.as_str()))
                        .add(Expr::expr(lower).is_in(in_lower_case(text)))
                };
                let rows = user::Entity::find()
                    .filter(user::Column::DeletedAt.is_not_null())
                    .filter(
                        Condition::any()
                            .add(is(user::Column::Email))
                            .add(is(user::Column::Username)),
                    )
                    .order_by_desc(user::Column::DeletedAt)
                    .order_by_desc(user::Column::Id)
                    .limit(*limit)
                    .all(db)
                    .await?;
                all_with_roles(db, rows).await
            })
        })
        .await
    }

    /// A page of users, the newest first. A replica may answer, as of a few seconds ago.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_users(&self, listing: UserListing) -> Result<Page<User>, Error> {
        self.read_stale(listing, |db, listing| {
            Box::pin(async move {
                let rows = select(listing).all(db).await?;
                let page = page::cut(rows, listing.limit, |row| Place {
                    at: Timestamp::from_micros(row.created_at),
                    id: row.id,
                });
                Ok(Page {
                    items: all_with_roles(db, page.items).await?,
                    next: page.next,
                })
            })
        })
        .await
    }
}

/// The rows of a page, and one more where there is one.
pub(crate) fn select(listing: &UserListing) -> Select<user::Entity> {
    let deleted = user::Column::DeletedAt;
    let disabled = user::Column::DisabledAt;
    let mut condition = match listing.status {
        None => Condition::all().add(deleted.is_null()),
        Some(UserStatus::Active) => Condition::all()
            .add(deleted.is_null())
            .add(disabled.is_null()),
        Some(UserStatus::Disabled) => Condition::all()
            .add(deleted.is_null())
            .add(disabled.is_not_null()),
        Some(UserStatus::Deleted) => Condition::all().add(deleted.is_not_null()),
    };
    if let Some(text) = &listing.text {
        condition = condition.add(named_like(text));
    }
    if let Some(role) = &listing.role {
        condition = condition.add(user::Column::Id.in_subquery(ids_with_role(role)));
    }
    if let Some(place) = listing.after {
        condition = condition.add(page::beyond(
            user::Column::CreatedAt,
            user::Column::Id,
            place,
        ));
    }
    user::Entity::find()
        .filter(condition)
        .order_by_desc(user::Column::CreatedAt)
        .order_by_desc(user::Column::Id)
        .limit(page::rows_for(listing.limit))
}

/// The ids of the users who have a role, for a condition of another query.
pub(crate) fn ids_with_role(role: &str) -> sea_orm::sea_query::SelectStatement {
    user_role::Entity::find()
        .select_only()
        .column(user_role::Column::UserId)
        .filter(user_role::Column::Role.eq(role))
        .into_query()
}

/// Adds the roles of many users, some hundred at a time: engines bound the values of a query.
async fn all_with_roles<C: ConnectionTrait>(
    db: &C,
    rows: Vec<user::Model>,
) -> Result<Vec<User>, Error> {
    const AT_ONCE: usize = 500;
    let mut roles: HashMap<Uuid, Vec<user_role::Model>> = HashMap::new();
    for some in rows.chunks(AT_ONCE) {
        let ids = some.iter().map(|row| row.id);
        let found = user_role::Entity::find()
            .filter(user_role::Column::UserId.is_in(ids))
            .all(db)
            .await?;
        for row in found {
            roles.entry(row.user_id).or_default().push(row);
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let roles = roles.remove(&row.id).unwrap_or_default();
            user_of(row, roles)
        })
        .collect())
}

/// One of the names that are shown contains `text`, whose own `%` and `_` mean themselves.
fn named_like(text: &str) -> Condition {
    let columns = [
        user::Column::Email,
        user::Column::Username,
        user::Column::Name,
    ];
    let mut condition = Condition::any();
    for lower in in_lower_case(text) {
        for column in columns {
            let contains = Expr::expr(Func::lower(Expr::col(column))).like(containing(&lower));
            condition = condition.add(contains);
        }
    }
    condition
}

/// The text as the function `lower` of an engine may give it: all of them change the letters A to
/// Z, and some others, too.
fn in_lower_case(text: &str) -> BTreeSet<String> {
    [text.to_ascii_lowercase(), text.to_lowercase()].into()
}
