//! Access tokens (RFC 9068, ES256 or EdDSA, for any verifier with our JWKS) and session cookies (HS256,
//! for this program alone). The two kinds differ in `typ`, `aud`, algorithm and key, so that
//! neither passes for the other.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::Timestamp;
use uuid::Uuid;

use super::{
    KeyRing, NotAccepted, SigningAlgorithm,
    keys::RingKey,
    verified::{Verified, VerifiedTokens},
};
use crate::{meter, secret::Keys};

/// RFC 9068 section 2.1.
const ACCESS_TYPE: &str = "at+jwt";
const COOKIE_TYPE: &str = "vestibule-session+jwt";
const COOKIE_AUDIENCE: &str = "vestibule-session";
/// RFC 9068 asks for a client; there is one, the installation itself.
const CLIENT_ID: &str = "vestibule";
/// How far the clocks of two nodes may be apart.
pub(crate) const LEEWAY_SECONDS: i64 = 30;
/// Longer texts than any token of ours are not looked at.
const LONGEST: usize = 8 * 1024;

/// What a token says: which user, by which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bearing {
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
}

#[derive(Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    aud: String,
    sub: Uuid,
    client_id: String,
    sid: Uuid,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: Uuid,
    roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct CookieClaims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// Makes and reads access tokens.
pub(crate) struct AccessTokens {
    current: RwLock<Arc<Current>>,
    issuer: String,
    audience: String,
    ttl: Duration,
}

/// The keys in use, and what they have verified: with the keys go their verdicts.
struct Current {
    ring: KeyRing,
    verified: VerifiedTokens,
}

impl Current {
    fn of(ring: KeyRing) -> Arc<Self> {
        Arc::new(Self {
            ring,
            verified: VerifiedTokens::new(),
        })
    }
}

impl AccessTokens {
    pub(crate) fn new(ring: KeyRing, issuer: String, audience: String, ttl: Duration) -> Self {
        Self {
            current: RwLock::new(Current::of(ring)),
            issuer,
            audience,
            ttl,
        }
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self, now: Timestamp) -> serde_json::Value {
        self.current().ring.jwks(now)
    }

    /// The ids and kinds of the keys in use, in the order of taking over.
    pub(crate) fn key_ids(&self, now: Timestamp) -> Vec<(String, SigningAlgorithm)> {
        let current = self.current();
        let ids = current.ring.ids(now);
        ids.map(|(id, algorithm)| (id.to_owned(), algorithm))
            .collect()
    }

    /// Takes another ring for all that follows.
    pub(crate) fn set_ring(&self, ring: KeyRing) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current::of(ring);
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token, and for how long it is good: not beyond the end of its session, of which other verifiers hear nothing.
    pub(crate) fn issue<'a>(
        &self,
        bearing: Bearing,
        roles: impl Iterator<Item = &'a String>,
        id: Uuid,
        now: Timestamp,
        session_ends_at: Timestamp,
    ) -> (String, Duration) {
        let expires_in = self.ttl.min(session_ends_at.saturating_since(now));
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: bearing.user,
            client_id: CLIENT_ID.to_owned(),
            sid: bearing.session,
            iat: now.as_seconds(),
            exp: now.plus(expires_in).as_seconds(),
            nbf: None,
            jti: id,
            roles: roles.cloned().collect(),
        };
        let current = self.current();
        let key = current.ring.signing(now);
        (compact(key, &claims), expires_in)
    }

    /// The tokens that are remembered as verified, roughly.
    pub(crate) fn entries(&self) -> u64 {
        self.current().verified.entries()
    }

    /// Reads a token, without a look at the session that it names. The signature is checked at its
    /// first use, the times at each.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Bearing, NotAccepted> {
        let current = self.current();
        let known = current.verified.find(token);
        meter::looked_up(meter::Cache::Tokens, known.is_some());
        if let Some(verified) = known {
            return verified.bearing_at(now);
        }
        let verified = self.read(&current.ring, token)?;
        let bearing = verified.bearing_at(now)?;
        current.verified.keep(token, verified);
        Ok(bearing)
    }

    /// Reads a token whose time may be over, and that of its key: enough to end its session.
    pub(crate) fn verify_at_any_time(&self, token: &str) -> Result<Bearing, NotAccepted> {
        let read = self.read(&self.current().ring, token)?;
        Ok(read.bearing)
    }

    fn read(&self, ring: &KeyRing, token: &str) -> Result<Verified, NotAccepted> {
        let header = header(token, &[Algorithm::ES256, Algorithm::EdDSA], ACCESS_TYPE)?;
        let kid = header.kid.ok_or(NotAccepted::Invalid("kid"))?;
        let key = ring.find(&kid).ok_or(NotAccepted::UnknownKey)?;
        let algorithm = key.algorithm.of_jwt();
        if header.alg != algorithm {
            return Err(NotAccepted::Invalid("alg"));
        }
        let claims: AccessClaims = claims(
            token,
            &key.verifying,
            algorithm,
            &self.issuer,
            &self.audience,
        )?;
        Ok(Verified {
            bearing: Bearing {
                user: claims.sub,
                session: claims.sid,
            },
            iat: claims.iat,
            nbf: claims.nbf,
            exp: claims.exp,
            key_retires_at: key.retires_at,
        })
    }
}

/// The header of the access tokens that the key of this id signs, as the first part of each: base64url.
pub(super) fn access_header(algorithm: SigningAlgorithm, id: &str) -> String {
    let header = Header {
        typ: Some(ACCESS_TYPE.to_owned()),
        kid: Some(id.to_owned()),
        ..Header::new(algorithm.of_jwt())
    };
    BASE64_URL_SAFE_NO_PAD.encode(json(&header))
}

/// The compact form (RFC 7515 section 7.1). `jsonwebtoken` would parse and check the key for each token.
fn compact(key: &RingKey, claims: &AccessClaims) -> String {
    let mut token = format!("{}.", key.header);
    BASE64_URL_SAFE_NO_PAD.encode_string(json(claims), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

fn json(part: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(part).expect("what is ours serialises")
}

impl Verified {
    fn bearing_at(self, now: Timestamp) -> Result<Bearing, NotAccepted> {
        if self.key_retires_at.is_some_and(|at| at <= now) {
            return Err(NotAccepted::Expired);
        }
        within(self.iat, self.nbf, self.exp, now)?;
        Ok(self.bearing)
    }
}

/// Makes and reads session cookies.
pub(crate) struct CookieTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    issuer: String,
    /// What the one key has verified: the HMAC is cheap, the JSON around it is not.
    verified: VerifiedTokens,
}

impl CookieTokens {
    pub(crate) fn new(keys: &Keys, issuer: String) -> Self {
        Self {
            encoding: EncodingKey::from_secret(&*keys.cookie),
            decoding: DecodingKey::from_secret(&*keys.cookie),
            issuer,
            verified: VerifiedTokens::new(),
        }
    }

    /// A cookie for the whole life of the session; idle time is kept in its row.
    pub(crate) fn issue(&self, bearing: Bearing, now: Timestamp, expires_at: Timestamp) -> String {
        let claims = CookieClaims {
            iss: self.issuer.clone(),
            aud: COOKIE_AUDIENCE.to_owned(),
            sub: bearing.user,
            sid: bearing.session,
            iat: now.as_seconds(),
            exp: expires_at.as_seconds(),
        };
        let header = Header {
            typ: Some(COOKIE_TYPE.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims, &self.encoding)
            .expect("claims of ours serialise and HMAC takes any key")
    }

    /// Reads a cookie, without a look at the session that it names. The MAC is checked at its first use, the times at
    /// each.
    pub(crate) fn verify(&self, cookie: &str, now: Timestamp) -> Result<Bearing, NotAccepted> {
        if let Some(verified) = self.verified.find(cookie) {
            return verified.bearing_at(now);
        }
        let verified = self.read(cookie)?;
        let bearing = verified.bearing_at(now)?;
        self.verified.keep(cookie, verified);
        Ok(bearing)
    }

    fn read(&self, cookie: &str) -> Result<Verified, NotAccepted> {
        header(cookie, &[Algorithm::HS256], COOKIE_TYPE)?;
        let claims: CookieClaims = claims(
            cookie,
            &self.decoding,
            Algorithm::HS256,
            &self.issuer,
            COOKIE_AUDIENCE,
        )?;
        Ok(Verified {
            bearing: Bearing {
                user: claims.sub,
                session: claims.sid,
            },
            iat: claims.iat,
            nbf: None,
            exp: claims.exp,
            key_retires_at: None,
        })
    }
}

/// The header, if it is what our tokens have. Nothing in it is followed: a key comes from our
/// own ring or not at all.
fn header(token: &str, algorithms: &[Algorithm], kind: &str) -> Result<Header, NotAccepted> {
    if token.len() > LONGEST {
        return Err(NotAccepted::Invalid("too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| NotAccepted::Invalid("no JWT"))?;
    if !algorithms.contains(&header.alg) {
        return Err(NotAccepted::Invalid("alg"));
    }
    if header.typ.as_deref() != Some(kind) {
        return Err(NotAccepted::Invalid("typ"));
    }
    // RFC 7515 section 4.1.11: an extension that is not understood must be refused.
    if header.crit.is_some() {
        return Err(NotAccepted::Invalid("crit"));
    }
    Ok(header)
}

/// The claims, if signature, issuer and audience are right. A claim that is missing or of another
/// type is a refusal; the times are judged by [`within`], on our clock.
fn claims<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    issuer: &str,
    audience: &str,
) -> Result<T, NotAccepted> {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    jsonwebtoken::decode(token, key, &validation)
        .map(|token| token.claims)
        .map_err(|_| NotAccepted::Invalid("signature or claims"))
}

fn within(iat: i64, nbf: Option<i64>, exp: i64, now: Timestamp) -> Result<(), NotAccepted> {
    let now = now.as_seconds();
    if iat > now + LEEWAY_SECONDS || nbf.is_some_and(|nbf| nbf > now + LEEWAY_SECONDS) {
        return Err(NotAccepted::Invalid("not yet valid"));
    }
    if exp <= now {
        return Err(NotAccepted::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
