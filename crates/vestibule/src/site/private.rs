//! What of the server's own must never lie among published files: tells whether it does, and where to put it instead.
//! Where the operator wants it is said in the configuration.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::SiteProblem;
use super::withheld::is_withheld;

/// A file or folder of the server, which need not exist yet, by the setting that names it.
#[derive(Clone, Copy, Debug)]
pub enum Private<'a> {
    /// The folder of `data_dir`.
    DataDir(&'a Path),
    /// The file behind `database.url`; SQLite keeps further files beside it.
    Database(&'a Path),
    /// The file of `secret_key_file`.
    SecretKey(&'a Path),
    /// The file of `signing_key_file`.
    SigningKey(&'a Path),
    /// The file of `tls.key`.
    TlsKey(&'a Path),
    /// The file of `admin.password_file`.
    AdminPassword(&'a Path),
    /// The file of `audit.file`.
    AuditFile(&'a Path),
    /// The file behind a variable `…_FILE`, which comes first.
    Value(&'a str, &'a Path),
    /// The file that `vestibule backup` is to make.
    Backup(&'a Path),
    /// The database in a file that `vestibule copy` is to make.
    Copy(&'a Path),
    /// The file of `--config`.
    Configuration(&'a Path),
}

impl Private<'_> {
    /// Refuses what is in the site at `root`, a path free of links, that the operator calls `dir`.
    pub(super) fn refuse_inside(self, root: &Path, dir: &Path) -> Result<(), SiteProblem> {
        let real = resolve(self.path()).map_err(|source| SiteProblem::Unreadable {
            dir: quoted(dir),
            source,
        })?;
        if !real.starts_with(root) || self.is_withheld_as(&real) {
            return Ok(());
        }
        Err(SiteProblem::PrivateInside {
            what: self.name(),
            path: quoted(self.path()),
            dir: quoted(dir),
            instead: self.flag_for(&self.place_beside(root)),
        })
    }

    /// A `vestibule.toml` may lie in the site: it is never served, and whoever starts the server there has it there.
    /// Its name there counts, not that of a link to it.
    fn is_withheld_as(self, real: &Path) -> bool {
        let name = real.file_name().and_then(OsStr::to_str);
        matches!(self, Self::Configuration(_)) && name.is_some_and(is_withheld)
    }

    fn path(&self) -> &Path {
        match self {
            Self::DataDir(path)
            | Self::Database(path)
            | Self::SecretKey(path)
            | Self::SigningKey(path)
            | Self::TlsKey(path)
            | Self::AdminPassword(path)
            | Self::AuditFile(path)
            | Self::Value(_, path)
            | Self::Backup(path)
            | Self::Copy(path)
            | Self::Configuration(path) => path,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::DataDir(_) => "data directory",
            Self::Database(_) => "database",
            Self::SecretKey(_) => "secret key file",
            Self::SigningKey(_) => "signing key file",
            Self::TlsKey(_) => "key of the certificate",
            Self::AdminPassword(_) => "password file of the admin",
            Self::AuditFile(_) => "audit log",
            Self::Value(..) => "file of a secret setting",
            Self::Backup(_) => "backup",
            Self::Copy(_) => "copy",
            Self::Configuration(_) => "configuration file",
        }
    }

    /// The flag, the variable or the command that names this place, as a shell takes it.
    fn flag_for(&self, place: &Path) -> String {
        match self {
            Self::DataDir(_) => format!("--data-dir {}", quoted(place)),
            Self::Database(_) => format!("--database-url {}", quoted(&url_of(place))),
            Self::Copy(_) => format!("vestibule copy --to {}", quoted(&url_of(place))),
            Self::SecretKey(_) => format!("--secret-key-file {}", quoted(place)),
            Self::SigningKey(_) => format!("--signing-key-file {}", quoted(place)),
            Self::TlsKey(_) => format!("--tls-key {}", quoted(place)),
            Self::AdminPassword(_) => format!("--admin-password-file {}", quoted(place)),
            Self::AuditFile(_) => format!("--audit-file {}", quoted(place)),
            Self::Value(variable, _) => format!("{variable}={}", quoted(place)),
            Self::Backup(_) => format!("vestibule backup {}", quoted(place)),
            Self::Configuration(_) => format!("--config {}", quoted(place)),
        }
    }

    /// A place next to the site, never the site itself.
    fn place_beside(&self, root: &Path) -> PathBuf {
        let own_name = self.path().file_name().unwrap_or_default();
        let (name, other) = match self {
            Self::DataDir(_) => ("vestibule-data".into(), "vestibule-accounts".into()),
            _ => {
                let own_name = own_name.to_string_lossy();
                (own_name.clone(), format!("vestibule-{own_name}").into())
            }
        };
        let is_taken = root.file_name().is_some_and(|site| site == name.as_ref());
        root.with_file_name(if is_taken { other } else { name }.as_ref())
    }
}

fn url_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("sqlite://{}", database.display()))
}

/// The path free of links as far as it exists, and of `..` in the rest, which is about to be created.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let existing = path
        .ancestors()
        .find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let Some((folder, mut real)) = existing else {
        return Ok(path);
    };
    for component in path
        .strip_prefix(folder)
        .map_err(io::Error::other)?
        .components()
    {
        match component {
            Component::ParentDir => _ = real.pop(),
            other => real.push(other),
        }
    }
    Ok(real)
}

/// The path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:@,=".contains(letter);
    if !path.is_empty() && path.chars().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
