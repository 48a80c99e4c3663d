//! More visitors than there is room for: who holds a file open, and what the others are told.

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use futures_util::FutureExt;
use http_body_util::BodyExt;

use super::{Bait, body_of, field, get, judged};
use crate::site::room::Room;
use crate::site::{Judged, Site};

/// A site with room for two open files, where nobody waits for a place.
fn narrow(bait: &Bait) -> Site {
    bait.write("film.bin", vec![b'x'; 1024 * 1024]);
    Site {
        room: Room::for_files(2).without_patience(),
        ..bait.site("/members/**")
    }
}

async fn unread(site: &Site) -> Body {
    let answer = get(site, "/film.bin", &[]).await;
    assert_eq!(answer.status(), 200);
    answer.into_body()
}

#[tokio::test]
async fn a_download_beyond_the_room_is_told_to_come_back_and_may_once_another_ends() {
    let bait = Bait::new();
    let site = narrow(&bait);
    let (first, mut second) = (unread(&site).await, unread(&site).await);
    for path in ["/film.bin", "/open/page.html"] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(
            (answer.status().as_u16(), field(&answer, "retry-after")),
            (503, "5"),
            "{path}"
        );
    }
    drop(first);
    assert_eq!(
        body_of(get(&site, "/open/page.html", &[]).await).await,
        "for all",
        "a visitor who left makes room"
    );
    let _third = unread(&site).await;
    while let Some(part) = second.frame().await {
        part.expect("the rest of the film");
    }
    assert_eq!(
        get(&site, "/open/page.html", &[]).await.status(),
        200,
        "a film that was sent makes room"
    );
}

#[tokio::test]
async fn what_nobody_takes_has_its_bound_in_memory_and_a_download_waits_for_what_others_leave() {
    const CHUNK: usize = 64 * 1024;
    let bait = Bait::new();
    let crowd = narrow(&bait);
    let site = Site {
        room: crowd.room.clone().with_memory_of(2 * CHUNK),
        ..crowd
    };
    // It needs no open file any more.
    let part = async || get(&site, "/film.bin", &[("range", "bytes=0-65535")]).await;
    let mut film = unread(&site).await;
    let first = film.frame().await;
    let other = part().await;
    assert_eq!(other.status(), 206);
    for path in ["/film.bin", "/open/page.html"] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), 503, "{path}");
    }
    let mut next = film.frame();
    let waits = (&mut next).now_or_never().is_none();
    assert!(waits, "it goes on when there is room");
    drop(other);
    assert!(next.await.is_some());
    drop(first);
    assert_eq!(part().await.status(), 206);
}

#[tokio::test]
async fn what_needs_no_open_file_is_answered_in_a_crowd() {
    let bait = Bait::new();
    let site = narrow(&bait);
    let _crowd = (unread(&site).await, unread(&site).await);
    for (path, status) in [("/absent", 404), ("/open", 308), ("/members/", 401)] {
        assert_eq!(get(&site, path, &[]).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_fits_in_memory_or_has_no_body_holds_no_file() {
    let bait = Bait::new();
    let site = narrow(&bait);
    let etag = field(&get(&site, "/film.bin", &[]).await, "etag").to_owned();
    let mut unread = Vec::new();
    for _ in 0..5 {
        for (path, fields, status) in [
            ("/open/page.html", vec![], 200),
            ("/film.bin", vec![("range", "bytes=0-9")], 206),
            ("/film.bin", vec![("if-none-match", etag.as_str())], 304),
            ("/film.bin", vec![("range", "bytes=9999999-")], 416),
            ("/absent", vec![], 404),
        ] {
            let answer = get(&site, path, &fields).await;
            assert_eq!(answer.status(), status, "{path} {fields:?}");
            unread.push(answer);
        }
        let Judged::Public(film) = judged(&site, "/film.bin", &HeaderMap::new()).await else {
            panic!("the film is public");
        };
        let head = site.serve(film, &Method::HEAD, &HeaderMap::new()).await;
        assert_eq!(head.status(), 200);
        unread.push(head);
    }
}
