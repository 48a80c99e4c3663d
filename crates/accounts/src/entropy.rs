//! Random bytes and the ids made of them: the only file that draws from the system's source of randomness.
//!
//! Each draw asks the kernel (on Linux `getrandom(2)`), so this process keeps no state from which what is drawn here could be
//! told before: ADR 37.

use store::Timestamp;
use uuid::Uuid;

/// Fills `bytes` from the system's cryptographic source.
///
/// Without that source no key, salt or token may be made, nor may a caught panic let the program go on without
/// them; so its failure ends the process at once.
pub(crate) fn fill(bytes: &mut [u8]) {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that draws randomness"
    )]
    let filled = getrandom::fill(bytes);
    if filled.is_err() {
        end_without_randomness();
    }
}

/// Has aws-lc seed the generator that it draws from itself, for signatures and TLS. That takes some 60 ms of a processor,
/// once in a process: without this the first who logs in would wait for it, on a thread that answers others.
pub(crate) fn seed_signatures() {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is drawn from, and nothing made of what comes"
    )]
    let drawn = aws_lc_rs::rand::fill(&mut [0]);
    if drawn.is_err() {
        end_without_randomness();
    }
}

/// `N` fresh random bytes.
#[must_use]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A fresh id of version 7 (RFC 9562, section 5.7), which sorts by `at`.
///
/// The twelve bits after the millisecond hold its fraction (section 6.2, method 3), so that ids sort by the
/// microsecond; 62 bits are random.
#[must_use]
pub(crate) fn uuid_v7(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.as_micros()).unwrap_or(0);
    let mut tail: [u8; 10] = bytes();
    let fraction = u16::try_from((micros % 1000) * 4096 / 1000)
        .expect("a thousandth of less than 4,096,000 fits into twelve bits");
    tail[..2].copy_from_slice(&fraction.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(micros / 1000, &tail).into_uuid()
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "nothing safe can be done any more, not even a clean end; and the log may need time that is not there"
)]
fn end_without_randomness() -> ! {
    eprintln!(
        "vestibule: the system's source of randomness failed; stopping rather than going on without it"
    );
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_draws_are_alike() {
        let draws: HashSet<[u8; 16]> = (0..1000).map(|_| bytes()).collect();
        assert_eq!(draws.len(), 1000);
    }

    #[test]
    fn an_id_carries_its_time_and_says_that_it_is_of_version_7() {
        let id = uuid_v7(Timestamp::from_micros(1_769_860_800_123_456));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanos) = id.get_timestamp().expect("version 7 has a time").to_unix();
        assert_eq!((seconds, nanos / 1_000_000), (1_769_860_800, 123));
    }

    #[test]
    fn ids_sort_by_the_microsecond_they_were_made_at() {
        let ids: Vec<Uuid> = (1_769_860_800_122_990..1_769_860_800_125_010)
            .map(|micros| uuid_v7(Timestamp::from_micros(micros)))
            .collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn a_time_before_the_epoch_still_makes_a_valid_id() {
        assert_eq!(uuid_v7(Timestamp::from_micros(-1)).get_version_num(), 7);
    }
}
