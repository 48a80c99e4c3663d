//! Files that are remembered: they are answered like any other, to nobody else, and no longer than they are what they were.
//! That a change shows at once is tried in `at_once`, with and without memory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use tokio::time::advance;

use super::{Bait, OPEN_FILES, answer_to, body_of, get, get_as_member, remembering};
use crate::site::encoding::Encoding;
use crate::site::memory::Memory;
use crate::site::path::SitePath;
use crate::site::{Access, Rules, Site};

const PAGE: &str = "/open/page.html";

/// Has the file of a path remembered. Whoever asks first finds names that the kernel has not looked for yet, and so has to
/// wait for the disk.
async fn remember(site: &Site, path: &str) {
    for _ in 0..2 {
        let answer = get_as_member(site, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    assert!(is_remembered(site, path, &[]), "{path}");
}

fn is_remembered(site: &Site, path: &str, accepted: &[Encoding]) -> bool {
    let page = SitePath::parse(path).expect("a path").page();
    site.memory.recall(&page, accepted).is_some()
}

#[tokio::test(start_paused = true)]
async fn a_file_from_memory_is_answered_as_from_the_disk() {
    let bait = Bait::new();
    bait.write("open/packed.html", "for all");
    bait.write("open/packed.html.gz", "packed");
    bait.date("open/packed.html", 1_000);
    let plain = Site {
        memory: Memory::after(Duration::MAX),
        ..bait.site("/members/**")
    };
    let remembering = remembering(bait.site("/members/**"));
    let gzip = ("accept-encoding", "gzip, br");
    let requests = [
        (Method::GET, PAGE, vec![]),
        (Method::HEAD, PAGE, vec![]),
        (Method::GET, PAGE, vec![gzip]),
        (Method::GET, PAGE, vec![("range", "bytes=4-")]),
        (Method::GET, PAGE, vec![("range", "bytes=100-")]),
        (Method::GET, PAGE, vec![("if-none-match", "*")]),
        (Method::GET, PAGE, vec![("if-match", "\"other\"")]),
        (Method::POST, PAGE, vec![]),
        (Method::GET, "/open/packed.html", vec![gzip]),
        (Method::GET, "/open/packed.html", vec![]),
        (Method::GET, "/absent", vec![]),
    ];
    for (method, path, fields) in requests {
        let answer = async |site: &Site| {
            let answer = answer_to(site, &Access::Public, method.clone(), path, &fields).await;
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, body_of(answer).await)
        };
        let expected = answer(&plain).await;
        for _ in 0..3 {
            assert_eq!(
                answer(&remembering).await,
                expected,
                "{method} {path} {fields:?}"
            );
        }
    }
    for (path, accepted) in [
        (PAGE, &[][..]),
        (PAGE, &[Encoding::Brotli, Encoding::Gzip]),
        ("/open/packed.html", &[Encoding::Brotli, Encoding::Gzip]),
        ("/open/packed.html", &[]),
        ("/404.html", &[]),
    ] {
        assert!(
            is_remembered(&remembering, path, accepted),
            "{path} {accepted:?}"
        );
        assert!(
            !is_remembered(&plain, path, accepted),
            "it has not been left alone for ever"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_remembered_that_nobody_has_changed_for_a_while_and_no_other() {
    let bait = Bait::new();
    bait.write("index.html", "just now");
    let just_now = bait.site("/members/**");
    for _ in 0..3 {
        assert_eq!(get(&just_now, "/", &[]).await.status(), StatusCode::OK);
    }
    assert!(!is_remembered(&just_now, "/", &[]));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site");
    let site = Site::open(&example, Rules::default(), &[], OPEN_FILES).expect("a site");
    remember(&site, "/").await;
}

/// As a tool does that copies times along.
#[tokio::test(start_paused = true)]
async fn what_is_written_anew_is_served_also_with_the_length_and_the_time_of_before() {
    let bait = Bait::new();
    let site = remembering(bait.site("/members/**"));
    bait.date("open/page.html", 1_000_000);
    remember(&site, PAGE).await;
    let file = bait.dir().join("open/page.html");
    let changed = || {
        let metadata = fs::metadata(&file).expect("the page");
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = changed();
    // Until the clock of the file system has ticked.
    while changed() == before {
        bait.write("open/page.html", "FOR ALL");
        bait.date("open/page.html", 1_000_000);
    }
    assert_eq!(body_of(get(&site, PAGE, &[]).await).await, "FOR ALL");
}

#[tokio::test(start_paused = true)]
async fn what_a_member_has_fetched_is_kept_from_strangers_all_the_same() {
    let bait = Bait::new();
    let site = remembering(bait.site("/members/**"));
    let handbook = "/members/handbook.html";
    remember(&site, handbook).await;
    for path in [
        handbook,
        "/open/alias.html",
        "/open/folder-alias/handbook.html",
    ] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_link_leads_to_is_judged_each_time_whatever_was_there_before() {
    let bait = Bait::new();
    let site = remembering(bait.site("/members/**"));
    let page = bait.dir().join("open/page.html");
    remember(&site, PAGE).await;
    fs::remove_file(&page).expect("no page");
    std::os::unix::fs::symlink("../members/handbook.html", &page).expect("a link");
    assert_eq!(
        get(&site, PAGE, &[]).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert!(!is_remembered(&site, PAGE, &[]));
    assert_eq!(
        get_as_member(&site, PAGE, &[]).await.status(),
        StatusCode::OK
    );
    assert!(!is_remembered(&site, PAGE, &[]), "it is behind a link");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_for_longer_than_a_second() {
    let bait = Bait::new();
    let site = remembering(bait.site("/members/**"));
    remember(&site, PAGE).await;
    advance(Duration::from_millis(999)).await;
    assert!(is_remembered(&site, PAGE, &[]));
    // To ask for it does not make it any younger.
    assert_eq!(get(&site, PAGE, &[]).await.status(), StatusCode::OK);
    advance(Duration::from_millis(1)).await;
    assert!(!is_remembered(&site, PAGE, &[]));
}

#[tokio::test(start_paused = true)]
async fn large_files_are_not_remembered_and_many_small_ones_have_bounds() {
    let bait = Bait::new();
    let site = remembering(bait.site("/members/**"));
    bait.write("open/large.bin", vec![b'x'; 64 * 1024 + 1]);
    for _ in 0..2 {
        let answer = get(&site, "/open/large.bin", &[]).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert!(!is_remembered(&site, "/open/large.bin", &[]));
    for number in 0..200 {
        bait.write(&format!("open/{number}.bin"), vec![b'x'; 64 * 1024]);
        remember(&site, &format!("/open/{number}.bin")).await;
    }
    let held = site.memory.bytes();
    assert!((1 << 20..=4 << 20).contains(&held), "{held} bytes");
}
