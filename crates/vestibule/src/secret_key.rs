//! The file with the secret key: read, or made once for a database that holds no keys yet. What
//! the key is for is known to the crate `accounts` alone.

use std::{
    io::{self, Write as _},
    path::Path,
};

use accounts::{Database, SECRET_KEY_BYTES, SecretKey};
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

use crate::{
    app::StartError,
    config::{Config, SecretKeySource, key_from_bytes},
};

/// The configured key, or the one in the data folder, which is made if neither it nor any key in
/// the database exists.
///
/// # Errors
/// [`StartError::Misconfigured`] with what to do about the key.
pub(crate) async fn obtain(config: &Config, database: &Database) -> Result<SecretKey, StartError> {
    let founded = database.is_founded().await;
    if founded.map_err(|error| StartError::Failed(error.to_string()))? {
        return existing(config);
    }
    match &config.secret_key {
        SecretKeySource::GeneratedAt(path) if !path.exists() => {
            make(path).map_err(|error| unusable(path, &error))
        }
        _ => existing(config),
    }
}

/// The configured key, or the one in the data folder, which must be there.
///
/// # Errors
/// [`StartError::Misconfigured`] with what to do about the key.
pub(crate) fn existing(config: &Config) -> Result<SecretKey, StartError> {
    let path = match &config.secret_key {
        SecretKeySource::Given(key, _) => return keep(key),
        SecretKeySource::GeneratedAt(path) => path,
    };
    match std::fs::read(path) {
        Ok(bytes) => {
            let key = key_from_bytes(&SecretBox::new(bytes.into()));
            keep(&key.map_err(|expected| unusable(path, &format!("expected {expected}")))?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StartError::Misconfigured(format!(
                "the database was founded with a secret key, and {} is not there. Put the file back, or name \
                 it in secret_key_file; without it no session and no signing key can be read",
                path.display()
            )))
        }
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> StartError {
    StartError::Misconfigured(format!("the secret key file {}: {reason}", path.display()))
}

fn keep(key: &SecretBox<[u8]>) -> Result<SecretKey, StartError> {
    SecretKey::new(SecretBox::new(key.expose_secret().into()))
        .map_err(|error| StartError::Misconfigured(format!("secret_key: {error}")))
}

/// Makes the file. Of two programs that start at once one makes it, and both use it.
fn make(path: &Path) -> io::Result<SecretKey> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut key = Zeroizing::new([0; SECRET_KEY_BYTES]);
    accounts::fill_random(&mut *key);
    // Under another name first, so that nobody ever reads half a key; mode 0600 from the start.
    let mut draft = tempfile::Builder::new()
        .prefix("secret.key-")
        .tempfile_in(folder)?;
    draft.write_all(&*key)?;
    draft.as_file().sync_all()?;
    let kept = match draft.persist_noclobber(path) {
        Ok(_) => key.to_vec(),
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => std::fs::read(path)?,
        Err(lost) => return Err(lost.error),
    };
    // The name must outlive a power cut as well as the bytes do: the database will need the key.
    std::fs::File::open(folder)?.sync_all()?;
    SecretKey::new(SecretBox::new(kept.into())).map_err(io::Error::other)
}
