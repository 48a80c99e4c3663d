//! Rules on source files: where a name may stand, and what may stand nowhere.
//! Rules between whole crates are in `layers.rs`.

use super::files::{self, File, assert_none};

/// Files under `http/` without a test file of their own, each with what tests them instead.
const TESTED_ELSEWHERE: &[(&str, &str)] = &[
    ("body", "auth.rs, with bodies that are not what they say"),
    ("bounds", "connection.rs, over raw sockets"),
    ("caller", "auth.rs, with each kind of credential"),
    (
        "ceiling",
        "xtask/outside/speed_requests.py, each beside the answer it stands for",
    ),
    (
        "error",
        "every file, for each compares whole problem documents",
    ),
    ("forms", "auth.rs, with missing, wrong and unknown fields"),
    ("path", "sessions.rs and admin.rs, with ids that are none"),
    ("peer", "limit.rs, through whose address is counted"),
    (
        "preconditions",
        "todos.rs, with versions that are not the newest",
    ),
    ("query", "admin.rs, with parameters that are none"),
];

#[test]
fn every_source_file_says_first_what_it_owns() {
    let opening = |path: &str| -> Option<&[&str]> {
        let built = path.contains("/dist/") || path.ends_with(".d.ts");
        match path.rsplit_once('.')?.1 {
            "rs" => Some(&["//!"]),
            "ts" | "tsx" if !built => Some(&["/**", "//"]),
            "py" => Some(&["\"\"\""]),
            _ => None,
        }
    };
    let silent: Vec<String> = files::all()
        .into_iter()
        .filter(|file| {
            let starts = |starts: &[&str]| starts.iter().any(|start| file.text.starts_with(start));
            opening(&file.path).is_some_and(|known| !starts(known))
        })
        .map(|file| file.path)
        .collect();
    assert_none("files without an opening sentence", &silent);
}

#[test]
fn only_the_store_names_its_database_library() {
    let outside = |file: &File| !file.is_under("crates/store/") && !file.is_under("xtask/");
    let names = ["sea_orm", "sea-orm", "sqlx", "rusqlite"];
    let sources = |file: &File| outside(file) && file.is_under("crates/");
    assert_none("named outside crates/store", &places(sources, &names));
}

#[test]
fn engines_are_told_apart_in_one_file_and_in_the_migrations() {
    // As a name or a URL scheme; a sentence for people may say SQLite.
    let names = [
        "sqlite", "Sqlite", "postgres", "Postgres", "mysql", "MySql", "mariadb", "MariaDb",
    ];
    let here = |file: &File| {
        let free = ["crates/store/src/engine", "crates/store/src/migrate"];
        let rules = file.is_under("crates/store/src/") || file.is_under("crates/accounts/src/");
        rules && file.ends_with(".rs") && !free.iter().any(|free| file.is_under(free))
    };
    assert_none(
        "engine named outside engine.rs and migrate",
        &places(here, &names),
    );
}

#[test]
fn sessions_are_ended_in_one_function_which_asks_for_a_transaction_that_counts_it() {
    let found = places(
        |file| file.is_under("crates/store/src/"),
        &["session::Entity::delete"],
    );
    let is_its_own = |place: &String| place.starts_with("crates/store/src/sessions.rs:");
    assert!(
        found.len() == 1 && found.iter().all(is_its_own),
        "{found:?}"
    );
}

#[test]
fn what_belongs_to_a_user_is_found_by_its_owner_and_in_one_file() {
    let mut found = Vec::new();
    for Owned { entity, table } in owned_by_users() {
        let own = format!("crates/store/src/{table}.rs");
        let search = format!("{entity}::Entity::find");
        for file in files::rust()
            .iter()
            .filter(|file| file.is_under("crates/store/src/"))
        {
            let code: Vec<_> = file.code().map(|(_, line)| line).collect();
            let code = code.join("\n");
            // The statement goes on to its semicolon, or to the end of the function whose value it is.
            for rest in code.split(&search).skip(1) {
                let statement = rest.split([';', '}']).next().unwrap_or_default();
                if file.path != own || !statement.contains("Column::UserId") {
                    found.push(format!("{}: {search}{statement}", file.path));
                }
            }
        }
    }
    assert_none("searches that do not begin with the owner", &found);
}

#[test]
fn what_belongs_to_a_user_is_in_their_export() {
    let missing: Vec<String> = owned_by_users()
        .into_iter()
        .map(|owned| format!("\"{}\"", owned.table))
        .filter(|list| {
            let export = |file: &File| file.is_under("crates/vestibule/src/http/export.rs");
            places(export, &[list]).is_empty()
        })
        .collect();
    assert_none("lists that http/export.rs does not write", &missing);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let here = |file: &File| {
        file.is_under("crates/")
            && file.path.contains("/src/")
            && file.ends_with(".rs")
            && !file.is_under("crates/vestibule/src/config")
    };
    assert_none(
        "std::env outside config",
        &places(here, &["std::env", "env::var"]),
    );
}

#[test]
fn only_the_doors_speak_in_status_codes() {
    let free =
        ["http", "site", "serve", "upstream"].map(|name| format!("crates/vestibule/src/{name}"));
    let here = |file: &File| {
        let source = file.is_under("crates/") && file.path.contains("/src/");
        source && file.ends_with(".rs") && !free.iter().any(|free| file.is_under(free))
    };
    assert_none(
        "StatusCode outside the HTTP door",
        &places(here, &["StatusCode"]),
    );
}

#[test]
fn every_http_file_has_a_test_file() {
    let tests = "crates/vestibule/tests/it";
    let untested: Vec<String> = files::rust()
        .iter()
        .filter_map(|file| {
            let name = file.path.strip_prefix("crates/vestibule/src/http/")?;
            let name = name.strip_suffix(".rs")?.split('/').next()?;
            let elsewhere = TESTED_ELSEWHERE.iter().any(|(listed, _)| *listed == name);
            let own = files::root().join(tests).join(format!("{name}.rs"));
            (!elsewhere && !own.exists()).then(|| format!("{}: no {tests}/{name}.rs", file.path))
        })
        .collect();
    assert_none("http files without a test file", &untested);
}

#[test]
fn no_test_is_skipped_or_singled_out() {
    let rust = ["#[ignore", "thread::sleep"];
    let here = |file: &File| file.ends_with(".rs") && !file.is_under("xtask/tests/");
    let mut found = places(here, &rust);
    let web = [
        "it.skip",
        "test.skip",
        "describe.skip",
        ".only(",
        "test.fixme",
        "it.todo",
        "test.todo",
        "xit(",
        "xdescribe(",
        "waitForTimeout",
    ];
    let here = |file: &File| {
        let script = file.ends_with(".ts") || file.ends_with(".tsx");
        script && (file.is_under("sdk/") || file.is_under("web/")) && !file.path.contains("/dist/")
    };
    found.extend(places(here, &web));
    assert_none("skipped, singled out or sleeping tests", &found);
}

#[test]
fn nothing_unfinished_is_left_without_an_issue_number() {
    let marks = ["TODO", "FIXME", "XXX"];
    let unfinished: Vec<String> = files::all()
        .iter()
        .filter(|file| !file.is_under("xtask/tests/") && !is_generated(file))
        .flat_map(|file| {
            let lines = (1..).zip(file.text.lines());
            let marked =
                move |&(_, line): &(usize, &str)| marks.iter().any(|mark| is_marked(line, mark));
            lines
                .filter(marked)
                .map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        })
        .collect();
    assert_none("write `(#issue)` behind it, or finish it", &unfinished);
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let names = ["/home/", "/root/", "/Users/", "/tmp/"];
    let here = |file: &File| !file.is_under("xtask/tests/") && !is_generated(file);
    let found: Vec<String> = files::all()
        .iter()
        .filter(|file| here(file))
        .flat_map(|file| {
            let lines = (1..).zip(file.text.lines());
            let named = move |&(_, line): &(usize, &str)| {
                names.iter().any(|name| starts_a_path(line, name))
            };
            lines
                .filter(named)
                .map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        })
        .collect();
    assert_none("paths of one machine", &found);
}

#[test]
fn packages_come_from_the_public_registries_alone() {
    let mut found = Vec::new();
    for file in files::all() {
        let (key, public) = match file.path.rsplit('/').next() {
            Some("package-lock.json") => ("\"resolved\": \"", "https://registry.npmjs.org/"),
            Some("Cargo.lock") => (
                "source = \"",
                "registry+https://github.com/rust-lang/crates.io-index\"",
            ),
            _ => continue,
        };
        for (number, line) in (1..).zip(file.text.lines()) {
            let source = line.trim().strip_prefix(key);
            // A package of this repository is linked by its folder.
            let ours = |source: &str| !source.contains(':');
            if source.is_some_and(|source| !source.starts_with(public) && !ours(source)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("packages from elsewhere", &found);
}

/// A table whose rows belong to a user.
struct Owned {
    /// The file of its entity, without its ending.
    entity: String,
    table: String,
}

/// Every table whose rows go with a user, but for the two that are part of the account itself.
fn owned_by_users() -> Vec<Owned> {
    let of_accounts = ["session", "user_role"];
    let owned = |file: &File| {
        let entity = file.path.strip_prefix("crates/store/src/entity/")?;
        let entity = entity.strip_suffix(".rs")?;
        let is_owned = file.text.contains("belongs_to = \"super::user::Entity\"");
        let (_, table) = file.text.split_once("table_name = \"")?;
        let (table, _) = table.split_once('"')?;
        (is_owned && !of_accounts.contains(&entity)).then(|| Owned {
            entity: entity.to_owned(),
            table: table.to_owned(),
        })
    };
    let tables: Vec<_> = files::rust().iter().filter_map(owned).collect();
    assert!(tables.len() >= 2, "todos and documents belong to users");
    tables
}

/// Lines of code, in the chosen files, that hold one of the names.
fn places(here: impl Fn(&File) -> bool, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files::all().into_iter().filter(here) {
        for (number, line) in file.code() {
            if names.iter().any(|name| line.contains(name)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

/// Whether the mark stands there as a word, with no issue number behind it.
fn is_marked(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        let letter = |found: Option<char>| found.is_some_and(|next| next.is_ascii_alphanumeric());
        let rest = &line[at + mark.len()..];
        let whole_word = !letter(line[..at].chars().last()) && !letter(rest.chars().next());
        whole_word && !rest.trim_start_matches([' ', '(']).starts_with('#')
    })
}

/// Whether an absolute path begins here, and not merely a longer one goes on.
fn starts_a_path(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().last();
        !before.is_some_and(|before| before.is_alphanumeric() || "./_-})*".contains(before))
    })
}

/// Text that a tool has written.
fn is_generated(file: &File) -> bool {
    file.is_under("web/dist/") || file.ends_with(".lock") || file.ends_with("package-lock.json")
}
