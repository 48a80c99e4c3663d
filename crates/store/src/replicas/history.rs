//! Where the primary was at which moment, by which the position of a replica becomes a time. Both moments are of our
//! own clock, so that those of the servers may differ.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::engine::Position;

/// How many positions are remembered: those of an hour, if each look finds another one.
const MOST: usize = 3600;

/// Positions of the primary, each with the last moment at which it was there, the oldest first.
#[derive(Default)]
pub(super) struct History(VecDeque<(Instant, Position)>);

impl History {
    /// Remembers that the primary was at least there at that moment, which is later than those
    /// before.
    pub(super) fn add(&mut self, moment: Instant, position: Position) {
        match self.0.back_mut() {
            Some((last, known)) if *known == position => *last = moment,
            _ => self.0.push_back((moment, position)),
        }
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The last moment of which whoever is at `position` has everything. What lies before it will
    /// not be needed again.
    pub(super) fn newest_before(&mut self, position: &Position) -> Option<Instant> {
        let reached = |(_, known): &(Instant, Position)| position.reaches(known);
        let newest = self.0.iter().rposition(reached)?;
        self.0.drain(..newest);
        self.0.front().map(|(moment, _)| *moment)
    }
}

#[cfg(test)]
mod tests {
    //! What a position says about time.

    use std::time::Duration;

    use tokio::time::interval;

    use super::*;
    use crate::engine::Position;

    /// The moments 0, 1, 2, ... seconds after a first one.
    async fn moments() -> impl Fn(u64) -> Instant {
        let first = interval(Duration::from_secs(1)).tick().await;
        move |seconds| first + Duration::from_secs(seconds)
    }

    fn at(place: u64) -> Position {
        Position::single(place)
    }

    #[tokio::test]
    async fn a_replica_is_as_old_as_the_newest_position_that_it_has_reached() {
        let moment = moments().await;
        let mut history = History::default();
        for second in 0..5 {
            history.add(moment(second), at(100 + 10 * second));
        }
        assert_eq!(history.newest_before(&at(99)), None);
        assert_eq!(history.newest_before(&at(119)), Some(moment(1)));
        assert_eq!(history.newest_before(&at(120)), Some(moment(2)));
        assert_eq!(history.newest_before(&at(999)), Some(moment(4)));
    }

    #[tokio::test]
    async fn a_replica_of_an_idle_primary_grows_no_older() {
        let moment = moments().await;
        let mut history = History::default();
        for second in 0..100 {
            history.add(moment(second), at(7));
            assert_eq!(history.newest_before(&at(7)), Some(moment(second)));
        }
        assert_eq!(history.0.len(), 1);
    }

    #[tokio::test]
    async fn what_a_replica_has_passed_is_forgotten_and_what_it_has_not_is_bounded() {
        let moment = moments().await;
        let mut history = History::default();
        for second in 0..10_000 {
            history.add(moment(second), at(second));
        }
        assert_eq!(history.0.len(), MOST);
        assert_eq!(
            history.newest_before(&at(5)),
            None,
            "older than what is remembered"
        );
        assert_eq!(history.newest_before(&at(9_990)), Some(moment(9_990)));
        assert_eq!(history.0.len(), 10);
    }
}
