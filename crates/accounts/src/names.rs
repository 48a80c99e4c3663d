//! What people and roles may be called, and when two spellings name the same account. Whether a name is taken
//! is decided by the store; passwords are in `password`.

use std::{borrow::Cow, fmt};

use aws_lc_rs::digest;
use icu_normalizer::ComposingNormalizerBorrowed;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use store::LoginKey;

/// Why a value was not accepted, in the words of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, for programs: `too_long`.
    pub code: &'static str,
    /// For people: whole sentences that say what to do.
    pub message: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// An e-mail address that mail could reach.
///
/// Accepted are a dot-atom, also with letters beyond ASCII (RFC 5321, section 4.1.2; RFC 6531, section 3.3), and
/// a domain name of two labels or more; neither quoted local parts nor address literals, which nobody has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email {
    stored: String,
    key: String,
}

impl Email {
    /// Octets of a whole address: a path of RFC 5321, section 4.5.3.1.3, without its angle brackets.
    const MAX_BYTES: usize = 254;
    /// RFC 5321, section 4.5.3.1.1.
    const MAX_LOCAL_PART_BYTES: usize = 64;

    /// Reads an address as typed, with space around it.
    ///
    /// # Errors
    /// `invalid_email`, `too_long` (over 254 bytes) or `control_character`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        refuse_controls(text)?;
        // Checked on what was typed too, so that nothing long reaches the IDNA mapping.
        refuse_above(Self::MAX_BYTES, text.len(), "an e-mail address", "bytes")?;
        let (local_part, domain) = text.split_once('@').ok_or_else(invalid_email)?;
        if !is_local_part(local_part) {
            return Err(invalid_email());
        }
        let stored = format!("{local_part}@{}", a_label(domain)?);
        refuse_above(Self::MAX_BYTES, stored.len(), "an e-mail address", "bytes")?;
        let key = canonical(&stored);
        Ok(Self { stored, key })
    }

    /// The address to show and to write to: the local part as typed, the domain in lower case as A-labels.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.stored
    }

    /// The same for all spellings of one address; to look up and to keep unique by, never to write to.
    #[must_use]
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What stands before the `@`.
    #[must_use]
    pub(crate) fn local_part(&self) -> &str {
        self.stored.split_once('@').map_or("", |(local, _)| local)
    }
}

/// Keeps addresses out of logs.
impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Email(…)")
    }
}

/// The short name that an account may have beside its e-mail address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Username {
    stored: String,
    key: String,
}

impl Username {
    /// Reads `[A-Za-z0-9][A-Za-z0-9._-]{2,31}`, exactly as given.
    ///
    /// # Errors
    /// `invalid_username`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let valid = (3..=32).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'));
        if !valid {
            return Err(Refusal::new(
                "invalid_username",
                "A username has 3 to 32 characters: letters A to Z, digits, dots, dashes and underscores, \
                 beginning with a letter or a digit.",
            ));
        }
        Ok(Self {
            stored: text.to_owned(),
            key: text.to_ascii_lowercase(),
        })
    }

    /// The name as its owner writes it.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.stored
    }

    /// The same for all spellings of one name; to look up and to keep unique by.
    #[must_use]
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

/// Keeps names out of logs.
impl fmt::Debug for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Username(…)")
    }
}

/// What somebody is called in the pages: free text on one line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct DisplayName(String);

impl DisplayName {
    const MAX_CHARACTERS: usize = 100;

    /// Reads 1 to 100 characters; space around them is taken off.
    ///
    /// # Errors
    /// `blank`, `too_long` or `control_character`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let when_blank = "A name needs at least one character. Leave the field out to have none.";
        line(text, Self::MAX_CHARACTERS, "a name", when_blank).map(Self)
    }

    /// The name.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keeps names out of logs.
impl fmt::Debug for DisplayName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DisplayName(…)")
    }
}

/// A role: a word of `[a-z0-9_-]{1,32}`, so that a list of them can be joined with commas in a header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(String);

impl Role {
    /// Reads a role, exactly as given.
    ///
    /// # Errors
    /// `invalid_role`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let valid = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !valid {
            return Err(Refusal::new(
                "invalid_role",
                "A role has 1 to 32 characters: letters a to z, digits, dashes and underscores.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The role.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was typed at login: an e-mail address, a username, or anything else, which is no account's name.
///
/// There is no error: a hopeless text goes the way of an unknown name, look-up and hash included, so that its
/// answer and its time are the same.
#[derive(Clone)]
pub(crate) struct Login(LoginKey);

impl Login {
    /// Reads what was typed; space around it is ignored, as a telephone's keyboard likes to add some.
    #[must_use]
    pub(crate) fn new(typed: &str) -> Self {
        let typed = typed.trim();
        let nobody = |_| key_of_nobody(typed);
        // No username holds an `@`, and every address does.
        Self(if typed.contains('@') {
            LoginKey::Email(Email::parse(typed).map_or_else(nobody, |email| email.key))
        } else {
            LoginKey::Username(Username::parse(typed).map_or_else(nobody, |name| name.key))
        })
    }

    /// Where to look, and what for.
    #[must_use]
    pub(crate) fn lookup(&self) -> LoginKey {
        self.0.clone()
    }

    /// What to look for: at most 254 bytes without control characters, whatever was typed. It also is the name
    /// under which failures for an unknown account are counted.
    #[must_use]
    pub(crate) fn key(&self) -> &str {
        match &self.0 {
            LoginKey::Email(key) | LoginKey::Username(key) => key,
        }
    }
}

/// Keeps what was typed out of logs: it may be a password in the wrong field.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login(…)")
    }
}

/// Whether a character steers what shows it instead of being shown: C0 and C1 controls, which forge lines of logs
/// and headers, and the bidirectional controls U+202A-202E and U+2066-2069, which show one name and store another.
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Reads a line of 1 to `longest` characters, of which space around it is no part.
///
/// # Errors
/// `blank`, which says `when_blank`; `too_long` or `control_character`.
pub(crate) fn line(
    text: &str,
    longest: usize,
    what: &str,
    when_blank: &'static str,
) -> Result<String, Refusal> {
    let text = text.trim();
    refuse_controls(text)?;
    if text.is_empty() {
        return Err(Refusal::new("blank", when_blank));
    }
    refuse_above(longest, text.chars().count(), what, "characters")?;
    Ok(text.to_owned())
}

/// Refuses what must not stand in a text of one line.
pub(crate) fn refuse_controls(text: &str) -> Result<(), Refusal> {
    if text.contains(is_steering) {
        return Err(Refusal::new(
            "control_character",
            "This field takes a single line of text without control characters. Remove them and try again.",
        ));
    }
    Ok(())
}

/// Refuses a text that is longer than `what` may be.
pub(crate) fn refuse_above(
    maximum: usize,
    actual: usize,
    what: &str,
    unit: &str,
) -> Result<(), Refusal> {
    if actual <= maximum {
        return Ok(());
    }
    Err(Refusal::new(
        "too_long",
        format!("The longest {what} may be is {maximum} {unit}; this has {actual}."),
    ))
}

fn invalid_email() -> Refusal {
    Refusal::new(
        "invalid_email",
        "Enter an e-mail address such as ada@example.org.",
    )
}

/// A dot-atom of RFC 5321, section 4.1.2, in which RFC 6531 allows what is not ASCII.
fn is_local_part(text: &str) -> bool {
    text.len() <= Email::MAX_LOCAL_PART_BYTES
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char);
    }
    // What cannot be seen could only serve to imitate another's address.
    let invisible = matches!(char, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}'
        | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202F}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    !(char.is_control() || char.is_whitespace() || invisible)
}

/// The domain in lower case with every label as its A-label (UTS 46, not transitional, with the checks of a
/// registry: letters, digits and hyphens, lengths of DNS).
fn a_label(domain: &str) -> Result<String, Refusal> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| invalid_email())?;
    // A lone label is a typing error more often than a host; a last label of digits is an address, not a name.
    let last = ascii.rsplit_once('.').map(|(_, last)| last);
    if last.is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(invalid_email());
    }
    Ok(ascii.into_owned())
}

/// One spelling for all that differ in case or in how their accents are encoded, and for no others: `ádmin` is
/// not `admin`. Done here and not by an engine's collation, so that all engines agree.
///
/// Character by character, unlike `str::to_lowercase`, whose rule for the Greek final sigma looks at the
/// neighbours: ΟΔΟΣ and οδος are to be one. Case folding proper would also make `ß` and `ss` one, which mail
/// servers keep apart.
pub(crate) fn canonical(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let normalizer = ComposingNormalizerBorrowed::new_nfc();
    let lower: String = normalizer
        .normalize(text)
        .chars()
        .flat_map(char::to_lowercase)
        .map(|char| if char == 'ς' { 'σ' } else { char })
        .collect();
    normalizer.normalize(&lower).into_owned()
}

/// A key that no account has, as none begins with a space; a digest, so that its length is bounded and it
/// holds nothing that a database refuses to compare.
fn key_of_nobody(typed: &str) -> String {
    let digest = digest::digest(&digest::SHA256, typed.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::from(" "), |key, byte| format!("{key}{byte:02x}"))
}

#[cfg(test)]
mod tests;
