//! What an app behind us is told of who asks: the four `Remote-*` headers made of a user, and the removal of whatever
//! a client sent under such names. Who the user is, and whether they may, is decided before.

use accounts::User;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::path::encode;
use crate::config::{self, RemoteUser};

/// The names, in the order of [`Identity::headers`]. Apps trust them, so a client must never have its own accepted.
pub const IDENTITY_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("remote-email"),
    HeaderName::from_static("remote-name"),
    HeaderName::from_static("remote-groups"),
];

/// What an app is told of a user.
pub struct Identity([HeaderValue; 4]);

impl Identity {
    /// What `settings` let be told of `user`. An address that nobody has vouched for is anybody's to claim, so it is
    /// told neither as the address nor as the name that the app knows its user by.
    pub fn of(user: &User, settings: &config::Site) -> Self {
        let is_vouched_for = user.email_verified || settings.unverified_email;
        let email = is_vouched_for.then_some(user.email.as_str());
        let id = user.id.to_string();
        let known_as = match settings.remote_user {
            RemoteUser::Id => Some(id.as_str()),
            RemoteUser::Username => user.username.as_deref(),
            RemoteUser::Email => email,
        };
        let groups: Vec<&str> = user.roles.iter().map(String::as_str).collect();
        let name = user.name.as_deref().map(encode);
        Self([
            value(known_as.unwrap_or_default()),
            value(email.unwrap_or_default()),
            value(name.as_deref().unwrap_or_default()),
            value(&groups.join(",")),
        ])
    }

    /// The headers, always all four: one that is missing could be taken from elsewhere. What is unknown is empty.
    pub fn headers(self) -> [(HeaderName, HeaderValue); 4] {
        let mut values = self.0.into_iter();
        IDENTITY_HEADERS.map(|name| (name, values.next().unwrap_or(HeaderValue::from_static(""))))
    }
}

/// Takes away what a client says that it is: every header whose name begins with `Remote-`, in any case and with `_`
/// in the place of `-`, which CGI and its heirs read as the same; and the mention of such a name in `Connection`, by
/// which a proxy further on would take away ours (RFC 9110, section 7.6.1).
pub fn strip_identity(headers: &mut HeaderMap) {
    let claimed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_identity(name.as_str()))
        .cloned()
        .collect();
    for name in claimed {
        headers.remove(name);
    }
    let options: Vec<&[u8]> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    let is_named = |option: &&[u8]| is_identity(&String::from_utf8_lossy(option));
    if !options.iter().any(is_named) {
        return;
    }
    let kept: Vec<&[u8]> = options
        .into_iter()
        .filter(|option| !is_named(option))
        .collect();
    match HeaderValue::from_bytes(&kept.join(&b", "[..])) {
        Ok(kept) if !kept.is_empty() => {
            headers.insert(header::CONNECTION, kept);
        }
        Ok(_) | Err(_) => {
            headers.remove(header::CONNECTION);
        }
    }
}

/// Whether an app may take a header of this name for ours.
fn is_identity(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name.starts_with("remote-")
}

/// Letters beyond ASCII, which only an address may have, go as UTF-8. What no header may hold becomes empty.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use accounts::Timestamp;

    use super::*;
    use crate::site::Rules;

    fn user() -> User {
        User {
            id: uuid::Uuid::from_u128(7),
            email: "ada@example.org".to_owned(),
            username: Some("countess".to_owned()),
            name: Some("Ada Löve, \"lace\"".to_owned()),
            roles: ["staff", "admin"].map(str::to_owned).into(),
            email_verified: true,
            disabled_at: None,
            deleted_at: None,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
        }
    }

    fn told(user: &User, remote_user: RemoteUser, unverified_email: bool) -> Vec<String> {
        let settings = config::Site {
            dir: None,
            upstream: None,
            upstream_timeout: Duration::ZERO,
            rules: Rules::default(),
            remote_user,
            unverified_email,
        };
        let headers = Identity::of(user, &settings).headers();
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect()
    }

    #[test]
    fn a_user_is_told_by_id_address_name_and_roles() {
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(
            told(&user(), RemoteUser::Id, false),
            [
                &format!("remote-user: {id}"),
                "remote-email: ada@example.org",
                "remote-name: Ada%20L%C3%B6ve%2C%20%22lace%22",
                "remote-groups: admin,staff",
            ]
        );
    }

    #[test]
    fn the_operator_chooses_by_what_an_app_knows_its_users() {
        assert_eq!(
            told(&user(), RemoteUser::Username, false)[0],
            "remote-user: countess"
        );
        assert_eq!(
            told(&user(), RemoteUser::Email, false)[0],
            "remote-user: ada@example.org"
        );
    }

    #[test]
    fn an_address_that_nobody_vouched_for_is_told_in_no_header_unless_the_operator_wants_it() {
        let claimed = User {
            email_verified: false,
            ..user()
        };
        let lines = told(&claimed, RemoteUser::Email, false);
        assert_eq!(lines[..2], ["remote-user: ", "remote-email: "]);
        let lines = told(&claimed, RemoteUser::Email, true);
        assert_eq!(
            lines[..2],
            [
                "remote-user: ada@example.org",
                "remote-email: ada@example.org"
            ]
        );
    }

    #[test]
    fn what_is_unknown_is_an_empty_header() {
        let bare = User {
            username: None,
            name: None,
            roles: [].into(),
            email_verified: false,
            ..user()
        };
        let empty = [
            "remote-user: ",
            "remote-email: ",
            "remote-name: ",
            "remote-groups: ",
        ];
        assert_eq!(told(&bare, RemoteUser::Username, false), empty);
    }

    #[test]
    fn an_address_beyond_ascii_goes_as_utf_8() {
        let user = User {
            email: "jürgen@example.org".to_owned(),
            ..user()
        };
        assert_eq!(
            told(&user, RemoteUser::Id, false)[1],
            "remote-email: jürgen@example.org"
        );
    }

    fn stripped(sent: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        strip_identity(&mut headers);
        let mut left: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
            .collect();
        left.sort();
        left
    }

    #[test]
    fn a_client_cannot_say_who_it_is_in_any_spelling() {
        let claims = [
            ("Remote-User", "root"),
            ("REMOTE-USER", "root"),
            ("remote_user", "root"),
            ("Remote_Email", "root@example.org"),
            ("remote-name", "Root"),
            ("Remote-Groups", "admin"),
            ("Remote_groups", "admin"),
            ("Remote-User-Id", "0"),
            ("X-Remote", "kept"),
            ("Accept", "*/*"),
        ];
        assert_eq!(stripped(&claims), ["accept: */*", "x-remote: kept"]);
    }

    #[test]
    fn a_client_cannot_have_our_headers_taken_away_further_on() {
        assert_eq!(
            stripped(&[
                ("Connection", "Upgrade, Remote-User"),
                ("Connection", "remote_groups,x-kept")
            ]),
            ["connection: Upgrade, x-kept"]
        );
        assert!(stripped(&[("Connection", "REMOTE-EMAIL")]).is_empty());
        assert_eq!(
            stripped(&[("Connection", "keep-alive")]),
            ["connection: keep-alive"]
        );
    }
}
