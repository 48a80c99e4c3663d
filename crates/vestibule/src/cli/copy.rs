//! `vestibule copy`: an installation into another database, on whatever engine, compared in the end.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use accounts::{
    Agreement, Clock, CopyOutcome, CopyPlan, CopyProgress, CopySource, CopyStep, DatabaseOptions,
    DatabaseUrl, OpenError, TableComparison, TargetState,
};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{
    Ended, Failure,
    output::{self, say},
    progress::Progress,
    warn,
};
use crate::{
    config::{Config, Loaded},
    secret_key, serve,
    site::{Private, Site},
};

pub(super) fn command() -> Command {
    Command::new("copy")
        .about("Copy everything into another, empty database, and compare; the server must be stopped or read-only")
        .args(end("from", "The database to copy, instead of the configured one"))
        .args(end("to", "The empty database to copy into"))
        .group(clap::ArgGroup::new("target").args(["to", "to-file"]).required(true))
        .arg(
            switch("dry-run", "Say what would be copied, and change nothing")
                .conflicts_with("verify-only"),
        )
        .arg(switch("verify-only", "Compare the two databases, and change neither"))
        .arg(output::json_flag())
}

/// The flags that name one end: a URL, or a file that holds one with a password.
fn end(name: &'static str, help: &'static str) -> [Arg; 2] {
    let (file, file_help) = match name {
        "from" => ("from-file", "A file that holds the URL of --from"),
        _ => ("to-file", "A file that holds the URL of --to"),
    };
    [
        Arg::new(name).long(name).value_name("URL").help(help),
        Arg::new(file)
            .long(file)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with(name)
            .help(file_help),
    ]
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    warn(loaded);
    let from = url(matches, "from", "from-file")?.map(DatabaseOptions::new);
    let from = from.unwrap_or_else(|| configured(&loaded.config));
    let to = url(matches, "to", "to-file")?
        .ok_or_else(|| Failure::Usage("name the database to copy into with --to".to_owned()))?;
    if let (Some(dir), Some(file)) = (&loaded.config.site.dir, to.file()) {
        Site::refuse_within(dir, Private::Copy(file))
            .map_err(|problem| Failure::Usage(problem.to_string()))?;
    }
    let call = Call {
        from,
        to: DatabaseOptions::new(to),
        json: output::wants_json(matches),
    };
    // From here on a signal ends the work between two steps, and not within one.
    let interrupted = interrupted();
    let secret = secret_key::existing(&loaded.config)?;
    let source = CopySource::open(&call.from, &secret).await?;
    if matches.get_flag("dry-run") {
        call.show_plan(&source.plan(&call.to).await?)
    } else if matches.get_flag("verify-only") {
        call.compare(source, &interrupted).await
    } else {
        call.copy(source, &interrupted).await
    }
}

/// The configured database, around a pooler where there is one.
fn configured(config: &Config) -> DatabaseOptions {
    let database = &config.database;
    let url = database.direct_url.as_ref().unwrap_or(&database.url);
    DatabaseOptions {
        tls: database.tls,
        ..DatabaseOptions::new(url.clone())
    }
}

/// The URL that one of two flags gives: itself, or a file that holds it.
pub(super) fn url(
    matches: &ArgMatches,
    flag: &'static str,
    file_flag: &'static str,
) -> Result<Option<DatabaseUrl>, Failure> {
    let parse = |flag: &str, text: &str| {
        let parsed = DatabaseUrl::parse(text);
        parsed.map_err(|problem| Failure::Usage(format!("--{flag}: {problem}")))
    };
    if let Some(text) = matches.get_one::<String>(flag) {
        let url = parse(flag, text)?;
        if url.has_password() {
            eprintln!(
                "warning: --{flag} holds a password, which the process list shows to every user: use --{file_flag} \
                 instead"
            );
        }
        return Ok(Some(url));
    }
    let Some(file) = matches.get_one::<PathBuf>(file_flag) else {
        return Ok(None);
    };
    parse(file_flag, read(file_flag, file)?.trim()).map(Some)
}

pub(super) fn read(flag: &str, file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file);
    text.map_err(|error| Failure::Usage(format!("--{flag} {}: {error}", file.display())))
}

/// Whether somebody has asked for the end; the second time it ends at once.
pub(super) fn interrupted() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let (asked, told) = (serve::terminated(), Arc::clone(&interrupted));
    tokio::spawn(async move {
        asked.await;
        told.store(true, Ordering::Relaxed);
    });
    interrupted
}

/// What is to be copied where.
struct Call {
    from: DatabaseOptions,
    to: DatabaseOptions,
    json: bool,
}

impl Call {
    async fn copy(&self, source: CopySource, interrupted: &AtomicBool) -> Ended {
        let mut copy = source.copy_to(&self.to, Clock::system()).await?;
        let mut progress = Progress::new();
        while let Some(step) = copy.advance().await? {
            show(&mut progress, step);
            if interrupted.load(Ordering::Relaxed) {
                copy.close().await;
                progress.end();
                return Err(Failure::Failed(format!(
                    "interrupted; {} holds an unfinished copy, and the same command goes on with it",
                    self.to.url
                )));
            }
        }
        progress.end();
        match copy.finish().await? {
            CopyOutcome::Verified(tables) => {
                self.show(&tables)?;
                self.show_what_is_next(&tables);
                Ok(())
            }
            CopyOutcome::Different(tables) => {
                self.show(&tables)?;
                Err(Failure::Failed(format!(
                    "{} is no copy of {}: one of them was written to while the copy was interrupted. Make the \
                     target empty and copy again",
                    self.to.url, self.from.url
                )))
            }
        }
    }

    async fn compare(&self, source: CopySource, interrupted: &AtomicBool) -> Ended {
        let mut comparison = source.compare_with(&self.to).await?;
        let mut progress = Progress::new();
        while let Some(step) = comparison.advance().await.map_err(OpenError::from)? {
            show(&mut progress, step);
            if interrupted.load(Ordering::Relaxed) {
                progress.end();
                return Err(Failure::Failed("interrupted".to_owned()));
            }
        }
        progress.end();
        let tables = comparison.finish().await.map_err(OpenError::from)?;
        self.show(&tables)?;
        let differ = tables
            .iter()
            .filter(|table| table.agreement == Agreement::Different);
        match differ.count() {
            0 => Ok(()),
            1 => Err(Failure::Failed("one table differs".to_owned())),
            count => Err(Failure::Failed(format!("{count} tables differ"))),
        }
    }

    fn show_plan(&self, plan: &CopyPlan) -> Ended {
        if self.json {
            return output::json(plan);
        }
        let rows: Vec<_> = plan
            .tables
            .iter()
            .map(|table| (table.table, table.rows.to_string()))
            .collect();
        output::table(
            ["TABLE", "ROWS"],
            rows.iter().map(|(table, rows)| [*table, rows.as_str()]),
        );
        let state = match plan.target {
            TargetState::Missing => "does not exist yet and would be made".to_owned(),
            TargetState::Empty => "is empty".to_owned(),
            TargetState::Unfinished { rows } => {
                format!("holds {rows} rows of a copy from here, which would be gone on with")
            }
        };
        say!(
            "The secret key fits, and nobody writes to {}.",
            self.from.url
        );
        say!("The target {} {state}. Nothing was changed.", self.to.url);
        Ok(())
    }

    fn show(&self, tables: &[TableComparison]) -> Ended {
        if self.json {
            return output::json(&tables);
        }
        let cells: Vec<_> = tables
            .iter()
            .map(|table| {
                let [source, target] = [table.source, table.target]
                    .map(|content| (content.rows.to_string(), short(&content.digest)));
                let agreement = match table.agreement {
                    Agreement::Equal => "equal",
                    Agreement::EqualButForTheCopy => "equal but for the event `copied`",
                    Agreement::Different => "DIFFERENT",
                };
                (table.table, source, target, agreement)
            })
            .collect();
        let rows = cells.iter().map(|(table, source, target, agreement)| {
            [
                *table, &source.0, &target.0, &source.1, &target.1, *agreement,
            ]
        });
        let head = ["TABLE", "ROWS", "ROWS THERE", "DIGEST", "DIGEST THERE", ""];
        output::table(head, rows);
        Ok(())
    }

    fn show_what_is_next(&self, tables: &[TableComparison]) {
        if self.json {
            return;
        }
        let rows: u64 = tables.iter().map(|table| table.source.rows).sum();
        say!(
            "copied {rows} rows from {} to {}",
            self.from.url,
            self.to.url
        );
        say!(
            "Both hold the same. Set database.url to the new one and start the server; the secret key stays what it \
             is, and whoever is logged in stays so."
        );
    }
}

fn show(progress: &mut Progress, now: CopyProgress) {
    let step = match now.step {
        CopyStep::Copying => "copying",
        CopyStep::Comparing => "comparing",
    };
    progress.show(step, now.table, now.done, now.total);
}

/// Enough of a digest for people to tell two apart.
fn short(digest: &impl ToString) -> String {
    digest.to_string().chars().take(12).collect()
}
