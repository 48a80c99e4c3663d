//! The link to the set-up page: how it is made of a code, and the file that holds it where there
//! is no terminal to show it on. What the code is good for is known to the crate `accounts` alone.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{app::StartError, config::Config};

/// The page with this code. The code is in the fragment, which browsers send to nobody.
pub(crate) fn link(config: &Config, code: &SecretString) -> SecretString {
    let (origin, code) = (&config.public_url, code.expose_secret());
    format!("{origin}/setup#code={code}").into()
}

/// Writes the link into its file, for its owner alone, in place of an earlier one, and gives the
/// path of it.
///
/// # Errors
/// [`StartError::Failed`] when the file cannot be written.
pub(crate) fn write(config: &Config, link: &SecretString) -> Result<PathBuf, StartError> {
    let path = path(config);
    let written = || -> io::Result<()> {
        // Under another name first, so that nobody reads half a link; mode 0600 from the start.
        let mut draft = tempfile::Builder::new()
            .prefix("setup-link-")
            .tempfile_in(&config.data_dir)?;
        writeln!(draft, "{}", link.expose_secret())?;
        draft.persist(&path)?;
        Ok(())
    };
    written()
        .map_err(|error| StartError::Failed(format!("the file {}: {error}", path.display())))?;
    Ok(path)
}

/// Removes the file, whose link is no longer good.
pub(crate) fn remove(config: &Config) {
    let path = path(config);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let path = path.display();
            tracing::warn!(error.message = %error, "{path} holds a set-up link that is no longer good, and cannot be removed: {error}");
        }
        _ => {}
    }
}

fn path(config: &Config) -> PathBuf {
    config.data_dir.join("setup-link")
}
