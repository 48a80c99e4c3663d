//! The fields of a JSON object, each taken by name and type. Whatever is missing, of another type
//! or unknown is named, all at once.

use std::collections::BTreeSet;

use accounts::{Edit, Error, FieldError, Role, Timestamp};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{body::JsonObject, error::ApiError, query::EXPECTED_TIME};

/// So many unknown fields are named, and so many characters of each: an answer must not be many
/// times as large as what asked for it.
const MOST_UNKNOWN: usize = 10;
const LONGEST_SHOWN: usize = 64;

/// The fields of a body that were not taken yet, and what was wrong so far.
pub(super) struct Fields {
    left: Map<String, Value>,
    broken: Vec<FieldError>,
}

impl Fields {
    pub(super) fn of(JsonObject(left): JsonObject) -> Self {
        Self {
            left,
            broken: Vec::new(),
        }
    }

    /// A text that must be there. If it is not, the empty text stands in for it until
    /// [`Fields::end`] refuses.
    pub(super) fn text(&mut self, name: &'static str) -> String {
        self.optional_text(name).unwrap_or_else(|| {
            if self.broken.iter().all(|error| error.field != name) {
                self.refuse(name, "required", "This field is required.");
            }
            String::new()
        })
    }

    /// A text that may be left out or null.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.left.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.refuse(name, "wrong_type", "This field must be a string.");
                None
            }
        }
    }

    /// A text to set, null to clear it, nothing to leave it as it is.
    pub(super) fn edit(&mut self, name: &'static str) -> Edit<String> {
        self.edit_by(name, Self::optional_text)
    }

    /// A point in time that may be left out or null.
    pub(super) fn optional_time(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.optional_text(name)?;
        let time = Timestamp::parse(&text);
        if time.is_none() {
            self.refuse(name, "invalid_time", EXPECTED_TIME);
        }
        time
    }

    /// A point in time to set, null to clear it, nothing to leave it as it is.
    pub(super) fn time_edit(&mut self, name: &'static str) -> Edit<Timestamp> {
        self.edit_by(name, Self::optional_time)
    }

    fn edit_by<T>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Edit<T> {
        match self.left.contains_key(name) {
            false => Edit::Keep,
            true => take(self, name).map_or(Edit::Clear, Edit::Set),
        }
    }

    /// A text that must be there under one of several names, the first of which is the proper one.
    pub(super) fn text_of(&mut self, names: &[&'static str]) -> String {
        let present: Vec<_> = names
            .iter()
            .filter(|name| self.left.contains_key(**name))
            .collect();
        match present.as_slice() {
            [] => self.text(names[0]),
            [name] => self.text(name),
            [..] => {
                for name in names {
                    if self.left.remove(*name).is_some() {
                        self.refuse(name, "ambiguous", "Send only one of these fields.");
                    }
                }
                String::new()
            }
        }
    }

    /// A secret that must be there.
    pub(super) fn secret(&mut self, name: &'static str) -> SecretString {
        self.text(name).into()
    }

    /// True or false; null is neither.
    pub(super) fn optional_bool(&mut self, name: &'static str) -> Option<bool> {
        match self.left.remove(name)? {
            Value::Bool(value) => Some(value),
            _ => {
                self.refuse(name, "wrong_type", "This field must be true or false.");
                None
            }
        }
    }

    /// A set of roles; null is none.
    pub(super) fn optional_roles(&mut self, name: &'static str) -> Option<BTreeSet<Role>> {
        let wrong_type = || ("wrong_type", "This field must be a list of strings.".into());
        let read = |item: &Value| {
            let text = item.as_str().ok_or_else(wrong_type)?;
            Role::parse(text).map_err(|refusal| (refusal.code, refusal.message))
        };
        let roles = match self.left.remove(name)? {
            Value::Array(items) => items.iter().map(read).collect(),
            _ => Err(wrong_type()),
        };
        roles
            .map_err(|(code, message)| {
                self.broken.push(FieldError {
                    field: name.into(),
                    code,
                    message,
                });
            })
            .ok()
    }

    /// One of a few words, the first of which holds when none is given.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> T {
        let default = choices[0].1;
        let Some(word) = self.optional_text(name) else {
            return default;
        };
        match choices.iter().find(|(choice, _)| *choice == word) {
            Some((_, value)) => *value,
            None => {
                let words: Vec<_> = choices
                    .iter()
                    .map(|(word, _)| format!("\"{word}\""))
                    .collect();
                let message = format!("This field must be {}.", words.join(" or "));
                self.broken.push(FieldError {
                    field: name.into(),
                    code: "not_a_choice",
                    message: message.into(),
                });
                default
            }
        }
    }

    /// Refuses the body if anything was wrong with it or is left of it.
    pub(super) fn end(mut self) -> Result<(), ApiError> {
        let unknown = self.left.into_iter().take(MOST_UNKNOWN);
        let unknown = unknown.map(|(name, _)| FieldError {
            field: name.chars().take(LONGEST_SHOWN).collect::<String>().into(),
            code: "unknown_field",
            message: "There is no such field here. Leave it out.".into(),
        });
        self.broken.extend(unknown);
        if self.broken.is_empty() {
            return Ok(());
        }
        Err(ApiError::Rules(Error::Invalid(self.broken)))
    }

    fn refuse(&mut self, field: &'static str, code: &'static str, message: &'static str) {
        self.broken.push(FieldError {
            field: field.into(),
            code,
            message: message.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(object) => Fields::of(JsonObject(object)),
            other => panic!("no object: {other}"),
        }
    }

    fn refused(fields: Fields) -> Vec<(String, &'static str)> {
        match fields.end() {
            Err(ApiError::Rules(Error::Invalid(errors))) => errors
                .into_iter()
                .map(|error| (error.field.into_owned(), error.code))
                .collect(),
            Ok(()) => Vec::new(),
            Err(other) => panic!("another refusal: {other:?}"),
        }
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let mut body = fields(json!({"email": 7, "role": "admin", "mode": "both"}));
        body.text("email");
        body.secret("password");
        body.choice("mode", &[("token", 1), ("cookie", 2)]);
        assert_eq!(
            refused(body),
            [
                ("email".into(), "wrong_type"),
                ("password".into(), "required"),
                ("mode".into(), "not_a_choice"),
                ("role".into(), "unknown_field"),
            ]
        );
    }

    #[test]
    fn null_is_the_same_as_left_out() {
        let mut body = fields(json!({"name": null, "mode": null}));
        assert_eq!(body.optional_text("name"), None);
        assert_eq!(body.choice("mode", &[("token", 1), ("cookie", 2)]), 1);
        assert_eq!(refused(body), []);
    }

    #[test]
    fn an_edit_tells_null_from_left_out() {
        let mut body = fields(json!({"name": null, "email": "ada", "username": 7}));
        assert_eq!(body.edit("name"), Edit::Clear);
        assert_eq!(body.edit("email"), Edit::Set("ada".to_owned()));
        assert_eq!(body.edit("password"), Edit::Keep);
        body.edit("username");
        assert_eq!(refused(body), [("username".into(), "wrong_type")]);
    }

    #[test]
    fn a_time_is_taken_as_such_alone() {
        let mut body = fields(json!({"a": "2026-01-31T12:00:00Z", "b": null, "c": "noon", "d": 7}));
        assert!(matches!(body.time_edit("a"), Edit::Set(_)));
        assert_eq!(body.time_edit("b"), Edit::Clear);
        assert_eq!(body.time_edit("e"), Edit::Keep);
        body.optional_time("c");
        body.optional_time("d");
        let expected = [("c".into(), "invalid_time"), ("d".into(), "wrong_type")];
        assert_eq!(refused(body), expected);
    }

    #[test]
    fn truth_and_roles_are_taken_as_such_alone() {
        let mut body = fields(json!({"disabled": true, "roles": ["b", "a", "b"]}));
        assert_eq!(body.optional_bool("disabled"), Some(true));
        let roles = body.optional_roles("roles").expect("roles");
        let names: Vec<_> = roles.iter().map(Role::as_str).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(body.optional_roles("roles"), None);
        assert_eq!(refused(body), []);
        for (value, code) in [
            (json!(null), "wrong_type"),
            (json!("admin"), "wrong_type"),
            (json!(["admin", 1]), "wrong_type"),
            (json!(["Admin", ""]), "invalid_role"),
        ] {
            let mut body = fields(json!({"disabled": value, "roles": value}));
            body.optional_bool("disabled");
            body.optional_roles("roles");
            let expected = [("disabled".into(), "wrong_type"), ("roles".into(), code)];
            assert_eq!(refused(body), expected, "{value}");
        }
    }

    #[test]
    fn one_of_several_names_is_taken_and_two_are_ambiguous() {
        let names = ["login", "email", "username"];
        let mut body = fields(json!({"email": "ada"}));
        assert_eq!(body.text_of(&names), "ada");
        assert_eq!(refused(body), []);
        let mut body = fields(json!({}));
        body.text_of(&names);
        assert_eq!(refused(body), [("login".into(), "required")]);
        let mut body = fields(json!({"email": "ada", "username": "eve"}));
        body.text_of(&names);
        assert_eq!(
            refused(body),
            [
                ("email".into(), "ambiguous"),
                ("username".into(), "ambiguous")
            ]
        );
    }
}
