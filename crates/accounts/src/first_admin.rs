//! The first admin of an installation: by a link that the server shows once, or named in its
//! settings. Both hold while there is no active admin, and no longer.

use std::{collections::BTreeSet, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use store::{
    ADMIN, Actor, Appointment, AuditKind, Counted, LoginKey, SetupCode, SetupOffer, SetupOutcome,
    User,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    Accounts, Error, FieldError, Mode, Operator, Peer, Registration, entropy,
    register::{Parsed, field},
    sessions::Opened,
    throttle::Network,
};

/// For how long a set-up code is good.
const CODE_LIFE: Duration = Duration::from_secs(30 * 60);

/// What came of [`Operator::appoint_first_admin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstAdmin {
    /// The account was made.
    Made(User),
    /// The account existed; it has the role and the password now, and its sessions have ended.
    Promoted(User),
    /// There is an active admin, so nothing changed.
    Exists,
}

impl Accounts {
    /// Opens the way for a first admin, in place of any earlier one: gives a code for
    /// [`Accounts::set_up`], good once and for half an hour. `None` where an active admin exists.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn offer_setup(&self) -> Result<Option<SecretString>, Error> {
        let random = Zeroizing::new(entropy::bytes::<32>());
        let code = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(*random));
        let stored = SetupCode {
            hash: hash_of(&code),
            expires_at: self.0.clock.now().plus(CODE_LIFE),
        };
        Ok(match self.0.store.offer_setup(stored).await? {
            SetupOffer::Open => Some(code),
            SetupOffer::AdminExists => None,
        })
    }

    /// Makes the account of the first admin and opens its first session, also where registration
    /// is closed. The address counts as verified: whoever has the code vouches for it.
    ///
    /// # Errors
    /// [`Error::SetupRefused`] for a code that is not the open one, which counts as a
    /// registration, hence [`Error::Limited`]; and as [`Accounts::register`], with the code
    /// still good.
    pub async fn set_up(
        &self,
        code: SecretString,
        registration: Registration,
        mode: Mode,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        self.0.store.check_writable()?;
        // Before anything else, so that nobody without the code makes the server hash.
        let Some(seen) = self.open_code(&code).await? else {
            self.0.throttle.register(Network::of(peer.address)).await?;
            return Err(Error::SetupRefused);
        };
        let parsed = Parsed::parse(registration, &self.0.policy.password_rules())?;
        let hash = self.0.gate.hash(parsed.password.clone()).await?;
        let user = self.new_user(parsed, hash, admin_role(), true);
        let pending = self.new_session(user.id, mode, peer);
        let actor = Actor::User(user.id);
        let audit = self.audit(AuditKind::AdminCreated, actor, Some(user.id), Some(peer));
        let registering = self
            .0
            .store
            .register_first_admin(seen, user, pending.row(), audit);
        match registering.await? {
            SetupOutcome::Registered(user) => Ok(self.opened(pending, user, None)),
            // Somebody else was first while the password was being hashed.
            SetupOutcome::Refused => Err(Error::SetupRefused),
        }
    }

    /// The stored side of the code, if it is the open one and in its time.
    async fn open_code(&self, code: &SecretString) -> Result<Option<SetupCode>, Error> {
        let open = self.0.store.open_setup_code().await?;
        Ok(open.filter(|open| {
            let is_it = bool::from(open.hash.ct_eq(&hash_of(code)));
            is_it && self.0.clock.now() < open.expires_at
        }))
    }
}

impl Operator<'_> {
    /// Whether there is an active admin.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_admin(&self) -> Result<bool, Error> {
        Ok(self.accounts.0.store.has_admin().await?)
    }

    /// Makes the account of the first admin, unless there is an active one. If somebody has
    /// registered the address before, that account becomes the admin's.
    ///
    /// # Errors
    /// [`Error::Invalid`], in the fields `email` and `password`.
    pub async fn appoint_first_admin(
        &self,
        email: String,
        password: SecretString,
    ) -> Result<FirstAdmin, Error> {
        let inner = &self.accounts.0;
        inner.store.check_writable()?;
        if inner.store.has_admin().await? {
            return Ok(FirstAdmin::Exists);
        }
        let registration = Registration {
            email,
            password: password.clone(),
            username: None,
            name: None,
        };
        let parsed = Parsed::parse(registration, &inner.policy.password_rules())?;
        let address = LoginKey::Email(parsed.email.key().to_owned());
        if let Some(holder) = inner.store.credentials(address).await? {
            let mut broken: Vec<FieldError> = Vec::new();
            let for_holder = self.accounts.new_password(&holder.user, password);
            field("password", for_holder, &mut broken).ok_or(Error::Invalid(broken))?;
        }
        let hash = inner.gate.hash(parsed.password.clone()).await?;
        let user = self.accounts.new_user(parsed, hash, admin_role(), true);
        let audit = self.accounts.audit(
            AuditKind::AdminCreated,
            Actor::Operator,
            Some(user.id),
            None,
        );
        // Before the server serves nothing is remembered here; other programs look at the count.
        let Counted { outcome, count: _ } = inner.store.appoint_first_admin(user, audit).await?;
        Ok(match outcome {
            Appointment::Made(user) => FirstAdmin::Made(user),
            Appointment::Promoted(user) => FirstAdmin::Promoted(user),
            Appointment::AdminExists => FirstAdmin::Exists,
        })
    }
}

fn admin_role() -> BTreeSet<String> {
    BTreeSet::from([ADMIN.to_owned()])
}

/// Of 256 random bits, so a fast hash is enough.
fn hash_of(code: &SecretString) -> Vec<u8> {
    let code = code.expose_secret().as_bytes();
    digest::digest(&digest::SHA256, code).as_ref().to_vec()
}
