//! The audit log kept elsewhere as well, as it grows: in a file, at a syslog. Which events come next is known to the crate
//! `accounts`; here they are written, and how far that has got is kept in the data directory. An event counts as passed
//! on once it is written, so that after a crash some may come twice, and none is missing. No request waits for it.

mod file;
mod syslog;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use accounts::{Accounts, AuditFollower, AuditPosition, AuditRecord};
use metrics::{counter, gauge};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::StartError,
    config::{Config, SyslogAddress},
    http::AuditEventView,
    telemetry::metrics::{AUDIT_COPIED, AUDIT_COPY_FAILING, AUDIT_COPY_FAILURES},
};

/// How often new events are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a syslog may take for a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the server waits for the last events, those under way included. What is not written then is at the
/// next start.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The copies that are being written.
pub(crate) struct AuditCopies {
    copies: TaskTracker,
    end: CancellationToken,
}

/// One of them.
struct AuditCopy {
    place: Place,
    follower: AuditFollower,
    /// The file that says how far it has got.
    position: PathBuf,
    /// Whether it has got further than that file says.
    is_unsaved: bool,
    is_failing: bool,
}

/// Where a copy is written.
enum Place {
    File(PathBuf),
    Syslog(SyslogAddress),
}

impl AuditCopies {
    /// Begins to write those that are configured.
    ///
    /// # Errors
    /// [`StartError::Misconfigured`] when the file cannot be written; [`StartError::Failed`] when it cannot be told how
    /// far a copy has got. A syslog need not be there yet.
    pub(crate) fn start(config: &Config, accounts: &Accounts) -> Result<Self, StartError> {
        let file = config.audit.file.clone().map(Place::File);
        let syslog = config.audit.syslog.clone().map(Place::Syslog);
        let (copies, end) = (TaskTracker::new(), CancellationToken::new());
        for place in file.into_iter().chain(syslog) {
            let copy = AuditCopy::open(place, &config.data_dir, accounts)?;
            copies.spawn(copy.keep_current(end.clone()));
        }
        Ok(Self { copies, end })
    }

    /// Writes what has happened until now, as far as that takes no longer than a moment, and ends.
    pub(crate) async fn end(self) {
        self.end.cancel();
        self.copies.close();
        self.copies.wait().await;
    }
}

impl AuditCopy {
    fn open(place: Place, data_dir: &Path, accounts: &Accounts) -> Result<Self, StartError> {
        if let Place::File(path) = &place {
            file::append(path, b"").map_err(|error| {
                StartError::Misconfigured(format!(
                    "audit.file {} cannot be written: {error}. Name a file that this user may write",
                    path.display()
                ))
            })?;
        }
        let position = data_dir.join(format!("audit-{}.position", place.name()));
        let read = read(&position).map_err(|error| {
            StartError::Failed(format!(
                "the file {} does not say how far the audit log was copied: {error}. Remove it to begin with what \
                 happens from now on",
                position.display()
            ))
        })?;
        let copy = Self {
            follower: accounts.follow_audit(read),
            place,
            position,
            is_unsaved: false,
            is_failing: false,
        };
        // From here on nothing is left out, whatever happens to this process.
        save(&copy.position, copy.follower.position()).map_err(|error| {
            StartError::Failed(format!("the file {}: {error}", copy.position.display()))
        })?;
        gauge!(AUDIT_COPY_FAILING, "to" => copy.place.name()).set(0);
        for counted in [AUDIT_COPIED, AUDIT_COPY_FAILURES] {
            counter!(counted, "to" => copy.place.name()).increment(0);
        }
        Ok(copy)
    }

    async fn keep_current(mut self, end: CancellationToken) {
        let too_late = async {
            end.cancelled().await;
            sleep(LAST_MOMENT).await;
        };
        tokio::select! {
            () = self.pass_on_until(&end) => {}
            () = too_late => self.failed(
                "there was no time for the last events, which are written after the next start",
            ),
        }
    }

    /// Writes what happens until the end, and then the rest.
    async fn pass_on_until(&mut self, end: &CancellationToken) {
        let mut looks = interval(INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.pass_on_new(end).await,
                () = end.cancelled() => break,
            }
        }
        self.pass_on_rest().await;
    }

    /// Writes what is new, one batch after the other.
    async fn pass_on_new(&mut self, end: &CancellationToken) {
        while !end.is_cancelled() {
            let next = self.follower.next().await;
            match self.pass_on(next).await {
                Ok(0) => return self.is_well(),
                Ok(_) => {}
                Err(why) => return self.failed(&why),
            }
        }
    }

    async fn pass_on_rest(&mut self) {
        loop {
            let rest = self.follower.rest().await;
            match self.pass_on(rest).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(why) => return self.failed(&why),
            }
        }
    }

    /// Writes these events, keeps how far that has got, and says how many there were.
    async fn pass_on(
        &mut self,
        events: Result<Vec<AuditRecord>, accounts::Error>,
    ) -> Result<usize, String> {
        let events = events.map_err(|error| error.to_string())?;
        if !events.is_empty() {
            let written = self.place.write(&events).await;
            written.map_err(|error| error.to_string())?;
            self.follower.passed_on(&events);
            self.is_unsaved = true;
            counter!(AUDIT_COPIED, "to" => self.place.name()).increment(events.len() as u64);
        }
        if self.is_unsaved {
            let saved = self.save().await;
            saved.map_err(|error| format!("{}: {error}", self.position.display()))?;
            self.is_unsaved = false;
        }
        Ok(events.len())
    }

    async fn save(&self) -> io::Result<()> {
        let (file, position) = (self.position.clone(), self.follower.position().clone());
        let saved = tokio::task::spawn_blocking(move || save(&file, &position));
        saved.await.map_err(io::Error::other)?
    }

    /// Tells the operator once, until it is well again. The database has the events.
    fn failed(&mut self, why: &str) {
        let to = self.place.name();
        counter!(AUDIT_COPY_FAILURES, "to" => to).increment(1);
        gauge!(AUDIT_COPY_FAILING, "to" => to).set(1);
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(
                audit.copy = to,
                error.message = why,
                "Audit events cannot be copied to the {to}, and are kept for later: {why}"
            );
        }
    }

    fn is_well(&mut self) {
        let to = self.place.name();
        gauge!(AUDIT_COPY_FAILING, "to" => to).set(0);
        if std::mem::take(&mut self.is_failing) {
            tracing::info!(audit.copy = to, "Audit events are copied to the {to} again");
        }
    }
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Syslog(_) => "syslog",
        }
    }

    /// Writes all of them, or fails; then it may have written some.
    async fn write(&self, events: &[AuditRecord]) -> io::Result<()> {
        match self {
            Self::File(path) => {
                let lines: String = events.iter().map(|event| json_of(event) + "\n").collect();
                let path = path.clone();
                let written =
                    tokio::task::spawn_blocking(move || file::append(&path, lines.as_bytes()));
                written.await.map_err(io::Error::other)?
            }
            Self::Syslog(address) => {
                let messages = events
                    .iter()
                    .map(|event| syslog::message(event, &json_of(event)));
                let messages: Vec<_> = messages.collect();
                let sent = timeout(PATIENCE, syslog::send(address, &messages)).await;
                sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            }
        }
    }
}

/// The event as the API shows it, on one line.
fn json_of(event: &AuditRecord) -> String {
    serde_json::to_string(&AuditEventView::from(event.clone()))
        .expect("an event of texts and numbers is JSON")
}

/// Keeps how far a copy has got, whole or not at all.
fn save(file: &Path, position: &AuditPosition) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new()
        .prefix("audit-position-")
        .tempfile_in(folder)?;
    serde_json::to_writer(&mut draft, position)?;
    draft.flush()?;
    draft.as_file().sync_data()?;
    draft.persist(file)?;
    Ok(())
}

fn read(position: &Path) -> io::Result<Option<AuditPosition>> {
    match std::fs::read(position) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
