//! The signing keys of an installation: which are in use, their succession, and that a running
//! program takes notice of what another one stores.

use std::{convert::Infallible, time::Duration};

use store::{AuditKind, KeyRotation, KeyRotationOutcome, SigningKey, Timestamp};
use tokio::sync::Mutex;

use crate::{
    Accounts, Error, OpenError, Operator, Policy, SigningAlgorithm, entropy,
    secret::Keys,
    token::{AccessTokens, Bearing, KeyRing, LEEWAY_SECONDS, NotAccepted},
};

/// How long a new key is published before it signs, so that whoever keeps our public keys for a
/// while has it by then.
const ANNOUNCED: Duration = Duration::from_secs(10 * 60);
/// How often the stored keys are read again, and the shortest time between two readings that tokens
/// of unknown keys can bring about.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Where the keys of the ring come from.
pub(crate) enum KeySource {
    /// The database.
    Stored {
        /// What opens them.
        keys: Box<Keys>,
        /// What was read last, and how that went; whoever reads holds it.
        read: Mutex<LastRead>,
    },
    /// The file that `signing_key_file` names.
    File,
}

/// The outcome of the last look at the stored keys.
pub(crate) struct LastRead {
    stored: Vec<SigningKey>,
    /// When the last one began, by the monotonic clock. Its caller may have gone before its end.
    begun_at: Duration,
    /// When the last one began that came to its end, and whether it failed.
    ended_of: Duration,
    failed: bool,
}

/// A signing key as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeyRecord {
    /// Its id, the `kid` of tokens.
    pub id: String,
    /// The name of its algorithm.
    pub algorithm: String,
    /// What it does now.
    pub state: KeyState,
    /// When it was made; unknown of a file's key.
    pub created_at: Option<Timestamp>,
    /// From when on it signs.
    pub signs_from: Option<Timestamp>,
    /// When its last token has expired; no end yet if `None`.
    pub retires_at: Option<Timestamp>,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is published and will sign.
    Announced,
    /// It signs.
    Signing,
    /// It signs no more; tokens of it are still accepted.
    Retiring,
    /// Nothing.
    Retired,
    /// It signs, and is the key of `signing_key_file`.
    SigningFromFile,
}

/// What came of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// This key is published and signs when it says.
    Rotated(KeyRecord),
    /// This one is published already and has yet to sign, so nothing changed.
    AlreadyAnnounced(KeyRecord),
    /// The keys are not ours to rotate: `signing_key_file` names the one in use.
    FileRules,
}

/// Opens the ring that signs and verifies: the operator's own key, or the stored ones.
pub(crate) fn open(
    policy: &Policy,
    keys: Keys,
    stored: Vec<SigningKey>,
    now: Timestamp,
    monotonic: Duration,
) -> Result<(KeyRing, KeySource), OpenError> {
    if let Some(pair) = &policy.signing_key {
        return Ok((KeyRing::of_pair(pair), KeySource::File));
    }
    let ring = KeyRing::open(&keys, &stored, now).map_err(OpenError::SigningKeys)?;
    let read = Mutex::new(LastRead {
        stored,
        begun_at: monotonic,
        ended_of: monotonic,
        failed: false,
    });
    let keys = Box::new(keys);
    Ok((ring, KeySource::Stored { keys, read }))
}

impl Accounts {
    /// The public keys of access tokens, as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.0.access.jwks(self.0.clock.now())
    }

    /// Reads the stored keys again and again, for as long as it is awaited: what another program
    /// rotates takes effect here within a second or two.
    pub async fn keep_keys_current(&self) -> Infallible {
        tokio::task::spawn_blocking(entropy::seed_signatures);
        loop {
            tokio::time::sleep(READ_INTERVAL).await;
            // The failure was logged; the keys of before hold until it passes.
            let _ = self.read_keys().await;
        }
    }

    /// Reads the stored keys again.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with the keys as they were.
    pub async fn read_keys(&self) -> Result<(), Error> {
        match &self.0.signing {
            KeySource::File => Ok(()),
            KeySource::Stored { keys, read } => self.read_into(keys, &mut *read.lock().await).await,
        }
    }

    /// The bearing of a token that is good now.
    pub(crate) async fn verify_access(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Bearing, Error> {
        self.with_current_keys(|access| access.verify(token, now))
            .await
    }

    /// The bearing of a token whose time may be over.
    pub(crate) async fn verify_access_at_any_time(&self, token: &str) -> Result<Bearing, Error> {
        self.with_current_keys(|access| access.verify_at_any_time(token))
            .await
    }

    /// Asks again with the keys as they are stored, once, if the token is of a key that is not
    /// known here: another node may have made it a moment ago.
    async fn with_current_keys(
        &self,
        verify: impl Fn(&AccessTokens) -> Result<Bearing, NotAccepted>,
    ) -> Result<Bearing, Error> {
        match verify(&self.0.access) {
            Err(NotAccepted::UnknownKey) => {
                self.look_for_unknown_key().await?;
                Ok(verify(&self.0.access)?)
            }
            verdict => Ok(verdict?),
        }
    }

    /// Returns when the stored keys have been read since the call. Anybody can make up key ids, so
    /// that is a second after the last time, and once for all who wait.
    async fn look_for_unknown_key(&self) -> Result<(), Error> {
        let KeySource::Stored { keys, read } = &self.0.signing else {
            return Ok(());
        };
        let asked_at = self.0.clock.monotonic();
        let next = read.lock().await.begun_at + READ_INTERVAL;
        tokio::time::sleep(next.saturating_sub(asked_at)).await;
        let mut read = read.lock().await;
        match (read.ended_of >= asked_at, read.failed) {
            (false, _) => self.read_into(keys, &mut read).await,
            (true, false) => Ok(()),
            (true, true) => Err(Error::Unavailable(
                "the signing keys could not be read".into(),
            )),
        }
    }

    async fn read_into(&self, keys: &Keys, read: &mut LastRead) -> Result<(), Error> {
        let begun_at = self.0.clock.monotonic();
        read.begun_at = begun_at;
        let outcome = self.0.store.signing_keys().await.map_err(Error::from);
        read.ended_of = begun_at;
        let outcome = outcome.and_then(|stored| {
            if stored != read.stored {
                let ring = KeyRing::open(keys, &stored, self.0.clock.now());
                self.0
                    .access
                    .set_ring(ring.map_err(|why| Error::Internal(why.into()))?);
                read.stored = stored;
            }
            Ok(())
        });
        if let (Err(error), false) = (&outcome, read.failed) {
            tracing::warn!(error.message = %error, "The signing keys could not be read again: {error}");
        }
        read.failed = outcome.is_err();
        outcome
    }
}

impl Operator<'_> {
    /// Every signing key, in the order of taking over.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn signing_keys(&self) -> Result<Vec<KeyRecord>, Error> {
        let inner = &self.accounts.0;
        let now = inner.clock.now();
        if let KeySource::File = inner.signing {
            return Ok(inner.access.key_ids(now).into_iter().map(of_file).collect());
        }
        let stored = inner.store.signing_keys().await?;
        let signing = stored.iter().rposition(|key| key.signs_from <= now);
        let records = stored.iter().enumerate().map(|(place, key)| {
            let state = match () {
                () if key.retires_at.is_some_and(|at| at <= now) => KeyState::Retired,
                () if Some(place) == signing => KeyState::Signing,
                () if key.signs_from > now => KeyState::Announced,
                () => KeyState::Retiring,
            };
            record(key, state)
        });
        Ok(records.collect())
    }

    /// Makes a new signing key, which is published now and signs ten minutes later.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rotate_signing_key(&self) -> Result<KeyChange, Error> {
        self.rotate(ANNOUNCED).await
    }

    /// Makes a new signing key, which signs from now on. A service that keeps our public keys
    /// for a while refuses its tokens until it asks for them again.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rotate_signing_key_at_once(&self) -> Result<KeyChange, Error> {
        self.rotate(Duration::ZERO).await
    }

    async fn rotate(&self, announced: Duration) -> Result<KeyChange, Error> {
        let inner = &self.accounts.0;
        let KeySource::Stored { keys, .. } = &inner.signing else {
            return Ok(KeyChange::FileRules);
        };
        let now = inner.clock.now();
        let algorithm = inner.policy.signing_algorithm;
        let key = KeyRing::generate(keys, algorithm, now, now.plus(announced));
        let mut audit =
            self.accounts
                .audit(AuditKind::KeyRotated, store::Actor::Operator, None, None);
        audit.detail = Some(serde_json::json!({
            "kid": key.id, "algorithm": key.algorithm, "signs_from": key.signs_from,
        }));
        let rotation = KeyRotation {
            key,
            tokens_last: inner.policy.access_ttl
                + Duration::from_secs(LEEWAY_SECONDS.unsigned_abs()),
            audit,
        };
        Ok(match inner.store.rotate_signing_key(rotation).await? {
            KeyRotationOutcome::Rotated(key) => {
                let state = match announced.is_zero() {
                    true => KeyState::Signing,
                    false => KeyState::Announced,
                };
                KeyChange::Rotated(record(&key, state))
            }
            KeyRotationOutcome::AlreadyWaiting(key) => {
                KeyChange::AlreadyAnnounced(record(&key, KeyState::Announced))
            }
        })
    }
}

fn record(key: &SigningKey, state: KeyState) -> KeyRecord {
    KeyRecord {
        id: key.id.clone(),
        algorithm: key.algorithm.clone(),
        state,
        created_at: Some(key.created_at),
        signs_from: Some(key.signs_from),
        retires_at: key.retires_at,
    }
}

fn of_file((id, algorithm): (String, SigningAlgorithm)) -> KeyRecord {
    KeyRecord {
        id,
        algorithm: algorithm.as_str().to_owned(),
        state: KeyState::SigningFromFile,
        created_at: None,
        signs_from: None,
        retires_at: None,
    }
}
