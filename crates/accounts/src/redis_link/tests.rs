//! The connection to a real Redis, to one that comes and goes, and to what is none.

use std::{io::Write as _, os::unix::net::UnixListener};

use scratch::Redis;

use super::*;

/// For what takes a moment on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

impl Bounds {
    /// For a machine that is busy with other tests.
    pub(crate) fn generous() -> Self {
        Self {
            call: PATIENCE,
            probe: PATIENCE,
            connect: PATIENCE,
        }
    }
}

fn link_to(url: &str) -> RedisLink {
    let url = RedisUrl::parse(url).expect("a URL");
    RedisLink::new(url, "tested", Clock::system(), Bounds::generous())
}

/// Keeps a link connected until something has happened.
async fn until<T>(link: &RedisLink, event: impl Future<Output = T>) -> T {
    tokio::select! {
        never = link.keep_connected() => match never {},
        outcome = timeout(PATIENCE, event) => outcome.expect("it happens"),
    }
}

async fn answers(link: &RedisLink) -> bool {
    let script = Script::new("return 7");
    link.run::<i64>(&script.prepare_invoke()).await == Ok(7)
}

/// Asks until there is an answer.
async fn answer(link: &RedisLink) {
    while !answers(link).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_revocation_is_announced_to_all_nodes_of_the_installation() {
    let redis = Redis::start();
    let [one, other] = [link_to(&redis.url()), link_to(&redis.url())];
    for link in [&one, &other] {
        link.connect().await.expect("it runs");
        // Whoever was not connected has to look for itself.
        link.revocation_announced().await;
    }
    one.announce_revocation();
    until(&one, other.revocation_announced()).await;
}

#[tokio::test]
async fn a_redis_that_is_killed_is_found_again_when_it_is_back() {
    let mut redis = Redis::start();
    let link = link_to(&redis.url());
    link.connect().await.expect("it runs");
    assert!(answers(&link).await);
    redis.kill();
    while answers(&link).await {}
    redis.restart();
    until(&link, answer(&link)).await;
}

#[tokio::test]
async fn one_that_was_away_at_first_is_found_when_it_comes() {
    let mut redis = Redis::start();
    redis.kill();
    let link = link_to(&redis.url());
    let reason = link.connect().await.expect_err("nobody is there");
    assert!(reason.starts_with(&redis.url()), "{reason}");
    assert!(!answers(&link).await);
    redis.restart();
    until(&link, answer(&link)).await;
}

#[tokio::test]
async fn whoever_may_not_log_in_is_told_so_without_the_password() {
    let redis = Redis::start();
    assert!(
        redis
            .ask(&["config", "set", "requirepass", "canary"])
            .starts_with("OK")
    );
    let without = link_to(&redis.url()).connect().await.unwrap_err();
    assert!(without.to_uppercase().contains("AUTH"), "{without}");
    let wrong = format!("{}?pass=canary-not", redis.url());
    let refused = link_to(&wrong).connect().await.unwrap_err();
    assert!(!refused.contains("canary"), "{refused}");
    let right = format!("{}?pass=canary", redis.url());
    link_to(&right)
        .connect()
        .await
        .expect("the password is right");
}

#[tokio::test]
async fn a_redis_that_lets_nobody_write_is_of_no_use() {
    let redis = Redis::start();
    let full = redis.ask(&["config", "set", "maxmemory", "1"]);
    assert!(full.starts_with("OK"));
    let reason = link_to(&redis.url()).connect().await.unwrap_err();
    assert!(
        reason.contains("OOM") || reason.contains("memory"),
        "{reason}"
    );
}

#[tokio::test]
async fn what_is_no_redis_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("web.sock");
    let listener = UnixListener::bind(&socket).expect("it is free");
    let server = std::thread::spawn(move || {
        let (mut visitor, _) = listener.accept().expect("somebody comes");
        visitor.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    });
    let link = link_to(&format!("unix://{}", socket.display()));
    link.connect().await.expect_err("it is a web server");
    let _sent = server.join().expect("it has answered");
}

#[tokio::test]
async fn one_that_hangs_is_waited_for_once() {
    let redis = Redis::start();
    let url = RedisUrl::parse(&redis.url()).expect("a URL");
    let bounds = Bounds {
        call: Duration::from_millis(1),
        ..Bounds::generous()
    };
    let link = RedisLink::new(url, "tested", Clock::system(), bounds);
    link.connect().await.expect("it runs");
    let busy = Script::new("while true do end");
    let answer = link.run::<i64>(&busy.prepare_invoke()).await;
    assert_eq!(answer, Err(Unanswered::Unknown));
    assert!(link.0.current().is_none(), "the next one does not wait");
}

#[tokio::test]
async fn a_look_tells_what_becomes_of_keys_when_it_is_full() {
    let redis = Redis::start();
    let url = RedisUrl::parse(&redis.url()).expect("a URL");
    let report = url.inspect(None).await.expect("it runs");
    assert!(report.server.contains(' '), "{report:?}");
    assert_eq!((report.most_memory, report.evicts), (None, false));
    for (setting, value) in [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")] {
        assert!(
            redis
                .ask(&["config", "set", setting, value])
                .starts_with("OK")
        );
    }
    let report = url.inspect(None).await.expect("it runs");
    assert_eq!((report.most_memory, report.evicts), (Some(100 << 20), true));
}

#[tokio::test]
async fn a_look_refuses_what_no_node_would_use() {
    let redis = Redis::start();
    let all = ["reset", "on", "nopass", "+@all", "~vestibule:*"];
    for (user, channel) in [("deaf", "resetchannels"), ("hearing", "&vestibule:*")] {
        let user = [&["acl", "setuser", user], &all[..], &[channel]].concat();
        assert!(redis.ask(&user).starts_with("OK"));
    }
    for (user, is_of_use) in [("deaf", false), ("hearing", true)] {
        let url = format!("{}?user={user}&pass=any", redis.url());
        let report = RedisUrl::parse(&url).expect("a URL").inspect(None).await;
        assert_eq!(report.is_ok(), is_of_use, "{report:?}");
    }
}
