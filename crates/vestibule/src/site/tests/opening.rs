//! What is said when the program starts: folders that cannot be a site, files that nobody will see, and rules that
//! protect less than was meant.

use std::path::Path;

use super::Bait;
use crate::site::{Access, Rules, Site, SiteProblem};

#[test]
fn a_folder_that_cannot_be_a_site_is_refused_with_what_to_do() {
    let bait = Bait::new();
    let open = |dir: &Path, data: &Path| Site::open(dir, Rules::default(), data).map(|_| ());
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

#[test]
fn files_that_a_route_of_the_server_hides_are_named() {
    let bait = Bait::new();
    assert_eq!(
        bait.site("/members/**").shadowed(),
        ["/login", "/.well-known/jwks.json", "/api/"]
    );
    bait.write("dashboard/index.html", "");
    assert!(
        bait.site("/members/**")
            .shadowed()
            .contains(&"/dashboard/index.html".to_owned())
    );
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
