//! Every test there is, in the order in which a failure is cheapest to learn of.
//! The suites themselves stand beside the code they test, in `sdk/`, `web/` and in `xtask/outside`.

use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use crate::counts::{Counts, Runner};
use crate::engines::{self, Engines, control::Control, galera::Cluster};
use crate::needs;
use crate::program::{Program, Ran, root, target};
use crate::report::Report;
use crate::web;

const CARGO_NEXTEST: &str = "0.9.151";
const TESTS_PER_CORE: usize = 2;

/// The Debian package whose files are served as somebody's site.
const DOCUMENTATION: &str = "sqlite3-doc";

/// The engines by the names that the scripts outside know them by.
const ENGINES: [&str; 3] = ["sqlite", "postgres", "mariadb"];

/// Restarts after `kill -9` of the program on each engine, in every test run and when they are asked for by name.
const FEW_CRASHES: &str = "3";
const MANY_CRASHES: &str = "20";

/// Cut power for SQLite, and killed database servers for the others, likewise; by name with 10,000 acknowledged writes
/// and more on each engine.
const FEW_POWER_CUTS: &str = "--rounds 1 --writes 200 --cuts 40";
const MANY_POWER_CUTS: &str = "--rounds 10 --writes 1000 --cuts 20";
const FEW_KILLED_SERVERS: &str = "3";
const MANY_KILLED_SERVERS: &str = "200";

/// Logins of an owner whose account is under attack, likewise; by name they have to be prompt as well, which a
/// machine that runs all the tests may not allow.
const FEW_TRIES: &str = "--tries 20";
const MANY_TRIES: &str = "--tries 100 --promptly";

/// Races between two nodes, and restarts of both, likewise.
const FEW_RACES: &str = "10";
const MANY_RACES: &str = "200";
const FEW_RESTARTS: &str = "1";
const MANY_RESTARTS: &str = "20";
/// How often the disk is filled, how many clients come of whom half leave at a moment of chance, and how long the
/// database is away in each way in which it goes, likewise.
const FEW_FILLINGS: &str = "--rounds 2";
const MANY_FILLINGS: &str = "--rounds 30 --promptly";
const FEW_LEAVERS: &str = "--clients 500";
const MANY_LEAVERS: &str = "--clients 5000";
const SHORT_FAULTS: &str = "";
const LONG_FAULTS: &str = "--long";
/// Users at once on each engine, and the requests of each, likewise.
const FEW_USERS: &str = "--users 60 --requests 20";
const MANY_USERS: &str = "--users 1000 --requests 100";
/// Kills of a program that migrates, on each engine, likewise.
const FEW_KILLS: &str = "--kills 5";
const MANY_KILLS: &str = "--kills 100 --partly";

/// Cases that are made of the API's description, on each of two engines, likewise: the same in every test run, so that a
/// change is judged by itself, and others each time when they are asked for by name.
const FEW_CASES: &str = "--cases 300 --seed 1";
const MANY_CASES: &str = "--cases 10000";

/// Whether the guide to adding a resource is followed to the types, or to its end, likewise.
const BRIEF_GUIDE: &str = "--briefly";
const WHOLE_GUIDE: &str = "";

/// Users that are moved, and how often each move is killed, likewise.
const SMALL_MOVES: &str = "--users 3000 --kills 3";
const LARGE_MOVES: &str = "--users 50000 --kills 12";

/// `cargo xtask test`
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    report.step("what the tests need", tools);
    let mut engines = None;
    report.step("database servers", || {
        engines = Some(Engines::start()?);
        Ok(())
    });
    report.suite("rust", || rust(engines.as_ref()));
    report.suite("guide to adding", || guide_to_adding(BRIEF_GUIDE));
    report.suite("doors on PostgreSQL", || {
        doors(engines.as_ref(), "postgres")
    });
    report.suite("doors on MariaDB", || doors(engines.as_ref(), "mariadb"));
    report.suite("doors behind PgBouncer", || {
        doors_behind_pgbouncer(engines.as_ref())
    });
    drop(engines);
    report.suite("store at serializable", store_at_serializable);
    report.suite("client", || npm_test("sdk"));
    report.suite("pages", || npm_test("web"));
    report.suite("web/dist is fresh", web::fresh);
    let built = report.step("release build", release_build);
    let released = |suite: fn() -> Result<Counts>| {
        move || {
            if !built {
                bail!("there is no release build to try");
            }
            suite()
        }
    };
    report.suite("client against the server", released(client_contract));
    report.suite("browser", released(browser));
    report.suite("outside: README", released(readme));
    report.suite("outside: tokens", released(tokens));
    report.suite("outside: oauth", released(oauth));
    report.suite("outside: openapi", released(openapi));
    report.suite("outside: user data", released(user_data));
    report.suite("outside: API", released(|| api(FEW_CASES)));
    report.suite("outside: generated clients", released(generated_clients));
    report.suite("outside: documentation", released(documentation));
    report.suite("outside: sockets", released(sockets));
    report.suite("outside: limits", released(|| limits(FEW_TRIES)));
    report.suite("outside: stampede", released(stampede));
    report.suite("outside: database TLS", released(database_tls));
    report.suite("outside: poolers", released(poolers));
    report.suite("outside: replicas", released(replicas));
    report.suite("outside: crashes", released(|| crashes(FEW_CRASHES)));
    report.suite(
        "outside: killed servers",
        released(|| killed_servers(FEW_KILLED_SERVERS)),
    );
    report.suite(
        "outside: power cuts",
        released(|| power_cuts(FEW_POWER_CUTS)),
    );
    report.suite("outside: backups", released(backups));
    report.suite("outside: nodes", released(|| nodes(FEW_RACES)));
    report.suite(
        "outside: rolling restart",
        released(|| rolling_restart(FEW_RESTARTS)),
    );
    report.suite("outside: full disk", released(|| full_disk(FEW_FILLINGS)));
    report.suite("outside: leavers", released(|| leavers(FEW_LEAVERS)));
    report.suite("outside: isolation", released(|| isolation(FEW_USERS)));
    report.suite("outside: faults", released(|| faults(SHORT_FAULTS)));
    report.suite("outside: migrations", released(|| migrations(FEW_KILLS)));
    report.suite("outside: moves", released(|| moves(SMALL_MOVES)));
    report.suite("outside: guide to moving", released(guide_to_moving));
    report.finish_tests()
}

/// `cargo xtask torture crash`
pub(crate) fn torture_by_crashes() -> ExitCode {
    torture("crashes", || crashes(MANY_CRASHES))
}

/// `cargo xtask torture durability`
pub(crate) fn torture_of_durability() -> ExitCode {
    torture("durability", || {
        let files = power_cuts(MANY_POWER_CUTS)?;
        let servers = killed_servers(MANY_KILLED_SERVERS)?;
        Ok([files, servers].into_iter().sum())
    })
}

/// `cargo xtask torture full`
pub(crate) fn torture_by_a_full_disk() -> ExitCode {
    torture("full disk", || full_disk(MANY_FILLINGS))
}

/// `cargo xtask torture leavers`
pub(crate) fn torture_by_leavers() -> ExitCode {
    torture("leavers", || leavers(MANY_LEAVERS))
}

/// `cargo xtask torture faults`
pub(crate) fn torture_by_faults() -> ExitCode {
    torture("faults", || faults(LONG_FAULTS))
}

/// `cargo xtask torture isolation`
pub(crate) fn torture_of_isolation() -> ExitCode {
    torture("isolation", || isolation(MANY_USERS))
}

/// `cargo xtask torture guide`
pub(crate) fn torture_of_the_guide() -> ExitCode {
    let mut report = Report::default();
    report.step("what the tests need", tools);
    report.suite("guide to adding", || guide_to_adding(WHOLE_GUIDE));
    report.finish_tests()
}

/// `cargo xtask torture limits`
pub(crate) fn torture_of_limits() -> ExitCode {
    torture("limits", || limits(MANY_TRIES))
}

/// `cargo xtask torture nodes`
pub(crate) fn torture_of_nodes() -> ExitCode {
    let mut report = Report::default();
    if report.step("release build", release_build) {
        report.suite("nodes", || nodes(MANY_RACES));
        report.suite("rolling restart", || rolling_restart(MANY_RESTARTS));
    }
    report.finish_tests()
}

/// `cargo xtask torture galera`
pub(crate) fn torture_on_galera() -> ExitCode {
    let mut report = Report::default();
    let mut servers = None;
    report.step("database servers", || {
        servers = Some((Engines::start()?, Cluster::start()?));
        Ok(())
    });
    if let Some((engines, cluster)) = &servers {
        report.suite("doors on Galera", || {
            Counts::of(
                Runner::Nextest,
                &cluster.known_to(door_tests(engines, "mariadb")?).watch()?,
            )
        });
        if report.step("release build", release_build) {
            report.suite("nodes on Galera", || {
                let tests = cluster.known_to(outside("nodes.py")?).arg("--galera");
                Counts::of(Runner::Outside, &tests.watch()?)
            });
        }
    }
    report.finish_tests()
}

/// `cargo xtask torture migrations`
pub(crate) fn torture_of_migrations() -> ExitCode {
    torture("migrations", || migrations(MANY_KILLS))
}

/// `cargo xtask torture api`
pub(crate) fn torture_of_the_api() -> ExitCode {
    torture("API", || api(MANY_CASES))
}

/// `cargo xtask torture copy`
pub(crate) fn torture_of_copies() -> ExitCode {
    torture("moves", || moves(LARGE_MOVES))
}

fn torture(name: &'static str, suite: fn() -> Result<Counts>) -> ExitCode {
    let mut report = Report::default();
    if report.step("release build", release_build) {
        report.suite(name, suite);
    }
    report.finish_tests()
}

/// Finds or installs every tool at once, so that a missing one is known before the long suites.
fn tools() -> Result<()> {
    needs::cargo_tool("nextest", CARGO_NEXTEST)?;
    needs::node()?;
    needs::system_program("curl", "curl")?;
    needs::system_program("strace", "strace")?;
    needs::system_program("mariadb-dump", "mariadb-client")?;
    needs::python()?;
    needs::chromium()?;
    engines::install()?;
    needs::nginx()?;
    needs::system_program("sqlite3", "sqlite3")?;
    needs::debian_files(DOCUMENTATION)?;
    Ok(())
}

/// The tests of all crates, and the examples in their documentation, which nextest does not run.
/// Without database servers, those that need one fail and the others still tell something.
fn rust(engines: Option<&Engines>) -> Result<Counts> {
    let tests = nextest()?.words("--workspace");
    let tests = match engines {
        Some(engines) => engines.known_to(tests),
        None => tests,
    };
    let examples = Program::new("cargo").words("test --workspace --doc --no-fail-fast");
    let tests = Counts::of(Runner::Nextest, &tests.watch()?)?;
    let examples = Counts::of(Runner::CargoDoc, &examples.watch()?)?;
    Ok([tests, examples].into_iter().sum())
}

/// The tests of the doors once more, on another engine than a file. What is about files among them
/// is the same again.
fn doors(engines: Option<&Engines>, engine: &str) -> Result<Counts> {
    let engines = engines.context("the database servers did not start")?;
    Counts::of(Runner::Nextest, &door_tests(engines, engine)?.watch()?)
}

fn door_tests(engines: &Engines, engine: &str) -> Result<Program> {
    let tests = nextest()?
        .words("--package vestibule --test it")
        .env("VESTIBULE_TEST_DATABASE", engine);
    Ok(engines.known_to(tests))
}

/// The contract of the store on a PostgreSQL whose transactions are serializable unless they say otherwise, and so fail
/// in ways that they do not by default.
fn store_at_serializable() -> Result<Counts> {
    let tests = chosen("package(store) & binary(conformance) & test(on_postgres)")?;
    let (ran, log) =
        engines::watch_on_postgres(&["default_transaction_isolation=serializable"], tests)?;
    ensure!(
        log.contains("could not serialize access"),
        "no two transactions were in conflict, so nothing was tried"
    );
    counts_of_chosen(&ran)
}

/// Those of the doors through which most statements go, behind a pooler that hands connections round.
fn doors_behind_pgbouncer(engines: Option<&Engines>) -> Result<Counts> {
    let engines = engines.context("the database servers did not start")?;
    let tests = chosen("package(vestibule) & binary(it) & test(/^(admin|auth)::/)")?;
    let tests = tests.env("VESTIBULE_TEST_DATABASE", "pooler");
    counts_of_chosen(&engines.known_to(tests).watch()?)
}

/// The tests that a filter of nextest lets through, ignored ones too. They are named among all packages, as fewer would
/// be built anew, with fewer features.
fn chosen(filter: &str) -> Result<Program> {
    let tests = nextest()?.words("--workspace --run-ignored all --filterset");
    Ok(tests.arg(filter))
}

/// The runner of Rust tests, with more of them at a time than there are cores: what many do is to wait until a bound
/// has passed.
fn nextest() -> Result<Program> {
    needs::cargo_tool("nextest", CARGO_NEXTEST)?;
    let threads = TESTS_PER_CORE * thread::available_parallelism()?.get();
    let tests = Program::new("cargo").words("nextest run --no-fail-fast --test-threads");
    Ok(tests.arg(threads.to_string()))
}

/// What became of them. As ignored ones have run, what was skipped are those that were not chosen.
fn counts_of_chosen(ran: &Ran) -> Result<Counts> {
    let counts = Counts::of(Runner::Nextest, ran)?;
    Ok(Counts {
        skipped: 0,
        ..counts
    })
}

fn npm_test(folder: &str) -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages(folder)?;
    let tests = Program::new("npm").words("test").inside(folder);
    Counts::of(Runner::Vitest, &tests.watch()?)
}

/// Built as for a release but for its link-time optimisation, which would take minutes more.
pub(crate) fn release_build() -> Result<()> {
    Program::new("cargo")
        .words("build --release --package vestibule")
        .run()
}

/// The client library against a running server, not against the fake of its own tests.
fn client_contract() -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    let tests = outside("serve_while.py")?.words("npm --prefix sdk run contract");
    Counts::of(Runner::Vitest, &tests.watch()?)
}

fn browser() -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages("web")?;
    let tests = outside("serve_while.py")?
        .env("CHROMIUM", needs::chromium()?)
        .words("npm --prefix web run e2e");
    Counts::of(Runner::Playwright, &tests.watch()?)
}

/// Runs the commands of README.md, as a reader would.
fn readme() -> Result<Counts> {
    needs::system_program("curl", "curl")?;
    Counts::of(Runner::Outside, &outside("readme.py")?.watch()?)
}

/// Checks the access tokens with a JWT library that shares no code with ours.
fn tokens() -> Result<Counts> {
    Counts::of(Runner::Outside, &outside("tokens.py")?.watch()?)
}

/// Logs in with clients that were written for other servers.
fn oauth() -> Result<Counts> {
    Counts::of(Runner::Outside, &outside("oauth.py")?.watch()?)
}

/// Holds the description of the API against the specification of such descriptions.
fn openapi() -> Result<Counts> {
    Counts::of(Runner::Outside, &outside("openapi.py")?.watch()?)
}

/// Sends the API what others make of its description, and holds every answer against that.
fn api(cases: &str) -> Result<Counts> {
    beside_servers(outside("api.py")?.words(cases))
}

/// Makes clients of the API's description, in two languages, and uses them.
fn generated_clients() -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("xtask/clients")?;
    Counts::of(Runner::Outside, &outside("clients.py")?.watch()?)
}

/// Keeps documents by the script of the guide, and reads exports slowly.
fn user_data() -> Result<Counts> {
    needs::node()?;
    Counts::of(Runner::Outside, &outside("user_data.py")?.watch()?)
}

/// Serves a thousand pages that nobody wrote for us, and asks for every one of them.
fn documentation() -> Result<Counts> {
    let site = needs::debian_files(DOCUMENTATION)?.join("usr/share/doc/sqlite3");
    let tests = outside("documentation.py")?.arg(site);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Sends what no client library would send.
fn sockets() -> Result<Counts> {
    Counts::of(Runner::Outside, &outside("sockets.py")?.watch()?)
}

/// Kills the program under load, on each engine.
fn crashes(cycles: &str) -> Result<Counts> {
    let counts = ENGINES.map(|engine| crashes_of("program", engine, cycles));
    counts.into_iter().sum()
}

/// Kills the database server under the program.
fn killed_servers(cycles: &str) -> Result<Counts> {
    let counts = ["postgres", "mariadb"].map(|engine| crashes_of("database", engine, cycles));
    counts.into_iter().sum()
}

fn crashes_of(victim: &str, engine: &str, cycles: &str) -> Result<Counts> {
    let tests = outside("crash.py")?.arg("--engine").arg(engine);
    let tests = tests.arg("--kill").arg(victim);
    beside_servers(tests.arg("--cycles").arg(cycles))
}

/// Backs up under load and restores elsewhere, on each engine.
fn backups() -> Result<Counts> {
    needs::system_program("mariadb-dump", "mariadb-client")?;
    let counts = ENGINES.map(|engine| {
        let tests = outside("backups.py")?.arg("--engine").arg(engine);
        beside_servers(tests)
    });
    counts.into_iter().sum()
}

/// Rebuilds the files of SQLite as they might be found after a power cut.
fn power_cuts(how_many: &str) -> Result<Counts> {
    needs::system_program("strace", "strace")?;
    let tests = outside("durability.py")?.words(how_many);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Guesses passwords from many addresses while the owner of the account logs in.
fn limits(tries: &str) -> Result<Counts> {
    let tests = outside("limits.py")?.words(tries);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Sends 500 logins at once, half of whose clients leave.
fn stampede() -> Result<Counts> {
    Counts::of(Runner::Outside, &outside("stampede.py")?.watch()?)
}

/// Connects to servers with certificates of several authorities, and with none.
fn database_tls() -> Result<Counts> {
    beside_servers(outside("database_tls.py")?)
}

/// Stands behind a PgBouncer that hands connections round.
fn poolers() -> Result<Counts> {
    beside_servers(outside("poolers.py")?)
}

/// Has replicas stop, lag and freeze while admins look through their lists.
fn replicas() -> Result<Counts> {
    beside_servers(outside("replicas.py")?)
}

/// Asks two nodes on one database for what they have to do together.
fn nodes(rounds: &str) -> Result<Counts> {
    beside_servers(outside("nodes.py")?.arg("--rounds").arg(rounds))
}

/// Restarts two nodes one after the other behind nginx, under load.
fn rolling_restart(rounds: &str) -> Result<Counts> {
    let tests = outside("rolling.py")?.env("VESTIBULE_NGINX", needs::nginx()?);
    beside_servers(tests.arg("--rounds").arg(rounds))
}

/// Fills the disk under the server, and empties it again.
fn full_disk(rounds: &str) -> Result<Counts> {
    needs::system_program("unshare", "util-linux")?;
    let tests = outside("full_disk.py")?.words(rounds);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Has clients leave in the middle of what they asked for.
fn leavers(clients: &str) -> Result<Counts> {
    beside_servers(outside("leavers.py")?.words(clients))
}

/// Has many users write, read and try the ids of each other, all at once.
fn isolation(size: &str) -> Result<Counts> {
    beside_servers(outside("isolation.py")?.words(size))
}

/// Takes the database away while clients are at work.
fn faults(length: &str) -> Result<Counts> {
    beside_servers(outside("faults.py")?.words(length))
}

/// Applies printed migrations by the client programs of the engines, and kills the program amid its own.
fn migrations(kills: &str) -> Result<Counts> {
    needs::system_program("sqlite3", "sqlite3")?;
    needs::system_program("mariadb-dump", "mariadb-client")?;
    // `pg_dump` comes with `psql`, and so with the server.
    beside_servers(outside("migrations.py")?.words(kills))
}

/// Moves an installation through all engines, and kills every move on its way.
fn moves(size: &str) -> Result<Counts> {
    beside_servers(outside("moves.py")?.words(size))
}

/// Adds a resource to a copy of this tree, as the guide says.
fn guide_to_adding(how_far: &str) -> Result<Counts> {
    let target = target()?;
    let tests = outside("guide_to_adding.py")?.words(how_far);
    let tests = tests.arg(target.join("guide"));
    let tests = tests.env("CARGO_TARGET_DIR", target);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Runs the commands of the guide, as a reader would.
fn guide_to_moving() -> Result<Counts> {
    beside_servers(outside("guide_to_moving.py")?)
}

/// Runs a script that asks for database servers of its own.
fn beside_servers(script: Program) -> Result<Counts> {
    let control = Control::start()?;
    Counts::of(Runner::Outside, &control.known_to(script).watch()?)
}

/// A script of `xtask/outside`. Those that try the released program start and end it themselves.
pub(crate) fn outside(script: &str) -> Result<Program> {
    Ok(Program::new(needs::python()?)
        .arg(root().join("xtask/outside").join(script))
        .env("VESTIBULE_BINARY", target()?.join("release/vestibule"))
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}
