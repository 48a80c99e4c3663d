//! Two nodes that count together, in a real Redis of each test's own.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use futures_util::future::join_all;
use scratch::Redis;
use tokio::time::{sleep, timeout};

use super::super::{LoginAttempt, Network, Throttle, ThrottleSettings};
use super::*;
use crate::{Clock, RedisUrl, redis_link::Bounds};

const QUARTER: Duration = Duration::from_mins(15);

/// A node, connected; of the same installation as all others here.
async fn node(redis: &Redis, settings: ThrottleSettings) -> Throttle {
    let url = RedisUrl::parse(&redis.url()).expect("a URL");
    let clock = Clock::system();
    let link = RedisLink::new(url, "tested", clock.clone(), Bounds::generous());
    link.connect().await.expect("it runs");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"of these tests");
    Throttle::new(settings, clock, key, Some(link))
}

async fn two_nodes(redis: &Redis, settings: ThrottleSettings) -> [Throttle; 2] {
    [node(redis, settings).await, node(redis, settings).await]
}

fn only_per_account(count: u32) -> ThrottleSettings {
    ThrottleSettings {
        login_per_account: Some(Limit {
            count,
            window: QUARTER,
        }),
        login_per_ip: None,
        ..ThrottleSettings::default()
    }
}

fn network(number: u8) -> Network {
    Network::of(IpAddr::from([192, 0, 2, number]))
}

async fn attempt(node: &Throttle, from: u8) -> Result<LoginAttempt, Limited> {
    node.login("ada", network(from)).await
}

async fn fail(node: &Throttle, from: u8) {
    drop(attempt(node, from).await.expect("it is not limited yet"));
}

async fn succeed(node: &Throttle, from: u8) {
    let admitted = attempt(node, from).await.expect("it is not limited yet");
    admitted.succeeded().await;
}

async fn refused(node: &Throttle, from: u8) -> Limited {
    attempt(node, from).await.err().expect("it is limited")
}

#[tokio::test]
async fn failures_at_either_node_count_at_both() {
    let redis = Redis::start();
    let [one, other] = two_nodes(&redis, ThrottleSettings::default()).await;
    for _ in 0..5 {
        fail(&one, 1).await;
        fail(&other, 1).await;
    }
    for (node, first) in [(&one, true), (&other, false), (&one, false)] {
        let limited = refused(node, 1).await;
        let Quota {
            policy,
            limit,
            remaining,
            reset,
            ..
        } = limited.quota;
        assert_eq!((policy, limit, remaining), ("login_per_account", 10, 0));
        let longest = QUARTER + 2 * slice_length(QUARTER);
        assert!(Duration::ZERO < reset && reset <= longest, "{reset:?}");
        assert_eq!(limited.first, first);
    }
    fail(&one, 2).await;
}

#[tokio::test]
async fn of_many_at_the_same_moment_no_more_are_admitted_than_the_limit() {
    let redis = Redis::start();
    let [one, other] = two_nodes(&redis, only_per_account(10)).await;
    for from in 0..20 {
        let nodes = [&one, &other].into_iter().cycle().take(40);
        let attempts = join_all(nodes.map(|node| attempt(node, from))).await;
        // Under attack, beyond 100 failures, a strange network has one try.
        let allowed = if from < 10 { 10 } else { 1 };
        assert_eq!(attempts.iter().filter(|one| one.is_ok()).count(), allowed);
    }
}

#[tokio::test]
async fn a_right_password_is_taken_back_at_both_nodes() {
    let redis = Redis::start();
    let [one, other] = two_nodes(&redis, only_per_account(2)).await;
    fail(&one, 1).await;
    for _ in 0..10 {
        succeed(&one, 1).await;
        succeed(&other, 1).await;
        attempt(&one, 1)
            .await
            .expect("one is left")
            .unjudged()
            .await;
    }
    fail(&other, 1).await;
    refused(&one, 1).await;
    refused(&other, 1).await;
}

#[tokio::test]
async fn who_logged_in_at_one_node_is_familiar_to_the_other_while_the_account_is_under_attack() {
    let redis = Redis::start();
    let [one, other] = two_nodes(&redis, only_per_account(10)).await;
    succeed(&one, 1).await;
    for from in 100..110 {
        for _ in 0..10 {
            fail(&other, from).await;
        }
    }
    for node in [&one, &other] {
        for _ in 0..3 {
            fail(node, 1).await;
        }
        succeed(node, 1).await;
    }
    fail(&one, 2).await;
    assert_eq!(refused(&one, 2).await.quota.limit, 1);
    assert_eq!(refused(&other, 2).await.quota.limit, 1);
}

#[tokio::test]
async fn registrations_refreshes_and_exports_are_counted_together() {
    let redis = Redis::start();
    let [one, other] = two_nodes(&redis, ThrottleSettings::default()).await;
    for left in (0..10).rev() {
        let quota = one.register(network(1)).await.unwrap().expect("it is on");
        assert_eq!(quota.remaining, 2 * left + 1);
        let quota = other.register(network(1)).await.unwrap().expect("it is on");
        assert_eq!(quota.remaining, 2 * left);
    }
    let limited = one.register(network(1)).await.unwrap_err();
    assert_eq!(limited.quota.policy, "register_per_ip");
    one.refresh(network(1)).await.unwrap();
    let quota = other.refresh(network(1)).await.unwrap().expect("it is on");
    assert_eq!(quota.remaining, 2998);
    let account = uuid::Uuid::nil();
    for _ in 0..5 {
        one.export(account).await.unwrap();
    }
    let limited = other.export(account).await.unwrap_err();
    assert_eq!(limited.quota.policy, "export_per_account");
}

#[tokio::test]
async fn what_redis_holds_names_nobody_and_does_not_stay() {
    let redis = Redis::start();
    let node = node(&redis, ThrottleSettings::default()).await;
    fail(&node, 77).await;
    succeed(&node, 77).await;
    for _ in 0..21 {
        let _counted = node.register(network(77)).await;
    }
    let keys = redis.ask(&["keys", "*"]);
    // What the connection was tried with says nothing, and may have gone.
    let counts: Vec<_> = keys
        .lines()
        .filter(|key| !key.ends_with(":probe"))
        .collect();
    assert_eq!(counts.len(), 7, "{keys}");
    for key in counts {
        assert!(key.starts_with("vestibule:{tested}:"), "{key}");
        // A name and an address as they are would hold what no hash does.
        let (_, hash) = key.rsplit_once(':').expect("it has parts");
        assert!(
            hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{key}"
        );
        let left: i64 = redis.ask(&["pttl", key]).trim().parse().expect("a number");
        assert!(left > 0, "{key} stays for ever");
    }
}

#[tokio::test]
async fn uses_that_are_older_than_the_window_count_no_more() {
    let redis = Redis::start();
    let node = node(&redis, only_per_account(10)).await;
    fail(&node, 1).await;
    let keys = redis.ask(&["keys", "*login_per_account*"]);
    let key = keys.trim();
    let slice: i64 = redis.ask(&["hkeys", key]).trim().parse().expect("one");
    let set = |slice: i64| redis.ask(&["hset", key, &slice.to_string(), "9"]);
    // The window has gone on by a slice, at the most, since the one that was read.
    let _answer = set(slice - 16);
    fail(&node, 1).await;
    let _answer = set(slice - 14);
    let limited = refused(&node, 1).await;
    assert!(limited.quota.reset <= 3 * slice_length(QUARTER));
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_years_locks_nobody_out_for_years() {
    let redis = Redis::start();
    let node = node(&redis, only_per_account(10)).await;
    fail(&node, 1).await;
    let keys = redis.ask(&["keys", "*login_per_account*"]);
    let key = keys.trim();
    let slice: i64 = redis.ask(&["hkeys", key]).trim().parse().expect("one");
    let set = |slice: i64| redis.ask(&["hset", key, &slice.to_string(), "9"]);
    let _answer = set(slice + 1_000_000);
    fail(&node, 1).await;
    let _answer = set(slice + 14);
    refused(&node, 1).await;
}

#[tokio::test]
async fn who_logs_in_while_redis_goes_away_is_taken_back_when_it_is_found_again() {
    let redis = Redis::start();
    let one = node(&redis, only_per_account(1)).await;
    let attempt = attempt(&one, 1).await.expect("it is not limited yet");
    for kind in ["normal", "pubsub"] {
        let _killed = redis.ask(&["client", "kill", "type", kind]);
    }
    attempt.succeeded().await;
    let link = &one.0.shared.as_ref().expect("it is shared").link;
    let other = node(&redis, only_per_account(1)).await;
    let is_free = async {
        while self::attempt(&other, 1).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        never = link.keep_connected() => match never {},
        never = one.settle_with_the_others() => match never {},
        free = timeout(Duration::from_mins(1), is_free) => free.expect("it is taken back"),
    }
}

#[tokio::test]
async fn a_login_is_taken_back_once_whichever_call_comes_first() {
    let redis = Redis::start();
    let node = node(&redis, only_per_account(10)).await;
    let shared = node.0.shared.as_ref().expect("it is shared");
    let pair = node.0.key_of(Some(network(1)), "ada");
    let uses = node.0.uses_of_login(pair, "ada", network(1));
    let names: Vec<_> = uses.iter().map(|one| shared.name_of(one)).collect();
    let stand = || redis.ask(&["hvals", &names[0]]).trim().to_owned();
    let attempt = |record: &str| SharedAttempt {
        counters: names.clone(),
        record: record.to_owned(),
    };
    let charge = async |record: &str| {
        let mut call = shared.charge_of(&uses, &names, false);
        call.key("pair").key(record);
        shared.link.run::<Vec<i64>>(&call).await.expect("it runs")
    };
    for record in ["stands", "taken back"] {
        assert_eq!(charge(record).await[0], 1);
    }
    assert_eq!(stand(), "2");
    for _ in 0..2 {
        shared.settle(Some(attempt("taken back")), None).await;
        assert_eq!(stand(), "1");
    }
    shared.settle(Some(attempt("comes late")), None).await;
    assert_eq!(charge("comes late").await, [] as [i64; 0]);
    assert_eq!(stand(), "1");
}

#[tokio::test]
async fn without_redis_a_node_goes_on_with_what_it_has_counted_itself() {
    let mut redis = Redis::start();
    let [one, other] = two_nodes(&redis, only_per_account(10)).await;
    for _ in 0..9 {
        fail(&one, 1).await;
    }
    fail(&other, 1).await;
    assert!(redis.ask(&["flushall"]).starts_with("OK"));
    fail(&one, 1).await;
    refused(&one, 1).await;
    redis.kill();
    refused(&one, 1).await;
    for _ in 0..9 {
        fail(&other, 1).await;
    }
    refused(&other, 1).await;
}

#[test]
fn an_answer_that_is_none_of_ours_is_no_answer() {
    let one_use = Use {
        policy: "register_per_ip",
        key: 7,
        limit: Limit {
            count: 1,
            window: QUARTER,
        },
        rule: Rule::Limit,
    };
    for answer in [
        &[][..],
        &[0],
        &[1],
        &[2, 0],
        &[0, 0, 1, 1, 1],
        &[0, 2, 1, 1, 1],
        &[0, 1, -1, 1, 1],
        &[0, 1, 1, -1, 1],
        &[1, 0, 1, 1],
        &[1, 0, 1, i64::MAX, 1],
    ] {
        let read = read(answer, &[one_use]);
        assert!(read.is_none(), "{answer:?}");
    }
}
