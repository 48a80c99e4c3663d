//! What the engine says of itself: its version, and whether its settings keep what is committed.

use sea_orm::DatabaseConnection;

use super::text;
use crate::{Error, Store};

/// The engine of an open database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// Name and version.
    pub engine: String,
    /// The settings on which durability rests.
    pub settings: Vec<DurabilitySetting>,
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

impl Store {
    /// Asks the engine for its version and durability settings, on the connection that writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Busy`].
    pub async fn engine_report(&self) -> Result<EngineReport, Error> {
        let version = text(&self.writer, "SELECT sqlite_version() AS value").await?;
        let journal = setting(&self.writer, "journal_mode").await?;
        let synchronous = setting(&self.writer, "synchronous").await?;
        Ok(EngineReport {
            engine: format!("SQLite {}", version.unwrap_or_default()),
            settings: vec![
                DurabilitySetting {
                    name: "journal_mode",
                    is_safe: journal == "wal",
                    value: journal,
                },
                DurabilitySetting {
                    name: "synchronous",
                    // FULL and EXTRA.
                    is_safe: matches!(synchronous.as_str(), "2" | "3"),
                    value: synchronous,
                },
            ],
        })
    }
}

async fn setting(connection: &DatabaseConnection, name: &'static str) -> Result<String, Error> {
    let sql = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
    Ok(text(connection, &sql).await?.unwrap_or_default())
}
