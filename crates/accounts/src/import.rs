//! Users from other programs: brought over with the passwords they have, again and again without a change, and every
//! row that cannot be is named. Where rows come from is in `import/source.rs`, which column means what in
//! `import/format.rs` and `import/mapping.rs`, and what a row says about a user in `import/row.rs`.

mod doubles;
mod file;
mod format;
mod mapping;
mod row;
mod source;

use std::collections::BTreeMap;

use serde::Serialize;
use store::{Actor, Arrival, AuditKind, NewUser};

use self::{
    doubles::Doubles,
    row::{Candidate, Reading, Rules},
};
pub use self::{
    format::ImportFormat,
    mapping::{ImportField, ImportMapping},
    source::{ImportLocation, ImportSource},
};
use crate::{Accounts, Error, FieldError, OpenError, Operator, Role, hash::FirebaseScrypt};

/// So many refused rows are named in a report; the others are counted.
const MOST_NAMED: usize = 10_000;

/// How rows are read, beyond what the source says by itself.
#[derive(Default)]
pub struct ImportOptions {
    /// The program that wrote them.
    pub format: ImportFormat,
    /// The table, where the program's own or the only likely one is not meant.
    pub table: Option<String>,
    /// Columns in place of the usual ones; an empty text leaves a field out.
    pub columns: BTreeMap<ImportField, String>,
    /// What a word in the column of roles gives: nothing does that is not in here.
    pub roles: Vec<(String, Role)>,
    /// What becomes of users whose password cannot be brought along.
    pub passwordless: Passwordless,
    /// What becomes of users whose username or name cannot be.
    pub unfit_names: UnfitNames,
    /// How a Firebase project hashes.
    pub firebase: Option<FirebaseParameters>,
}

/// What becomes of users without a password that can be checked here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passwordless {
    /// They stay where they are.
    #[default]
    LeaveOut,
    /// They come without one, and cannot log in until they are given one.
    BringAlong,
}

/// What becomes of users whose username or name breaks a rule, or is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnfitNames {
    /// They are refused.
    #[default]
    Refuse,
    /// They come without it: an e-mail address is enough.
    LeaveOff,
}

/// The hash parameters of a Firebase project. Its signer key is used to read the export, and stored nowhere.
pub struct FirebaseParameters(FirebaseScrypt);

impl FirebaseParameters {
    /// Reads them as the console shows them.
    ///
    /// # Errors
    /// What is missing; it repeats no value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        FirebaseScrypt::parse(text).map(Self)
    }
}

/// Why an import was not begun, or has ended early. What was added before stays, and the next run goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source cannot be read, or not to its end.
    #[error("{source_name}: {reason}")]
    Unreadable {
        /// The source, without a password.
        source_name: String,
        /// What is wrong.
        reason: String,
    },
    /// The call does not fit what is in the source.
    #[error("{0}")]
    Unclear(String),
    /// The accounts say why.
    #[error(transparent)]
    Accounts(#[from] Error),
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportProgress {
    /// Whether rows are only held against each other; they are all read again.
    pub is_first_look: bool,
    /// Rows read.
    pub done: u64,
    /// Rows there are, where that is known before the end.
    pub total: Option<u64>,
}

/// A row that was not brought over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedRow {
    /// What the source calls it, or its number, counted from 1.
    pub row: String,
    /// What about it cannot be.
    pub problems: Vec<FieldError>,
}

/// What an import came to, or would.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The source, without a password.
    pub source: String,
    /// The program that wrote it, or the form of the file.
    pub format: &'static str,
    /// The table.
    pub table: Option<String>,
    /// Which column was read for what.
    pub mapping: ImportMapping,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Rows read; the sum of the next five.
    pub rows: u64,
    /// Users who came.
    pub added: u64,
    /// Users whom an earlier run has brought, deleted ones included. Nothing about them is touched.
    pub came_before: u64,
    /// Users who are deleted in the source.
    pub deleted_there: u64,
    /// Users left out for want of a password that can be checked here.
    pub left_out: u64,
    /// Users who could not come.
    pub refused: u64,
    /// Usernames and names that were left off.
    pub names_left_off: u64,
    /// The kinds of hashes that can be checked here, each with its number of rows.
    pub passwords: BTreeMap<&'static str, u64>,
    /// The kinds of those that cannot.
    pub no_passwords: BTreeMap<&'static str, u64>,
    /// The rows that were refused, up to a number.
    pub refusals: Vec<RefusedRow>,
}

/// An import under way.
pub struct Import<'a> {
    accounts: &'a Accounts,
    source: ImportSource,
    options: ImportOptions,
    report: ImportReport,
    doubles: Doubles,
    /// The rows of the first look so far; `None` when it is over.
    looked_at: Option<u64>,
}

impl<'a> Operator<'a> {
    /// Begins to bring over the users of a source, or to say what would come of it. It works beside a running server,
    /// and what an earlier run did is not done again.
    #[must_use]
    pub fn import(
        &self,
        source: ImportSource,
        options: ImportOptions,
        dry_run: bool,
    ) -> Import<'a> {
        let report = ImportReport {
            source: source.name().to_owned(),
            format: source.format(),
            table: source.table().map(str::to_owned),
            mapping: source.mapping().clone(),
            dry_run,
            rows: 0,
            added: 0,
            came_before: 0,
            deleted_there: 0,
            left_out: 0,
            refused: 0,
            names_left_off: 0,
            passwords: BTreeMap::new(),
            no_passwords: BTreeMap::new(),
            refusals: Vec::new(),
        };
        Import {
            accounts: self.accounts,
            source,
            options,
            report,
            doubles: Doubles::default(),
            looked_at: Some(0),
        }
    }
}

impl Import<'_> {
    /// Looks at some more rows, or brings some more over; `None` when all is done.
    ///
    /// # Errors
    /// [`ImportError::Unreadable`], [`ImportError::Accounts`].
    pub async fn advance(&mut self) -> Result<Option<ImportProgress>, ImportError> {
        if let Some(looked_at) = self.looked_at {
            return self.look(looked_at).await.map(Some);
        }
        let Some(records) = self.source.next().await? else {
            return Ok(None);
        };
        self.report.rows += records.len() as u64;
        let rules = self.rules();
        let readings = records
            .iter()
            .map(|record| rules.read(record, &self.doubles));
        let readings: Vec<Reading> = readings.collect();
        let mut candidates = Vec::new();
        for reading in readings {
            candidates.extend(self.sort(reading));
        }
        let nameless = self.offer(candidates).await?;
        // Without their usernames these come, or are refused for another reason.
        self.offer(nameless).await?;
        Ok(Some(ImportProgress {
            is_first_look: false,
            done: self.report.rows,
            total: self.source.total(),
        }))
    }

    /// What it came to. The source is closed.
    pub async fn finish(self) -> ImportReport {
        self.source.close().await;
        self.report
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            accounts: self.accounts,
            options: &self.options,
            mapping: &self.report.mapping,
        }
    }

    /// Takes down the names in some more rows, and goes back to the first one behind the last.
    async fn look(&mut self, before: u64) -> Result<ImportProgress, ImportError> {
        let records = self.source.next().await?;
        let done = before + records.as_ref().map_or(0, |records| records.len() as u64);
        let mut doubles = std::mem::take(&mut self.doubles);
        let rules = self.rules();
        for record in records.iter().flatten() {
            rules.see_names(record, &mut doubles);
        }
        if records.is_none() {
            doubles.settle();
            self.source.rewind().await?;
        }
        self.doubles = doubles;
        self.looked_at = records.is_some().then_some(done);
        Ok(ImportProgress {
            is_first_look: true,
            done,
            total: self.source.total(),
        })
    }

    /// Counts what is no candidate.
    fn sort(&mut self, reading: Reading) -> Option<Candidate> {
        let candidate = match reading {
            Reading::User(candidate) => *candidate,
            Reading::DeletedThere => {
                self.report.deleted_there += 1;
                return None;
            }
            Reading::Passwordless(kind) => {
                self.report.left_out += 1;
                *self.report.no_passwords.entry(kind).or_default() += 1;
                return None;
            }
            Reading::Refused(refused) => {
                self.refuse(refused);
                return None;
            }
        };
        self.report.names_left_off += u64::from(candidate.left_off);
        let kinds = match candidate.user.password_hash {
            Some(_) => &mut self.report.passwords,
            None => &mut self.report.no_passwords,
        };
        *kinds.entry(candidate.password_kind).or_default() += 1;
        Some(candidate)
    }

    /// Adds who can be added, and gives back who can be without a username.
    async fn offer(&mut self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, ImportError> {
        let mut nameless = Vec::new();
        let mut waiting = vec![candidates];
        while let Some(mut batch) = waiting.pop() {
            let arrivals = match self.ask(&batch).await {
                // So many are too many for the time that there is, or for what others do at the same moment.
                Err(store::Error::Busy(_)) if batch.len() > 1 => {
                    waiting.push(batch.split_off(batch.len() / 2));
                    waiting.push(batch);
                    continue;
                }
                arrivals => arrivals.map_err(Error::from)?,
            };
            nameless.extend(self.count(batch, arrivals));
        }
        Ok(nameless)
    }

    /// What becomes of candidates, who are added if this is no rehearsal.
    async fn ask(&self, candidates: &[Candidate]) -> Result<Vec<Arrival>, store::Error> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let users: Vec<NewUser> = candidates.iter().map(|one| one.user.clone()).collect();
        let store = &self.accounts.0.store;
        match self.report.dry_run {
            true => store.rehearse_import(users).await,
            false => {
                let mut audit =
                    self.accounts
                        .audit(AuditKind::Imported, Actor::Operator, None, None);
                let from =
                    serde_json::json!({ "from": self.report.source, "format": self.report.format });
                audit.detail = Some(from);
                store.import_users(users, audit).await
            }
        }
    }

    /// Counts what became of candidates, and gives back who can come without a username.
    fn count(&mut self, candidates: Vec<Candidate>, arrivals: Vec<Arrival>) -> Vec<Candidate> {
        let mut nameless = Vec::new();
        for (mut candidate, arrival) in candidates.into_iter().zip(arrivals) {
            match arrival {
                Arrival::Added => self.report.added += 1,
                Arrival::CameBefore => self.report.came_before += 1,
                Arrival::EmailTaken => {
                    let text = "Somebody else has this address here.";
                    self.refuse(candidate.refused(problem("email", "email_taken", text)));
                }
                Arrival::UsernameTaken => match self.leave_username_off(&mut candidate) {
                    true => nameless.push(candidate),
                    false => {
                        let text = "Somebody else has this username here.";
                        self.refuse(candidate.refused(problem("username", "username_taken", text)));
                    }
                },
            }
        }
        nameless
    }

    /// Whether the user can come without the username, which is then off.
    fn leave_username_off(&mut self, candidate: &mut Candidate) -> bool {
        let may = self.options.unfit_names == UnfitNames::LeaveOff;
        if may {
            candidate.user.username = None;
            candidate.user.username_key = None;
            self.report.names_left_off += 1;
        }
        may
    }

    fn refuse(&mut self, refused: RefusedRow) {
        self.report.refused += 1;
        if self.report.refusals.len() < MOST_NAMED {
            self.report.refusals.push(refused);
        }
    }
}

fn problem(
    field: &'static str,
    code: &'static str,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> FieldError {
    FieldError {
        field: field.into(),
        code,
        message: message.into(),
    }
}

fn unreadable(file: &std::path::Path, reason: &impl ToString) -> ImportError {
    ImportError::Unreadable {
        source_name: file.display().to_string(),
        reason: reason.to_string(),
    }
}
