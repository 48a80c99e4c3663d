//! Access tokens (RFC 9068, ES256, for any verifier with our JWKS) and session cookies (HS256,
//! for this program alone). The two kinds differ in `typ`, `aud`, algorithm and key, so that
//! neither passes for the other.

use std::{collections::HashMap, time::Duration};

use aws_lc_rs::{
    digest,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{NewSigningKey, SigningKey, Timestamp};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::NotAccepted;
use crate::secret::Keys;

/// RFC 9068 section 2.1.
const ACCESS_TYPE: &str = "at+jwt";
const COOKIE_TYPE: &str = "vestibule-session+jwt";
const COOKIE_AUDIENCE: &str = "vestibule-session";
/// RFC 9068 asks for a client; there is one, the installation itself.
const CLIENT_ID: &str = "vestibule";
/// How far the clocks of two nodes may be apart.
const LEEWAY_SECONDS: i64 = 30;
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
    ring: KeyRing,
    issuer: String,
    audience: String,
    ttl: Duration,
}

impl AccessTokens {
    pub(crate) fn new(ring: KeyRing, issuer: String, audience: String, ttl: Duration) -> Self {
        Self {
            ring,
            issuer,
            audience,
            ttl,
        }
    }

    /// For how long a token is good.
    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self) -> &serde_json::Value {
        &self.ring.jwks
    }

    pub(crate) fn issue<'a>(
        &self,
        bearing: Bearing,
        roles: impl Iterator<Item = &'a String>,
        id: Uuid,
        now: Timestamp,
    ) -> String {
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: bearing.user,
            client_id: CLIENT_ID.to_owned(),
            sid: bearing.session,
            iat: now.as_seconds(),
            exp: now.plus(self.ttl).as_seconds(),
            nbf: None,
            jti: id,
            roles: roles.cloned().collect(),
        };
        let header = Header {
            typ: Some(ACCESS_TYPE.to_owned()),
            kid: Some(self.ring.signing_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, &claims, &self.ring.signing_key)
            .expect("claims of ours serialise and a loaded key signs")
    }

    /// Reads a token, without a look at the session that it names.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Bearing, NotAccepted> {
        let claims = self.read(token)?;
        within(claims.iat, claims.nbf, claims.exp, now)?;
        Ok(Bearing {
            user: claims.sub,
            session: claims.sid,
        })
    }

    /// Reads a token whose time may be over: enough to end its session.
    pub(crate) fn verify_at_any_time(&self, token: &str) -> Result<Bearing, NotAccepted> {
        self.read(token).map(|claims| Bearing {
            user: claims.sub,
            session: claims.sid,
        })
    }

    fn read(&self, token: &str) -> Result<AccessClaims, NotAccepted> {
        let header = header(token, Algorithm::ES256, ACCESS_TYPE)?;
        let kid = header.kid.ok_or(NotAccepted::Invalid("kid"))?;
        let key = self
            .ring
            .verifying
            .get(&kid)
            .ok_or(NotAccepted::Invalid("unknown kid"))?;
        claims(token, key, Algorithm::ES256, &self.issuer, &self.audience)
    }
}

/// Makes and reads session cookies.
pub(crate) struct CookieTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    issuer: String,
}

impl CookieTokens {
    pub(crate) fn new(keys: &Keys, issuer: String) -> Self {
        Self {
            encoding: EncodingKey::from_secret(&*keys.cookie),
            decoding: DecodingKey::from_secret(&*keys.cookie),
            issuer,
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

    pub(crate) fn verify(&self, cookie: &str, now: Timestamp) -> Result<Bearing, NotAccepted> {
        header(cookie, Algorithm::HS256, COOKIE_TYPE)?;
        let claims: CookieClaims = claims(
            cookie,
            &self.decoding,
            Algorithm::HS256,
            &self.issuer,
            COOKIE_AUDIENCE,
        )?;
        within(claims.iat, None, claims.exp, now)?;
        Ok(Bearing {
            user: claims.sub,
            session: claims.sid,
        })
    }
}

/// The keys that access tokens are signed and verified with.
pub(crate) struct KeyRing {
    signing_id: String,
    signing_key: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    jwks: serde_json::Value,
}

impl KeyRing {
    /// Makes a new P-256 key pair, its private half sealed. Its id is the JWK thumbprint.
    pub(crate) fn generate(keys: &Keys, now: Timestamp) -> NewSigningKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("the provider generates P-256 keys");
        let public_key = pair.public_key().as_ref().to_vec();
        let id = thumbprint(&public_key).expect("a generated key is an uncompressed point");
        let private = pair.to_pkcs8v1().expect("a generated key is exportable");
        NewSigningKey {
            sealed_private_key: keys.seal(&id, private.as_ref()),
            id,
            algorithm: "ES256".to_owned(),
            public_key,
            created_at: now,
            signs_from: now,
        }
    }

    /// Opens stored keys. The newest one that may sign by `now` signs.
    pub(crate) fn open(
        keys: &Keys,
        stored: &[SigningKey],
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let signing = stored
            .iter()
            .filter(|key| key.signs_from <= now && key.retires_at.is_none())
            .max_by_key(|key| key.signs_from)
            .or_else(|| {
                stored
                    .iter()
                    .filter(|key| key.retires_at.is_none())
                    .min_by_key(|key| key.signs_from)
            })
            .ok_or("there is no signing key")?;
        let private: Zeroizing<Vec<u8>> = keys
            .open(&signing.id, &signing.sealed_private_key)
            .map_err(|_| "a signing key was not sealed with this secret key")?;
        let mut verifying = HashMap::new();
        let mut public = Vec::new();
        for key in stored
            .iter()
            .filter(|key| key.retires_at.is_none_or(|at| at > now))
        {
            let (x, y) = coordinates(&key.public_key).ok_or("a public key is no P-256 point")?;
            let decoding = DecodingKey::from_ec_components(&x, &y)
                .map_err(|_| "a public key is no P-256 point")?;
            verifying.insert(key.id.clone(), decoding);
            public.push(serde_json::json!({
                "kty": "EC", "crv": "P-256", "x": x, "y": y,
                "use": "sig", "alg": "ES256", "kid": key.id,
            }));
        }
        Ok(Self {
            signing_id: signing.id.clone(),
            signing_key: EncodingKey::from_ec_der(&private),
            verifying,
            jwks: serde_json::json!({ "keys": public }),
        })
    }
}

/// The header, if it is what our tokens have. Nothing in it is followed: a key comes from our
/// own ring or not at all.
fn header(token: &str, algorithm: Algorithm, kind: &str) -> Result<Header, NotAccepted> {
    if token.len() > LONGEST {
        return Err(NotAccepted::Invalid("too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| NotAccepted::Invalid("no JWT"))?;
    if header.alg != algorithm {
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

/// RFC 7638: the SHA-256 of the required members, in lexicographic order, without spaces.
fn thumbprint(point: &[u8]) -> Option<String> {
    let (x, y) = coordinates(point)?;
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes())))
}

/// The coordinates of an uncompressed point (SEC 1 section 2.3.3), base64url.
fn coordinates(point: &[u8]) -> Option<(String, String)> {
    match point {
        [4, coordinates @ ..] if coordinates.len() == 64 => Some((
            BASE64_URL_SAFE_NO_PAD.encode(&coordinates[..32]),
            BASE64_URL_SAFE_NO_PAD.encode(&coordinates[32..]),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
