//! Forged and misused tokens: none may be accepted, whatever was changed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretBox;
use serde_json::{Value, json};

use store::{NewSigningKey, SigningKey};

use super::*;
use crate::{SecretKey, SigningAlgorithm};

const ISSUER: &str = "https://accounts.example";
const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

struct Installation {
    keys: Keys,
    stored: Vec<SigningKey>,
    access: AccessTokens,
    cookies: CookieTokens,
}

/// A key that was made, as the store gives it back.
fn as_stored(made: &NewSigningKey) -> SigningKey {
    SigningKey {
        id: made.id.clone(),
        algorithm: made.algorithm.clone(),
        public_key: made.public_key.clone(),
        sealed_private_key: made.sealed_private_key.clone(),
        created_at: made.created_at,
        signs_from: made.signs_from,
        retires_at: None,
    }
}

fn installation(byte: u8) -> Installation {
    installation_with(byte, SigningAlgorithm::Es256)
}

fn installation_with(byte: u8, algorithm: SigningAlgorithm) -> Installation {
    let secret = SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough");
    let keys = secret.keys();
    let made = KeyRing::generate(&keys, algorithm, NOW, NOW);
    let stored = vec![as_stored(&made)];
    let ring = KeyRing::open(&keys, &stored, NOW).expect("a key of ours opens");
    let ttl = Duration::from_secs(900);
    let access = AccessTokens::new(ring, ISSUER.to_owned(), ISSUER.to_owned(), ttl);
    let cookies = CookieTokens::new(&keys, ISSUER.to_owned());
    Installation {
        keys,
        stored,
        access,
        cookies,
    }
}

fn bearing() -> Bearing {
    Bearing {
        user: Uuid::from_u128(1),
        session: Uuid::from_u128(2),
    }
}

impl Installation {
    fn access_token(&self) -> String {
        let (id, roles) = (Uuid::from_u128(3), ["admin".to_owned()]);
        let session_ends_at = NOW.plus(Duration::from_hours(1));
        let (token, _) = self
            .access
            .issue(bearing(), roles.iter(), id, NOW, session_ends_at);
        token
    }

    /// A token signed with the real key, with a header and claims of the test's choice.
    fn signed(&self, header: &Header, claims: &impl Serialize) -> String {
        let [
            SigningKey {
                id,
                sealed_private_key,
                ..
            },
        ] = self.stored.as_slice()
        else {
            panic!("there is one key");
        };
        let private = self.keys.open(id, sealed_private_key).expect("it is ours");
        let key = match header.alg {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&private),
            _ => EncodingKey::from_ec_der(&private),
        };
        jsonwebtoken::encode(header, claims, &key).expect("signs")
    }

    fn header(&self) -> Header {
        Header {
            typ: Some(ACCESS_TYPE.to_owned()),
            kid: Some(self.stored[0].id.clone()),
            ..Header::new(self.access.current().ring.signing(NOW).algorithm.of_jwt())
        }
    }
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ISSUER, "sub": Uuid::from_u128(1), "client_id": "vestibule",
        "sid": Uuid::from_u128(2), "iat": NOW.as_seconds(), "exp": NOW.as_seconds() + 900,
        "jti": Uuid::from_u128(3), "roles": [],
    })
}

fn parts(token: &str) -> Vec<Value> {
    let decode = |part: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    token.split('.').take(2).map(decode).collect()
}

#[test]
fn an_access_token_has_the_form_of_rfc_9068_and_no_address() {
    let here = installation(1);
    let [header, claims] = parts(&here.access_token()).try_into().expect("two parts");
    assert_eq!(
        header,
        json!({"typ": "at+jwt", "alg": "ES256", "kid": here.stored[0].id})
    );
    let mut expected = good_claims();
    expected["roles"] = json!(["admin"]);
    assert_eq!(claims, expected);
    assert_eq!(here.access.verify(&here.access_token(), NOW), Ok(bearing()));
}

#[test]
fn an_access_token_is_byte_for_byte_as_the_library_makes_it() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
        let here = installation_with(1, algorithm);
        let claims = AccessClaims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: bearing().user,
            client_id: CLIENT_ID.to_owned(),
            sid: bearing().session,
            iat: NOW.as_seconds(),
            exp: NOW.as_seconds() + 900,
            nbf: None,
            jti: Uuid::from_u128(3),
            roles: vec!["admin".to_owned()],
        };
        let (ours, theirs) = (here.access_token(), here.signed(&here.header(), &claims));
        // A signature by ECDSA is another one each time.
        let compared = match algorithm {
            SigningAlgorithm::Es256 => ours.rfind('.').expect("three parts"),
            SigningAlgorithm::EdDsa => ours.len(),
        };
        assert_eq!(ours.len(), theirs.len());
        assert_eq!(ours[..compared], theirs[..compared]);
    }
}

#[test]
fn the_published_key_verifies_and_holds_nothing_private() {
    let here = installation(1);
    let key = here.access.jwks(NOW)["keys"][0].clone();
    let mut names: Vec<_> = key
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let decoding = DecodingKey::from_ec_components(
        key["x"].as_str().expect("x"),
        key["y"].as_str().expect("y"),
    );
    let read: AccessClaims = claims(
        &here.access_token(),
        &decoding.expect("a point"),
        Algorithm::ES256,
        ISSUER,
        ISSUER,
    )
    .expect("verifies");
    assert_eq!(read.sub, bearing().user);
}

#[test]
fn time_decides_with_our_clock() {
    let here = installation(1);
    let token = here.access_token();
    let at = |seconds: u64| {
        here.access
            .verify(&token, NOW.plus(Duration::from_secs(seconds)))
    };
    assert_eq!(at(899), Ok(bearing()));
    assert_eq!(at(900), Err(NotAccepted::Expired));
    let early = NOW.minus(Duration::from_secs(31));
    assert_eq!(
        here.access.verify(&token, early),
        Err(NotAccepted::Invalid("not yet valid"))
    );
    let node_behind = NOW.minus(Duration::from_secs(29));
    assert_eq!(here.access.verify(&token, node_behind), Ok(bearing()));
    assert_eq!(here.access.verify_at_any_time(&token), Ok(bearing()));
}

#[test]
fn the_two_kinds_do_not_pass_for_each_other() {
    let here = installation(1);
    let cookie = here
        .cookies
        .issue(bearing(), NOW, NOW.plus(Duration::from_secs(60)));
    assert_eq!(here.cookies.verify(&cookie, NOW), Ok(bearing()));
    assert!(here.access.verify(&cookie, NOW).is_err());
    assert!(here.access.verify_at_any_time(&cookie).is_err());
    assert!(here.cookies.verify(&here.access_token(), NOW).is_err());
    assert_eq!(
        here.cookies
            .verify(&cookie, NOW.plus(Duration::from_secs(60))),
        Err(NotAccepted::Expired)
    );
}

#[test]
fn tokens_of_another_installation_are_not_ours() {
    let (here, there) = (installation(1), installation(2));
    assert!(here.access.verify(&there.access_token(), NOW).is_err());
    let cookie = there
        .cookies
        .issue(bearing(), NOW, NOW.plus(Duration::from_secs(60)));
    assert!(here.cookies.verify(&cookie, NOW).is_err());
    assert!(
        KeyRing::open(&there.keys, &here.stored, NOW).is_err(),
        "keys are sealed with the secret"
    );
}

#[test]
fn a_claim_that_is_missing_or_of_another_type_is_a_refusal() {
    let here = installation(1);
    assert_eq!(
        here.access
            .verify(&here.signed(&here.header(), &good_claims()), NOW),
        Ok(bearing())
    );
    let exp = NOW.as_seconds() + 900;
    let wrong = [
        Value::Null,
        json!(true),
        json!([]),
        json!({}),
        json!("text"),
        json!(-1),
        json!(1.5),
        json!([ISSUER]),
        json!(exp as f64),
        json!(exp.to_string()),
        json!("99999999999999999999"),
    ];
    for name in [
        "iss",
        "aud",
        "sub",
        "client_id",
        "sid",
        "iat",
        "exp",
        "jti",
        "roles",
    ] {
        let mut missing = good_claims();
        missing.as_object_mut().expect("an object").remove(name);
        let token = here.signed(&here.header(), &missing);
        assert!(here.access.verify(&token, NOW).is_err(), "without {name}");
        for value in &wrong {
            // These happen to be of the right type; others judge their meaning.
            let harmless = matches!(
                (name, value),
                ("client_id", Value::String(_))
                    | ("roles", Value::Array(_))
                    | ("iat", Value::Number(_))
            );
            if harmless && !value.is_f64() {
                continue;
            }
            let mut changed = good_claims();
            changed[name] = value.clone();
            let token = here.signed(&here.header(), &changed);
            assert!(here.access.verify(&token, NOW).is_err(), "{name} = {value}");
        }
    }
    for nbf in [json!("soon"), json!(1.5), json!(NOW.as_seconds() + 31)] {
        let mut changed = good_claims();
        changed["nbf"] = nbf;
        assert!(
            here.access
                .verify(&here.signed(&here.header(), &changed), NOW)
                .is_err()
        );
    }
}

#[test]
fn a_header_of_another_kind_is_a_refusal_even_under_the_right_key() {
    let here = installation(1);
    let refused = |header: Header, what: &str| {
        let token = here.signed(&header, &good_claims());
        assert!(here.access.verify(&token, NOW).is_err(), "{what}");
    };
    for typ in [
        None,
        Some("JWT"),
        Some("at+JWT "),
        Some("application/at+jwt"),
        Some(COOKIE_TYPE),
    ] {
        refused(
            Header {
                typ: typ.map(str::to_owned),
                ..here.header()
            },
            "typ",
        );
    }
    for kid in [
        None,
        Some(""),
        Some("other"),
        Some("../../etc/passwd"),
        Some("' OR 1=1"),
    ] {
        refused(
            Header {
                kid: kid.map(str::to_owned),
                ..here.header()
            },
            "kid",
        );
    }
    refused(
        Header {
            crit: Some(vec!["exp".into()]),
            ..here.header()
        },
        "crit",
    );
}

#[test]
fn a_key_that_the_token_brings_along_is_not_used() {
    let (here, there) = (installation(1), installation(2));
    let jwk = serde_json::from_value(there.access.jwks(NOW)["keys"][0].clone()).expect("a JWK");
    let header = Header {
        jwk: Some(jwk),
        jku: Some("https://evil.example/jwks.json".into()),
        x5u: Some("https://evil.example/cert.pem".into()),
        ..here.header()
    };
    let token = there.signed(&header, &good_claims());
    assert!(here.access.verify(&token, NOW).is_err());
}

#[test]
fn other_algorithms_are_refused_whatever_signs_them() {
    let here = installation(1);
    let payload = BASE64_URL_SAFE_NO_PAD.encode(good_claims().to_string());
    let kid = &here.stored[0].id;
    for alg in [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS256", "PS256", "ES384",
        "EdDSA", "",
    ] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
        let header = BASE64_URL_SAFE_NO_PAD.encode(header);
        for signature in ["", "AA", &"A".repeat(86)] {
            let token = format!("{header}.{payload}.{signature}");
            assert!(here.access.verify(&token, NOW).is_err(), "{alg}");
        }
    }
    // The classic confusion: the public key as an HMAC secret.
    for secret in [
        here.stored[0].public_key.clone(),
        here.access.jwks(NOW).to_string().into_bytes(),
    ] {
        let header = Header {
            alg: Algorithm::HS256,
            ..here.header()
        };
        let token =
            jsonwebtoken::encode(&header, &good_claims(), &EncodingKey::from_secret(&secret));
        assert!(here.access.verify(&token.expect("signs"), NOW).is_err());
    }
}

#[test]
fn no_changed_letter_and_no_cut_is_accepted() {
    let here = installation(1);
    let token = here.access_token();
    for place in 0..token.len() {
        for other in ["A", "z", "-", ".", "=", " "] {
            let mut changed = token.clone();
            changed.replace_range(place..=place, other);
            if changed != token {
                assert!(
                    here.access.verify(&changed, NOW).is_err(),
                    "{place}: {changed}"
                );
            }
        }
        assert!(
            here.access.verify(&token[..place], NOW).is_err(),
            "cut at {place}"
        );
    }
    for around in [
        format!("{token}."),
        format!("{token}.x"),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', ".."),
    ] {
        assert!(here.access.verify(&around, NOW).is_err(), "{around}");
    }
    assert!(here.access.verify(&"A".repeat(10_000_000), NOW).is_err());
}

#[test]
fn a_key_of_either_kind_takes_its_own_algorithm_alone() {
    let ours = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];
    for (algorithm, other) in [(ours[0], ours[1]), (ours[1], ours[0])] {
        let here = installation_with(1, algorithm);
        let token = here.access_token();
        assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
        let [header, _] = parts(&token).try_into().expect("two parts");
        assert_eq!(header["alg"], algorithm.as_str());
        let (_, rest) = token.split_once('.').expect("three parts");
        let claimed = json!({"alg": other.as_str(), "typ": "at+jwt", "kid": header["kid"]});
        let claimed = BASE64_URL_SAFE_NO_PAD.encode(claimed.to_string());
        assert_eq!(
            here.access.verify(&format!("{claimed}.{rest}"), NOW),
            Err(NotAccepted::Invalid("alg"))
        );
        let foreign = installation_with(2, other);
        let header = Header {
            kid: here.header().kid,
            ..foreign.header()
        };
        let forged = foreign.signed(&header, &good_claims());
        assert!(here.access.verify(&forged, NOW).is_err());
    }
}

#[test]
fn time_alone_decides_which_key_of_a_ring_signs_and_which_verify() {
    let here = installation(1);
    let (day, now) = (Duration::from_secs(86_400), NOW);
    let next = KeyRing::generate(&here.keys, SigningAlgorithm::EdDsa, NOW, NOW.plus(day));
    let mut stored = here.stored.clone();
    let first = stored[0].id.clone();
    stored[0].retires_at = Some(now.plus(day + day));
    stored.push(as_stored(&next));
    let ring = KeyRing::open(&here.keys, &stored, now).expect("opens");
    let published = |at| ring.jwks(at)["keys"].as_array().map_or(0, Vec::len);
    assert_eq!(ring.signing(now).id, first);
    assert_eq!(published(now), 2, "a key is published before it signs");
    assert_eq!(ring.signing(now.plus(day)).id, next.id);
    assert_eq!(
        published(now.plus(day)),
        2,
        "the old one's tokens are about"
    );
    assert_eq!(published(now.plus(day + day)), 1);
    let in_use = |at| KeyRing::open(&here.keys, &stored, at).map(|ring| ring.ids(at).count());
    assert_eq!(in_use(now.plus(day)), Ok(2));
    assert_eq!(in_use(now.plus(day + day)), Ok(1));
}

#[test]
fn a_key_that_has_retired_tells_of_which_session_a_token_was_and_need_not_open() {
    let here = installation(1);
    let next = KeyRing::generate(&here.keys, SigningAlgorithm::EdDsa, NOW, NOW);
    let mut stored = here.stored.clone();
    stored[0].retires_at = Some(NOW);
    let without = KeyRing::open(&here.keys, &stored, NOW);
    assert!(without.is_err(), "none is left to sign");
    stored.push(as_stored(&next));
    let token = here.access_token();
    let ring = KeyRing::open(&here.keys, &stored, NOW).expect("opens");
    here.access.set_ring(ring);
    assert_eq!(here.access.verify(&token, NOW), Err(NotAccepted::Expired));
    assert_eq!(here.access.verify_at_any_time(&token), Ok(bearing()));

    stored[0].sealed_private_key.clear();
    let ring = KeyRing::open(&here.keys, &stored, NOW).expect("opens without it");
    here.access.set_ring(ring);
    let unknown = Err(NotAccepted::UnknownKey);
    assert_eq!(here.access.verify_at_any_time(&token), unknown);
    stored[0].retires_at = None;
    assert!(
        KeyRing::open(&here.keys, &stored, NOW).is_err(),
        "it is in use"
    );
}

#[test]
fn a_token_that_was_verified_before_is_judged_by_its_times_at_each_use() {
    let here = installation(1);
    let mut claims = good_claims();
    claims["nbf"] = (NOW.as_seconds() + 20).into();
    let token = here.signed(&here.header(), &claims);
    let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
    assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
    assert_eq!(here.access.verify(&token, at(899)), Ok(bearing()));
    assert_eq!(
        here.access.verify(&token, at(900)),
        Err(NotAccepted::Expired)
    );
    let set_back = NOW.minus(Duration::from_secs(60));
    let early = Err(NotAccepted::Invalid("not yet valid"));
    assert_eq!(here.access.verify(&token, set_back), early);
    assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
}

#[test]
fn a_token_that_was_verified_before_goes_with_its_key() {
    let (here, other) = (installation(1), installation(2));
    let token = here.access_token();
    assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
    let ring = KeyRing::open(&other.keys, &other.stored, NOW).expect("opens");
    here.access.set_ring(ring);
    let verdict = here.access.verify(&token, NOW);
    assert_eq!(
        verdict,
        Err(NotAccepted::UnknownKey),
        "the key was exchanged"
    );

    let mut retiring = here.stored.clone();
    let retires_at = NOW.plus(Duration::from_secs(10));
    retiring[0].retires_at = Some(retires_at);
    let ring = KeyRing::open(&here.keys, &retiring, NOW).expect("opens");
    here.access.set_ring(ring);
    assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
    let verdict = here.access.verify(&token, retires_at);
    assert_eq!(verdict, Err(NotAccepted::Expired), "the key has retired");
}

#[test]
fn a_token_that_differs_in_one_character_from_a_verified_one_is_refused() {
    let here = installation(1);
    let token = here.access_token();
    assert_eq!(here.access.verify(&token, NOW), Ok(bearing()));
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        // The last character of a part has bits that stand for nothing.
        let last = token[at + 1..].starts_with('.') || at + 1 == token.len();
        let verdict = here.access.verify(&forged, NOW);
        assert!(last || verdict.is_err(), "{at}: {verdict:?}");
    }
}

#[test]
fn a_cookie_that_differs_in_one_character_from_a_verified_one_is_refused() {
    let here = installation(1);
    let cookie = here
        .cookies
        .issue(bearing(), NOW, NOW.plus(Duration::from_secs(60)));
    assert_eq!(here.cookies.verify(&cookie, NOW), Ok(bearing()));
    // The last character of the MAC has bits that stand for nothing.
    for at in 0..cookie.len() - 1 {
        let mut forged = cookie.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        let verdict = here.cookies.verify(&forged, NOW);
        assert!(verdict.is_err(), "{at}: {verdict:?}");
    }
    assert_eq!(here.cookies.verify(&cookie, NOW), Ok(bearing()));
}
