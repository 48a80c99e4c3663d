//! The site gate for an app: what a path needs before the app gets it, and how it is spelt there. Who the caller is is
//! left to the HTTP layer, and the way to the app to `upstream.rs`.

use super::path::SitePath;
use super::rules::{Access, Rules};

/// The rules on who may ask an app for what.
#[derive(Debug)]
pub struct AppSite {
    rules: Rules,
    /// The same for paths in small letters.
    folded: Rules,
}

/// A path that an app may be asked for, and by whom.
#[derive(Debug, PartialEq, Eq)]
pub struct AppPath {
    /// The path as it is sent to the app, percent-encoded: the very one that was judged.
    pub encoded: String,
    /// What the caller needs.
    pub access: Access,
}

impl AppSite {
    /// The gate with these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let folded = rules.in_lower_case();
        Self { rules, folded }
    }

    /// Judges the path of a request as it was sent, without its query. None where an app and we could read it in two
    /// ways, or where it is the server's own.
    ///
    /// There are apps that take `/Members` for `/members`, so a path is judged as if the size of letters made no
    /// difference, too; the stricter demand counts.
    #[must_use]
    pub fn judge(&self, raw_path: &str) -> Option<AppPath> {
        let path = SitePath::parse_for_app(raw_path).ok()?;
        if super::is_reserved(&path) {
            return None;
        }
        let folded = self.folded.access(&path.in_lower_case());
        Some(AppPath {
            access: self.rules.access(&path).stricter(folded),
            encoded: path.encoded_for_app(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Pattern, Rule};

    fn site() -> AppSite {
        let rule = |path, access| Rule {
            pattern: Pattern::parse(path).unwrap(),
            access,
        };
        AppSite::new(Rules::new(vec![
            rule("/members/Open/**", Access::Public),
            rule("/members/**", Access::SignedIn),
        ]))
    }

    fn access(raw_path: &str) -> Option<Access> {
        site().judge(raw_path).map(|judged| judged.access)
    }

    #[test]
    fn a_path_is_protected_however_its_letters_are_written() {
        for path in ["/members", "/members/", "/MEMBERS/a", "/%4dembers/a"] {
            assert_eq!(access(path), Some(Access::SignedIn), "{path}");
        }
        assert_eq!(access("/members/Open/a"), Some(Access::Public));
        assert_eq!(access("/members/open/a"), Some(Access::SignedIn));
        assert_eq!(access("/elsewhere"), Some(Access::Public));
    }

    #[test]
    fn the_app_gets_the_path_that_was_judged() {
        for (sent, got) in [
            ("/", "/"),
            ("/%6dembers/%20a", "/members/%20a"),
            ("/@vite/a:b!c", "/@vite/a:b!c"),
            ("/%40vite/a%3Ab%21c", "/@vite/a:b!c"),
            ("/l%C3%B6ve", "/l%C3%B6ve"),
            ("/%3F%23", "/%3F%23"),
        ] {
            let encoded = site().judge(sent).map(|judged| judged.encoded);
            assert_eq!(encoded.as_deref(), Some(got), "{sent}");
        }
        let long = format!("/reset/{}", "a".repeat(300));
        assert_eq!(site().judge(&long).map(|judged| judged.encoded), Some(long));
    }

    #[test]
    fn what_could_be_read_in_two_ways_or_is_ours_goes_to_no_app() {
        for path in [
            "*",
            "//members",
            "/a//b",
            "/a/../members",
            "/a/%2e%2e/members",
            "/%2fmembers",
            "/members%2fa",
            "/members%5ca",
            "/members;a",
            "/%256dembers",
            "/%00",
            "/api/auth/me",
            "/%61pi/auth/me",
            "/login",
            "/login/",
            "/livez",
        ] {
            assert_eq!(access(path), None, "{path}");
        }
    }
}
