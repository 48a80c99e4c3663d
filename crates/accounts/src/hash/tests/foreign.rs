//! Hashes that other programs made: they match, they are replaced, and what is wrong with one costs no more than the
//! usual work. bcrypt as this program makes it is here, too.

use super::*;

const KNOWN_PASSWORD: &str = "pässword 🔑 one";

/// Of [`KNOWN_PASSWORD`], each by the program that is named.
const KNOWN: &[&str] = &[
    // Werkzeug 3.1.
    "scrypt:1024:8:1$Uh9KdiGhWaRVSZqD$c4dcfa7be97754d23ab1bd432ae59d29b5b9e8c548f10406bb42b1a4b3decc90da454c7df8dcc548e14bde60e39fb93225cf8d3937cd698b0e2bc0bc38d53169",
    "pbkdf2:sha256:1000$F3gePPkrUkcAStIu$799a0848e99533e5b6fddc35de5994c2bf22f0a6343bb8003837d658e7dec149",
    "pbkdf2:sha512:1000$ekv0EXtJDg3Qthcv$0fae4dfed9ca937e5f4426270850bd0053a0306d504e90fbd2e91d85640a98b369aa9b7c66921f9f800e6e04abdaa3f0cbbffed10caaa7de1ce3b5d685ffa0c5",
    "pbkdf2:sha1:1000$jzMfHgrDaUDiV63d$f147210d8159aba7bae3a7e2a8ce6f993e696053",
    // Django 5.2.
    "pbkdf2_sha256$1000$saltsaltsaltsalt$XMjKI3tCQTa/ywxO0BGwfUXf5Cp+lKmsXjDXA3uLqyg=",
    "pbkdf2_sha1$1000$saltsaltsaltsalt$9ECdiRs8tENCUYPrGnCUqknUrsk=",
    "scrypt$1024$saltsaltsaltsalt$8$2$9zhMo7rIks6E1+jsdZtf8iiGaiV5sVUleWmjFeMtI8mKwuVAKF5xXKU92Kzf1UEPd87Kte84yDpD7rR9C9hCow==",
    "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$o3PvlX9l8mSDFbMUiP5YDb5zmB4boKQb6P/Q/jzOUf4",
    "bcrypt$$2b$04$DX8tH6.9kvtcwbTlhTzc8exszSLqTxnI3.UODPQSxNFKZOXTTCFFK",
    "bcrypt_sha256$$2b$04$RQ5pfE4YMVCwryVOgOHHZey5O3dpRgwbiBIKNmQzfkCqDmzW6xGo.",
    // passlib 1.7.
    "$pbkdf2-sha256$1000$IKTU.l/LWWttjVFKKUXI.Q$yxzrYcXaRfq6u3IM9c3jCmsoDuPywqLmcpnWMNrfRHQ",
    "$pbkdf2-sha512$1000$VIoxxjiHUGrNWYvxHgOgtA$DQnb51VO/J38goqOAEr1vXBVDHAUMFTAA0jU7n1UhIM/4JGGjvSHOvq9xaXbYrcuPqXJBD9kCV6/gdeWih4UUw",
    "$pbkdf2$1000$u3cO4bwXohQiBABAaM15rw$sns1IUKupBxQLmP24sDNmRVYkwQ",
    "$scrypt$ln=10,r=8,p=1$2ttbi5FS6h3DGEMoRWjtXQ$33WZVcsyVvqtU8esAQ9IAfimLuCHJpD4YkbKwhfV0Ek",
    "$2a$04$ACMIAedtE4VnCVzRwxVgl.eYingyjMuJqc/rUXzBQ81DY7fj.YD0e",
    // Python's bcrypt 4.0 and argon2-cffi 25.1.
    "$2b$04$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
    "$argon2id$v=19$m=64,t=1,p=1$H04IjTQh9u1EXNe0NVuwag$E3dghs6imzYOxj+m/42BctC//qbIrMDUIg4A6F+cyc4",
    // libxcrypt 4.4; `$2x$` differs from the others for bytes from 0x80.
    "$2x$04$abcdefghijklmnopqrstuuwGwjLT.Zzzu9KEhPeWamL/NQtdzo3qm",
    "$2y$04$abcdefghijklmnopqrstuu9pDc7UWNfAFuKwU3OUtJNZaZ1Faz./2",
    "$2a$04$abcdefghijklmnopqrstuu9pDc7UWNfAFuKwU3OUtJNZaZ1Faz./2",
    // passlib 1.7.4, in both its versions.
    "$bcrypt-sha256$v=2,t=2b,r=4$.ySgyrSpSiJH2RQyaEBOde$ajtG/oxAzD2JS.fRlWjlCvoLwzaVZvS",
    "$bcrypt-sha256$2b,4$aX6EbqR27ZRBTVPpn.z/re$TouZ24bDi2peApWCCL25BBhuEajoM9K",
    "$P$5B5G6UT3iE2DcvDNW885daqPNqSbIn/",
    "$H$BZoY2XakZw5qhqOgHsrtl9kSAIU9yj.",
    // PHP 8.2, and the same as WordPress 6.8 calls it.
    "$2y$04$0P88S1QWJneF76KVvtDeMe1XNPg2UPGmmj.pRtoCGwSjaZ0QGpyk2",
    "$wp$2y$04$Zt9YOleDXcgDFWGjOlBdOO.3bpe3ASAwgPbRO3DwR/JXO8JL1q3jS",
    // The functions of Python's hashlib, written as PHC strings.
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$XMjKI3tCQTa/ywxO0BGwfUXf5Cp+lKmsXjDXA3uLqyg",
    "$pbkdf2-sha512$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$2u/qtM0sllgNbd+OtTTWEpGDm7/HFobw+NLA0cRs2pk",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$jZ7oww36AaQmpLoVxDK9SmZ1rfAd677I53EWIzqhrAg",
];

/// Of `x` 72 times, and 71 times, by Python's bcrypt 4.0.
const OF_72: &str = "$2b$04$ywh5W00Qqc5kKt0wqIvkHuZZRz/r7xoT8kMbgZ0VT/U7P.0XgyWWa";
const OF_71: &str = "$2b$04$W0xURlKTA3sKa3sHMG.IHu54ouYBOYtecuZfSR2OXOH2inMQi6Yhq";

fn gate_of(cost: HashCost) -> HashGate {
    HashGate::new(cost, NonZeroUsize::MIN, 8, Clock::system())
}

/// Costs above the trifling ones of the known hashes, so that all of them are weak.
fn usual() -> HashGate {
    gate_of(HashCost::Argon2id(Argon2Cost::new(128, 1, 1).unwrap()))
}

#[tokio::test]
async fn hashes_of_other_programs_match_their_password_alone_and_are_weak() {
    let gate = usual();
    for stored in KNOWN {
        let before = gate.calls();
        let right = verdict(&gate, KNOWN_PASSWORD, stored).await;
        assert_eq!(right, Verdict::MatchButWeak, "{stored}");
        for wrong in [
            "passwort 🔑 one",
            "",
            "pässword 🔑 one ",
            "pässword 🔑 one\0",
        ] {
            let verdict = verdict(&gate, wrong, stored).await;
            assert_eq!(verdict, Verdict::NoMatch, "{wrong:?} {stored}");
        }
        assert_eq!(gate.calls(), before + 5, "one hash for each try: {stored}");
    }
}

#[tokio::test]
async fn all_prefixes_of_bcrypt_agree_on_ascii() {
    let gate = usual();
    for prefix in ["2a", "2b", "2x", "2y"] {
        let stored = format!("${prefix}$04$abcdefghijklmnopqrstuuOA2t3T19uKNKcb9zBKYhjI17dQCyHca");
        let verdict = verdict(&gate, "plain ascii", &stored).await;
        assert_eq!(verdict, Verdict::MatchButWeak, "{prefix}");
    }
}

#[tokio::test]
async fn werkzeugs_defaults_fill_in_what_a_method_leaves_out() {
    // Made with Python's hashlib, and found right by Werkzeug 3.1.
    let gate = usual();
    for stored in [
        "pbkdf2:sha256$saltsalt$406a98a77e97c0edd6fe3ce358f64d00a02715ed1fd4d8dd9d0cc2d33db4fafe",
        "pbkdf2$saltsalt$406a98a77e97c0edd6fe3ce358f64d00a02715ed1fd4d8dd9d0cc2d33db4fafe",
        "scrypt$saltsalt$deb5e95adbd4799e73a21b19f069adecb611aed6876b59159643b4310a4b88eababf41f43f9350bbe2e264ec06c9b1937dbe881d148404577a1a62476f051046",
    ] {
        let verdict = verdict(&gate, KNOWN_PASSWORD, stored).await;
        assert_eq!(verdict, Verdict::MatchButWeak, "{stored}");
    }
}

/// By Better Auth 1.7.
const OF_BETTER_AUTH: &str = "0bc9e23ea94e50684c60c9557e426771:8f9861e21ca5092071d311d8f52ddd949881728aeed3e1d94815d13d958be1e510080ad46cd1275e2b866f6635a9ca0cf8d426bd1faf82f1ad981f24ee2ebf31";

#[tokio::test]
async fn better_auths_hashes_match_all_spellings_of_a_password_that_look_alike() {
    let gate = usual();
    let other_spelling = "pa\u{308}ssword 🔑 one";
    for (password, expected) in [
        (KNOWN_PASSWORD, Verdict::MatchButWeak),
        (other_spelling, Verdict::MatchButWeak),
        ("password 🔑 one", Verdict::NoMatch),
    ] {
        assert_eq!(
            verdict(&gate, password, OF_BETTER_AUTH).await,
            expected,
            "{password}"
        );
    }
    // Also one whose compatibility form is longer: "five 1⁄2 VIII pässword".
    let of_ligatures = "8da7ee1a22f1b36d1c261d03ca671459:7e05ca6ab8d6111c2466e1564e592ed40b33cc97e1426f0b2e7c2499fa84d94856c885315c9db3cc4f23085a88168a1a01c9e2bd5e2e58f55aa492f092d97f0e";
    let found = verdict(&gate, "ﬁve ½ Ⅷ pässword", of_ligatures).await;
    assert_eq!(found, Verdict::MatchButWeak);
    for (end, _) in OF_BETTER_AUTH.char_indices() {
        let cut = verdict(&gate, KNOWN_PASSWORD, &OF_BETTER_AUTH[..end]).await;
        assert!(matches!(cut, Verdict::Unusable(_)), "{end}: {cut:?}");
    }
}

/// The parameters that Firebase's own description of its scrypt has for an example.
const HASH_CONFIG: &str = "hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}";

#[tokio::test]
async fn firebases_hashes_are_checked_without_the_key_of_the_project() {
    let gate = usual();
    let config = FirebaseScrypt::parse(HASH_CONFIG).unwrap();
    // The first is of that description, too; the second by firebase-scrypt 2.2.
    for (password, hash) in [
        (
            "user1password",
            "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        ),
        (
            KNOWN_PASSWORD,
            "tkHqgdxQAzOUPhc17NpILoPIQY2Zm9ANZ0FgJ-j8ZCNKoOPsmogcI5HGukM-h7Soml3TYj3WlyfikDlf4_jPdA",
        ),
    ] {
        let stored = config.text_of(hash, "42xEC+ixf3L2lw==").unwrap();
        assert!(
            stored.starts_with("$firebase-scrypt$ln=14,r=8,p=1$"),
            "{stored}"
        );
        assert!(
            !stored.contains("jxspr8Ki0RYy") && !stored.contains(&hash[..12]),
            "{stored}"
        );
        assert_eq!(
            verdict(&gate, password, &stored).await,
            Verdict::MatchButWeak
        );
        assert_eq!(
            verdict(&gate, "User1password", &stored).await,
            Verdict::NoMatch
        );
        for end in stored.rfind('$').unwrap()..stored.len() {
            let cut = verdict(&gate, password, &stored[..end]).await;
            assert!(matches!(cut, Verdict::Unusable(_)), "{end}: {cut:?}");
        }
    }
}

#[test]
fn hash_parameters_of_firebase_that_are_not_whole_are_refused_without_repeating_them() {
    for line in HASH_CONFIG.lines().filter(|line| line.contains(": ")) {
        let without = HASH_CONFIG.replace(line, "");
        assert!(FirebaseScrypt::parse(&without).is_err(), "{line}");
    }
    let costly = HASH_CONFIG.replace("mem_cost: 14", "mem_cost: 31");
    let costly = FirebaseScrypt::parse(&costly).unwrap();
    let of_64_bytes = "AA".repeat(43);
    assert!(costly.text_of(&of_64_bytes, "42xEC+ixf3L2lw==").is_err());
    let config = FirebaseScrypt::parse(HASH_CONFIG).unwrap();
    for (hash, salt) in [("", ""), ("AAAA", "AAAA"), ("no Base64", "AAAA")] {
        assert!(config.text_of(hash, salt).is_err(), "{hash:?} {salt:?}");
    }
}

#[tokio::test]
async fn bcrypt_sees_the_whole_of_a_password_that_was_hashed_before() {
    // Of `x` 200 times, by passlib 1.7.4.
    let stored =
        "$bcrypt-sha256$v=2,t=2b,r=4$Tl/cEjFAmudDnK0QByx3p.$nqmpckgKmO7JxewG9Le86.6/C0VxtPK";
    for (length, expected) in [(200, Verdict::MatchButWeak), (199, Verdict::NoMatch)] {
        let verdict = verdict(&usual(), &"x".repeat(length), stored).await;
        assert_eq!(verdict, expected, "{length}");
    }
}

#[tokio::test]
async fn bcrypt_compares_72_bytes_and_never_a_part_of_a_password() {
    let gate = usual();
    for (length, stored, expected) in [
        (71, OF_71, Verdict::MatchButWeak),
        (72, OF_71, Verdict::NoMatch),
        (72, OF_72, Verdict::MatchButWeak),
        (71, OF_72, Verdict::NoMatch),
        (73, OF_72, Verdict::NoMatch),
        (256, OF_72, Verdict::NoMatch),
    ] {
        let verdict = verdict(&gate, &"x".repeat(length), stored).await;
        assert_eq!(verdict, expected, "{length}");
    }
}

#[tokio::test]
async fn what_asks_for_too_much_is_unusable_at_the_usual_cost() {
    let gate = usual();
    let hash_32 = "c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ";
    let hash_64 = "00".repeat(64);
    let stored = [
        "$2b$15$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla".to_owned(),
        "$wp$2y$15$Zt9YOleDXcgDFWGjOlBdOO.3bpe3ASAwgPbRO3DwR/JXO8JL1q3jS".to_owned(),
        "$bcrypt-sha256$v=2,t=2b,r=15$.ySgyrSpSiJH2RQyaEBOde$ajtG/oxAzD2JS.fRlWjlCvoLwzaVZvS"
            .to_owned(),
        "$P$IB5G6UT3iE2DcvDNW885daqPNqSbIn/".to_owned(),
        format!("$firebase-scrypt$ln=20,r=8,p=1$c2FsdA${hash_32}"),
        "$2b$31$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla".to_owned(),
        format!("scrypt:33554432:8:1$salt${hash_64}"),
        format!("scrypt:131072:8:1$salt${hash_64}"),
        format!("scrypt:65536:8:3$salt${hash_64}"),
        format!("scrypt:2:1:4294967295$salt${hash_64}"),
        format!("scrypt:2147483648:4294967295:4294967295$salt${hash_64}"),
        format!("$scrypt$ln=17,r=8,p=1$c2FsdA${hash_32}"),
        format!("$scrypt$ln=63,r=8,p=1$c2FsdA${hash_32}"),
        format!("$scrypt$ln=4294967295,r=1,p=1$c2FsdA${hash_32}"),
        format!("$pbkdf2-sha256$10000000$c2FsdA${hash_32}"),
        format!("$pbkdf2-sha256$i=4294967295,l=32$c2FsdA${hash_32}"),
        format!("pbkdf2_sha256$2000001$salt${hash_32}="),
        format!("pbkdf2:sha512:1000001$salt${hash_64}"),
    ];
    for stored in &stored {
        let verdict = verdict(&gate, KNOWN_PASSWORD, stored).await;
        let expected = Verdict::Unusable("its cost is beyond what this server computes");
        assert_eq!(verdict, expected, "{stored}");
    }
    assert_eq!(gate.calls(), stored.len() as u64);
}

#[tokio::test]
async fn what_is_not_quite_in_a_known_format_is_unusable() {
    let hash_64 = "00".repeat(64);
    for stored in [
        "",
        "$",
        "$$",
        "password",
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$2$04$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
        "$2b$03$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
        "$2b$4$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
        "$2b$+4$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
        "$2b$04$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFläé",
        "$wp$2z$04$Zt9YOleDXcgDFWGjOlBdOO.3bpe3ASAwgPbRO3DwR/JXO8JL1q3jS",
        "$bcrypt-sha256$v=3,t=2b,r=4$.ySgyrSpSiJH2RQyaEBOde$ajtG/oxAzD2JS.fRlWjlCvoLwzaVZvS",
        "$bcrypt-sha256$v=2,t=2b,r=4,x=1$.ySgyrSpSiJH2RQyaEBOde$ajtG/oxAzD2JS.fRlWjlCvoLwzaVZvS",
        "$bcrypt-sha256$v=2,t=2b,r=4$.ySgyrSpSiJH2RQyaEBOdeX$ajtG/oxAzD2JS.fRlWjlCvoLwzaVZvS",
        "$P$",
        "$P$1B5G6UT3iE2DcvDNW885daqPNqSbIn/",
        "$P$5B5G6UT3iE2DcvDNW885daqPNqSbIn/x",
        "$P$5B5G6UT3iE2DcvDNW885daqPNqSbIn",
        "$P$5B5G6UT3iE2DcvDNW885daqPNqSb!n/",
        "00:00",
        "salt:hash",
        "bcrypt$2b$04$3V.OCfyrWSsH7T/zgCwLuOV9hO66MtRBUu9nf9KvRlxQBoUo1AFla",
        "argon2",
        "argon2$",
        "$pbkdf2-sha256$0$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        "$pbkdf2-sha256$l=32$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        "$pbkdf2-sha256$i=1000,l=31$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        "$pbkdf2-sha256$i=1000,l=x$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        "$pbkdf2-sha256$i=1000,l=0$c2FsdA$",
        "pbkdf2_sha256$1000$salt$",
        "pbkdf2:sha256:1000$salt$",
        "pbkdf2:sha256:1000:1$salt$799a0848e99533e5b6fddc35de5994c2bf22f0a6343bb8003837d658e7dec149",
        "pbkdf2:md5:1000$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "$scrypt$ln=10,r=8,p=1$c2FsdA$",
        "$scrypt$ln=0,r=8,p=1$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        "$scrypt$r=8,p=1$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
        &format!("scrypt:1000:8:1$salt${hash_64}"),
        &format!("scrypt:1024:0:1$salt${hash_64}"),
        &format!("scrypt:1024:8$salt${hash_64}"),
        &format!("scrypt:1024:8:1$salt${hash_64}00"),
        &"$".repeat(100_000),
    ] {
        let verdict = verdict(&usual(), KNOWN_PASSWORD, stored).await;
        assert!(
            matches!(verdict, Verdict::Unusable(_)),
            "{stored}: {verdict:?}"
        );
    }
}

#[tokio::test]
async fn a_hash_that_was_cut_off_anywhere_never_matches() {
    let gate = usual();
    for stored in KNOWN {
        for (end, _) in stored.char_indices() {
            let verdict = verdict(&gate, KNOWN_PASSWORD, &stored[..end]).await;
            let cut_padding = stored[end..].bytes().all(|byte| byte == b'=');
            assert!(
                cut_padding || matches!(verdict, Verdict::NoMatch | Verdict::Unusable(_)),
                "{}: {verdict:?}",
                &stored[..end]
            );
        }
    }
}

#[tokio::test]
async fn under_bcrypt_new_hashes_are_bcrypts_and_match_their_password_alone() {
    let gate = gate_of(HashCost::Bcrypt(BcryptCost::RECOMMENDED));
    let stored = gate.hash(password("correct horse")).await.unwrap();
    assert!(stored.starts_with("$2b$12$"), "{stored}");
    assert_eq!(stored.len(), 60);
    assert_eq!(
        verdict(&gate, "correct horse", &stored).await,
        Verdict::Match
    );
    assert_eq!(
        verdict(&gate, "Correct horse", &stored).await,
        Verdict::NoMatch
    );
}

#[tokio::test]
async fn under_bcrypt_argon2id_is_not_replaced_and_under_argon2id_bcrypt_is() {
    let recommended = HashCost::Argon2id(Argon2Cost::RECOMMENDED);
    let (argon2id, bcrypt) = (gate_of(recommended), gate_of(BCRYPT));
    let of_argon2id = argon2id.hash(password("correct horse")).await.unwrap();
    let of_bcrypt = bcrypt.hash(password("correct horse")).await.unwrap();
    let weaker = gate_of(ARGON2ID)
        .hash(password("correct horse"))
        .await
        .unwrap();
    for (gate, stored, expected) in [
        (&argon2id, &of_argon2id, Verdict::Match),
        (&argon2id, &of_bcrypt, Verdict::MatchButWeak),
        (&bcrypt, &of_argon2id, Verdict::Match),
        (&bcrypt, &weaker, Verdict::MatchButWeak),
        (&bcrypt, &of_bcrypt, Verdict::Match),
    ] {
        assert_eq!(
            verdict(gate, "correct horse", stored).await,
            expected,
            "{stored}"
        );
    }
    let costlier = gate_of(HashCost::Bcrypt(BcryptCost::RECOMMENDED));
    assert_eq!(
        verdict(&costlier, "correct horse", &of_bcrypt).await,
        Verdict::MatchButWeak
    );
}

#[tokio::test]
async fn bcrypt_makes_no_hash_of_what_it_would_cut() {
    let gate = gate_of(BCRYPT);
    for text in ["e".repeat(73), "é".repeat(37), "before\0behind".to_owned()] {
        let refused = gate.hash(password(&text)).await;
        assert!(matches!(refused, Err(HashError::Unsuitable)));
    }
    assert_eq!(gate.calls(), 0);
    let longest = "é".repeat(36);
    let stored = gate.hash(password(&longest)).await.unwrap();
    assert_eq!(verdict(&gate, &longest, &stored).await, Verdict::Match);
}

#[tokio::test]
async fn under_bcrypt_nobodys_password_costs_a_bcrypt_hash() {
    let gate = gate_of(BCRYPT);
    let stored = gate.hash(password("correct horse")).await.unwrap();
    for stored in [Some(stored), None, Some("garbage".to_owned())] {
        let before = gate.calls();
        let verdict = gate.verify(password("wrong"), stored).await.unwrap();
        assert!(matches!(verdict, Verdict::NoMatch | Verdict::Unusable(_)));
        assert_eq!(gate.calls(), before + 1);
    }
    assert!(gate.gate.idle_memory.lock().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_like_a_hash_panics_matches_or_takes_long(
        text in prop_oneof![
            "\\$2[abxy]\\$0[0-9]\\$[./A-Za-z0-9]{50,55}",
            "(bcrypt|bcrypt_sha256)\\$\\$2[abxy]\\$0[0-9]\\$[./A-Za-z0-9]{53}",
            "scrypt(:[0-9]{0,11}){0,4}\\$[a-z]{0,9}\\$([0-9a-f]{128}|[0-9a-f]{0,130})",
            "scrypt\\$[0-9]{0,11}\\$[a-z]{0,9}\\$[0-9]{1,2}\\$[0-9]{1,2}\\$[A-Za-z0-9+/]{86}==",
            "\\$scrypt\\$(ln=[0-9]{1,2},r=[0-9]{1,2},p=[0-9]{1,2}|.{0,20})\\$[A-Za-z0-9+/]{0,22}\\$[A-Za-z0-9+/]{43}",
            "pbkdf2:sha(1|256|512):[0-9]{0,11}\\$[a-z]{0,9}\\$([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})",
            "\\$bcrypt-sha256\\$(v=2,t=)?2[ab],(r=)?[4-9]\\$[./A-Za-z0-9]{22}\\$[./A-Za-z0-9]{31}",
            "\\$wp\\$2y\\$0[0-9]\\$[./A-Za-z0-9]{53}",
            "\\$[PH]\\$[5-9./][./0-9A-Za-z]{28,31}",
            "[0-9a-f]{0,32}:[0-9a-f]{126,128}",
            "\\$firebase-scrypt\\$ln=[0-9]{1,2},r=[0-9]{1,2},p=1\\$[A-Za-z0-9+/]{0,22}\\$[A-Za-z0-9+/]{85}A",
            "pbkdf2_sha(1|256)\\$[0-9]{0,11}\\$.{0,9}\\$[A-Za-z0-9+/]{43}=",
            "\\$pbkdf2(-sha1|-sha256|-sha512)?\\$(i=)?[0-9]{0,11}(,l=[0-9]{1,3})?\\$[A-Za-z0-9+./]{0,22}\\$[A-Za-z0-9+./]{20,90}",
        ]
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let gate = gate(1, 1);
        let verdict = runtime.block_on(gate.verify(password("correct horse"), Some(text)));
        prop_assert!(matches!(verdict, Ok(Verdict::NoMatch | Verdict::Unusable(_))));
        prop_assert_eq!(gate.calls(), 1);
    }

    #[test]
    fn a_known_hash_with_one_digit_changed_never_matches(
        stored in prop::sample::select(KNOWN),
        at in any::<prop::sample::Index>(),
        with in "[A-Za-z0-9]",
    ) {
        // The digits behind the salt, but for the last ones, whose last bits count for nothing.
        let hash_digits = if stored.contains("$2") { 31 } else { stored.len() - stored.rfind('$').unwrap() - 1 };
        let at = stored.len() - hash_digits + at.index(hash_digits - 3);
        prop_assume!(stored[at..=at] != with);
        let mut changed = stored.to_owned();
        changed.replace_range(at..=at, &with);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let verdict = runtime.block_on(usual().verify(password(KNOWN_PASSWORD), Some(changed)));
        prop_assert!(matches!(verdict, Ok(Verdict::NoMatch | Verdict::Unusable(_))));
    }
}
