//! What is said when the program starts: folders that cannot be a site, files that nobody will see, and rules that
//! protect less than was meant.

use std::path::Path;

use super::{Bait, OPEN_FILES};
use crate::site::{Access, Private, Rules, Site, SitePath, SiteProblem, is_reserved};

fn open(site: &Path, private: Private<'_>) -> Result<(), SiteProblem> {
    Site::open(site, Rules::default(), &[private], OPEN_FILES).map(|_| ())
}

#[test]
fn a_folder_that_cannot_be_a_site_is_refused_with_what_to_do() {
    let bait = Bait::new();
    let open = |dir: &Path, data: &Path| open(dir, Private::DataDir(data));
    let (site, beside) = (bait.dir(), bait.folder.path().join("data"));
    assert!(matches!(
        open(&site.join("absent"), &beside),
        Err(SiteProblem::Missing(_))
    ));
    assert!(matches!(
        open(&site.join("index.html"), &beside),
        Err(SiteProblem::NotAFolder(_))
    ));
    let instead = bait
        .folder
        .path()
        .canonicalize()
        .expect("a path")
        .join("vestibule-data");
    for data in [
        site.clone(),
        site.join("data"),
        site.join("not/yet/there"),
        site.join("open/../data"),
        beside.join("../site/data"),
    ] {
        let problem = open(&site, &data).expect_err("the data directory is inside");
        assert!(
            problem
                .to_string()
                .ends_with(&format!("--data-dir {}", instead.display())),
            "{problem}"
        );
    }
    assert!(open(&site, &instead).is_ok(), "the advice is followed");
    assert!(open(&site, &bait.folder.path().join("site-data")).is_ok());
}

/// A file of the server, and how the flag begins that moves it.
fn files_at(path: &Path) -> [(Private<'_>, &'static str); 8] {
    [
        (Private::Database(path), "--database-url sqlite://"),
        (Private::SecretKey(path), "--secret-key-file "),
        (Private::SigningKey(path), "--signing-key-file "),
        (Private::TlsKey(path), "--tls-key "),
        (Private::AdminPassword(path), "--admin-password-file "),
        (
            Private::Value("VESTIBULE_DATABASE_URL_FILE", path),
            "VESTIBULE_DATABASE_URL_FILE=",
        ),
        (Private::Backup(path), "vestibule backup "),
        (Private::Configuration(path), "--config "),
    ]
}

#[test]
fn a_site_that_would_publish_the_servers_own_files_is_refused_with_the_setting_to_change() {
    let bait = Bait::new();
    let root = bait.dir().canonicalize().expect("a path");
    let beside = root.with_file_name("accounts");
    let inside = root.join("open/accounts");
    let linked = bait.folder.path().join("linked");
    std::os::unix::fs::symlink(&root, &linked).expect("a link");
    for place in [inside, linked.join("accounts")] {
        for (private, flag) in files_at(&place) {
            let problem = open(&root, private).expect_err("it would be published");
            let advice = format!("{flag}{}", beside.display());
            assert!(problem.to_string().ends_with(&advice), "{problem}");
        }
    }
    for (private, _) in files_at(&beside) {
        assert!(open(&root, private).is_ok(), "the advice is followed");
    }
    bait.write("accounts", "the database");
    let link = bait.folder.path().join("database");
    std::os::unix::fs::symlink(root.join("accounts"), &link).expect("a link");
    open(&root, Private::Database(&link)).expect_err("a link leads into the site");
    let advice = open(&root, Private::Database(&root.join("site"))).expect_err("it is inside");
    assert!(
        advice.to_string().ends_with("/vestibule-site"),
        "the site itself is no place for it: {advice}"
    );
}

#[test]
fn a_configuration_in_the_site_is_judged_by_the_name_that_could_be_asked_for() {
    let bait = Bait::new();
    let (root, folder) = (bait.dir(), bait.folder.path());
    for name in ["vestibule.toml", "settings"] {
        bait.write(name, "");
    }
    let link = |name: &str, to: &str| {
        let link = folder.join(name);
        std::os::unix::fs::symlink(root.join(to), &link).expect("a link");
        link
    };
    let (published, withheld) = (
        link("vestibule.toml", "settings"),
        link("settings", "vestibule.toml"),
    );
    open(&root, Private::Configuration(&published)).expect_err("/settings would be published");
    for path in [withheld, root.join("vestibule.toml")] {
        assert!(open(&root, Private::Configuration(&path)).is_ok());
    }
}

#[test]
fn every_route_of_the_server_is_reserved() {
    // A router does not tell its routes, so they are read where they are written.
    let source = include_str!("../../http.rs");
    let routes = source.split(".route(").skip(1).map(|rest| {
        let literal = rest.trim_start().strip_prefix('"').expect("a literal");
        literal.split('"').next().expect("an end")
    });
    for route in routes {
        let path = SitePath::parse(&route.replace("{*path}", "a/b")).expect("a path");
        assert!(
            is_reserved(&path),
            "a file of the site could answer {route}"
        );
    }
}

#[test]
fn files_that_a_route_of_the_server_hides_are_named() {
    let bait = Bait::new();
    assert_eq!(
        bait.site("/members/**").shadowed(),
        ["/login", "/.well-known/jwks.json", "/api/"]
    );
    for (file, named) in [
        ("dashboard/index.html", "/dashboard/index.html"),
        ("admin/audit/index.html", "/admin/audit/index.html"),
        ("admin/users/a/help.html", "/admin/users/"),
    ] {
        bait.write(file, "");
        let shadowed = bait.site("/members/**").shadowed();
        assert!(shadowed.contains(&named.to_owned()), "{shadowed:?}");
    }
}

#[test]
fn rules_that_protect_less_than_meant_are_named() {
    let bait = Bait::new();
    let doubts = |pattern: &str| bait.site(pattern).doubtful_rules();
    assert_eq!(
        doubts("/members"),
        [
            "the rule `/members` protects the index page alone; for the whole folder write `/members/**`"
        ]
    );
    assert_eq!(
        doubts("/"),
        ["the rule `/` protects the index page alone; for the whole folder write `/**`"]
    );
    assert_eq!(
        doubts("/member/**"),
        ["the rule `/member/**` names nothing in the site; check its spelling"]
    );
    for fine in [
        "/members/**",
        "/**",
        "/*.html",
        "/members/*.html",
        "/café/**",
        "/members/handbook.html",
    ] {
        assert_eq!(doubts(fine), [""; 0], "{fine}");
    }
    let both = [
        ("/members/", Access::Roles(vec!["staff".to_owned()])),
        ("/members/**", Access::SignedIn),
    ];
    assert_eq!(bait.site_with(&both).doubtful_rules(), [""; 0]);
}
