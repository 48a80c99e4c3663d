//! Which column of a source stands for what about a user, and how the value of a row is found by it.

use std::{collections::BTreeMap, collections::HashMap, fmt};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Something about a user that a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportField {
    /// What the source calls the row.
    Id,
    /// The e-mail address.
    Email,
    /// The hash of the password.
    Password,
    /// The salt of the hash, where it stands apart (Firebase).
    Salt,
    /// A name to log in with.
    Username,
    /// A name to be called by.
    Name,
    /// When the account was made.
    CreatedAt,
    /// Whether, or when, the address was verified.
    Verified,
    /// Whether they may log in.
    Active,
    /// Whether they may not, or until when.
    Disabled,
    /// Whether, or when, the account was deleted.
    Deleted,
    /// What they may do; it gives a role where the call says so.
    Role,
}

impl ImportField {
    /// Every field, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Id,
        Self::Email,
        Self::Password,
        Self::Salt,
        Self::Username,
        Self::Name,
        Self::CreatedAt,
        Self::Verified,
        Self::Active,
        Self::Disabled,
        Self::Deleted,
        Self::Role,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Password => "password",
            Self::Salt => "salt",
            Self::Username => "username",
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::Verified => "verified",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Role => "role",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// The columns that are read: for each field one, or several whose texts are joined by a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportMapping(BTreeMap<ImportField, Vec<String>>);

impl ImportMapping {
    /// The fields with their columns, several joined by a plus sign.
    pub fn iter(&self) -> impl Iterator<Item = (ImportField, String)> {
        self.0
            .iter()
            .map(|(field, columns)| (*field, columns.join("+")))
    }

    /// Whether there is a column for it.
    pub(super) fn has(&self, field: ImportField) -> bool {
        self.0.contains_key(&field)
    }

    /// The column for it, where there is exactly one.
    pub(super) fn only_column(&self, field: ImportField) -> Option<&str> {
        match self.0.get(&field).map(Vec::as_slice) {
            Some([column]) => Some(column),
            _ => None,
        }
    }

    /// Whether a column is read for anything.
    pub(super) fn reads(&self, column: &str) -> bool {
        let is_in = |path: &String| {
            path == column || path.split_once('.').is_some_and(|(head, _)| head == column)
        };
        self.0.values().flatten().any(is_in)
    }

    /// The usual columns of a program, as far as they are there; of each list of alternatives the first one.
    pub(super) fn usual(
        usual: &[(ImportField, &'static [&'static str])],
        columns: &[String],
    ) -> Self {
        let found = usual.iter().filter_map(|(field, alternatives)| {
            let found = alternatives.iter().find_map(|text| found(text, columns))?;
            Some((*field, found))
        });
        Self(found.collect())
    }

    /// Takes another column for a field, or none where the text is empty.
    ///
    /// # Errors
    /// Where there is no such column.
    pub(super) fn change(
        &mut self,
        field: ImportField,
        text: &str,
        columns: &[String],
    ) -> Result<(), String> {
        if text.is_empty() {
            self.0.remove(&field);
            return Ok(());
        }
        let known = |path: &str| {
            let head = path.split_once('.').map_or(path, |(head, _)| head);
            columns
                .iter()
                .any(|column| column == path || column == head)
        };
        let parts: Vec<String> = match columns.iter().any(|column| column == text) {
            true => vec![text.to_owned()],
            false => text.split('+').map(str::to_owned).collect(),
        };
        if let Some(missing) = parts.iter().find(|part| !known(part)) {
            return Err(format!(
                "there is no column {missing:?} for {}; there are {}",
                field.as_str(),
                columns.join(", ")
            ));
        }
        self.0.insert(field, parts);
        Ok(())
    }

    /// What a row says about a field; `None` where it says nothing.
    pub(super) fn value(&self, field: ImportField, record: &Record) -> Option<String> {
        let columns = self.0.get(&field)?;
        let texts = columns.iter().filter_map(|column| record.text(column));
        let texts: Vec<String> = texts
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }
}

impl Serialize for ImportMapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// One row of a source.
#[derive(Clone, Default)]
pub(super) struct Record {
    /// Its number, counted from 1.
    pub(super) number: u64,
    /// Its values by their columns; those without a value are not in here.
    pub(super) values: HashMap<String, String>,
    /// Why it cannot be read, in words for people.
    pub(super) broken: Option<String>,
}

/// Keeps hashes and addresses out of logs.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Record({})", self.number)
    }
}

impl Record {
    /// The value of a column, or what lies below a name within a column that holds JSON: `meta.name`.
    fn text(&self, path: &str) -> Option<String> {
        if let Some(value) = self.values.get(path) {
            return Some(value.clone());
        }
        let (head, rest) = path.split_once('.')?;
        let document: Value = serde_json::from_str(self.values.get(head)?).ok()?;
        let found = rest
            .split('.')
            .try_fold(&document, |value, name| value.get(name))?;
        text_of(found)
    }
}

/// A JSON value as a text; `None` for null.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// The columns that a text names, one or several with plus signs, if all of them are there.
fn found(text: &str, columns: &[String]) -> Option<Vec<String>> {
    let one = |name| {
        columns
            .iter()
            .find(|column| is_alike(column, name))
            .cloned()
    };
    text.split('+').map(one).collect()
}

/// Whether two names of a column are the same but for their case and for what stands between words.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> String {
        let kept = text.chars().filter(|char| !matches!(char, '_' | '-' | ' '));
        kept.flat_map(char::to_lowercase).collect()
    };
    letters(one) == letters(other)
}
