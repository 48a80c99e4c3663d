//! Lists that are given newest first and a page at a time: where the next page begins, and how a
//! page is cut. A place is a time and an id, so that what is added meanwhile shifts no page.

use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::Timestamp;

/// A place in a list that is given newest first: right behind the row of this time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The time by which the list is sorted.
    pub at: Timestamp,
    /// The id, which sorts what is of one time.
    pub id: Uuid,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins, if there is one.
    pub next: Option<Place>,
}

/// How many rows to ask for: one more than fit tells that there is another page.
pub(crate) fn rows_for(limit: u64) -> u64 {
    limit.saturating_add(1)
}

/// The rows behind `place`. The first condition alone lets an index begin there.
pub(crate) fn beyond<C: ColumnTrait>(at: C, id: C, place: Place) -> Condition {
    let time = place.at.as_micros();
    Condition::all()
        .add(at.lte(time))
        .add(Condition::any().add(at.lt(time)).add(id.lt(place.id)))
}

/// The page that begins with the first of `rows`, which are sorted.
pub(crate) fn cut<T>(mut rows: Vec<T>, limit: u64, place: impl Fn(&T) -> Place) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| goes_on).map(place);
    Page { items: rows, next }
}
