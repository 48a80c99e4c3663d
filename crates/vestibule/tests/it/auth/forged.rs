//! Forged and misused tokens, hundreds of them, each wrong in one way: none is accepted, neither as a bearer token nor
//! as a cookie. Most are signed with the server's own keys, so that the one thing that is wrong must be what refuses
//! them; the genuine tokens that they are made of are accepted before and after.

mod mint;

use std::collections::BTreeMap;

use mint::{Mint, decoded, ed25519, encoded, hs256, signing_input, with_signature};
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::{Answer, Client, TestApp};

/// A genuine token, taken apart.
struct Genuine<'mint> {
    mint: &'mint Mint,
    is_cookie: bool,
    token: String,
    header: Value,
    claims: Value,
}

/// Tokens that are wrong, by what is wrong about them.
#[derive(Default)]
struct Forgeries(BTreeMap<String, String>);

impl Forgeries {
    fn add(&mut self, token: String, what: impl Into<String>) {
        self.0.entry(token).or_insert(what.into());
    }
}

impl<'mint> Genuine<'mint> {
    fn new(mint: &'mint Mint, token: String, is_cookie: bool) -> Self {
        let parts: Vec<Value> = token
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&decoded(part)).expect("JSON"))
            .collect();
        let [header, claims] = parts.try_into().expect("two parts");
        Self {
            mint,
            is_cookie,
            token,
            header,
            claims,
        }
    }

    fn kind(&self) -> &'static str {
        if self.is_cookie { "cookie" } else { "token" }
    }

    /// Signs with the key that the server itself uses for this kind.
    fn signed(&self, header: &str, claims: &str) -> String {
        self.signed_input(&signing_input(header, claims))
    }

    fn signed_input(&self, input: &str) -> String {
        if self.is_cookie {
            self.mint.cookie_of(input)
        } else {
            self.mint.es256_of(input)
        }
    }

    fn with_header(&self, header: &Value) -> String {
        self.signed(&header.to_string(), &self.claims.to_string())
    }

    fn with_claims(&self, claims: &Value) -> String {
        self.signed(&self.header.to_string(), &claims.to_string())
    }

    /// The three parts as they stand in the token.
    fn parts(&self) -> [&str; 3] {
        let parts: Vec<_> = self.token.split('.').collect();
        parts.try_into().expect("three parts")
    }
}

/// Values of every type of JSON, for places where another is expected.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(-0.0),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("x".repeat(2048)),
        json!("\u{0}"),
        json!("2026-01-31T12:00:00Z"),
        json!([]),
        json!([null]),
        json!([[]]),
        json!({}),
        json!({"a": {"b": []}}),
    ]
}

/// The same value in a form that a lenient reader would take for it.
fn disguises(value: &Value) -> Vec<Value> {
    let mut disguised = vec![json!([value]), json!([[value]]), json!({ "value": value })];
    match value {
        Value::String(text) => {
            disguised.extend([json!(format!("{text} ")), json!(format!(" {text}"))]);
            disguised.extend([json!(format!("{text}\u{0}")), json!(format!("{text}/"))]);
        }
        Value::Number(number) => {
            let seconds = number.as_i64().expect("whole seconds");
            disguised.extend([json!(seconds.to_string()), json!(seconds as f64)]);
            disguised.extend([json!(seconds as f64 + 0.5), json!(seconds * 1000 + 1)]);
        }
        Value::Array(_) => disguised.push(json!(value.to_string())),
        _ => {}
    }
    disguised
}

/// Whether a claim may have this value in a token that our own key has signed: of the right type, and no more is asked
/// of it, as only we sign.
fn is_right(claim: &str, value: &Value, now: i64) -> bool {
    match claim {
        "client_id" => value.is_string(),
        "roles" => value
            .as_array()
            .is_some_and(|roles| roles.iter().all(Value::is_string)),
        "iat" => value.as_i64().is_some_and(|at| at <= now),
        "exp" => value.as_i64().is_some_and(|at| at > now),
        _ => false,
    }
}

fn wrong_claims(genuine: &Genuine, forgeries: &mut Forgeries) {
    let now = genuine.claims["iat"].as_i64().expect("a time");
    let claims = genuine.claims.as_object().expect("an object");
    for (name, good) in claims {
        let mut missing = claims.clone();
        missing.remove(name);
        forgeries.add(
            genuine.with_claims(&missing.clone().into()),
            format!("without {name}"),
        );
        for value in values().into_iter().chain(disguises(good)) {
            if value == *good || is_right(name, &value, now) {
                continue;
            }
            let mut changed = claims.clone();
            changed.insert(name.clone(), value.clone());
            forgeries.add(
                genuine.with_claims(&changed.into()),
                format!("{name} is {value}"),
            );
        }
        // Which of two counts differs from reader to reader.
        let rest = Value::from(missing).to_string();
        for (first, second) in [(good, good), (good, &Value::Null), (&Value::Null, good)] {
            let twice = format!("{{\"{name}\":{first},\"{name}\":{second},{}", &rest[1..]);
            let token = genuine.signed(&genuine.header.to_string(), &twice);
            forgeries.add(token, format!("{name} comes twice"));
        }
    }
}

fn wrong_times_and_places(genuine: &Genuine, forgeries: &mut Forgeries) {
    let now = genuine.claims["iat"].as_i64().expect("a time");
    let nil = "00000000-0000-0000-0000-000000000000";
    for (name, value) in [
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!(i64::MIN)),
        ("iat", json!(now + 31)),
        ("iss", json!("http://127.0.0.1:8080")),
        ("iss", json!("https://localhost:8080")),
        ("iss", json!("http://localhost:8080.evil.example")),
        ("iss", json!("HTTP://LOCALHOST:8080")),
        ("aud", json!("http://localhost")),
        ("aud", json!("https://evil.example")),
        ("aud", json!("*")),
        ("sub", json!(nil)),
    ] {
        let mut changed = genuine.claims.clone();
        changed[name] = value.clone();
        forgeries.add(genuine.with_claims(&changed), format!("{name} is {value}"));
    }
    for nbf in [json!(now + 31), json!("soon"), json!(1.5), json!([now])] {
        if genuine.is_cookie {
            continue;
        }
        let mut changed = genuine.claims.clone();
        changed["nbf"] = nbf.clone();
        forgeries.add(genuine.with_claims(&changed), format!("nbf is {nbf}"));
    }
    let header = genuine.header.to_string();
    for claims in ["", "null", "[]", "{}", "\"text\"", "1", "{", "\u{feff}{}"] {
        forgeries.add(genuine.signed(&header, claims), format!("claims {claims}"));
    }
    let more = format!("{}{{}}", genuine.claims);
    forgeries.add(genuine.signed(&header, &more), "more than one document");
}

fn wrong_headers(genuine: &Genuine, forgeries: &mut Forgeries) {
    let header = genuine.header.as_object().expect("an object");
    for (name, good) in header {
        let mut missing = header.clone();
        missing.remove(name);
        let token = genuine.with_header(&missing.into());
        forgeries.add(token, format!("header without {name}"));
        for value in values().into_iter().chain(disguises(good)) {
            let mut changed = header.clone();
            changed.insert(name.clone(), value.clone());
            let token = genuine.with_header(&changed.into());
            forgeries.add(token, format!("header {name} is {value}"));
        }
    }
    let other_values: [(&str, &[&str]); 3] = [
        (
            "typ",
            &[
                "JWT",
                "jwt",
                "at+JWT",
                "AT+JWT",
                "application/at+jwt",
                "id+jwt",
                "dpop+jwt",
            ],
        ),
        (
            "kid",
            &["other", "../../../dev/null", "' OR '1'='1", "0", "*"],
        ),
        (
            "alg",
            &[
                "es256", "hs256", "ES256K", "NONE", "none", "nOnE", "RSA-OAEP", "dir",
            ],
        ),
    ];
    for (name, values) in other_values {
        for value in values.iter().filter(|_| header.contains_key(name)) {
            let mut changed = header.clone();
            changed.insert(name.to_owned(), json!(value));
            let token = genuine.with_header(&changed.into());
            forgeries.add(token, format!("header {name} is {value}"));
        }
    }
    for crit in [
        json!(["exp"]),
        json!(["b64"]),
        json!([""]),
        json!("exp"),
        json!(1),
    ] {
        let mut changed = header.clone();
        changed.insert("crit".to_owned(), crit.clone());
        let token = genuine.with_header(&changed.into());
        forgeries.add(token, format!("crit is {crit}"));
    }
}

/// Every other algorithm, in name and, where that can be, in deed.
fn other_algorithms(genuine: &Genuine, jwk: &Value, forgeries: &mut Forgeries) {
    let claims = genuine.claims.to_string();
    let algorithms = [
        "none", "None", "NONE", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "A256GCM",
    ];
    for algorithm in algorithms {
        let mut header = genuine.header.clone();
        header["alg"] = json!(algorithm);
        let header = header.to_string();
        let input = signing_input(&header, &claims);
        for signature in [vec![], vec![0], vec![0; 32], vec![0; 64], vec![0xff; 256]] {
            let what = format!("{algorithm} with {} bytes of nothing", signature.len());
            forgeries.add(with_signature(&input, &signature), what);
        }
        if genuine.header["alg"] != algorithm {
            let token = genuine.signed_input(&input);
            forgeries.add(token, format!("{algorithm} in name, signed with our key"));
        }
    }
    let mut header = genuine.header.clone();
    header["alg"] = json!("HS256");
    let mut keys = genuine.mint.public_forms(jwk);
    keys.extend([
        vec![],
        vec![0; 32],
        b"secret".to_vec(),
        b"vestibule".to_vec(),
    ]);
    for key in keys {
        let what = format!("a MAC under {:?}", String::from_utf8_lossy(&key));
        forgeries.add(hs256(&key, &header.to_string(), &claims), what);
    }
    header["alg"] = json!("EdDSA");
    forgeries.add(ed25519(&header.to_string(), &claims), "a key of their own");
}

/// Keys of somebody else, named or brought along in each way that a JWT knows.
fn foreign_keys(genuine: &Genuine, jwk: &Value, forgeries: &mut Forgeries) {
    let foreign = Mint::new();
    let claims = genuine.claims.to_string();
    let mut their_jwk = jwk.clone();
    their_jwk["x"] = json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
    their_jwk["y"] = json!("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    for (name, value) in [
        ("kid", jwk["kid"].clone()),
        ("jwk", their_jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("jku", json!("http://localhost:8080/.well-known/jwks.json")),
        ("x5u", json!("https://evil.example/certificate.pem")),
        ("x5c", json!(["MIIBszCCAVmgAwIBAgIUEvil"])),
        ("x5t", json!("c29tZSBjZXJ0aWZpY2F0ZQ")),
    ] {
        let mut header = genuine.header.clone();
        header[name] = value.clone();
        let token = foreign.es256(&header.to_string(), &claims);
        forgeries.add(token, format!("a foreign key with {name} {value}"));
        header["alg"] = json!("ES256");
        let token = foreign.es256(&header.to_string(), &claims);
        forgeries.add(token, format!("a foreign ES256 key with {name} {value}"));
    }
}

/// One kind in the clothes of the other.
fn mixed_kinds(access: &Genuine, cookie: &Genuine, forgeries: &mut Forgeries) {
    for (one, other) in [(access, cookie), (cookie, access)] {
        let kinds = format!("{} and {}", one.kind(), other.kind());
        let (header, claims) = (one.header.to_string(), other.claims.to_string());
        forgeries.add(one.signed(&header, &claims), format!("{kinds} claims"));
        forgeries.add(
            other.signed(&header, &claims),
            format!("{kinds} key, claims"),
        );
        let token = other.signed(&header, &one.claims.to_string());
        forgeries.add(token, format!("{kinds} key"));
        for typ in [&one.header["typ"], &other.header["typ"]] {
            let mut header = other.header.clone();
            header["typ"] = typ.clone();
            let token = other.signed(&header.to_string(), &one.claims.to_string());
            forgeries.add(token, format!("{kinds}, typ {typ}"));
        }
    }
}

fn wrong_signatures(genuine: &Genuine, forgeries: &mut Forgeries) {
    let [header, claims, signature] = genuine.parts();
    let input = format!("{header}.{claims}");
    let good = decoded(signature);
    for place in 0..good.len() {
        let mut flipped = good.clone();
        flipped[place] ^= 1 << (place % 8);
        let token = with_signature(&input, &flipped);
        forgeries.add(token, format!("a bit of byte {place} of the signature"));
    }
    let (first, second) = good.split_at(good.len() / 2);
    let zero = vec![0; first.len()];
    for (what, signature) in [
        ("halves swapped", [second, first].concat()),
        ("first half zero", [&zero, second].concat()),
        ("second half zero", [first, &zero].concat()),
        ("one byte short", good[1..].to_vec()),
        ("half", first.to_vec()),
        ("one byte more", [&good, &[0][..]].concat()),
        ("one byte before", [&[0], &good[..]].concat()),
        ("twice", [&good[..], &good].concat()),
        ("DER", genuine.mint.der_signature(&input)),
        (
            "of something else",
            genuine.mint.signature("something else"),
        ),
        ("of the claims alone", genuine.mint.signature(claims)),
    ] {
        forgeries.add(with_signature(&input, &signature), what);
    }
    // A 64-byte or 32-byte value leaves bits of its last letter unused; only zeros are canonical.
    let (body, last) = signature.split_at(signature.len() - 1);
    for letter in ('A'..='Z').filter(|letter| letter.to_string() != last) {
        forgeries.add(format!("{input}.{body}{letter}"), "another last letter");
    }
}

/// Cut, padded, or written otherwise.
fn wrong_writing(genuine: &Genuine, forgeries: &mut Forgeries) {
    let token = &genuine.token;
    let [header, claims, signature] = genuine.parts();
    for length in (1..token.len()).step_by(5) {
        forgeries.add(token[..length].to_owned(), format!("cut to {length}"));
        forgeries.add(token[length..].to_owned(), format!("from {length} on"));
    }
    for (at, _) in token.match_indices('.') {
        forgeries.add(token[..at].to_owned(), "cut before a dot");
        forgeries.add(token[..=at].to_owned(), "cut after a dot");
    }
    for written in [
        format!("{token}."),
        format!(".{token}"),
        format!("{token}..."),
        format!("{token}.{signature}"),
        format!("{header}..{claims}.{signature}"),
        format!("{header}.{claims}..{signature}"),
        format!("{header}.{claims}"),
        format!("{claims}.{header}.{signature}"),
        format!("{header}. {claims}.{signature}"),
        format!("{header}.{claims}.{signature} x"),
        format!("{header}.\t{claims}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}%2E{claims}%2E{signature}"),
        format!("{header},{claims},{signature}"),
        format!("{token},{token}"),
        format!("\"{token}\""),
        format!("'{token}'"),
        format!("<{token}>"),
        token.to_uppercase(),
        token.to_lowercase(),
        json!({ "protected": header, "payload": claims, "signature": signature }).to_string(),
        encoded(token),
        header.repeat(60),
        format!("{header}.{}.{signature}", "A".repeat(9000)),
    ] {
        forgeries.add(written, "written otherwise");
    }
    // Signed as they are written, so that the writing alone is wrong.
    for input in [
        format!("{header}=.{claims}"),
        format!("{header}.{claims}="),
        format!("{header}.{claims}=="),
        format!("{header}.{claims}.{claims}"),
        format!(".{claims}"),
        format!("{header}."),
        ".".to_owned(),
    ] {
        forgeries.add(genuine.signed_input(&input), "signed, and no base64url");
    }
}

fn garbage(forgeries: &mut Forgeries) {
    let texts = "null undefined Bearer token true 0 . .. ... a.b a.b.c a.b.c.d {} [] %00 %2e ../../etc/passwd";
    for text in texts.split(' ') {
        forgeries.add(text.to_owned(), "garbage");
    }
}

async fn as_bearer(anon: &Client, token: &str) -> Answer {
    anon.get("/api/auth/me").bearer(token).await
}

async fn as_cookie(anon: &Client, token: &str) -> Answer {
    let call = anon.get("/api/auth/me");
    call.header("cookie", format!("vestibule={token}")).await
}

fn forgeries_of(access: &Genuine, cookie: &Genuine, jwk: &Value) -> Forgeries {
    let mut forgeries = Forgeries::default();
    for genuine in [access, cookie] {
        wrong_claims(genuine, &mut forgeries);
        wrong_times_and_places(genuine, &mut forgeries);
        wrong_headers(genuine, &mut forgeries);
        other_algorithms(genuine, jwk, &mut forgeries);
        foreign_keys(genuine, jwk, &mut forgeries);
        wrong_signatures(genuine, &mut forgeries);
        wrong_writing(genuine, &mut forgeries);
    }
    mixed_kinds(access, cookie, &mut forgeries);
    garbage(&mut forgeries);
    forgeries
}

#[tokio::test]
async fn no_forged_token_is_accepted_in_any_place() {
    let folder = Place::new();
    let mint = Mint::new();
    let (app, anon) = TestApp::with_file(&[], &mint.settings(folder.path())).await;
    let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
    let cookie = eve.cookie().expect("a cookie");
    let (_, cookie) = cookie.split_once('=').expect("a value");
    let access = Genuine::new(&mint, ada.access_token.clone(), false);
    let cookie = Genuine::new(&mint, cookie.to_owned(), true);
    let jwks = anon.get("/.well-known/jwks.json").await.json();

    let controls = async || {
        let made_here = access.with_claims(&access.claims);
        for token in [&access.token, &made_here] {
            as_bearer(&anon, token).await.expect_status(200);
        }
        let made_here = cookie.with_claims(&cookie.claims);
        for value in [&cookie.token, &made_here] {
            as_cookie(&anon, value).await.expect_status(200);
        }
    };
    controls().await;
    let mut forgeries = forgeries_of(&access, &cookie, &jwks["keys"][0]);
    forgeries.add(ada.refresh_token.clone(), "the refresh token");
    assert!(forgeries.0.len() >= 500, "{} only", forgeries.0.len());
    let mut wrong = Vec::new();
    for (token, what) in &forgeries.0 {
        for answer in [as_bearer(&anon, token).await, as_cookie(&anon, token).await] {
            let (status, code) = (answer.status, answer.code());
            if status != 401 || !matches!(code.as_str(), "invalid_token" | "expired_token") {
                wrong.push(format!("{what}: {status} {code}: {token}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    controls().await;
}

#[tokio::test]
async fn a_genuine_token_cannot_be_turned_to_another_session_or_user() {
    let folder = Place::new();
    let mint = Mint::new();
    let (app, anon) = TestApp::with_file(&[], &mint.settings(folder.path())).await;
    let tokens = [app.user("ada").await, app.user("eve").await].map(|user| user.access_token);
    let [ada, eve] = tokens.map(|token| Genuine::new(&mint, token, false));
    let nobody = json!("01900000-0000-7000-8000-000000000000");
    for (name, value) in [
        ("sub", &eve.claims["sub"]),
        ("sid", &eve.claims["sid"]),
        ("sub", &ada.claims["sid"]),
        ("sub", &nobody),
        ("sid", &nobody),
    ] {
        let mut changed = ada.claims.clone();
        changed[name] = value.clone();
        let answer = as_bearer(&anon, &ada.with_claims(&changed)).await;
        assert_eq!(answer.status, 401, "{name} is {value}: {}", answer.shown());
    }
}
