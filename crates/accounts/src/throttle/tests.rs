//! The limits on a clock that is moved by hand, their figures, and races.

use std::sync::Barrier;

use proptest::prelude::*;
use store::Timestamp;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn throttle(settings: ThrottleSettings) -> (Throttle, Clock) {
    let clock = Clock::fixed(Timestamp::from_micros(1_769_860_800_000_000));
    (Throttle::new(settings, clock.clone()), clock)
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

fn limited(throttle: &Throttle, account: &str, network: Network) -> Option<Limited> {
    throttle.login(account, network).err()
}

fn fail(throttle: &Throttle, account: &str, network: Network) {
    drop(
        throttle
            .login(account, network)
            .expect("it is not limited yet"),
    );
}

fn succeed(throttle: &Throttle, account: &str, network: Network) {
    throttle
        .login(account, network)
        .expect("it is not limited yet")
        .succeeded();
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
        (refused.policy, refused.limit, refused.remaining),
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
        throttle.login("ada", network(1)).unwrap().unjudged();
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
    assert_eq!((refused.policy, refused.limit), ("login_per_ip", 30));
}

#[test]
fn a_refused_attempt_counts_nowhere() {
    let (throttle, _) = throttle(ThrottleSettings::default());
    for _ in 0..10 {
        fail(&throttle, "ada", network(1));
    }
    for _ in 0..100 {
        assert_eq!(
            limited(&throttle, "ada", network(1)).unwrap().policy,
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
    let wait = limited(&throttle, "ada", network(1)).unwrap().retry_after;
    assert!((15 * MINUTE..=16 * MINUTE).contains(&wait), "{wait:?}");
    clock.advance(wait - Duration::from_micros(1));
    assert!(limited(&throttle, "ada", network(1)).is_some());
    clock.advance(Duration::from_micros(1));
    assert!(limited(&throttle, "ada", network(1)).is_none());
}

#[test]
fn a_quota_tells_what_is_left_and_when_there_will_be_more() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    throttle.register(network(1)).unwrap();
    clock.advance(20 * MINUTE);
    let quota = throttle.register(network(1)).unwrap().unwrap();
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
    assert_eq!(limited(&throttle, "ada", network(2)).unwrap().limit, 1);
    assert_eq!(limited(&throttle, "bob", network(2)), None);
    for _ in 0..10 {
        fail(&throttle, "ada", network(1));
    }
    assert_eq!(limited(&throttle, "ada", network(1)).unwrap().limit, 10);

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
fn registrations_and_refreshes_count_every_call() {
    let (throttle, clock) = throttle(ThrottleSettings::default());
    for left in (0..20).rev() {
        let quota = throttle
            .register(network(1))
            .unwrap()
            .expect("the limit is on");
        assert_eq!((quota.policy, quota.remaining), ("register_per_ip", left));
    }
    let refused = throttle.register(network(1)).unwrap_err();
    assert_eq!(refused.policy, "register_per_ip");
    assert!(throttle.register(network(2)).is_ok());
    assert_eq!(
        throttle.refresh(network(1)).unwrap().unwrap().remaining,
        2999
    );
    clock.advance(refused.retry_after);
    assert!(throttle.register(network(1)).is_ok());
}

#[test]
fn a_limit_that_is_off_never_refuses_and_one_of_zero_always_does() {
    let (none, _) = throttle(ThrottleSettings {
        login_per_account: None,
        ..only_per_account(0)
    });
    for _ in 0..200 {
        fail(&none, "ada", network(1));
        assert_eq!(none.register(network(1)), Ok(None));
        assert_eq!(none.refresh(network(1)), Ok(None));
    }
    let (zero, _) = throttle(only_per_account(0));
    assert!(limited(&zero, "ada", network(1)).unwrap().retry_after >= 14 * MINUTE);
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
                    throttle.login("ada", network(1)).is_ok()
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

#[test]
fn counters_are_bounded_and_a_flood_of_names_does_not_keep_new_ones_from_counting() {
    let (throttle, _) = throttle(only_per_account(1));
    for name in 0..(Throttle::BY_NAME as u32 + 10_000) {
        fail(&throttle, &format!("name {name}"), network(name));
    }
    let windows = &throttle.0.login_per_account.as_ref().unwrap().windows;
    windows.run_pending_tasks();
    assert!(windows.entry_count() <= Throttle::BY_NAME);
    for name in 0..100 {
        let name = format!("fresh {name}");
        fail(&throttle, &name, network(1));
        assert!(limited(&throttle, &name, network(1)).is_some());
    }
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
        let mut admitted: Vec<Duration> = Vec::new();
        for step in steps {
            clock.advance(Duration::from_millis(step));
            if let Err(limited) = throttle.register(network(1)) {
                prop_assert!(limited.retry_after <= limit.window + 2 * slice_length(limit.window));
                if step % 3 == 0 {
                    clock.advance(limited.retry_after + Duration::from_micros(1));
                    prop_assert!(throttle.register(network(1)).is_ok());
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
