//! Versions of what users keep, as their clients name them, and the condition that a change puts on the one that is there.

/// Which version a change is meant for: by itself, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionCondition {
    /// There is one, and it is among these.
    pub one_of: Option<Versions>,
    /// There is none, or it is not among these.
    pub none_of: Option<Versions>,
}

/// Some of the versions that something may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Each of them.
    Any,
    /// Those of these tags.
    Tagged(Vec<String>),
}

impl VersionCondition {
    /// Whether it allows to change what has the version `current`, or to make what has none.
    #[must_use]
    pub fn allows(&self, current: Option<&str>) -> bool {
        let is_among = |versions: &Versions| current.is_some_and(|tag| versions.include(tag));
        self.one_of.as_ref().is_none_or(is_among) && !self.none_of.as_ref().is_some_and(is_among)
    }
}

impl Versions {
    fn include(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tagged(tags) => tags.iter().any(|tag| tag == current),
        }
    }
}
