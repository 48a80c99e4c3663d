//! Files that are had without waiting: they are the very files that a closer look finds, and whatever is not plain is
//! left to that.

use std::sync::Arc;

use super::{Bait, body_of, field, get};
use crate::site::at_once::Folder;
use crate::site::files::{self, Found, Located};
use crate::site::path::SitePath;

/// What is found of a path without waiting, once somebody has looked.
fn at_once(bait: &Bait, path: &str) -> Option<Located> {
    let folder = Arc::new(Folder::of(bait.dir()));
    let path = SitePath::parse(path).expect("a path");
    let looked = files::find(&folder.dir, &path).expect("a folder that can be read");
    let found = files::find_at_once(&folder, &path)?;
    let Found::File(looked) = looked else {
        panic!("{path} is {looked:?}, and yet was found");
    };
    assert_eq!((&found.page, &found.real), (&looked.page, &looked.real));
    Some(found)
}

#[test]
#[cfg(target_os = "linux")]
fn plain_files_and_index_pages_are_found_at_once() {
    let bait = Bait::new();
    for path in ["/", "/index.html", "/open/", "/open/page.html"] {
        assert!(at_once(&bait, path).is_some(), "{path}");
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

#[tokio::test]
async fn what_is_written_or_put_in_the_place_of_a_file_is_served_to_the_next_visitor() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let page = async || body_of(get(&site, "/open/page.html", &[]).await).await;
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
async fn a_compressed_copy_is_served_from_the_moment_it_is_there_until_the_file_is_newer() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let coding = async || {
        let answer = get(&site, "/open/page.html", &[("accept-encoding", "gzip, br")]).await;
        field(&answer, "content-encoding").to_owned()
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
    let place = |name: &str| bait.folder.path().join(name);
    std::fs::rename(bait.dir(), place("first")).expect("a release");
    std::fs::create_dir_all(place("second/open")).expect("another release");
    std::fs::write(place("second/open/page.html"), "the second").expect("its page");
    std::os::unix::fs::symlink("first", bait.dir()).expect("a link");
    let site = bait.site("/members/**");
    let page = async || body_of(get(&site, "/open/page.html", &[]).await).await;
    assert_eq!(page().await, "for all");
    std::os::unix::fs::symlink("second", place("next")).expect("a link");
    std::fs::rename(place("next"), bait.dir()).expect("a deployment");
    assert_eq!(page().await, "the second");
}
