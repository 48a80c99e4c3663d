//! Why the answer is no, in the words of the domain. What a client is told of it is decided by
//! the doors.

use std::borrow::Cow;

use uuid::Uuid;

use crate::throttle::Limited;

/// A refusal, or a failure on the way to an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was entered breaks rules; all of them are named.
    #[error("{} fields are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// Name and password do not belong together, or not to an account that may log in.
    #[error("wrong name or password")]
    InvalidCredentials,
    /// The token or cookie is not one of ours.
    #[error("not a token of ours: {0}")]
    InvalidToken(&'static str),
    /// The token's time is over.
    #[error("the token has expired")]
    ExpiredToken,
    /// The session of the token has ended.
    #[error("the session has ended")]
    RevokedToken,
    /// A refresh token was presented a second time; its session has been ended.
    #[error("the refresh token was used before")]
    TokenReused,
    /// Another account has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Another account has the username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Only operators and admins add users.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The set-up code is not the open one, or there is an admin by now.
    #[error("the set-up code is not good, or there is an admin by now")]
    SetupRefused,
    /// Too many attempts.
    #[error("limit reached: {0:?}")]
    Limited(Limited),
    /// Only admins may do this, and the caller is none.
    #[error("the caller is no admin")]
    NotAdmin,
    /// The account is deleted, and nothing but its restoration changes it.
    #[error("the user is deleted")]
    UserDeleted,
    /// The account was deleted for so long that its purge has begun, and part of what was theirs may be
    /// gone.
    #[error("the user is being purged and cannot be restored any more")]
    UserPurging,
    /// No account has this name.
    #[error("there is no such user")]
    NoSuchUser,
    /// The caller has no session of this id.
    #[error("there is no such session")]
    NoSuchSession,
    /// The caller has no todo of this id.
    #[error("there is no such todo")]
    NoSuchTodo,
    /// The change was meant for another version of what it would change.
    #[error("it has another version than was expected")]
    UnexpectedVersion,
    /// The caller has no document under this key.
    #[error("there is no such document")]
    NoSuchDocument,
    /// A document is larger than one may be.
    #[error("the document is too large")]
    DocumentTooLarge,
    /// Several accounts could be meant.
    #[error("several deleted users had this name; name one by its id: {}", listed(.0))]
    Ambiguous(Vec<Uuid>),
    /// The change would leave no admin.
    #[error("the last admin can be neither demoted, disabled nor deleted")]
    LastAdmin,
    /// The database or the hashing queue cannot take more at the moment.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Nothing can be changed for the time being.
    #[error(
        "nothing was changed: the database is open for reading alone, as the setting read_only says"
    )]
    ReadOnly,
    /// The storage is full.
    #[error("the storage is full: {0}")]
    StorageFull(String),
    /// A fault of the program or of its data.
    #[error("internal error: {0}")]
    Internal(String),
}

/// One rule that one field breaks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The name of the field in the request.
    pub field: Cow<'static, str>,
    /// A stable word for the rule.
    pub code: &'static str,
    /// A sentence that says what to do.
    pub message: Cow<'static, str>,
}

/// Why no request can be answered at the moment, in words for an operator.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The schema is older than this program needs it.
    #[error("{0} migrations are not applied")]
    Migrations(usize),
    /// Every connection to the database is in use, and none became free in time.
    #[error(transparent)]
    Crowded(store::Error),
    /// The database is out of reach, or does not answer in time.
    #[error(transparent)]
    Database(store::Error),
}

impl From<store::Error> for NotReady {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::MigrationsMissing(count) => Self::Migrations(count),
            error => Self::Database(error),
        }
    }
}

fn listed(ids: &[Uuid]) -> String {
    let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    ids.join(", ")
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Taken(store::Unique::UserEmail) => Self::EmailTaken,
            store::Error::Taken(store::Unique::UserUsername) => Self::UsernameTaken,
            store::Error::Busy(_)
            | store::Error::NoConnection(_)
            | store::Error::MigrationsMissing(_)
            | store::Error::Unavailable(_) => Self::Unavailable(error.to_string()),
            store::Error::ReadOnly => Self::ReadOnly,
            store::Error::Full(_) => Self::StorageFull(error.to_string()),
            store::Error::Corrupt { .. } => Self::Internal(error.to_string()),
        }
    }
}

impl From<Limited> for Error {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}
