//! What a start of the server does about the first admin: makes the account that the settings name,
//! or has a set-up link ready. Where there is an admin it does nothing.

use std::{io::IsTerminal as _, path::PathBuf};

use accounts::{Accounts, Error};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Failure, user};
use crate::{
    config::{Admin, Config},
    setup_link,
};

/// What is to be said about it.
pub(super) enum FirstAdmin {
    /// There was one before.
    Exists,
    /// Nothing is to be written.
    LeftOut,
    /// The settings made one, as this sentence says.
    Appointed(String),
    /// Whoever opens this link becomes it; for the terminal alone.
    Link(SecretString),
    /// The link is in this file.
    LinkIn(PathBuf),
}

/// Sees to it that there is an admin, or a way to become one.
pub(super) async fn provide(accounts: &Accounts, config: &Config) -> Result<FirstAdmin, Failure> {
    if config.read_only {
        return Ok(FirstAdmin::LeftOut);
    }
    if let Some(admin) = &config.admin
        && let Some(said) = appoint(accounts, admin).await?
    {
        setup_link::remove(config);
        return Ok(FirstAdmin::Appointed(said));
    }
    let Some(code) = accounts.offer_setup().await? else {
        setup_link::remove(config);
        return Ok(FirstAdmin::Exists);
    };
    let link = setup_link::link(config, &code);
    if std::io::stdout().is_terminal() {
        setup_link::remove(config);
        return Ok(FirstAdmin::Link(link));
    }
    Ok(FirstAdmin::LinkIn(setup_link::write(config, &link)?))
}

/// Makes the account of the settings, unless there is an admin. Gives what happened.
async fn appoint(accounts: &Accounts, admin: &Admin) -> Result<Option<String>, Failure> {
    let operator = accounts.operator();
    if operator.has_admin().await? {
        return Ok(None);
    }
    let file = &admin.password_file;
    let password = user::password_in(file).map_err(|error| {
        let file = file.display();
        Failure::Usage(format!("admin.password_file: {file}: {error}"))
    })?;
    let appointed = operator.appoint_first_admin(admin.email.clone(), password);
    Ok(match appointed.await.map_err(refused)? {
        accounts::FirstAdmin::Made(user) => Some(format!(
            "made the admin that admin.email names (id {})",
            user.id
        )),
        accounts::FirstAdmin::Promoted(user) => Some(format!(
            "the account that has admin.email is the admin now (id {}): its password was replaced and its \
             sessions have ended",
            user.id
        )),
        accounts::FirstAdmin::Exists => None,
    })
}

/// Names the settings in place of the fields.
fn refused(error: Error) -> Failure {
    let Error::Invalid(fields) = error else {
        return error.into();
    };
    let problems = fields.iter().map(|problem| {
        let setting = match problem.field.as_ref() {
            "password" => "admin.password_file",
            _ => "admin.email",
        };
        format!("{setting}: {}", problem.message)
    });
    Failure::Usage(problems.collect::<Vec<_>>().join("\n       "))
}

impl FirstAdmin {
    /// The line of it on a terminal.
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::Exists | Self::LeftOut => None,
            Self::Appointed(said) => Some(format!("admin     {said}")),
            Self::Link(link) => Some(format!(
                "set up    {} (once, within 30 minutes, for the first admin)",
                link.expose_secret()
            )),
            Self::LinkIn(file) => Some(format!(
                "set up    the link for the first admin is in {}",
                file.display()
            )),
        }
    }

    /// The sentence of it in JSON, if an account was made.
    pub(super) fn appointed(&self) -> Option<&str> {
        match self {
            Self::Appointed(said) => Some(said),
            _ => None,
        }
    }

    /// The file with the link, if there is one.
    pub(super) fn link_file(&self) -> Option<String> {
        match self {
            Self::LinkIn(file) => Some(file.display().to_string()),
            _ => None,
        }
    }
}
