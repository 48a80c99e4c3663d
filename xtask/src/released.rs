//! The suites about the released program: real clients, real servers and real failures around it. Each brings what else
//! it needs; how long it lasts is asked of it, a short time by every test run and a long one by torture.rs.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::client_races::{BRIEF, races, somebodys_app};
use crate::counts::{Counts, Runner};
use crate::engines::control::Control;
use crate::needs;
use crate::program::{Program, root, target};

/// The Debian package whose files are served as somebody's site.
pub(crate) const DOCUMENTATION: &str = "sqlite3-doc";

/// The engines by the names that the scripts outside know them by.
const ENGINES: [&str; 3] = ["sqlite", "postgres", "mariadb"];

/// How much of something is done, as arguments of its script.
pub(crate) struct Length {
    /// In every test run.
    pub(crate) short: &'static str,
    /// When it is asked for by name.
    pub(crate) long: &'static str,
}

const fn length(short: &'static str, long: &'static str) -> Length {
    Length { short, long }
}

/// Restarts after `kill -9` of the program, on each engine.
pub(crate) const CRASHES: Length = length("3", "20");
/// Cut power for SQLite, and killed database servers for the others; the long form is one of 10,000 acknowledged writes
/// and more on each engine.
pub(crate) const POWER_CUTS: Length = length(
    "--rounds 1 --writes 200 --cuts 40",
    "--rounds 10 --writes 1000 --cuts 20",
);
pub(crate) const KILLED_SERVERS: Length = length("3", "200");
/// Logins of an owner whose account is under attack; in the long form they have to be prompt as well, which a machine
/// that runs all the tests may not allow.
pub(crate) const TRIES: Length = length("--tries 20", "--tries 100 --promptly");
/// Races between two nodes, and restarts of both.
pub(crate) const RACES: Length = length("10", "200");
pub(crate) const RESTARTS: Length = length("1", "20");
/// Guesses at the same moment on two nodes that share a Redis, and what befalls that.
pub(crate) const REDIS: Length = length("--rounds 2 --briefly", "--rounds 50");
/// How often the disk is filled.
pub(crate) const FILLINGS: Length = length("--rounds 2", "--rounds 30 --promptly");
/// Clients, of whom half leave at a moment of chance.
pub(crate) const LEAVERS: Length = length("--clients 500", "--clients 5000");
/// How long the database is away in each way in which it goes.
pub(crate) const FAULTS: Length = length("", "--long");
/// Users at once on each engine, and the requests of each.
pub(crate) const USERS: Length = length("--users 60 --requests 20", "--users 1000 --requests 100");
/// Themes and widths in which each state of each page is looked at: two of the six pairs, or all.
pub(crate) const DRESSES: Length = length("some", "all");
/// Kills of a program that migrates, on each engine.
pub(crate) const KILLS: Length = length("--kills 5", "--kills 100 --partly");
/// Cases that are made of the API's description, on each of two engines: the same in every test run, so that a change
/// is judged by itself, and others each time in the long form.
pub(crate) const CASES: Length = length("--cases 300 --seed 1", "--cases 10000");
/// Whether the guide to adding a resource is followed to the types, or to its end.
pub(crate) const GUIDE: Length = length("--briefly", "");
/// Users that are moved, and how often each move is killed.
pub(crate) const MOVES: Length = length("--users 3000 --kills 3", "--users 50000 --kills 12");

/// Requests of several users through each proxy.
pub(crate) const PASSES: Length = length("--requests 1000", "--requests 10000");

/// Ends of a server that is busy, in each of the ways in which it is spoken to.
pub(crate) const DRAINS: Length = length("--rounds 3", "--rounds 100");

/// Runs the tests of a suite, and says how many there were.
pub(crate) type Tests = fn() -> Result<Counts>;

/// A suite about the released program, which brings whatever else it needs.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) tests: Tests,
    company: Company,
}

/// Whether other suites may run at the same time: those that hold answers to a bound of time want the machine to
/// themselves, or use all of it anyway.
#[derive(PartialEq, Eq)]
pub(crate) enum Company {
    Welcome,
    Unwelcome,
}

/// All that is tried with the released program. Of those that run side by side the longest come first, so that none of
/// them is waited for at the end.
pub(crate) const RELEASED: &[Suite] = {
    use Company::{Unwelcome, Welcome};
    const fn suite(name: &'static str, company: Company, tests: Tests) -> Suite {
        Suite {
            name,
            tests,
            company,
        }
    }
    &[
        suite("client against the server", Unwelcome, client_contract),
        suite("browser", Unwelcome, || browser(DRESSES.short)),
        suite("client races", Unwelcome, || races(&BRIEF)),
        suite("outside: limits", Unwelcome, || limits(TRIES.short)),
        suite("outside: stampede", Unwelcome, stampede),
        suite("outside: faults", Unwelcome, || faults(FAULTS.short)),
        suite("outside: leavers", Unwelcome, || leavers(LEAVERS.short)),
        suite("outside: full disk", Unwelcome, || {
            full_disk(FILLINGS.short)
        }),
        suite("outside: killed servers", Unwelcome, || {
            killed_servers(KILLED_SERVERS.short)
        }),
        suite("outside: replicas", Welcome, replicas),
        suite("outside: somebody's app", Welcome, somebodys_app),
        suite("outside: power cuts", Welcome, || {
            power_cuts(POWER_CUTS.short)
        }),
        suite("outside: rolling restart", Welcome, || {
            rolling_restart(RESTARTS.short)
        }),
        suite("outside: crashes", Welcome, || crashes(CRASHES.short)),
        suite("outside: nodes", Welcome, || nodes(RACES.short)),
        suite("outside: redis", Welcome, || redis(REDIS.short)),
        suite("outside: API", Welcome, || api(CASES.short)),
        suite("outside: moves", Welcome, || moves(MOVES.short)),
        suite("outside: imports", Welcome, imports),
        suite("outside: migrations", Welcome, || migrations(KILLS.short)),
        suite("outside: backups", Welcome, backups),
        suite("outside: proxies", Welcome, || proxies(PASSES.short)),
        suite("outside: TLS", Welcome, https),
        suite("outside: systemd", Welcome, systemd),
        suite("outside: drains", Welcome, || drains(DRAINS.short)),
        suite("outside: sockets", Welcome, sockets),
        suite("outside: database TLS", Welcome, database_tls),
        suite("outside: generated clients", Welcome, generated_clients),
        suite("outside: upstream", Welcome, upstream),
        suite("outside: isolation", Welcome, || isolation(USERS.short)),
        suite("outside: documentation", Welcome, documentation),
        suite("outside: poolers", Welcome, poolers),
        suite("outside: audit copies", Welcome, audit_copies),
        suite("outside: guide to moving", Welcome, guide_to_moving),
        suite("outside: containers", Welcome, containers),
        suite("outside: tokens", Welcome, tokens),
        suite("outside: user data", Welcome, user_data),
        suite("outside: oauth", Welcome, oauth),
        suite("outside: openapi", Welcome, openapi),
        suite("outside: monitoring", Welcome, monitoring),
        suite("outside: README", Welcome, readme),
        suite("outside: five minutes", Welcome, || {
            guide("docs/guides/five-minutes.md")
        }),
        suite("outside: production", Welcome, || {
            needs::system_program("sqlite3", "sqlite3")?;
            guide("docs/guides/production.md")
        }),
    ]
};

pub(crate) fn suites(company: Company) -> impl Iterator<Item = &'static Suite> {
    RELEASED
        .iter()
        .filter(move |suite| suite.company == company)
}

/// Built as for a release but for its link-time optimisation, which would take minutes more.
pub(crate) fn release_build() -> Result<()> {
    Program::new("cargo")
        .words("build --release --package vestibule")
        .run()
}

/// The same unseen, from what the tests beside it leave of the processors while they wait for clocks and disks.
pub(crate) fn release_build_meanwhile() -> Result<()> {
    let build = Program::new("nice").words("-n 19 cargo build --release --package vestibule");
    let ran = build.listen()?;
    ensure!(ran.succeeded, "the release build failed:\n{}", ran.text);
    Ok(())
}

/// The client library against a running server, not against the fake of its own tests.
fn client_contract() -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    let tests = outside("serve_while.py")?.words("npm --prefix sdk run contract");
    Counts::of(Runner::Vitest, &tests.watch()?)
}

/// The built-in pages in Chromium, each state of them in `dresses`: themes and widths.
pub(crate) fn browser(dresses: &str) -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages("web")?;
    let tests = outside("serve_while.py")?
        .env("CHROMIUM", needs::chromium()?)
        .env("DRESSES", dresses)
        .words("npm --prefix web run e2e");
    Counts::of(Runner::Playwright, &tests.watch()?)
}

/// Runs the commands of README.md, as a reader would.
fn readme() -> Result<Counts> {
    needs::system_program("curl", "curl")?;
    Counts::of(Runner::Outside, &outside("readme.py")?.watch()?)
}

/// Runs the commands of a guide in an empty folder, as a reader would.
fn guide(path: &str) -> Result<Counts> {
    needs::system_program("curl", "curl")?;
    Counts::of(Runner::Outside, &outside("guide.py")?.arg(path).watch()?)
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
pub(crate) fn api(cases: &str) -> Result<Counts> {
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
pub(crate) fn crashes(cycles: &str) -> Result<Counts> {
    let counts = ENGINES.map(|engine| crashes_of("program", engine, cycles));
    counts.into_iter().sum()
}

/// Kills the database server under the program.
pub(crate) fn killed_servers(cycles: &str) -> Result<Counts> {
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
pub(crate) fn power_cuts(how_many: &str) -> Result<Counts> {
    needs::system_program("strace", "strace")?;
    let tests = outside("durability.py")?.words(how_many);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Guesses passwords from many addresses while the owner of the account logs in.
pub(crate) fn limits(tries: &str) -> Result<Counts> {
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
pub(crate) fn nodes(rounds: &str) -> Result<Counts> {
    beside_servers(outside("nodes.py")?.arg("--rounds").arg(rounds))
}

/// Has two nodes share a Redis, and takes it away.
pub(crate) fn redis(length: &str) -> Result<Counts> {
    needs::redis()?;
    beside_servers(outside("redis_faults.py")?.words(length))
}

/// Restarts two nodes one after the other behind nginx, under load.
pub(crate) fn rolling_restart(rounds: &str) -> Result<Counts> {
    let tests = outside("rolling.py")?.env("VESTIBULE_NGINX", needs::nginx()?);
    beside_servers(tests.arg("--rounds").arg(rounds))
}

/// Fills the disk under the server, and empties it again.
pub(crate) fn full_disk(rounds: &str) -> Result<Counts> {
    needs::system_program("unshare", "util-linux")?;
    let tests = outside("full_disk.py")?.words(rounds);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Has clients leave in the middle of what they asked for.
pub(crate) fn leavers(clients: &str) -> Result<Counts> {
    beside_servers(outside("leavers.py")?.words(clients))
}

/// Keeps the audit log in a file and at a rsyslogd, while either goes away.
fn audit_copies() -> Result<Counts> {
    let rsyslogd = needs::rsyslogd()?;
    let tests = outside("audit_copies.py")?.env("VESTIBULE_RSYSLOGD", rsyslogd);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Has Prometheus' own tool look at metrics, alerts and the dashboard.
fn monitoring() -> Result<Counts> {
    let promtool = needs::system_program("promtool", "prometheus")?;
    let tests = outside("monitoring.py")?.env("VESTIBULE_PROMTOOL", promtool);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// A program that makes traces, which takes its time: nothing of it is shared with the released one.
pub(crate) fn tracing_build() -> Result<()> {
    Program::new("cargo")
        .words("build --package vestibule --features otel")
        .run()
}

/// Has a server send its traces to a collector, which is there, away or hung.
pub(crate) fn traces() -> Result<Counts> {
    let program = target()?.join("debug/vestibule");
    let tests = outside("traces.py")?.env("VESTIBULE_BINARY", program);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Has many users write, read and try the ids of each other, all at once.
pub(crate) fn isolation(size: &str) -> Result<Counts> {
    beside_servers(outside("isolation.py")?.words(size))
}

/// Takes the database away while clients are at work.
pub(crate) fn faults(length: &str) -> Result<Counts> {
    beside_servers(outside("faults.py")?.words(length))
}

/// Applies printed migrations by the client programs of the engines, and kills the program amid its own.
pub(crate) fn migrations(kills: &str) -> Result<Counts> {
    needs::system_program("sqlite3", "sqlite3")?;
    needs::system_program("mariadb-dump", "mariadb-client")?;
    // `pg_dump` comes with `psql`, and so with the server.
    beside_servers(outside("migrations.py")?.words(kills))
}

/// Moves an installation through all engines, and kills every move on its way.
pub(crate) fn moves(size: &str) -> Result<Counts> {
    beside_servers(outside("moves.py")?.words(size))
}

/// Brings over the users of other programs, with the passwords they have.
fn imports() -> Result<Counts> {
    beside_servers(outside("imports.py")?)
}

/// Adds a resource to a copy of this tree, as the guide says. What it releases is its own.
pub(crate) fn guide_to_adding(how_far: &str) -> Result<Counts> {
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

/// Tries to get past nginx, Caddy and HAProxy, by the configuration that the program prints.
pub(crate) fn proxies(how_many: &str) -> Result<Counts> {
    needs::system_program("openssl", "openssl")?;
    let tests = outside("proxies.py")?
        .env("VESTIBULE_NGINX", needs::nginx()?)
        .env("VESTIBULE_CADDY", needs::caddy()?)
        .env("VESTIBULE_HAPROXY", needs::haproxy()?);
    Counts::of(Runner::Outside, &tests.words(how_many).watch()?)
}

/// Holds the files for containers against the programs that read them.
fn containers() -> Result<Counts> {
    needs::system_program("docker-compose", "docker-compose")?;
    Counts::of(Runner::Outside, &outside("containers.py")?.watch()?)
}

/// Runs the container and each Compose file as a whole, by an engine of its own.
pub(crate) fn docker() -> Result<Counts> {
    needs::system_program("debootstrap", "debootstrap")?;
    needs::system_program("dockerd", "docker.io")?;
    needs::system_program("docker-compose", "docker-compose")?;
    ensure!(needs::is_root(), "only root may start an engine of its own");
    Counts::of(Runner::Outside, &outside("docker_engine.py")?.watch()?)
}

/// Makes the image without Docker, and runs it. What it releases is its own.
pub(crate) fn image() -> Result<Counts> {
    needs::system_program("debootstrap", "debootstrap")?;
    ensure!(
        needs::is_root(),
        "only root may change into another root folder"
    );
    Counts::of(Runner::Outside, &outside("image.py")?.watch()?)
}

/// Follows the guide to systemd on a machine that systemd runs.
pub(crate) fn machine() -> Result<Counts> {
    needs::system_program("debootstrap", "debootstrap")?;
    needs::system_program("systemd-nspawn", "systemd-container")?;
    ensure!(needs::is_root(), "only root may boot a machine of its own");
    Counts::of(Runner::Outside, &outside("machine.py")?.watch()?)
}

/// Stands in front of apps that others wrote, one of them the guide's own.
fn upstream() -> Result<Counts> {
    needs::system_program("curl", "curl")?;
    let tests = outside("upstream.py")?.env("VESTIBULE_NGINX", needs::nginx()?);
    Counts::of(Runner::Outside, &tests.watch()?)
}

/// Has curl, OpenSSL and nghttp2 speak TLS with the program, and exchanges its certificate under them.
fn https() -> Result<Counts> {
    needs::system_program("curl", "curl")?;
    needs::system_program("openssl", "openssl")?;
    needs::system_program("h2load", "nghttp2-client")?;
    Counts::of(Runner::Outside, &outside("https.py")?.watch()?)
}

/// Listens to what the program tells its supervisor, and has systemd judge the unit that it prints.
fn systemd() -> Result<Counts> {
    needs::system_program("systemd-analyze", "systemd")?;
    Counts::of(Runner::Outside, &outside("systemd.py")?.watch()?)
}

/// Ends the program at load, over and over, and looks for requests that were lost.
pub(crate) fn drains(rounds: &str) -> Result<Counts> {
    Counts::of(
        Runner::Outside,
        &outside("drains.py")?.words(rounds).watch()?,
    )
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
        .env("VESTIBULE_BINARY", released_program()?)
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// What [`release_build`] has built.
pub(crate) fn released_program() -> Result<PathBuf> {
    Ok(target()?.join("release/vestibule"))
}
