//! Files that are had without waiting: they are the very files that a closer look finds, and whatever is not plain is
//! left to that.

use std::sync::Arc;

use super::{Bait, OPEN_FILES, body_of, field, get, get_as_member, remembering};
use crate::site::Site;
use crate::site::at_once::Folder;
use crate::site::files::{self, Found, Located};
use crate::site::path::SitePath;
use crate::site::room::Room;

/// What is found of a path without waiting, once somebody has looked.
fn at_once(bait: &Bait, path: &str) -> Option<Located> {
    let folder = Arc::new(Folder::of(bait.dir()));
    let path = SitePath::parse(path).expect("a path");
    let looked = files::find(&folder.dir, &path).expect("a folder that can be read");
    let room = Room::for_files(OPEN_FILES);
    let found = files::open_at_once(&folder, &path, &room);
    // Whether or not the name is remembered.
    let again = files::open_at_once(&folder, &path, &room);
    assert_eq!(found.is_some(), again.is_some(), "{path}");
    let found = found?;
    let Found::File(looked) = looked else {
        panic!("{path} is {looked:?}, and yet was found");
    };
    assert_eq!(
        (&found.page, &found.behind_link),
        (&looked.page, &looked.behind_link)
    );
    Some(found)
}

/// The header fields of a request.
type Fields<'a> = &'a [(&'static str, &'a str)];

/// The same site where nobody may wait for the disk.
fn in_haste(site: Site) -> Site {
    Site {
        room: Room::for_files(OPEN_FILES)
            .without_readers()
            .without_patience(),
        ..site
    }
}

#[test]
#[cfg(target_os = "linux")]
fn plain_files_and_index_pages_are_found_at_once() {
    let bait = Bait::new();
    for path in ["/", "/index.html", "/open/", "/open/page.html"] {
        assert!(at_once(&bait, path).is_some(), "{path}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_plain_file_is_answered_without_another_thread_and_all_else_is_not() {
    let bait = Bait::new();
    bait.write("open/packed.html", "for all");
    bait.write("open/packed.html.gz", "packed");
    bait.date("open/packed.html", 1_000);
    let members = "/members/handbook.html";
    let encodings = ("accept-encoding", "gzip, br");
    let plain: [(&str, Fields<'_>, u16); 8] = [
        ("/", &[], 200),
        ("/open/", &[], 200),
        ("/open/page.html", &[], 200),
        ("/open/page.html", &[encodings], 200),
        ("/open/page.html", &[("range", "bytes=1-2")], 206),
        ("/open/page.html", &[("if-none-match", "*")], 304),
        ("/open/packed.html", &[encodings], 200),
        (members, &[], 200),
    ];
    let answers = async |site: &Site| {
        let mut statuses = Vec::new();
        for (path, fields, _) in plain {
            let answer = match path {
                _ if path == members => get_as_member(site, path, fields).await,
                _ => get(site, path, fields).await,
            };
            statuses.push((path, answer.status().as_u16()));
        }
        statuses
    };
    let expected = plain.map(|(path, _, status)| (path, status));
    // What nobody has looked at is not in the kernel's memory: that a name is nobody's, for one.
    let site = bait.site("/members/**");
    assert_eq!(answers(&site).await, expected);
    let site = in_haste(site);
    assert_eq!(answers(&site).await, expected);
    for path in ["/open/same.html", "/absent", "/open"] {
        assert_eq!(get(&site, path, &[]).await.status(), 503, "{path}");
    }
}

#[test]
fn whatever_is_not_plain_takes_a_closer_look() {
    let bait = Bait::new();
    bait.write("open/PAGE.HTML", "for all, loudly");
    bait.write("open/short~1.html", "by another name");
    for path in [
        "/open/page.html",
        "/open/PAGE.HTML",
        "/open/Page.html",
        "/open/short~1.html",
        "/caf%C3%A9/",
        "/open",
        "/open/absent.html",
        "/index.html/",
        "/secret.key",
        "/vestibule.db",
        "/open/same.html",
        "/open/alias.html",
        "/open/out.txt",
        "/open/outer/",
        "/open/circle",
        "/open/folder-alias/",
        "/open/folder-alias/handbook.html",
        "/open/pipe",
    ] {
        assert!(at_once(&bait, path).is_none(), "{path}");
    }
}

/// The same answer three times: by a way over another thread, at once, and from memory where the site has one.
async fn thrice<T: PartialEq + std::fmt::Debug>(ask: impl AsyncFn() -> T) -> T {
    let first = ask().await;
    for _ in 0..2 {
        assert_eq!(ask().await, first);
    }
    first
}

#[tokio::test]
async fn what_is_written_or_put_in_the_place_of_a_file_is_served_to_the_next_visitor() {
    let (bait, other) = (Bait::new(), Bait::new());
    written_and_replaced(&bait, bait.site("/members/**")).await;
    written_and_replaced(&other, remembering(other.site("/members/**"))).await;
}

async fn written_and_replaced(bait: &Bait, site: Site) {
    let page =
        async || thrice(async || body_of(get(&site, "/open/page.html", &[]).await).await).await;
    assert_eq!(page().await, "for all");
    bait.write("open/page.html", "for all, anew");
    assert_eq!(page().await, "for all, anew");
    bait.write("open/next.html", "for all, next");
    let [next, now] = ["open/next.html", "open/page.html"].map(|name| bait.dir().join(name));
    std::fs::rename(next, now).expect("another file in its place");
    assert_eq!(page().await, "for all, next");
    std::fs::remove_file(bait.dir().join("open/page.html")).expect("none");
    let absent = get(&site, "/open/page.html", &[]).await;
    assert_eq!(absent.status(), 404);
}

#[tokio::test]
#[cfg(unix)]
async fn what_is_no_file_is_not_opened_to_see_that_and_once_at_most_where_one_was() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let pipe = bait.dir().join("open/pipe");
    // Opened to be written to, a pipe that nobody reads says so.
    let is_read = || {
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        options.write(true).open(&pipe).is_ok()
    };
    let status = async || get(&site, "/open/pipe", &[]).await.status().as_u16();
    assert_eq!((status().await, is_read()), (404, false));
    let away = bait.dir().join("open/away");
    std::fs::rename(&pipe, &away).expect("away");
    bait.write("open/pipe", "a file");
    for _ in 0..2 {
        assert_eq!((status().await, is_read()), (200, true));
    }
    std::fs::remove_file(&pipe).expect("no file");
    std::fs::rename(&away, &pipe).expect("back");
    for _ in 0..2 {
        assert_eq!((status().await, is_read()), (404, false));
    }
}

#[tokio::test]
async fn a_compressed_copy_is_served_from_the_moment_it_is_there_until_the_file_is_newer() {
    let (bait, other) = (Bait::new(), Bait::new());
    copies_come_and_grow_old(&bait, bait.site("/members/**")).await;
    copies_come_and_grow_old(&other, remembering(other.site("/members/**"))).await;
}

async fn copies_come_and_grow_old(bait: &Bait, site: Site) {
    let coding = async || {
        let coding = async || {
            let answer = get(&site, "/open/page.html", &[("accept-encoding", "gzip, br")]).await;
            field(&answer, "content-encoding").to_owned()
        };
        thrice(coding).await
    };
    bait.date("open/page.html", 1_000);
    assert_eq!(coding().await, "");
    bait.write("open/page.html.gz", "packed");
    assert_eq!(coding().await, "gzip");
    bait.write("open/page.html.br", "packed");
    assert_eq!(coding().await, "br");
    bait.date("open/page.html.br", 999);
    assert_eq!(coding().await, "gzip");
    bait.date("open/page.html.gz", 999);
    assert_eq!(coding().await, "");
}

#[tokio::test]
#[cfg(unix)]
async fn a_site_that_is_deployed_by_swapping_a_link_is_the_new_one_at_once() {
    let bait = Bait::new();
    deployed(&bait, |site| site).await;
    let other = Bait::new();
    deployed(&other, remembering).await;
}

#[cfg(unix)]
async fn deployed(bait: &Bait, kind: fn(Site) -> Site) {
    let place = |name: &str| bait.folder.path().join(name);
    std::fs::rename(bait.dir(), place("first")).expect("a release");
    std::fs::create_dir_all(place("second/open")).expect("another release");
    std::fs::write(place("second/open/page.html"), "the second").expect("its page");
    std::os::unix::fs::symlink("first", bait.dir()).expect("a link");
    let site = kind(bait.site("/members/**"));
    let page =
        async || thrice(async || body_of(get(&site, "/open/page.html", &[]).await).await).await;
    assert_eq!(page().await, "for all");
    std::os::unix::fs::symlink("second", place("next")).expect("a link");
    std::fs::rename(place("next"), bait.dir()).expect("a deployment");
    assert_eq!(page().await, "the second");
}
