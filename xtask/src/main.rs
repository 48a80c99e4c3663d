//! The chores of this repository, started with `cargo xtask`: lint, test, build the pages, develop.
//! What each chore consists of stands in its own file; this one only names them and picks.

#![expect(
    clippy::print_stdout,
    reason = "a command-line tool for developers speaks on standard output"
)]

mod bench;
mod client_races;
mod counts;
mod dev;
mod engines;
mod lint;
mod migration;
mod needs;
mod program;
mod released;
mod report;
mod test;
mod torture;
mod web;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  lint            formatting, clippy, rustdoc, licences and sources, unused dependencies, lints of pages and scripts
  test [SUITE]... every test there is; installs what is missing; ends with `N passed, N failed`; or only suites about
                  the released program, by the names that the table at the end has for them
  ui              build the pages of web/ into web/dist, which is committed
  dev [FLAG]...   the server and Vite's development server together; flags go to `vestibule serve`
  engines [-- COMMAND...]
                  a PostgreSQL and a MariaDB for the time of a command, which finds them in
                  VESTIBULE_TEST_POSTGRES and VESTIBULE_TEST_MARIADB, and a PgBouncer in front of
                  the first in VESTIBULE_TEST_POOLER; without a command, until Ctrl-C
  servers -- COMMAND...
                  the same for scripts of xtask/outside that make servers fail: each asks for its own
  migration NAME [--empty]
                  the first draft of a migration: what the entities declare and the schema has not
  audit           known security advisories against Cargo.lock; needs the network
  torture crash   kill -9 under load, 20 times on each engine, and look after each restart (`test` does 3)
  torture durability
                  cut the power under SQLite and kill -9 the other database servers, 200 times each, and look
                  for every write that was acknowledged (`test` does 40 and 3)
  torture drains  SIGTERM at load, 100 times in plain HTTP, with TLS and in HTTP/2; no request that has arrived is
                  lost (`test` does 3)
  torture full    fill the disk under the server 30 times; reading goes on, and all comes back (`test` does 2)
  torture faults  stop, freeze, restart, lock and crowd out PostgreSQL and MariaDB under load, for up to a minute each
  torture leavers 5,000 clients on each engine, half of whom leave before their answer (`test` has 500)
  torture client  the client library in Chromium over 50 expiries of its token, with wrong clocks and 100 lost answers
                  (`test` has 1 and 6); the pages in both themes at three widths; the races by axios-auth-refresh, to
                  compare; Lighthouse
  torture redis   kill, hang, slow, lock and fill the Redis of two nodes; guesses at both at once (`test` hangs it)
  torture api     10,000 cases made of the API's description, on SQLite and on PostgreSQL (`test` has 300)
  torture containers
                  run the container of docs/guides/containers.md and bring up each Compose file, by Docker itself
  torture copy    move 50,000 users through all engines, with kill -9 on the way (`test` moves 3,000)
  torture guide   add a resource to a copy of the tree as docs/guides/add-a-resource.md says, and run its tests there
                  (`test` looks whether it fits and compiles)
  torture image   go through deploy/Dockerfile without Docker, in a Debian of its own, and run what comes of it
  torture isolation
                  1,000 users at once on each engine, 100 requests each, none of whom may be sent a byte of
                  another (`test` has 60 and 20)
  torture limits  guess passwords from 120 addresses; the owner has to get in, 99 times of 100 within 2 s
  torture nodes   two nodes on one database, their races and restarts, 200 rounds and 20 (`test` does 10 and 1)
  torture galera  the tests of the doors, and races of two nodes, on a Galera cluster of three MariaDBs
  torture migrations
                  kill -9 of `vestibule migrate up`, 100 times on each engine (`test` does 5)
  torture systemd follow docs/guides/systemd.md in a Debian of its own that systemd runs; hang and kill the service,
                  and boot again
  torture proxies 10,000 requests of several users through nginx and Caddy (`test` sends 1,000)
  torture traces  a build with the feature `otel`: its spans, at a collector that is there, away or hung
  bench [NAME]    measure something of the released program; without a name, the list; `bench speed` has the table of
                  promises, and `bench report` makes docs/performance.md of it
  --help          this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["lint"] => lint::run(),
        ["audit"] => lint::audit(),
        ["test"] => test::run(),
        ["test", suites @ ..] => test::run_only(suites),
        ["torture", name] => torture::run(name).unwrap_or_else(|| misunderstood(&words)),
        ["migration", name, flags @ ..] => migration::run(name, flags),
        ["bench"] => bench::list(),
        ["bench", name, arguments @ ..] => bench::run(name, arguments),
        ["engines"] => engines::run(&[]),
        ["engines", "--", command @ ..] => engines::run(command),
        ["servers", "--", command @ ..] => engines::control::run(command),
        ["ui"] => web::run(),
        ["dev", flags @ ..] => dev::run(flags),
        ["--help" | "-h" | "help"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => misunderstood(&words),
    }
}

fn misunderstood(words: &[&str]) -> ExitCode {
    println!("{HELP}\n\nunknown command: {}", words.join(" "));
    ExitCode::from(2)
}
