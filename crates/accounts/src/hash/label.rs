//! What kind of hash a stored text is, in words for a report. It repeats nothing that could be a password.

/// Prefixes that say which program made a hash, the longer ones before those that they begin with.
const PREFIXES: &[(&str, &str)] = &[
    ("$argon2", "argon2"),
    ("argon2$", "argon2 (Django)"),
    ("$2", "bcrypt"),
    ("bcrypt_sha256$", "bcrypt_sha256 (Django)"),
    ("bcrypt$", "bcrypt (Django)"),
    ("$bcrypt-sha256$", "bcrypt-sha256 (passlib)"),
    ("$wp$", "bcrypt (WordPress)"),
    ("$P$", "phpass"),
    ("$H$", "phpass"),
    ("$pbkdf2", "pbkdf2 (passlib, PHC)"),
    ("pbkdf2_", "pbkdf2 (Django)"),
    ("pbkdf2", "pbkdf2 (Werkzeug)"),
    ("$firebase-scrypt$", "scrypt (Firebase)"),
    ("$scrypt$", "scrypt (passlib, PHC)"),
    ("scrypt$", "scrypt (Django, Werkzeug)"),
    ("scrypt:", "scrypt (Werkzeug)"),
    ("md5$", "MD5 (Django)"),
    ("unsalted_md5$", "MD5 (Django)"),
    ("sha1$", "SHA-1 (Django)"),
    ("$1$", "md5crypt"),
    ("$apr1$", "md5crypt (Apache)"),
    ("$5$", "sha256crypt"),
    ("$6$", "sha512crypt"),
    ("$7$", "scrypt (crypt)"),
    ("$y$", "yescrypt"),
    ("$S$", "phpass (Drupal)"),
    ("{", "a scheme of LDAP"),
];

/// Lengths of hexadecimal digests, which are hashes without salt or with one that stands elsewhere.
const DIGESTS: &[(usize, &str)] = &[
    (32, "bare MD5"),
    (40, "bare SHA-1"),
    (64, "bare SHA-256"),
    (128, "bare SHA-512"),
];

/// The kind of a stored hash, whether it can be checked here or not.
pub(crate) fn label(stored: &str) -> &'static str {
    let by_prefix = PREFIXES
        .iter()
        .find(|(prefix, _)| stored.starts_with(prefix));
    if let Some((_, label)) = by_prefix {
        return label;
    }
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((salt, hash)) = stored.split_once(':') {
        return match is_hex(salt) && is_hex(hash) && hash.len() == 128 {
            true => "scrypt (Better Auth)",
            false => "unknown, or no hash at all",
        };
    }
    let digest = DIGESTS.iter().find(|(length, _)| stored.len() == *length);
    match digest.filter(|_| is_hex(stored)) {
        Some((_, label)) => label,
        None => "unknown, or no hash at all",
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_kind_is_told_by_how_a_hash_begins_and_nothing_of_it_is_repeated() {
        for (stored, expected) in [
            ("$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA", "argon2"),
            ("$2y$10$abc", "bcrypt"),
            ("$wp$2y$10$abc", "bcrypt (WordPress)"),
            ("bcrypt_sha256$$2b$12$abc", "bcrypt_sha256 (Django)"),
            ("pbkdf2_sha256$1$a$b", "pbkdf2 (Django)"),
            ("pbkdf2:sha256:1$a$b", "pbkdf2 (Werkzeug)"),
            ("scrypt:32768:8:1$a$b", "scrypt (Werkzeug)"),
            ("$6$salt$hash", "sha512crypt"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "bare MD5"),
            ("{SSHA}abc", "a scheme of LDAP"),
            ("hunter2", "unknown, or no hash at all"),
            ("my:password", "unknown, or no hash at all"),
            ("", "unknown, or no hash at all"),
        ] {
            assert_eq!(label(stored), expected, "{stored}");
        }
        let better_auth = format!("{}:{}", "0a".repeat(16), "0b".repeat(64));
        assert_eq!(label(&better_auth), "scrypt (Better Auth)");
    }
}
