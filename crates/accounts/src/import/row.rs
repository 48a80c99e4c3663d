//! What one row says about a user: each value held against the rules for names, and none changed to fit them.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use store::{NewUser, Timestamp};
use uuid::Uuid;

use super::{
    ImportOptions, Passwordless, RefusedRow, UnfitNames,
    doubles::Doubles,
    mapping::{ImportField, ImportMapping, Record},
    problem,
};
use crate::{
    Accounts, FieldError,
    hash::{HashKind, label},
    names::{DisplayName, Email, Refusal, Username},
    register::field,
};

/// Characters of what a row is called that are repeated in a report.
const LONGEST_ROW_NAME: usize = 80;
/// The kind of a password that is none.
const NO_PASSWORD: &str = "none";

/// What a row comes to by itself.
pub(super) enum Reading {
    /// Somebody who can come, unless a name is taken.
    User(Box<Candidate>),
    /// Somebody who is deleted in the source.
    DeletedThere,
    /// Somebody whose password cannot be checked here, of this kind, and who is to be left out for it.
    Passwordless(&'static str),
    /// Nobody that there could be.
    Refused(RefusedRow),
}

/// A user to be added, and what is to be said if they cannot be.
pub(super) struct Candidate {
    row: String,
    pub(super) user: NewUser,
    /// The kind of their password, also where it does not come along.
    pub(super) password_kind: &'static str,
    /// How many names they come without.
    pub(super) left_off: u8,
}

impl Candidate {
    pub(super) fn refused(self, problem: FieldError) -> RefusedRow {
        RefusedRow {
            row: self.row,
            problems: vec![problem],
        }
    }
}

/// What rows are read by.
pub(super) struct Rules<'a> {
    pub(super) accounts: &'a Accounts,
    pub(super) options: &'a ImportOptions,
    pub(super) mapping: &'a ImportMapping,
}

impl Rules<'_> {
    /// Takes down the names in a row, also of somebody who cannot come: it may be theirs. What is deleted in the source
    /// has no claim.
    pub(super) fn see_names(&self, record: &Record, doubles: &mut Doubles) {
        if self.flag(ImportField::Deleted, record, &mut Vec::new()) == Some(true) {
            return;
        }
        let value = |field| self.mapping.value(field, record).unwrap_or_default();
        if let Ok(email) = Email::parse(&value(ImportField::Email)) {
            doubles.see_email(email.key());
        }
        if let Ok(username) = Username::parse(&value(ImportField::Username)) {
            doubles.see_username(username.key());
        }
    }

    pub(super) fn read(&self, record: &Record, doubles: &Doubles) -> Reading {
        let row = self.row_name(record);
        if let Some(reason) = &record.broken {
            let problem = problem("row", "unreadable", reason.clone());
            return Reading::Refused(RefusedRow {
                row,
                problems: vec![problem],
            });
        }
        let mut broken = Vec::new();
        if self.flag(ImportField::Deleted, record, &mut broken) == Some(true) {
            return Reading::DeletedThere;
        }
        let (password_hash, password_kind) = self.password(record);
        let leaves_out = self.options.passwordless == Passwordless::LeaveOut;
        let candidate = self.candidate(record, row.clone(), doubles, &mut broken);
        let Some(candidate) = candidate.filter(|_| broken.is_empty()) else {
            return Reading::Refused(RefusedRow {
                row,
                problems: broken,
            });
        };
        if password_hash.is_none() && leaves_out {
            return Reading::Passwordless(password_kind);
        }
        Reading::User(Box::new(Candidate {
            user: NewUser {
                password_hash,
                ..candidate.user
            },
            password_kind,
            ..candidate
        }))
    }

    fn candidate(
        &self,
        record: &Record,
        row: String,
        doubles: &Doubles,
        broken: &mut Vec<FieldError>,
    ) -> Option<Candidate> {
        let now = self.accounts.0.clock.now();
        let value = |field| self.mapping.value(field, record);
        let address = value(ImportField::Email).unwrap_or_default();
        let email = field("email", Email::parse(&address), broken);
        if email
            .as_ref()
            .is_some_and(|email| doubles.has_email(email.key()))
        {
            let text = "Another row has this address, too.";
            broken.push(problem("email", "duplicate_email", text));
        }
        let mut left_off = 0;
        let username = value(ImportField::Username).map(|text| Username::parse(&text));
        let mut username = self.fitting("username", username, broken, &mut left_off);
        if username
            .as_ref()
            .is_some_and(|name| doubles.has_username(name.key()))
        {
            if self.options.unfit_names == UnfitNames::LeaveOff {
                username = None;
                left_off += 1;
            } else {
                let text = "Another row has this username, too.";
                broken.push(problem("username", "duplicate_username", text));
            }
        }
        let name = value(ImportField::Name).map(|text| DisplayName::parse(&text));
        let name = self.fitting("name", name, broken, &mut left_off);
        let created_at = self.created_at(record, now, broken);
        let email_verified = self.flag(ImportField::Verified, record, broken) == Some(true);
        let is_disabled = self.flag(ImportField::Disabled, record, broken) == Some(true)
            || self.flag(ImportField::Active, record, broken) == Some(false);
        let email = email?;
        Some(Candidate {
            user: NewUser {
                id: self.id(record, &email, created_at),
                email: email.as_str().to_owned(),
                email_key: email.key().to_owned(),
                username: username.as_ref().map(|name| name.as_str().to_owned()),
                username_key: username.as_ref().map(|name| name.key().to_owned()),
                name: name.map(|name| name.as_str().to_owned()),
                password_hash: None,
                email_verified,
                roles: self.roles(record),
                disabled_at: is_disabled.then_some(now),
                created_at: created_at.unwrap_or(now),
            },
            row,
            password_kind: NO_PASSWORD,
            left_off,
        })
    }

    /// The id of the user, the same in each run: whoever came before is known again by it, also under another name,
    /// and also after they were deleted. Nobody can tell an address by it who has no secret key.
    fn id(&self, record: &Record, email: &Email, created_at: Option<Timestamp>) -> Uuid {
        let row = self
            .mapping
            .value(ImportField::Id, record)
            .unwrap_or_default();
        let text = format!("{}\n{row}", email.key());
        let tag = hmac::sign(&self.accounts.0.import_id, text.as_bytes());
        let (tail, _) = tag
            .as_ref()
            .split_first_chunk::<10>()
            .expect("a tag has 32 bytes");
        let micros = created_at.map_or(0, Timestamp::as_micros);
        let millis = u64::try_from(micros / 1000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, tail).into_uuid()
    }

    /// A name that one may be without.
    fn fitting<T>(
        &self,
        name: &'static str,
        parsed: Option<Result<T, Refusal>>,
        broken: &mut Vec<FieldError>,
        left_off: &mut u8,
    ) -> Option<T> {
        match (parsed?, self.options.unfit_names) {
            (Err(_), UnfitNames::LeaveOff) => {
                *left_off += 1;
                None
            }
            (parsed, _) => field(name, parsed, broken),
        }
    }

    /// The hash to store, if it can be checked here, and what kind of password there is.
    fn password(&self, record: &Record) -> (Option<String>, &'static str) {
        let Some(stored) = self.mapping.value(ImportField::Password, record) else {
            return (None, NO_PASSWORD);
        };
        // Django writes an exclamation mark, and other programs a star, for somebody who has none.
        if stored.starts_with(['!', '*']) {
            return (None, NO_PASSWORD);
        }
        if let Some(parameters) = self
            .options
            .firebase
            .as_ref()
            .filter(|_| self.mapping.has(ImportField::Salt))
        {
            let salt = self
                .mapping
                .value(ImportField::Salt, record)
                .unwrap_or_default();
            let text = parameters.0.text_of(&stored, &salt).ok();
            return (text, "scrypt (Firebase)");
        }
        let kind = label(&stored);
        let is_usable = self.accounts.0.gate.kind_of(&stored) != HashKind::Unusable;
        (is_usable.then_some(stored), kind)
    }

    fn roles(&self, record: &Record) -> BTreeSet<String> {
        let Some(text) = self.mapping.value(ImportField::Role, record) else {
            return BTreeSet::new();
        };
        let words: Vec<String> = serde_json::from_str(&text)
            .unwrap_or_else(|_| text.split(',').map(str::to_owned).collect());
        let given = self
            .options
            .roles
            .iter()
            .filter(|(wanted, _)| words.iter().any(|word| is_word(word.trim(), wanted)));
        given.map(|(_, role)| role.as_str().to_owned()).collect()
    }

    fn created_at(
        &self,
        record: &Record,
        now: Timestamp,
        broken: &mut Vec<FieldError>,
    ) -> Option<Timestamp> {
        let text = self.mapping.value(ImportField::CreatedAt, record)?;
        // MySQL's day for none.
        if text.starts_with("0000-00-00") {
            return None;
        }
        let read = time(&text).filter(|time| *time <= now);
        if read.is_none() {
            let text = "This is no time in the past. Leave times out with --map created_at=";
            broken.push(problem("created_at", "invalid_time", text));
        }
        read
    }

    /// Whether something is so. A time says when it became so, or for a lock-out until when it is.
    fn flag(
        &self,
        flag: ImportField,
        record: &Record,
        broken: &mut Vec<FieldError>,
    ) -> Option<bool> {
        let text = self.mapping.value(flag, record)?;
        let read = truth(&text).or_else(|| {
            let time = time(&text)?;
            Some(flag != ImportField::Disabled || time > self.accounts.0.clock.now())
        });
        if read.is_none() {
            let text = format!(
                "This is neither yes nor no. Leave it out with --map {}=",
                flag.as_str()
            );
            broken.push(problem(flag.as_str(), "invalid_flag", text));
        }
        read
    }

    fn row_name(&self, record: &Record) -> String {
        match self.mapping.value(ImportField::Id, record) {
            Some(id) => id.chars().take(LONGEST_ROW_NAME).collect(),
            None => format!("#{}", record.number),
        }
    }
}

/// Whether a word of the source is the one that a role is given for; engines write what is true in several ways.
fn is_word(word: &str, wanted: &str) -> bool {
    let both_true = truth(word) == Some(true) && truth(wanted) == Some(true);
    both_true || word.eq_ignore_ascii_case(wanted)
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// A time as programs write it: RFC 3339, the same with a space or without an offset (then it is in UTC), a day, or a
/// number of seconds, milliseconds or microseconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let micros = match number {
            ..0 => return None,
            0..100_000_000_000 => number * 1_000_000,
            100_000_000_000..100_000_000_000_000 => number * 1_000,
            _ => number,
        };
        return Some(Timestamp::from_micros(micros));
    }
    if text.len() == "2026-01-31".len() {
        return Timestamp::parse(&format!("{text}T00:00:00Z"));
    }
    let text = text.replacen(' ', "T", 1);
    let (_, clock) = text.split_once('T')?;
    let offset = clock.rfind(['+', '-']).map(|at| &clock[at + 1..]);
    Timestamp::parse(&match offset {
        None if clock.ends_with(['Z', 'z']) => text,
        None => format!("{text}Z"),
        Some(offset) if offset.len() == 2 => format!("{text}:00"),
        Some(offset) if offset.len() == 4 => {
            let (start, minutes) = text.split_at_checked(text.len() - 2)?;
            format!("{start}:{minutes}")
        }
        Some(_) => text,
    })
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_read_as_programs_write_them() {
        for text in [
            "2024-03-01T12:30:00Z",
            "2024-03-01T12:30:00.000Z",
            "2024-03-01 12:30:00",
            "2024-03-01 12:30:00.000000",
            "2024-03-01 12:30:00.000Z",
            "2024-03-01 12:30:00+00",
            "2024-03-01 14:30:00+0200",
            "2024-03-01 07:30:00.000-05:00",
            "1709296200",
            "1709296200000",
            "1709296200000000",
        ] {
            let read = time(text).map(|time| time.to_string());
            assert_eq!(
                read.as_deref(),
                Some("2024-03-01T12:30:00.000000Z"),
                "{text}"
            );
        }
        let day = time("2024-03-01").map(|time| time.to_string());
        assert_eq!(day.as_deref(), Some("2024-03-01T00:00:00.000000Z"));
        for text in [
            "",
            "yesterday",
            "12:30",
            "2024-03-01 noon",
            "-5",
            "2024-13-01",
            "T+",
            "äTö+äö",
            "T+äö1",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
