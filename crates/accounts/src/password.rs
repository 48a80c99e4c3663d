//! Which passwords may be set, and the type that keeps one from being shown. Hashing is in `hash`.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::names::{Email, Refusal, Username};

/// A password exactly as received; wiped when dropped, and without `Debug`.
#[derive(Clone)]
pub(crate) struct Password(SecretString);

/// What is asked of a new password beyond the fixed rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Characters that a new password has at least.
    pub min_length: usize,
    /// Bytes that a new password has at most, where the hash would cut a longer one.
    pub max_bytes: Option<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            min_length: 8,
            max_bytes: None,
        }
    }
}

impl Password {
    /// Characters of the longest password: more would only be work for the hash.
    pub(crate) const MAX_LENGTH: usize = 256;

    /// A password to compare with a stored one. Of all the rules only the maximum holds, so that an old password
    /// goes on working when rules change.
    ///
    /// # Errors
    /// `too_long`.
    pub(crate) fn for_login(password: SecretString) -> Result<Self, Refusal> {
        let password = Self(password);
        let length = password.length();
        if length > Self::MAX_LENGTH {
            return Err(Refusal::new(
                "too_long",
                format!(
                    "A password has at most {} characters; this has {length}.",
                    Self::MAX_LENGTH
                ),
            ));
        }
        Ok(password)
    }

    /// A password to be stored for the account of these names, as far as they are known. No composition rules:
    /// length and not being guessed first are what helps (NIST SP 800-63B, section 3.1.1.2).
    ///
    /// # Errors
    /// `too_long`, `too_short`, `nul_character`, `password_is_name` (the account's or the product's) or
    /// `common_password`.
    pub(crate) fn for_setting(
        password: SecretString,
        rules: &Rules,
        email: Option<&Email>,
        username: Option<&Username>,
    ) -> Result<Self, Refusal> {
        let password = Self::for_login(password)?;
        let bytes = password.expose().len();
        if let Some(max) = rules.max_bytes.filter(|max| bytes > *max) {
            return Err(Refusal::new(
                "too_long",
                format!(
                    "A password has at most {max} bytes here, where most letters are one byte and others two to \
                     four; this has {bytes}."
                ),
            ));
        }
        if password.length() < rules.min_length {
            return Err(Refusal::new(
                "too_short",
                format!(
                    "Use at least {} characters; a few words in a row are easy to remember.",
                    rules.min_length
                ),
            ));
        }
        if password.expose().contains('\0') {
            return Err(Refusal::new(
                "nul_character",
                "A password cannot hold the NUL character. Choose another.",
            ));
        }
        let folded = Zeroizing::new(password.expose().to_lowercase());
        refuse_names(&folded, email, username)?;
        if is_common(&folded) {
            return Err(Refusal::new(
                "common_password",
                "This password is among the most used and would be guessed first. Choose another.",
            ));
        }
        Ok(password)
    }

    /// The password itself, for the hash alone.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn length(&self) -> usize {
        self.expose().chars().count()
    }
}

fn refuse_names(
    folded: &str,
    email: Option<&Email>,
    username: Option<&Username>,
) -> Result<(), Refusal> {
    let is = |name: &str| folded == name.to_lowercase();
    let message = if email.is_some_and(|email| is(email.as_str()) || is(email.key())) {
        "This password is your e-mail address. Choose another."
    } else if email.is_some_and(|email| is(email.local_part())) {
        "This password is the first part of your e-mail address. Choose another."
    } else if username.is_some_and(|username| is(username.as_str())) {
        "This password is your username. Choose another."
    } else if folded == "vestibule" {
        "This password is the name of this program. Choose another."
    } else {
        return Ok(());
    };
    Err(Refusal::new("password_is_name", message))
}

/// About 20,000 lines in lower case, sorted by their bytes; for its origin see LICENSE-common-passwords.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

/// Binary search over the text itself, so that nothing has to be built at start.
fn is_common(folded: &str) -> bool {
    let mut rest = COMMON_PASSWORDS;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let middle = bytes.len() / 2;
        let is_newline = |byte: &u8| *byte == b'\n';
        let start = bytes[..middle]
            .iter()
            .rposition(is_newline)
            .map_or(0, |at| at + 1);
        let end = bytes[middle..]
            .iter()
            .position(is_newline)
            .map_or(bytes.len(), |at| middle + at);
        match folded.cmp(&rest[start..end]) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = &rest[..start],
            std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(password: &str) -> Option<&'static str> {
        let email = Email::parse("Johnathan.Doe@Example.org").unwrap();
        let username = Username::parse("John-The-Doe").unwrap();
        Password::for_setting(
            password.into(),
            &Rules::default(),
            Some(&email),
            Some(&username),
        )
        .err()
        .map(|refusal| refusal.code)
    }

    #[test]
    fn any_long_enough_text_nobody_would_guess_first_is_accepted() {
        for password in [
            "correct horse battery",
            "zufällig1",
            "ééééüüüü",
            "  spaces  ",
            "tab\tand\nline",
            "🔑🗝🔒🔓🔏🔐🚪🏠",
        ] {
            assert_eq!(refusal(password), None, "{password:?}");
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(refusal("éééüüüö"), Some("too_short"));
        assert_eq!(refusal(&"é".repeat(256)), None);
        assert_eq!(refusal(&"é".repeat(257)), Some("too_long"));
    }

    #[test]
    fn nul_is_the_only_character_refused() {
        assert_eq!(refusal("long enough\0"), Some("nul_character"));
        assert_eq!(refusal("long enough\u{1}\u{202E}"), None);
    }

    #[test]
    fn the_accounts_own_names_and_the_products_are_refused_in_any_case() {
        for password in [
            "johnathan.doe@example.org",
            "JOHNATHAN.DOE",
            "john-the-DOE",
            "Vestibule",
        ] {
            assert_eq!(refusal(password), Some("password_is_name"), "{password}");
        }
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        for password in [
            "password1",
            "PassWord1",
            "1q2w3e4r5t",
            "Qwertyuiop",
            "12345678",
            "iloveyou",
        ] {
            assert_eq!(refusal(password), Some("common_password"), "{password}");
        }
    }

    #[test]
    fn the_minimum_is_the_operators_choice() {
        let email = Email::parse("ada@example.org").unwrap();
        let set = |password: &str, min_length| {
            let rules = Rules {
                min_length,
                ..Rules::default()
            };
            Password::for_setting(password.into(), &rules, Some(&email), None).is_ok()
        };
        assert!(set("bX7qPw", 6));
        assert!(!set("elevenchars", 12));
    }

    #[test]
    fn bytes_are_counted_where_the_hash_would_cut() {
        let email = Email::parse("ada@example.org").unwrap();
        let rules = Rules {
            max_bytes: Some(72),
            ..Rules::default()
        };
        let set = |password: String| {
            Password::for_setting(password.into(), &rules, Some(&email), None)
                .err()
                .map(|refusal| refusal.code)
        };
        assert_eq!(set("e".repeat(72)), None);
        assert_eq!(set("e".repeat(73)), Some("too_long"));
        assert_eq!(set("é".repeat(36)), None);
        assert_eq!(set("é".repeat(37)), Some("too_long"));
        assert_eq!(set("é".repeat(257)), Some("too_long"));
    }

    #[test]
    fn at_login_only_the_maximum_holds() {
        for password in ["", "short", "password", "nul\0"] {
            let read = Password::for_login(password.into());
            assert_eq!(
                read.ok().map(|read| read.expose().to_owned()).as_deref(),
                Some(password)
            );
        }
        assert!(Password::for_login("é".repeat(256).into()).is_ok());
        let refusal = Password::for_login("e".repeat(257).into())
            .err()
            .expect("it is too long");
        assert_eq!(refusal.code, "too_long");
    }

    #[test]
    fn the_list_is_long_in_lower_case_and_in_order() {
        let lines: Vec<&str> = COMMON_PASSWORDS.lines().collect();
        assert!(lines.len() >= 10_000);
        assert!(lines.is_sorted_by(|one, next| one < next));
        assert!(
            lines
                .iter()
                .all(|line| !line.is_empty() && *line == line.to_lowercase())
        );
    }

    #[test]
    fn every_line_of_the_list_is_found_and_its_neighbours_are_not() {
        for line in COMMON_PASSWORDS.lines() {
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}\n")));
        }
        assert!(!is_common(""));
        assert!(!is_common("\u{10FFFF}"));
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_reading_every_line(text in "[a-z0-9]{1,6}") {
            prop_assert_eq!(is_common(&text), COMMON_PASSWORDS.lines().any(|line| line == text));
        }
    }
}
