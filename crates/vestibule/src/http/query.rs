//! The query of a request, whose parameters are taken by name and type. What no route understands
//! is a malformed request; what a parameter may not be is named, all at once. Here too is how a
//! list tells where it goes on.

use accounts::{Error, FieldError, Page, Place, Role, Timestamp};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use url::form_urlencoded;
use uuid::Uuid;

use super::error::ApiError;

/// So many items a list gives when no number is asked for, and at the most.
const USUAL_LIMIT: u64 = 20;
const LARGEST_LIMIT: u64 = 100;
/// What a time may be, in a sentence for whoever sent something else.
pub(super) const EXPECTED_TIME: &str = "Send a time of RFC 3339, such as 2026-01-31T12:00:00Z.";
/// So many characters of an unknown parameter are named.
const LONGEST_SHOWN: usize = 64;
/// A list, a time in microseconds and an id.
const CURSOR_BYTES: usize = 1 + 8 + 16;

/// A list that is read in pages. Its number is in its cursors, which no other list takes.
#[derive(Clone, Copy)]
pub(super) enum Paged {
    Users = 1,
    AuditEvents = 2,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct PageView<T> {
    items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

impl<T> PageView<T> {
    pub(super) fn of<U>(list: Paged, page: Page<U>, view: impl Fn(U) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(view).collect(),
            next_cursor: page.next.map(|place| cursor_of(list, place)),
        }
    }
}

/// A part of a list that is counted from its begin.
#[derive(Serialize)]
pub(super) struct ListView<T> {
    pub(super) items: Vec<T>,
    /// How many the whole list has.
    pub(super) total: u64,
    /// How many were asked for.
    pub(super) limit: u64,
    /// How many come before these.
    pub(super) offset: u64,
}

impl<T: Serialize> ListView<T> {
    /// 200 with links to other parts of the list (RFC 8288), each to the path of this request with
    /// its other parameters.
    pub(super) fn answer(self, uri: &Uri) -> Response {
        let links = self.links(uri);
        let links = HeaderValue::try_from(links).expect("an encoded query has visible ASCII alone");
        ([(header::LINK, links)], Json(self)).into_response()
    }

    fn links(&self, uri: &Uri) -> String {
        let next = self.offset + self.limit;
        let last = self.total.saturating_sub(1) / self.limit * self.limit;
        let before = self.offset.saturating_sub(self.limit).min(last);
        let links = [
            Some(("first", 0)),
            (self.offset > 0).then_some(("prev", before)),
            (next < self.total).then_some(("next", next)),
            Some(("last", last)),
        ];
        let written = links.into_iter().flatten().map(|(relation, offset)| {
            let query = self.query_at(offset, uri.query().unwrap_or_default());
            format!("<{}?{query}>; rel=\"{relation}\"", uri.path())
        });
        written.collect::<Vec<_>>().join(", ")
    }

    fn query_at(&self, offset: u64, asked: &str) -> String {
        let others = form_urlencoded::parse(asked.as_bytes())
            .filter(|(name, _)| !matches!(&**name, "limit" | "offset"));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("limit", &self.limit.to_string())
            .append_pair("offset", &offset.to_string())
            .finish()
    }
}

/// The parameters that were not taken yet, and what was wrong so far.
pub(super) struct Query {
    left: Vec<(String, String)>,
    /// The names of those that the route takes.
    known: Vec<&'static str>,
    broken: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    fn parse(text: &str) -> Result<Self, ApiError> {
        // The parser would put something else in the place of broken letters.
        if percent_decode_str(text).decode_utf8().is_err() {
            return Err(ApiError::Malformed("The query is not valid UTF-8."));
        }
        let mut left: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if left.iter().any(|(before, _)| *before == name) {
                return Err(ApiError::Malformed("The query names a parameter twice."));
            }
            left.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self {
            left,
            known: Vec::new(),
            broken: Vec::new(),
        })
    }

    /// A text. Without a value it counts as left out, as an empty field of a form is sent.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.named(name).filter(|value| !value.is_empty())
    }

    fn named(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let place = self.left.iter().position(|(left, _)| left == name)?;
        let (_, value) = self.left.remove(place);
        Some(value)
    }

    /// A value that `read` makes of a text; `expected` says what it takes.
    pub(super) fn value<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        code: &'static str,
        expected: &'static str,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.refuse(name, code, expected);
        }
        value
    }

    /// A role that somebody has to have. Without a value it is none, and not left out: a demand that nobody filled in
    /// must not open anything.
    pub(super) fn demanded_role(&mut self) -> Option<Role> {
        let text = self.named("role")?;
        let role = Role::parse(&text).ok();
        if role.is_none() {
            let expected = "Send one role: 1 to 32 of the characters a-z, 0-9, _ and -.";
            self.refuse("role", "invalid_role", expected);
        }
        role
    }

    fn refuse(&mut self, name: &'static str, code: &'static str, expected: &'static str) {
        self.broken.push(FieldError {
            field: name.into(),
            code,
            message: expected.into(),
        });
    }

    /// A point in time.
    pub(super) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        self.value(name, Timestamp::parse, "invalid_time", EXPECTED_TIME)
    }

    /// True or false.
    pub(super) fn truth(&mut self, name: &'static str) -> Option<bool> {
        let read = |text: &str| text.parse().ok();
        self.value(name, read, "not_a_choice", "Send true or false.")
    }

    /// How many items are asked for.
    pub(super) fn limit(&mut self) -> u64 {
        let read = |text: &str| {
            let number = text.parse().ok()?;
            (1..=LARGEST_LIMIT).contains(&number).then_some(number)
        };
        let expected = "Ask for 1 to 100 items at a time.";
        self.value("limit", read, "out_of_range", expected)
            .unwrap_or(USUAL_LIMIT)
    }

    /// How many items are to be left out at the begin.
    pub(super) fn offset(&mut self) -> u64 {
        // No list is longer than this, and no engine counts further.
        let read = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| *number <= i64::MAX as u64)
        };
        let expected = "Leave out 0 to 9,223,372,036,854,775,807 items.";
        self.value("offset", read, "out_of_range", expected)
            .unwrap_or_default()
    }

    /// Where the page before ended.
    pub(super) fn cursor(&mut self, list: Paged) -> Option<Place> {
        let expected = "Send the next_cursor of the page before, as it was.";
        let read = |text: &str| place_of(list, text);
        self.value("cursor", read, "invalid_cursor", expected)
    }

    /// Refuses the query if anything was wrong with it or is left of it.
    pub(super) fn end(self) -> Result<(), ApiError> {
        if let Some((name, _)) = self.left.first() {
            return Err(ApiError::UnknownParameter {
                name: name.chars().take(LONGEST_SHOWN).collect(),
                known: self.known,
            });
        }
        if self.broken.is_empty() {
            return Ok(());
        }
        Err(ApiError::Rules(Error::Invalid(self.broken)))
    }
}

fn cursor_of(list: Paged, place: Place) -> String {
    let mut bytes = Vec::with_capacity(CURSOR_BYTES);
    bytes.push(list as u8);
    bytes.extend(place.at.as_micros().to_be_bytes());
    bytes.extend(place.id.into_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Any time and any id make a place: whoever invents one reads what they may read anyway.
fn place_of(list: Paged, text: &str) -> Option<Place> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (number, rest) = bytes.split_first()?;
    let (time, id) = rest.split_first_chunk::<8>()?;
    let id = Uuid::from_slice(id).ok()?;
    (*number == list as u8).then_some(Place {
        at: Timestamp::from_micros(i64::from_be_bytes(*time)),
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(text: &str) -> &'static str {
        match Query::parse(text).and_then(Query::end) {
            Err(ApiError::Malformed(detail)) => detail,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_not_understood_is_malformed() {
        assert_eq!(malformed("q=%ff"), "The query is not valid UTF-8.");
        let twice = "The query names a parameter twice.";
        assert_eq!(malformed("q=a&q=b"), twice);
        assert_eq!(malformed("q=&%71="), twice);
    }

    #[test]
    fn an_unknown_parameter_is_named_beside_those_that_are_known() {
        for (text, unknown) in [("limit=1&Q=2&x", "Q"), ("", ""), ("q[]=1", "q[]")] {
            let mut query = Query::parse(&format!("{text}&=")).expect("a query");
            query.limit();
            query.offset();
            let Err(ApiError::UnknownParameter { name, known }) = query.end() else {
                panic!("{text} is not refused");
            };
            assert_eq!((&*name, known), (unknown, vec!["limit", "offset"]));
        }
        let long = Query::parse(&"é".repeat(65)).expect("a query");
        let Err(ApiError::UnknownParameter { name, .. }) = long.end() else {
            panic!("not refused");
        };
        assert_eq!(name, "é".repeat(64));
    }

    #[test]
    fn a_parameter_without_a_value_is_one_that_was_left_out() {
        let mut query = Query::parse("q=&limit&role=a+b%2Bc").expect("a query");
        assert_eq!(query.text("q"), None);
        assert_eq!(query.limit(), USUAL_LIMIT);
        assert_eq!(query.text("role").as_deref(), Some("a b+c"));
        assert_eq!(query.text("status"), None);
        assert!(query.end().is_ok());
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let mut query = Query::parse("limit=101&since=now&cursor=x").expect("a query");
        query.limit();
        query.time("since");
        query.cursor(Paged::Users);
        let Err(ApiError::Rules(Error::Invalid(errors))) = query.end() else {
            panic!("not refused");
        };
        let told: Vec<_> = errors
            .iter()
            .map(|error| (&*error.field, error.code))
            .collect();
        assert_eq!(
            told,
            [
                ("limit", "out_of_range"),
                ("since", "invalid_time"),
                ("cursor", "invalid_cursor")
            ]
        );
    }

    #[test]
    fn links_lead_to_the_other_parts_with_the_parameters_of_the_request() {
        let linked = |asked: &str, total, limit, offset| {
            let view = ListView::<()> {
                items: Vec::new(),
                total,
                limit,
                offset,
            };
            let links = view.links(&asked.parse().expect("a path"));
            let shown = links.replace("limit=20&offset=", "");
            shown.replace("</api/todos?", "<")
        };
        let whole = "<0>; rel=\"first\", <0>; rel=\"last\"";
        for (total, offset, expected) in [
            (0, 0, whole),
            (20, 0, whole),
            (
                21,
                0,
                "<0>; rel=\"first\", <20>; rel=\"next\", <20>; rel=\"last\"",
            ),
            (
                60,
                20,
                "<0>; rel=\"first\", <0>; rel=\"prev\", <40>; rel=\"next\", <40>; rel=\"last\"",
            ),
            (
                60,
                5,
                "<0>; rel=\"first\", <0>; rel=\"prev\", <25>; rel=\"next\", <40>; rel=\"last\"",
            ),
            (
                21,
                900,
                "<0>; rel=\"first\", <20>; rel=\"prev\", <20>; rel=\"last\"",
            ),
        ] {
            assert_eq!(linked("/api/todos", total, 20, offset), expected);
        }
        let asked = "/api/todos?offset=3&q=a+%26%3E%C3%A9&limit=1&sort=-created_at";
        assert_eq!(
            linked(asked, 1, 1, 0),
            "<q=a+%26%3E%C3%A9&sort=-created_at&limit=1&offset=0>; rel=\"first\", \
             <q=a+%26%3E%C3%A9&sort=-created_at&limit=1&offset=0>; rel=\"last\""
        );
    }

    #[test]
    fn a_cursor_is_a_place_in_its_own_list() {
        let place = Place {
            at: Timestamp::from_micros(-7),
            id: Uuid::from_u128(7),
        };
        let cursor = cursor_of(Paged::Users, place);
        assert_eq!(place_of(Paged::Users, &cursor), Some(place));
        assert_eq!(place_of(Paged::AuditEvents, &cursor), None);
        for tampered in [
            &cursor[1..],
            &format!("{cursor}A"),
            &format!("{cursor}="),
            "",
            "é",
        ] {
            assert_eq!(place_of(Paged::Users, tampered), None, "{tampered}");
        }
    }
}
