//! Changing one's password. Whoever does it keeps a session, a new one; every other one ends.

use secrecy::SecretString;
use store::{AuditKind, Opening};

use crate::{
    Accounts, Caller, Error, Peer, password::Password, register::field, sessions::Opened,
    standing::Scope,
};

impl Accounts {
    /// Replaces the password of a caller who proves the current one, ends every session of theirs,
    /// and opens one of the same kind for this device.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a new password against the rules; [`Error::InvalidCredentials`] for a
    /// wrong current one, which counts as a failed login; [`Error::Limited`];
    /// [`Error::Unavailable`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: SecretString,
        new: SecretString,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        let mut broken = Vec::new();
        let current = Password::for_login(current);
        let current = field("current_password", current, &mut broken);
        let new = self.new_password(&caller.user, new);
        let new = field("new_password", new, &mut broken);
        let (Some(current), Some(new)) = (current, new) else {
            return Err(Error::Invalid(broken));
        };
        let seen = self.prove_again(caller, current, peer).await?;
        let hash = self.0.gate.hash(new).await?;
        let pending = self.new_session(caller.user.id, caller.mode, peer);
        let audit = self.audit_by(caller, AuditKind::PasswordChanged, peer);
        let session = pending.row();
        let changing = self.revoking(Scope::User(caller.user.id), |store| async move {
            store.change_password(session, seen, hash, audit).await
        });
        match changing.await? {
            Opening::Opened(user) => Ok(self.opened(pending, user, None)),
            Opening::Stale => Err(self.refuse_caller(caller, peer).await),
        }
    }
}
