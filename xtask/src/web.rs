//! The built pages: `web/dist`, which is committed so that building the server needs no Node.js.
//! How they are built is said in `web/package.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::counts::Counts;
use crate::needs;
use crate::program::{Program, root};
use crate::report::Report;

/// `cargo xtask ui`
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    report.step("pages", || {
        packages()?;
        Program::new("npm").words("run build").inside("web").run()
    });
    report.finish_checks()
}

/// Builds the pages aside and compares them with the committed ones, byte for byte.
pub(crate) fn fresh() -> Result<Counts> {
    packages()?;
    let built = tempfile::tempdir()?;
    Program::new("npm")
        .words("run build -- --emptyOutDir --outDir")
        .arg(built.path())
        .inside("web")
        .run()?;
    let committed = root().join("web/dist");
    let paths: BTreeSet<PathBuf> = [built.path(), &committed]
        .into_iter()
        .map(files)
        .collect::<Result<Vec<_>>>()?
        .concat()
        .into_iter()
        .collect();
    let same = |path: &&PathBuf| {
        let read = |folder: &Path| fs::read(folder.join(path)).ok();
        read(built.path()) == read(&committed)
    };
    let stale: Vec<&PathBuf> = paths.iter().filter(|path| !same(path)).collect();
    if !stale.is_empty() {
        bail!(
            "web/dist is not what web/ builds: {stale:?} differ; run `cargo xtask ui` and commit"
        );
    }
    Ok(Counts::ONE_PASSED)
}

/// Installs what the pages and the client they use are built with.
fn packages() -> Result<()> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages("web")
}

/// Every file below a folder, relative to it; none where there is no folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop().filter(|next| next.is_dir()) {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    Ok(found)
}
