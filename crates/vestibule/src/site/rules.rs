//! What a path of the site needs: patterns, their order, and which of two demands is the stricter. Who the caller is,
//! and what a refused one is told, is left to the HTTP layer.

use super::path::{INDEX, SitePath};

/// What a visitor needs for a path, from the least to the most strict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody may have it.
    Public,
    /// A session is needed, of whatever user.
    SignedIn,
    /// A session of a user who has any one of these roles; with none listed, nobody may have it.
    Roles(Vec<String>),
}

/// One line of `site.rules` or `site.protect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The paths it is about.
    pub pattern: Pattern,
    /// What they need.
    pub access: Access,
}

/// The rules of a site in the order in which they are read; the first that matches decides, and a path that none
/// matches is public.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

/// A path with wildcards, written decoded: `/members/**` is the folder and everything below it, `*` is anything within
/// one segment, `/news` is that page alone. An index page has one name in all of its spellings: `/news`, `/news/` and
/// `/news/index.html` are the same pattern and the same page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    written: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of segments, none included.
    Any,
    /// One segment, in which `*` is any text.
    One(String),
}

impl Access {
    /// The stricter of two demands on the same file; of two lists of roles, only those in both are enough.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Roles(ours), Self::Roles(theirs)) => Self::Roles(
                ours.into_iter()
                    .filter(|role| theirs.contains(role))
                    .collect(),
            ),
            (roles @ Self::Roles(_), _) | (_, roles @ Self::Roles(_)) => roles,
            (Self::Public, Self::Public) => Self::Public,
            (Self::SignedIn, _) | (_, Self::SignedIn) => Self::SignedIn,
        }
    }
}

impl Rule {
    fn in_lower_case(&self) -> Self {
        Self {
            pattern: self.pattern.in_lower_case(),
            access: self.access.clone(),
        }
    }
}

impl Rules {
    /// Takes the rules in the order in which they decide: those of `site.rules` before those of `site.protect`.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// What asking for this path needs, whether or not there is such a file: so the answer tells a stranger nothing.
    /// A folder is judged together with its index page, and a compressed copy together with the file of which it is a
    /// copy, so that no second spelling is a way around a rule.
    pub fn access(&self, path: &SitePath) -> Access {
        let page = path.page();
        let names = std::iter::successors(Some(page.as_str()), |copy| {
            copy.strip_suffix(".br").or(copy.strip_suffix(".gz"))
        });
        names.fold(Access::Public, |access, name| {
            access.stricter(self.page_access(name))
        })
    }

    /// The same rules for paths in small letters.
    #[must_use]
    pub(super) fn in_lower_case(&self) -> Self {
        Self(self.0.iter().map(Rule::in_lower_case).collect())
    }

    /// What is protected, for people: the patterns, or `nothing`.
    pub fn describe(&self) -> String {
        let protecting = self.0.iter().filter(|rule| rule.access != Access::Public);
        let patterns: Vec<&str> = protecting.map(|rule| rule.pattern.as_str()).collect();
        if patterns.is_empty() {
            "nothing".to_owned()
        } else {
            patterns.join(", ")
        }
    }

    /// Where a login leads: the folders and pages that every user may enter. Places for some roles alone are not told
    /// to everybody.
    pub fn areas(&self) -> Vec<String> {
        let entered = self.0.iter().filter(|rule| rule.access == Access::SignedIn);
        entered
            .filter_map(|rule| rule.pattern.entrance())
            // A rule further up may have closed the entrance to some, or opened it to everybody.
            .filter(|entrance| self.access(entrance) == Access::SignedIn)
            .map(|entrance| entrance.encoded())
            .collect()
    }

    /// The rules in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// What the rules say about a file by its own name and, if it is an index page, by that of its folder.
    fn page_access(&self, page: &str) -> Access {
        let own = self.first_match(page);
        match page.strip_suffix(INDEX) {
            Some(folder) if folder.ends_with('/') => self.first_match(folder).stricter(own),
            _ => own,
        }
    }

    fn first_match(&self, path: &str) -> Access {
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        self.0
            .iter()
            .find(|rule| rule.pattern.matches_segments(&segments))
            .map_or(Access::Public, |rule| rule.access.clone())
    }
}

impl Pattern {
    /// Reads a pattern; the error says what to write instead.
    pub fn parse(written: &str) -> Result<Self, String> {
        let Some(inner) = written.strip_prefix('/') else {
            return Err(format!(
                "`{written}` must begin with `/`, for example `/members/**`"
            ));
        };
        refuse_characters(written)?;
        let mut segments = Vec::new();
        for segment in inner.strip_suffix('/').unwrap_or(inner).split('/') {
            segments.push(match segment {
                "" if inner.is_empty() => break,
                "" => return Err(format!("`{written}` holds `//`; write one slash")),
                "." | ".." => return Err(format!("`{written}` holds `{segment}`; write the path without it")),
                "**" => Segment::Any,
                text if text.contains("**") => {
                    return Err(format!(
                        "in `{written}`, `**` must stand alone between slashes; within a name write `*`"
                    ));
                }
                text => Segment::One(text.to_owned()),
            });
        }
        let written = written.to_owned();
        Ok(Self { written, segments })
    }

    fn in_lower_case(&self) -> Self {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Any => Segment::Any,
            Segment::One(text) => Segment::One(text.to_lowercase()),
        });
        Self {
            written: self.written.to_lowercase(),
            segments: segments.collect(),
        }
    }

    /// The page at which a visitor would enter what the pattern covers; none where that is not one.
    fn entrance(&self) -> Option<SitePath> {
        let entrance = self.written.strip_suffix("**").unwrap_or(&self.written);
        (!entrance.contains('*')).then(|| SitePath::from_decoded(entrance.to_owned()).ok())?
    }

    /// The pattern as the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the pattern covers this path.
    pub fn matches(&self, path: &SitePath) -> bool {
        self.matches_segments(&path.segments().collect::<Vec<_>>())
    }

    /// The path that the pattern names if it has no wildcard.
    pub(super) fn exact(&self) -> Option<&str> {
        (!self.written.contains('*')).then_some(self.written.as_str())
    }

    fn matches_segments(&self, path: &[&str]) -> bool {
        if self.exact().is_some() {
            let ours = self.segments.iter().filter_map(|segment| match segment {
                Segment::One(name) => Some(name.as_str()),
                Segment::Any => None,
            });
            return page_name(&ours.collect::<Vec<_>>()) == page_name(path);
        }
        glob(
            &self.segments,
            path,
            |segment| matches!(segment, Segment::Any),
            |segment, name| match segment {
                Segment::Any => true,
                Segment::One(text) => glob(
                    text.as_bytes(),
                    name.as_bytes(),
                    |byte| *byte == b'*',
                    |byte, other| byte == other,
                ),
            },
        )
    }
}

/// Characters that a pattern of somebody else's syntax would use with a meaning: taken for plain letters they would
/// make a rule that protects nothing.
fn refuse_characters(pattern: &str) -> Result<(), String> {
    let advice = |letter: char| match letter {
        '%' => Some("patterns are written decoded, so write the character itself"),
        '?' | '#' => {
            Some("a query or fragment is no part of a path; for a character of a name write `*`")
        }
        '[' | ']' | '{' | '}' => {
            Some("only `*` and `**` are wildcards; write one rule for each path")
        }
        '\\' => Some("write `/` between folders"),
        ';' => Some("such paths are never served, so leave it out"),
        letter if letter.is_control() => {
            Some("control characters are never served, so leave it out")
        }
        _ => None,
    };
    if let Some((letter, advice)) = pattern
        .chars()
        .find_map(|letter| Some((letter, advice(letter)?)))
    {
        return Err(format!(
            "`{}` holds `{}`: {advice}",
            pattern.escape_debug(),
            letter.escape_debug()
        ));
    }
    if pattern.ends_with(char::is_whitespace) {
        return Err(format!("`{pattern}` ends in a blank; leave it out"));
    }
    Ok(())
}

/// An index page goes by the name of its folder.
fn page_name<'a>(segments: &'a [&'a str]) -> &'a [&'a str] {
    match segments {
        [folder @ .., INDEX] => folder,
        other => other,
    }
}

/// Whether `text` is covered by `pattern`, in which a star is any run, an empty one included. The last star seen takes
/// one item more whenever the rest does not fit, which bounds the work by the product of the lengths.
fn glob<P, T>(
    pattern: &[P],
    text: &[T],
    is_star: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some(item) if is_star(item) => {
                retry = Some((at, position));
                at += 1;
            }
            Some(item) if fits(item, &text[position]) => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((star, taken)) = retry else {
                    return false;
                };
                retry = Some((star, taken + 1));
                (at, position) = (star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests;
