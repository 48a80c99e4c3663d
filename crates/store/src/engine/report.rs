//! What the engine says of itself: its version, whether the connection is encrypted, and whether
//! its settings keep what is committed.

use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend};

use super::{mysql, postgres, sqlite, text};
use crate::{
    Error, Store,
    run::{Question, ask_once},
};

/// The engine of an open database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// Name and version.
    pub engine: String,
    /// Whether there is a network to it, and what protects the connection.
    pub link: Link,
    /// The settings on which durability rests.
    pub settings: Vec<DurabilitySetting>,
    /// Behind a pooler, which drops what is set on a connection: the bounds that the server does not
    /// keep by itself either. `None` without one.
    pub missing_bounds: Option<Vec<MissingBound>>,
}

/// A bound of connections that is to be set for the role or the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingBound {
    /// Its name.
    pub name: &'static str,
    /// What to set it to.
    pub value: &'static str,
}

/// How the database is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is in a file.
    File,
    /// Over an encrypted connection, by this version of TLS.
    Encrypted(String),
    /// Over a connection that is not encrypted.
    Clear,
}

/// One setting on which durability rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurabilitySetting {
    /// Its name.
    pub name: &'static str,
    /// Its value, as the engine gives it.
    pub value: String,
    /// Whether a commit survives a power cut under it.
    pub is_safe: bool,
}

/// What to ask an engine about one of its settings.
pub(super) struct SafeSetting {
    name: &'static str,
    question: &'static str,
    safe: &'static [&'static str],
}

impl SafeSetting {
    pub(super) const fn new(
        name: &'static str,
        question: &'static str,
        safe: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            question,
            safe,
        }
    }
}

impl Store {
    /// Asks the engine for its version and durability settings, on a connection that writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Busy`].
    pub async fn engine_report(&self) -> Result<EngineReport, Error> {
        let mut report = self.ask_engine(report).await?;
        let is_pooled = self.presence.options.direct_url.is_some();
        if is_pooled && self.writer.get_database_backend() == DbBackend::Postgres {
            report.missing_bounds = Some(self.ask_engine(missing_bounds).await?);
        }
        Ok(report)
    }

    async fn ask_engine<T: Send>(&self, question: Question<(), T>) -> Result<T, Error> {
        ask_once(&self.writer, self.statements, &(), question).await
    }
}

fn report<'a>(
    db: &'a DatabaseExecutor<'a>,
    (): &'a (),
) -> BoxFuture<'a, Result<EngineReport, Error>> {
    let (version, asked) = match db.get_database_backend() {
        DbBackend::Postgres => (postgres::VERSION, postgres::DURABILITY),
        DbBackend::MySql => (mysql::VERSION, mysql::DURABILITY),
        _ => (sqlite::VERSION, sqlite::DURABILITY),
    };
    Box::pin(async move {
        let mut settings = Vec::with_capacity(asked.len());
        for setting in asked {
            let value = text(db, setting.question).await?.unwrap_or_default();
            settings.push(DurabilitySetting {
                name: setting.name,
                is_safe: setting.safe.contains(&value.as_str()),
                value,
            });
        }
        Ok(EngineReport {
            engine: text(db, version).await?.unwrap_or_default(),
            link: link(db).await?,
            settings,
            missing_bounds: None,
        })
    })
}

fn missing_bounds<'a>(
    db: &'a DatabaseExecutor<'a>,
    (): &'a (),
) -> BoxFuture<'a, Result<Vec<MissingBound>, Error>> {
    Box::pin(async move {
        let mut missing = Vec::new();
        for (name, value) in postgres::ROLE_BOUNDS {
            // Whatever was set on this connection, by anybody: what it would be reset to.
            let question =
                format!("SELECT reset_val AS value FROM pg_settings WHERE name = '{name}'");
            if text(db, &question).await?.as_deref() == Some("0") {
                missing.push(MissingBound { name, value });
            }
        }
        let (name, value) = ("default_transaction_isolation", "read committed");
        let question = format!("SELECT reset_val AS value FROM pg_settings WHERE name = '{name}'");
        if text(db, &question).await?.as_deref() == Some("repeatable read") {
            missing.push(MissingBound { name, value });
        }
        Ok(missing)
    })
}

/// What protects a connection.
pub(crate) async fn link(connection: &impl ConnectionTrait) -> Result<Link, Error> {
    let question = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::TLS,
        DbBackend::MySql => mysql::TLS,
        _ => return Ok(Link::File),
    };
    Ok(match text(connection, question).await? {
        Some(version) if !version.is_empty() => Link::Encrypted(version),
        _ => Link::Clear,
    })
}
