//! How far a server is in the one order of everything that was ever committed on the primary, so that a replica can
//! be measured by what it has and not by a clock. What follows from a position is decided in `replicas.rs`.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend};

use super::{mysql, postgres, text};
use crate::Error;

/// A place in the log of a primary. A log may have several strands, each with an order of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position(BTreeMap<u32, u64>);

impl Position {
    /// The place of a log that has one strand.
    pub(crate) fn single(place: u64) -> Self {
        Self([(0, place)].into())
    }

    /// The places in the strands of these numbers.
    pub(super) fn of_strands(places: impl IntoIterator<Item = (u32, u64)>) -> Self {
        Self(places.into_iter().collect())
    }

    /// Whether everything before `other` lies before this one, too.
    pub(crate) fn reaches(&self, other: &Self) -> bool {
        let mut strands = other.0.iter();
        strands.all(|(strand, place)| self.0.get(strand).is_some_and(|own| own >= place))
    }

    fn is_nowhere(&self) -> bool {
        self.0.is_empty()
    }
}

/// How far the primary is: whatever was committed there before this question lies before the answer.
pub(crate) async fn written(primary: &impl ConnectionTrait) -> Result<Position, Error> {
    let (question, parse): (_, fn(&str) -> _) = match primary.get_database_backend() {
        DbBackend::Postgres => (postgres::WRITTEN, postgres::position),
        _ => (mysql::WRITTEN, mysql::position),
    };
    let text = text(primary, question).await?.unwrap_or_default();
    let position = parse(&text).filter(|position| !position.is_nowhere());
    position.ok_or_else(|| {
        Error::Unavailable("the primary writes no log that a replica could follow".to_owned())
    })
}

/// How far a replica is with what its primary has written; `None` when it follows none.
pub(crate) async fn replayed(replica: &impl ConnectionTrait) -> Result<Option<Position>, Error> {
    let (question, parse): (_, fn(&str) -> _) = match replica.get_database_backend() {
        DbBackend::Postgres => (postgres::REPLAYED, postgres::position),
        _ => (mysql::REPLAYED, mysql::position),
    };
    let text = text(replica, question).await?;
    Ok(text.and_then(|text| parse(&text)))
}

#[cfg(test)]
mod tests {
    //! The words of the servers, and what is before what.

    use super::*;

    #[test]
    fn a_place_in_a_write_ahead_log_is_one_number_in_two_halves() {
        let place = |text| postgres::position(text).unwrap();
        assert_eq!(place("16/B374D848"), Position::single(0x16_B374_D848));
        assert!(place("1/0").reaches(&place("0/FFFFFFFF")));
        assert!(place("A/0").reaches(&place("9/10")));
        assert!(place("0/10").reaches(&place("0/10")));
        assert!(!place("0/F").reaches(&place("0/10")));
        for nonsense in ["", "0", "0/", "/0", "0/G", "0-1-5", "1/2/3", "0/100000000"] {
            assert_eq!(postgres::position(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_list_of_transaction_ids_is_reached_in_each_of_its_domains() {
        let place = |text| mysql::position(text).unwrap();
        assert_eq!(
            place("0-1-100,7-2-5"),
            Position::of_strands([(0, 100), (7, 5)])
        );
        assert!(place("0-1-101,7-2-5").reaches(&place("0-3-100")));
        assert!(place("0-1-100,\n7-2-5").reaches(&place("7-2-5,0-1-100")));
        assert!(!place("0-1-100").reaches(&place("0-1-100,7-2-5")));
        assert!(!place("").reaches(&place("0-1-1")));
        for nonsense in ["0", "0-1", "0-1-x", "0-1-2-3", "16/B374D848", "0-1-1,,"] {
            assert_eq!(mysql::position(nonsense), None, "{nonsense}");
        }
    }
}
