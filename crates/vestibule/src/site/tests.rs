//! The site gate as a visitor meets it: judged and served, without the HTTP layer around it.

mod at_once;
mod crowded;
mod hostile_paths;
#[cfg(target_os = "linux")]
mod memory;
mod opening;

use std::fs;
use std::path::PathBuf;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use std::time::{Duration, SystemTime};

use super::memory::Memory;
use super::{Access, Judged, Pattern, Rule, Rules, Site, is_page_visit, login_location};

/// More than any test needs at once.
const OPEN_FILES: usize = 16;

/// A folder full of what must not get out, with a site in it.
struct Bait {
    folder: tempfile::TempDir,
}

impl Bait {
    fn new() -> Self {
        let bait = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        bait.write("../outside.txt", "SECRET");
        for secret in [
            "secret.key",
            "vestibule.db",
            "vestibule.db-wal",
            "vestibule.toml",
            ".env",
            ".git/config",
            "members/.htpasswd",
            "members/index.html",
            "open/.well-known/secret.txt",
            ".well-known/.secret.txt",
            ".well-known/jwks.json",
            "café/index.html",
            "login",
            "api/auth/login",
        ] {
            bait.write(secret, "SECRET");
        }
        bait.write("members/handbook.html", "for members");
        bait.write("open/page.html", "for all");
        bait.write("open/index.html", "the open index");
        bait.write("index.html", "welcome");
        bait.write("404.html", "nothing here");
        #[cfg(unix)]
        bait.add_unix_bait();
        bait
    }

    #[cfg(unix)]
    fn add_unix_bait(&self) {
        for (target, link) in [
            ("../../outside.txt", "open/out.txt"),
            ("../..", "open/outer"),
            ("../.env", "open/hidden.txt"),
            ("../secret.key", "open/key.txt"),
            ("circle", "open/circle"),
            ("../members/handbook.html", "open/alias.html"),
            ("../members", "open/folder-alias"),
            ("page.html", "open/same.html"),
        ] {
            std::os::unix::fs::symlink(target, self.dir().join(link)).expect("a link");
        }
        let pipe = std::process::Command::new("mkfifo")
            .arg(self.dir().join("open/pipe"))
            .status();
        assert!(pipe.expect("mkfifo").success());
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.dir().join(name);
        fs::create_dir_all(self.dir()).expect("the site");
        fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        fs::write(file, content).expect("a file");
    }

    fn date(&self, name: &str, seconds_since_1970: u64) {
        let file = fs::File::options()
            .write(true)
            .open(self.dir().join(name))
            .expect("the file");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds_since_1970))
            .expect("a date");
    }

    /// The site with everything under the pattern for signed-in callers.
    fn site(&self, protected: &str) -> Site {
        self.site_with(&[(protected, Access::SignedIn)])
    }

    fn site_with(&self, lines: &[(&str, Access)]) -> Site {
        let rule = |(pattern, access): &(&str, Access)| Rule {
            pattern: Pattern::parse(pattern).expect("a pattern"),
            access: access.clone(),
        };
        let rules = Rules::new(lines.iter().map(rule).collect());
        Site::open(&self.dir(), rules, &[], OPEN_FILES).expect("a site")
    }
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("a field value"),
        )
    };
    fields.iter().map(field).collect()
}

/// The same site, which remembers files that have just been written, too.
fn remembering(site: Site) -> Site {
    Site {
        memory: Memory::after(Duration::ZERO),
        ..site
    }
}

/// What becomes of a target.
async fn judged(site: &Site, target: &str, headers: &HeaderMap) -> Judged {
    match site.wanted(target) {
        Some(wanted) => site.judge(wanted, headers).await,
        None => Judged::NotFound,
    }
}

/// What a caller who meets `met` gets; 401 for one who does not.
async fn answer_to(
    site: &Site,
    met: &Access,
    method: Method,
    target: &str,
    fields: &[(&'static str, &str)],
) -> Response {
    let headers = headers(fields);
    match judged(site, target, &headers).await {
        Judged::NotFound => site.not_found(&method, &headers).await,
        Judged::Public(target) => site.serve(target, &method, &headers).await,
        Judged::Protected(target, needed) if needed == *met => {
            site.serve(target, &method, &headers).await
        }
        Judged::Protected(..) => {
            let mut refused = Response::new(Body::empty());
            *refused.status_mut() = StatusCode::UNAUTHORIZED;
            refused
        }
    }
}

async fn get(site: &Site, target: &str, fields: &[(&'static str, &str)]) -> Response {
    answer_to(site, &Access::Public, Method::GET, target, fields).await
}

async fn get_as_member(site: &Site, target: &str, fields: &[(&'static str, &str)]) -> Response {
    answer_to(site, &Access::SignedIn, Method::GET, target, fields).await
}

async fn body_of(answer: Response) -> Bytes {
    answer
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes()
}

fn field<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().expect(name))
}

#[tokio::test]
async fn a_public_page_is_served_with_its_type_validators_and_length() {
    let bait = Bait::new();
    let answer = get(&bait.site("/members/**"), "/open/page.html", &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(field(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(field(&answer, "content-length"), "7");
    assert_eq!(field(&answer, "cache-control"), "no-cache");
    assert_eq!(field(&answer, "vary"), "Accept-Encoding");
    assert_eq!(field(&answer, "accept-ranges"), "bytes");
    assert!(field(&answer, "last-modified").ends_with(" GMT"));
    assert!(field(&answer, "etag").starts_with('"') && field(&answer, "etag").ends_with('"'));
    assert_eq!(body_of(answer).await, "for all");
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_a_protected_area_not_even_which_files_exist() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    for path in [
        "/members",
        "/members/",
        "/members/index.html",
        "/members/handbook.html",
        "/members/absent",
        "/members/x.db",
    ] {
        assert_eq!(
            get(&site, path, &[("if-none-match", "*")]).await.status(),
            401,
            "{path}"
        );
    }
    let page = get_as_member(&site, "/members/handbook.html", &[]).await;
    assert_eq!(
        (page.status().as_u16(), field(&page, "cache-control")),
        (200, "private, no-cache")
    );
    let absent = get_as_member(&site, "/members/absent", &[]).await;
    assert_eq!(
        (absent.status().as_u16(), field(&absent, "cache-control")),
        (404, "private, no-cache")
    );
}

#[tokio::test]
async fn a_link_is_judged_by_both_of_its_names() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    assert_eq!(
        body_of(get(&site, "/open/same.html", &[]).await).await,
        "for all"
    );
    for alias in [
        "/open/alias.html",
        "/open/folder-alias/",
        "/open/folder-alias/handbook.html",
    ] {
        assert_eq!(get(&site, alias, &[]).await.status(), 401, "{alias}");
    }
    assert_eq!(
        get_as_member(&site, "/open/alias.html", &[]).await.status(),
        200
    );
}

#[tokio::test]
async fn names_that_differ_in_case_alone_are_two_files() {
    let bait = Bait::new();
    bait.write("open/PAGE.HTML", "for all, loudly");
    let site = bait.site("/members/**");
    for (path, content) in [
        ("/open/page.html", "for all"),
        ("/open/PAGE.HTML", "for all, loudly"),
    ] {
        assert_eq!(body_of(get(&site, path, &[]).await).await, content);
    }
    assert_eq!(get(&site, "/open/Page.html", &[]).await.status(), 404);
}

#[test]
fn what_a_name_needs_is_known_without_a_look_at_the_disk() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    fs::remove_dir_all(bait.dir()).expect("removed");
    let needed = |target| Some(site.wanted(target)?.access().clone());
    for there_or_not in ["/members/index.html", "/members/absent?page=2"] {
        assert_eq!(needed(there_or_not), Some(Access::SignedIn));
    }
    assert_eq!(needed("/open/page.html"), Some(Access::Public));
    assert_eq!(needed("/members/../../etc/passwd"), None);
    assert_eq!(needed("/api/anything"), None);
}

#[tokio::test]
async fn a_file_swapped_for_a_link_between_judging_and_opening_is_not_opened() {
    let bait = Bait::new();
    // Their second spelling makes it necessary to look closer.
    for name in ["open/PAGE.HTML", "open/INDEX.HTML"] {
        bait.write(name, "another");
    }
    let answers = judged_before_a_swap(&bait).await;
    assert_eq!(answers.map(|(status, _)| status), [404, 404]);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_file_that_was_judged_at_once_is_the_one_that_is_sent_whatever_comes_in_its_place() {
    let answers = judged_before_a_swap(&Bait::new()).await;
    assert_eq!(answers.map(|(_, body)| body), ["for all", "the open index"]);
}

/// What is answered for two pages that were judged, and then became a link into the protected area: the one itself, and
/// the other's folder.
async fn judged_before_a_swap(bait: &Bait) -> [(u16, Bytes); 2] {
    let site = bait.site("/members/**");
    let mut pages = Vec::new();
    for path in ["/open/page.html", "/open/index.html"] {
        // Whatever is found at once is in the kernel's memory.
        drop(judged(&site, path, &HeaderMap::new()).await);
        let Judged::Public(page) = judged(&site, path, &HeaderMap::new()).await else {
            panic!("{path} is public");
        };
        pages.push(page);
    }
    let mut pages = pages.into_iter();
    let mut answer = async || {
        let page = pages.next().expect("a page");
        let answer = site.serve(page, &Method::GET, &HeaderMap::new()).await;
        (answer.status().as_u16(), body_of(answer).await)
    };
    fs::remove_file(bait.dir().join("open/page.html")).expect("removed");
    std::os::unix::fs::symlink("../members/index.html", bait.dir().join("open/page.html"))
        .expect("a link");
    let page = answer().await;
    fs::rename(bait.dir().join("open"), bait.dir().join("shut")).expect("moved");
    std::os::unix::fs::symlink("members", bait.dir().join("open")).expect("a link");
    [page, answer().await]
}

#[tokio::test]
async fn a_folder_without_its_slash_leads_to_the_folder_and_keeps_the_query() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let answer = get(&site, "/caf%C3%A9?a=1&b=%2F", &[]).await;
    assert_eq!(
        (answer.status().as_u16(), field(&answer, "location")),
        (308, "/caf%C3%A9/?a=1&b=%2F")
    );
    assert_eq!(
        body_of(get(&site, "/open/", &[]).await).await,
        "the open index"
    );
    assert_eq!(get(&site, "/members", &[]).await.status(), 401);
}

#[tokio::test]
async fn what_is_absent_is_answered_with_the_sites_own_page() {
    let bait = Bait::new();
    let answer = get(
        &bait.site("/members/**"),
        "/absent",
        &[("range", "bytes=0-1")],
    )
    .await;
    assert_eq!(
        (answer.status().as_u16(), field(&answer, "etag")),
        (404, "")
    );
    assert_eq!(body_of(answer).await, "nothing here");
    let closed = bait.site("/**");
    let hidden = get(&closed, "/.env", &[]).await;
    assert_eq!(
        body_of(hidden).await,
        "There is nothing at this address.\n",
        "a closed site keeps its page to itself"
    );
    assert_eq!(
        body_of(get_as_member(&closed, "/absent", &[]).await).await,
        "nothing here"
    );
}

#[tokio::test]
async fn a_file_is_read_and_nothing_else() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        let answer = answer_to(&site, &Access::Public, method.clone(), "/", &[]).await;
        assert_eq!(
            (answer.status().as_u16(), field(&answer, "allow")),
            (405, "GET, HEAD"),
            "{method}"
        );
    }
    let head = answer_to(&site, &Access::Public, Method::HEAD, "/", &[]).await;
    assert_eq!(
        (head.status().as_u16(), field(&head, "content-length")),
        (200, "7")
    );
    assert_eq!(body_of(head).await, "");
}

#[tokio::test]
async fn conditions_and_ranges_are_answered() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let etag = field(&get(&site, "/open/page.html", &[]).await, "etag").to_owned();
    let fresh = get(&site, "/open/page.html", &[("if-none-match", &etag)]).await;
    assert_eq!(
        (
            fresh.status().as_u16(),
            field(&fresh, "etag"),
            field(&fresh, "content-type")
        ),
        (304, etag.as_str(), "")
    );
    let part = get(
        &site,
        "/open/page.html",
        &[("range", "bytes=4-"), ("if-range", &etag)],
    )
    .await;
    assert_eq!(
        (
            part.status().as_u16(),
            field(&part, "content-range"),
            field(&part, "content-length")
        ),
        (206, "bytes 4-6/7", "3")
    );
    assert_eq!(body_of(part).await, "all");
    let beyond = get(&site, "/open/page.html", &[("range", "bytes=7-")]).await;
    assert_eq!(
        (beyond.status().as_u16(), field(&beyond, "content-range")),
        (416, "bytes */7")
    );
    assert_eq!(
        get(&site, "/open/page.html", &[("if-match", "\"other\"")])
            .await
            .status(),
        412
    );
}

#[tokio::test]
async fn the_entity_tag_follows_the_content_even_when_size_and_date_stay() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let mut seen = std::collections::BTreeSet::new();
    let mut versions = Vec::new();
    for content in ["one", "two", "six"] {
        // As copy tools that keep dates do: a new file with the old date takes the name.
        bait.write("open/next.html", content);
        bait.date("open/next.html", 1_000_000_000);
        versions.push(
            fs::File::open(bait.dir().join("open/next.html")).expect("a version that stays open"),
        );
        fs::rename(
            bait.dir().join("open/next.html"),
            bait.dir().join("open/page.html"),
        )
        .expect("renamed");
        let answer = get(&site, "/open/page.html", &[]).await;
        assert_eq!(
            field(&answer, "last-modified"),
            "Sun, 09 Sep 2001 01:46:40 GMT"
        );
        seen.insert(field(&answer, "etag").to_owned());
        assert_eq!(body_of(answer).await, content);
    }
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_compressed_copy_is_sent_to_who_takes_it_unless_it_is_older_than_the_file() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    bait.write("open/page.html.br", "brotli");
    bait.write("open/page.html.gz", "gzip");
    let mut tags = std::collections::BTreeSet::new();
    for (accepted, encoding, content) in [
        ("gzip, br", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("identity", "", "for all"),
    ] {
        let answer = get(&site, "/open/page.html", &[("accept-encoding", accepted)]).await;
        assert_eq!(field(&answer, "content-encoding"), encoding);
        assert_eq!(field(&answer, "content-type"), "text/html; charset=utf-8");
        assert_eq!(field(&answer, "vary"), "Accept-Encoding");
        tags.insert(field(&answer, "etag").to_owned());
        assert_eq!(body_of(answer).await, content);
    }
    assert_eq!(tags.len(), 3, "each encoding has its own entity tag");
    bait.date("open/page.html.br", 1_000_000_000);
    fs::remove_file(bait.dir().join("open/page.html.gz")).expect("removed");
    std::os::unix::fs::symlink(
        "../members/index.html",
        bait.dir().join("open/page.html.gz"),
    )
    .expect("a link");
    let answer = get(&site, "/open/page.html", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(
        field(&answer, "content-encoding"),
        "",
        "one copy is old, the other a link"
    );
    assert_eq!(body_of(answer).await, "for all");
}

#[tokio::test]
async fn a_large_file_arrives_whole_and_in_pieces_and_a_change_meanwhile_breaks_the_transfer() {
    let bait = Bait::new();
    let site = bait.site("/members/**");
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    bait.write("open/large.bin", &large);
    let whole = get(&site, "/open/large.bin", &[]).await;
    assert_eq!(field(&whole, "content-type"), "application/octet-stream");
    assert_eq!(body_of(whole).await, large);
    let part = get(&site, "/open/large.bin", &[("range", "bytes=65535-200000")]).await;
    assert_eq!(body_of(part).await, &large[65_535..=200_000]);

    let mut sending = get(&site, "/open/large.bin", &[]).await.into_body();
    let first = sending
        .frame()
        .await
        .expect("a frame")
        .expect("data")
        .into_data()
        .expect("data");
    assert_eq!(first.len(), 64 * 1024);
    bait.date("open/large.bin", 1_000_000_000);
    assert!(
        sending.collect().await.is_err(),
        "a mixture of two versions is never complete"
    );
}

#[tokio::test]
async fn a_deployment_may_swap_the_folder_behind_a_link() {
    let bait = Bait::new();
    let current = bait.folder.path().join("current");
    std::os::unix::fs::symlink("site", &current).expect("a link");
    let site = Site::open(&current, Rules::default(), &[], OPEN_FILES).expect("a site");
    assert_eq!(body_of(get(&site, "/", &[]).await).await, "welcome");
    fs::create_dir(bait.folder.path().join("next")).expect("a folder");
    fs::write(bait.folder.path().join("next/index.html"), "welcome anew").expect("a file");
    std::os::unix::fs::symlink("next", bait.folder.path().join("swap")).expect("a link");
    fs::rename(bait.folder.path().join("swap"), &current).expect("swapped");
    assert_eq!(body_of(get(&site, "/", &[]).await).await, "welcome anew");
    fs::remove_file(&current).expect("removed");
    assert_eq!(
        get(&site, "/", &[]).await.status(),
        503,
        "a site that is gone is trouble, not 404"
    );
}

#[test]
fn opening_a_page_is_told_from_fetching_data() {
    for (method, fields, expected) in [
        (Method::GET, vec![("sec-fetch-mode", "navigate")], true),
        (Method::HEAD, vec![("sec-fetch-mode", "navigate")], true),
        (Method::POST, vec![("sec-fetch-mode", "navigate")], false),
        (
            Method::GET,
            vec![("sec-fetch-mode", "cors"), ("accept", "text/html")],
            false,
        ),
        (
            Method::GET,
            vec![("accept", "application/xml;q=0.9, Text/HTML;q=0.8")],
            true,
        ),
        (
            Method::GET,
            vec![
                ("accept", "text/html"),
                ("x-requested-with", "XMLHttpRequest"),
            ],
            false,
        ),
        (Method::GET, vec![("accept", "*/*")], false),
        (Method::GET, vec![("accept", "text/htmlish")], false),
        (Method::GET, vec![], false),
    ] {
        assert_eq!(
            is_page_visit(&method, &headers(&fields)),
            expected,
            "{method} {fields:?}"
        );
    }
}

#[test]
fn the_login_page_leads_back_to_this_site_alone() {
    assert_eq!(
        login_location("/members/?a=1&b=%20"),
        "/login?next=/members/%3Fa%3D1%26b%3D%2520"
    );
    for elsewhere in [
        "//example.org",
        "/\\example.org",
        "https://example.org",
        "example.org",
        "",
        "/a\r\nb",
    ] {
        assert_eq!(login_location(elsewhere), "/login", "{elsewhere}");
    }
}

#[test]
fn a_way_back_that_is_too_long_for_a_header_loses_its_query_and_then_itself() {
    let query = |length| format!("/a?{}", "b".repeat(length));
    let whole = login_location(&query(2000));
    assert!(whole.starts_with("/login?next=/a%3Fbbb"), "{whole}");
    assert_eq!(login_location(&query(2048)), "/login?next=/a");
    // A letter may take three bytes and more.
    assert_eq!(
        login_location(&format!("/a?{}", "\u{e9}".repeat(700))),
        "/login?next=/a"
    );
    assert_eq!(login_location(&format!("/{}", "b".repeat(2048))), "/login");
    assert_eq!(
        login_location(&format!("/{}?c", "b".repeat(2048))),
        "/login"
    );
}
