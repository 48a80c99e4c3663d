//! The limits on a clock that is moved by hand, their figures, and races.

use std::sync::Barrier;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use store::Timestamp;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn throttle(settings: ThrottleSettings) -> (Throttle, Clock) {
    let clock = Clock::fixed(Timestamp::from_micros(1_769_860_800_000_000));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"of these tests");
    (Throttle::new(settings, clock.clone(), key, None), clock)
}

fn only_per_account(count: u32) -> ThrottleSettings {
    ThrottleSettings {
        login_per_account: Some(Limit {
            count,
            window: 15 * MINUTE,
        }),
        login_per_ip: None,
        register_per_ip: None,
        refresh_per_ip: None,
    }
}

fn network(number: u32) -> Network {
    Network::of(IpAddr::from(number.to_be_bytes()))
}

fn of(address: &str) -> Network {
    Network::of(address.parse().unwrap())
}

/// What a single node decides it decides at once.
fn now<T>(decision: impl Future<Output = T>) -> T {
    decision
        .now_or_never()
        .expect("there is nobody to wait for")
}

fn limited(throttle: &Throttle, account: &str, network: Network) -> Option<Limited> {
    now(throttle.login(account, network)).err()
}

fn fail(throttle: &Throttle, account: &str, network: Network) {
    drop(now(throttle.login(account, network)).expect("it is not limited yet"));
}

fn succeed(throttle: &Throttle, account: &str, network: Network) {
    let attempt = now(throttle.login(account, network)).expect("it is not limited yet");
    now(attempt.succeeded());
}

#[test]
fn a_network_is_an_ipv4_address_or_the_64_of_an_ipv6_one() {
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
}

#[test]
fn the_eleventh_failure_is_refused_for_that_account_and_network_alone() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    for _ in 0..10 {
        fail(&throttle, "ada", network(1));
    }
    let refused = limited(&throttle, "ada", network(1)).expect("ten were allowed");
    assert_eq!(
        (
            refused.quota.policy,
            refused.quota.limit,
            refused.quota.remaining
        ),
        ("login_per_account", 10, 0)
    );
    assert_eq!(limited(&throttle, "ada", network(2)), None);
    assert_eq!(limited(&throttle, "bob", network(1)), None);
}

#[test]
fn success_gives_the_attempt_back_and_so_does_one_that_was_never_judged() {
    let (throttle, _) = throttle(only_per_account(2));
    fail(&throttle, "ada", network(1));
    for _ in 0..50 {
        succeed(&throttle, "ada", network(1));
        now(now(throttle.login("ada", network(1))).unwrap().unjudged());
    }
    fail(&throttle, "ada", network(1));
    assert!(limited(&throttle, "ada", network(1)).is_some());
}

#[test]
fn one_networks_failures_add_up_over_accounts() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    for name in 0..30 {
        fail(&throttle, &format!("name {name}"), network(1));
    }
    let refused = limited(&throttle, "another", network(1)).expect("thirty were allowed");
    assert_eq!(
        (refused.quota.policy, refused.quota.limit),
        ("login_per_ip", 30)
    );
}

#[test]
fn a_refused_attempt_counts_nowhere() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    for _ in 0..10 {
        fail(&throttle, "ada", network(1));
    }
    for _ in 0..100 {
        assert_eq!(
            limited(&throttle, "ada", network(1)).unwrap().quota.policy,
            "login_per_account"
        );
    }
    // Had they counted, the network would be refused, and the account be under attack.
    for _ in 0..10 {
        fail(&throttle, "bob", network(1));
        fail(&throttle, "ada", network(2));
    }
}

#[test]
fn the_wait_that_is_told_is_enough_and_at_most_a_fifteenth_too_long() {
    let (throttle, clock) = throttle(only_per_account(1));
    clock.advance(Duration::from_secs(37));
    fail(&throttle, "ada", network(1));
    let wait = limited(&throttle, "ada", network(1)).unwrap().quota.reset;
    assert!((15 * MINUTE..=16 * MINUTE).contains(&wait), "{wait:?}");
    clock.advance(wait - Duration::from_micros(1));
    assert!(limited(&throttle, "ada", network(1)).is_some());
    clock.advance(Duration::from_micros(1));
    assert!(limited(&throttle, "ada", network(1)).is_none());
}

#[test]
fn a_quota_tells_what_is_left_and_when_there_will_be_more() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    now(throttle.register(network(1))).unwrap();
    clock.advance(20 * MINUTE);
    let quota = now(throttle.register(network(1))).unwrap().unwrap();
    let figures = (quota.policy, quota.limit, quota.remaining, quota.reset);
    assert_eq!(figures, ("register_per_ip", 20, 18, 44 * MINUTE));
}

#[test]
fn past_a_hundred_failures_a_strange_network_gets_one_try_and_a_familiar_one_all() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    succeed(&throttle, "ada", network(1));
    for attacker in 0..10 {
        for _ in 0..10 {
            fail(&throttle, "ada", network(100 + attacker));
        }
    }
    fail(&throttle, "ada", network(2));
    assert_eq!(
        limited(&throttle, "ada", network(2)).unwrap().quota.limit,
        1
    );
    assert_eq!(limited(&throttle, "bob", network(2)), None);
    for _ in 0..10 {
        fail(&throttle, "ada", network(1));
    }
    assert_eq!(
        limited(&throttle, "ada", network(1)).unwrap().quota.limit,
        10
    );

    clock.advance(16 * MINUTE);
    fail(&throttle, "ada", network(2));
    assert!(limited(&throttle, "ada", network(2)).is_some());
    clock.advance(64 * MINUTE);
    fail(&throttle, "ada", network(2));
    fail(&throttle, "ada", network(2));
}

#[test]
fn the_one_try_of_a_strange_network_makes_it_familiar_when_it_succeeds() {
    let (throttle, _) = throttle(only_per_account(10));
    for attacker in 0..10 {
        for _ in 0..10 {
            fail(&throttle, "ada", network(100 + attacker));
        }
    }
    succeed(&throttle, "ada", network(2));
    fail(&throttle, "ada", network(2));
    fail(&throttle, "ada", network(2));
}

#[test]
fn a_network_is_untried_until_it_fails_and_familiar_to_an_account_it_has_logged_in_to() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    let attempt = |account| now(throttle.login(account, network(1))).unwrap();
    assert_eq!(attempt("ada").standing(), Standing::Untried);
    assert_eq!(attempt("ada").standing(), Standing::Failed);
    assert_eq!(attempt("bob").standing(), Standing::Failed);
    now(attempt("ada").succeeded());
    assert_eq!(attempt("ada").standing(), Standing::Familiar);
    assert_eq!(attempt("bob").standing(), Standing::Failed);
}

#[test]
fn of_two_right_logins_at_once_neither_has_failed() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    let attempt = |account| now(throttle.login(account, network(1))).unwrap();
    let (first, second) = (attempt("ada"), attempt("bob"));
    assert_eq!(first.standing(), Standing::Untried);
    assert_eq!(second.standing(), Standing::Untried);
    let third = attempt("ada");
    assert_eq!(third.standing(), Standing::Untried);
    now(first.succeeded());
    now(third.unjudged());
    assert_eq!(
        attempt("eve").standing(),
        Standing::Untried,
        "bob's is open"
    );
    assert_eq!(attempt("eve").standing(), Standing::Failed, "eve's is not");
    now(second.succeeded());
}

#[test]
fn a_flood_of_attempts_from_one_network_has_failed_before_any_is_judged() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    let attempt = |number: u32| now(throttle.login(&number.to_string(), network(1))).unwrap();
    let flood: Vec<_> = (0..20).map(attempt).collect();
    for (number, attempt) in flood.iter().enumerate() {
        let expected = match number {
            0..4 => Standing::Untried,
            _ => Standing::Failed,
        };
        assert_eq!(attempt.standing(), expected, "{number}");
    }
    for attempt in flood {
        now(attempt.unjudged());
    }
    assert_eq!(
        attempt(0).standing(),
        Standing::Untried,
        "all were taken back"
    );
}

#[test]
fn registrations_and_refreshes_count_every_call() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    for left in (0..20).rev() {
        let quota = now(throttle.register(network(1)))
            .unwrap()
            .expect("the limit is on");
        assert_eq!((quota.policy, quota.remaining), ("register_per_ip", left));
    }
    let refused = now(throttle.register(network(1))).unwrap_err();
    assert_eq!(refused.quota.policy, "register_per_ip");
    assert!(now(throttle.register(network(2))).is_ok());
    assert_eq!(
        now(throttle.refresh(network(1)))
            .unwrap()
            .unwrap()
            .remaining,
        2999
    );
    clock.advance(refused.quota.reset);
    assert!(now(throttle.register(network(1))).is_ok());
}

#[test]
fn a_limit_that_is_off_never_refuses_and_one_of_zero_always_does() {
    let (none, _) = throttle(ThrottleSettings {
        login_per_account: None,
        ..only_per_account(0)
    });
    for _ in 0..200 {
        fail(&none, "ada", network(1));
        assert_eq!(now(none.register(network(1))), Ok(None));
        assert_eq!(now(none.refresh(network(1))), Ok(None));
    }
    let (zero, _) = throttle(only_per_account(0));
    assert!(limited(&zero, "ada", network(1)).unwrap().quota.reset >= 14 * MINUTE);
}

#[test]
fn a_hundred_threads_on_one_account_never_get_past_the_limit() {
    let (throttle, _) = throttle(only_per_account(10));
    let start = Barrier::new(100);
    let admitted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    now(throttle.login("ada", network(1))).is_ok()
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .filter(|admitted| *admitted)
            .count()
    });
    assert_eq!(admitted, 10);
}

/// A failed login of each of a million names, each from another address, spread over a quarter of an hour.
fn flood(throttle: &Throttle, clock: &Clock) {
    const FLOOD: u32 = 1_000_000;
    for number in 0..FLOOD {
        if number % 1000 == 0 {
            clock.advance(15 * MINUTE * 1000 / FLOOD);
        }
        let network = network(u32::from_be_bytes([20, 0, 0, 0]) + number);
        fail(throttle, &format!("name {number}"), network);
        now(throttle.register(network)).expect("it is the first");
        now(throttle.refresh(network)).expect("it is the first");
    }
}

#[test]
fn a_million_names_and_addresses_stay_in_bounds_and_reset_no_counter_that_is_used_up() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    for attacker in 0..10 {
        for _ in 0..10 {
            fail(&throttle, "ada", network(100 + attacker));
        }
    }
    for name in 0..30 {
        fail(&throttle, &format!("guess {name}"), network(1));
    }
    for _ in 0..20 {
        now(throttle.register(network(1))).expect("twenty are allowed");
    }
    let used_up = clock.monotonic();
    flood(&throttle, &clock);
    assert!(clock.monotonic() - used_up <= 15 * MINUTE);

    let counters = &throttle.0;
    let all = [
        counters.login_per_account.as_ref().unwrap(),
        counters.login_per_ip.as_ref().unwrap(),
        counters.register_per_ip.as_ref().unwrap(),
        counters.refresh_per_ip.as_ref().unwrap(),
        &counters.failures_of_account,
    ];
    for counter in all {
        assert_eq!(counter.windows.len(), Throttle::KEYS, "{}", counter.policy);
    }
    let bytes: usize = all.iter().map(|counter| counter.windows.bytes()).sum();
    let exports = Throttle::EXPORT_KEYS * Windows::BYTES_PER_KEY;
    // The rest of the 64 MiB is for the pairs that are familiar.
    assert!(bytes + exports <= 48 << 20, "{bytes} bytes");

    let of_pair = limited(&throttle, "ada", network(100)).expect("ten were allowed");
    assert_eq!(of_pair.quota.policy, "login_per_account");
    let of_network = limited(&throttle, "another", network(1)).expect("thirty were allowed");
    assert_eq!(of_network.quota.policy, "login_per_ip");
    let registration = now(throttle.register(network(1))).unwrap_err();
    assert_eq!(registration.quota.policy, "register_per_ip");
    fail(&throttle, "ada", network(2));
    let of_stranger = limited(&throttle, "ada", network(2)).expect("ada is under attack");
    assert_eq!(of_stranger.quota.limit, 1);
    for _ in 0..10 {
        fail(&throttle, "fresh", network(3));
    }
    assert!(limited(&throttle, "fresh", network(3)).is_some());
}

#[test]
fn pairs_with_an_earlier_success_are_bounded() {
    let (throttle, _) = throttle(only_per_account(1));
    for number in 0..(Throttle::FAMILIAR as u32 + 10_000) {
        succeed(&throttle, "ada", network(number));
    }
    throttle.0.familiar.run_pending_tasks();
    assert!(throttle.0.familiar.entry_count() <= Throttle::FAMILIAR);
}

#[test]
fn a_full_counter_forgets_the_least_used_and_of_these_the_one_unused_longest() {
    let windows = Windows::new(15 * MINUTE, 16);
    let used = |key| windows.charge_beyond_limit(key, Duration::ZERO).1;
    for key in 0..16 {
        used(key);
    }
    for key in (0..16).filter(|key| ![3, 7].contains(key)) {
        used(key);
    }
    used(16);
    assert_eq!(used(7), 1, "key 3 was unused longest");
    used(17);
    assert_eq!(used(16), 0, "it was the least used");
    assert_eq!((windows.len(), used(0), used(15)), (16, 2, 2));
}

#[test]
fn uses_that_are_over_keep_no_counter_alive() {
    let windows = Windows::new(15 * MINUTE, 16);
    for _ in 0..100 {
        windows.charge_beyond_limit(0, Duration::ZERO);
    }
    let later = 17 * MINUTE;
    for key in 1..=16 {
        windows.charge_beyond_limit(key, later);
    }
    let still = (1..=16).map(|key| windows.charge_beyond_limit(key, later).1);
    assert_eq!(still.collect::<Vec<_>>(), [1; 16]);
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_the_limit_and_waiting_as_told_always_helps(
        count in 1_u32..8,
        window_seconds in 1_u64..2000,
        steps in prop::collection::vec(0_u64..400_000, 1..120),
    ) {
        let limit = Limit { count, window: Duration::from_secs(window_seconds) };
        let (throttle, clock) = throttle(ThrottleSettings { register_per_ip: Some(limit), ..only_per_account(1) });
        let slice = windows::slice_length(limit.window);
        let mut admitted: Vec<Duration> = Vec::new();
        for step in steps {
            clock.advance(Duration::from_millis(step));
            if let Err(limited) = now(throttle.register(network(1))) {
                prop_assert!(limited.quota.reset <= limit.window + 2 * slice);
                if step % 3 == 0 {
                    clock.advance(limited.quota.reset + Duration::from_micros(1));
                    prop_assert!(now(throttle.register(network(1))).is_ok());
                    admitted.push(clock.monotonic());
                }
            } else {
                admitted.push(clock.monotonic());
            }
        }
        let crowded = admitted.windows(count as usize + 1).find(|uses| uses[count as usize] - uses[0] < limit.window);
        prop_assert_eq!(crowded, None);
    }
}

#[test]
fn only_the_first_refusal_of_a_row_says_so() {
    let (throttle, clock) = throttle(only_per_account(1));
    for _ in 0..2 {
        fail(&throttle, "ada", network(1));
        let firsts = [(); 3].map(|()| limited(&throttle, "ada", network(1)).unwrap().first);
        assert_eq!(firsts, [true, false, false]);
        clock.advance(16 * MINUTE);
    }
}
