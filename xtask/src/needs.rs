//! Programs the checks need: found, else installed where that is possible, else named in the error.
//! What they are used for is up to the callers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::program::{Program, find, root, target};

const NODE_MAJOR: u32 = 20;

/// The oldest releases that the product is tested with (its contract names them).
const POSTGRES_AT_LEAST: Version = (15, 0);
const MARIADB_AT_LEAST: Version = (10, 11);

/// Major and minor number of a release.
type Version = (u32, u32);

/// Makes a program of the operating system available and returns its path.
pub(crate) fn system_program(name: &str, debian_package: &str) -> Result<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    install_debian_packages(name, debian_package)?;
    find(name).with_context(|| format!("the package `{debian_package}` brought no `{name}`"))
}

/// A Chromium or Chrome for the browser tests.
pub(crate) fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .into_iter()
        .find_map(find)
        .map_or_else(|| system_program("chromium", "chromium"), Ok)
}

/// Node.js with npm, new enough for the tools of `web/`.
pub(crate) fn node() -> Result<()> {
    system_program("node", "nodejs")?;
    system_program("npm", "npm")?;
    let version = Program::new("node")
        .arg("--version")
        .ask()
        .context("`node --version` fails")?;
    let major = version.trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|text| text.parse().ok()).unwrap_or(0);
    ensure!(
        major >= NODE_MAJOR,
        "Node.js {NODE_MAJOR} or newer is needed, and `node` is {version}"
    );
    Ok(())
}

/// The `postgres` of the newest PostgreSQL here; its other programs lie beside it.
pub(crate) fn postgres() -> Result<PathBuf> {
    // Debian keeps each release in a folder of its own, and none of them on PATH.
    let releases = || {
        let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter();
        let programs = folders.flatten().flatten();
        programs.map(|folder| folder.path().join("bin/postgres"))
    };
    let installed = || {
        newest(
            find("postgres").into_iter().chain(releases()),
            POSTGRES_AT_LEAST,
        )
    };
    if let Some(path) = installed() {
        return Ok(path);
    }
    install_debian_packages("postgres", "postgresql")?;
    installed().context("PostgreSQL 15 or newer is needed, and the package `postgresql` is older")
}

/// The newest `mariadbd` here.
pub(crate) fn mariadbd() -> Result<PathBuf> {
    // This folder is on root's PATH alone.
    let daemon = PathBuf::from("/usr/sbin/mariadbd");
    let installed = || {
        newest(
            [daemon.clone()].into_iter().chain(find("mariadbd")),
            MARIADB_AT_LEAST,
        )
    };
    if let Some(path) = installed().filter(|_| find("mariadb-install-db").is_some()) {
        return Ok(path);
    }
    // The server itself, without the package that would make a service of it.
    install_debian_packages("mariadbd", "mariadb-server-core mariadb-client-core")?;
    installed().context("MariaDB 10.11 or newer is needed, and `mariadb-server-core` is older")
}

/// PgBouncer, a pooler in front of PostgreSQL.
pub(crate) fn pgbouncer() -> Result<PathBuf> {
    daemon("pgbouncer", "pgbouncer")
}

/// The library that makes a MariaDB a node of a Galera cluster, with the programs by which nodes copy their data.
pub(crate) fn galera() -> Result<PathBuf> {
    system_program("rsync", "rsync")?;
    system_program("ss", "iproute2")?;
    let library = PathBuf::from("/usr/lib/galera/libgalera_smm.so");
    if !library.is_file() {
        install_debian_packages("galera", "galera-4")?;
    }
    ensure!(
        library.is_file(),
        "the package `galera-4` brought no {}",
        library.display()
    );
    Ok(library)
}

/// An allocator that programs can be started with in the place of the system's.
pub(crate) fn jemalloc() -> Result<()> {
    let folder = Path::new("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    if !folder.join("libjemalloc.so.2").exists() {
        install_debian_packages("libjemalloc", "libjemalloc2")?;
    }
    Ok(())
}

/// A Redis with its client program. Debian 12 has no Valkey.
pub(crate) fn redis() -> Result<()> {
    system_program("redis-cli", "redis-tools")?;
    system_program("redis-server", "redis-server").map(drop)
}

/// nginx, without the package's own service and sites.
pub(crate) fn nginx() -> Result<PathBuf> {
    daemon("nginx", "nginx")
}

/// HAProxy, without the package's own service.
pub(crate) fn haproxy() -> Result<PathBuf> {
    daemon("haproxy", "haproxy")
}

/// rsyslog, without the package's own service.
pub(crate) fn rsyslogd() -> Result<PathBuf> {
    daemon("rsyslogd", "rsyslog")
}

/// Caddy, without the package's own service.
pub(crate) fn caddy() -> Result<PathBuf> {
    system_program("caddy", "caddy")
}

/// A program of the folder that is on root's PATH alone.
fn daemon(name: &str, debian_package: &str) -> Result<PathBuf> {
    let path = Path::new("/usr/sbin").join(name);
    if path.is_file() {
        return Ok(path);
    }
    system_program(name, debian_package)
        .or_else(|error| path.is_file().then_some(path).ok_or(error))
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    Program::new("id").arg("-u").ask().as_deref() == Some("0")
}

/// The files of a Debian package, unpacked under `target/` and not installed: that needs no rights, and systems that
/// leave documentation out of what they install have it too.
pub(crate) fn debian_files(package: &str) -> Result<PathBuf> {
    let folder = target()?.join("debian").join(package);
    if folder.is_dir() {
        return Ok(folder);
    }
    let missing =
        format!("the files of the Debian package `{package}` are needed, with apt-get and dpkg");
    let fetched = tempfile::tempdir_in(target()?)?;
    with_fresh_lists(|| {
        Program::new("apt-get")
            // Otherwise root is warned that a lesser user, whom it would rather be, may not write here.
            .words("-q -o APT::Sandbox::User=root download")
            .arg(package)
            .inside(fetched.path())
            .run()
    })
    .context(missing)?;
    let archive = std::fs::read_dir(fetched.path())?
        .next()
        .context("apt-get has downloaded nothing")??
        .path();
    let unpacked = fetched.path().join("unpacked");
    Program::new("dpkg-deb")
        .arg("--extract")
        .arg(archive)
        .arg(&unpacked)
        .run()?;
    std::fs::create_dir_all(target()?.join("debian"))?;
    // In one step, so that a folder of this name is always whole.
    std::fs::rename(unpacked, &folder)?;
    Ok(folder)
}

/// A subcommand of cargo, installed from its source where it is missing.
pub(crate) fn cargo_tool(subcommand: &str, version: &str) -> Result<()> {
    let present = Program::new("cargo").arg(subcommand).arg("--version").ask();
    if present.is_some() {
        return Ok(());
    }
    Program::new("cargo")
        .words("install --locked")
        .arg(format!("cargo-{subcommand}@{version}"))
        .run()
}

/// A Python with the packages of `xtask/outside/requirements.txt`, in its own folder under `target/`.
pub(crate) fn python() -> Result<PathBuf> {
    system_program("python3", "python3")?;
    let modules = Program::new("python3")
        .arg("-c")
        .arg("import venv, ensurepip");
    if modules.ask().is_none() {
        // Debian keeps these two modules in a package of their own.
        install_debian_packages("python3 -m venv", "python3-venv")?;
    }
    let folder = target()?.join("outside");
    let python = folder.join("bin/python");
    let wanted = root().join("xtask/outside/requirements.txt");
    let installed = folder.join("requirements.txt");
    if same_bytes(&wanted, &installed) && is_where_it_was_made(&folder) {
        return Ok(python);
    }
    Program::new("python3")
        .words("-m venv --clear")
        .arg(&folder)
        .run()?;
    Program::new(&python)
        .words("-m pip install --quiet --disable-pip-version-check --requirement")
        .arg(&wanted)
        .run()?;
    std::fs::copy(&wanted, &installed)?;
    Ok(python)
}

/// Whether nobody has moved a virtual environment: its programs name its Python by the whole path.
fn is_where_it_was_made(environment: &Path) -> bool {
    let pip = std::fs::read_to_string(environment.join("bin/pip"));
    pip.is_ok_and(|pip| pip.contains(&*environment.to_string_lossy()))
}

/// The packages of a package.json, exactly as its lock file says.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let lock = root().join(folder).join("package-lock.json");
    let installed = root()
        .join(folder)
        .join("node_modules/.installed-lock.json");
    if same_bytes(&lock, &installed) {
        return Ok(());
    }
    Program::new("npm")
        .words("ci --no-audit --no-fund")
        .inside(folder)
        .run()?;
    // Packages without dependencies get no folder from npm.
    std::fs::create_dir_all(root().join(folder).join("node_modules"))?;
    std::fs::copy(lock, installed)?;
    Ok(())
}

fn same_bytes(left: &Path, right: &Path) -> bool {
    let read = |path| std::fs::read(path).ok();
    read(left).is_some_and(|bytes| read(right) == Some(bytes))
}

/// The newest of the programs that is new enough; those that do not exist are none.
fn newest(programs: impl Iterator<Item = PathBuf>, at_least: Version) -> Option<PathBuf> {
    let release = |path: PathBuf| {
        let text = Program::new(&path).arg("--version").ask()?;
        Some((version(&text)?, path))
    };
    let new_enough = |(version, _): &(Version, PathBuf)| *version >= at_least;
    let releases = programs.filter_map(release).filter(new_enough);
    let newest = releases.max_by_key(|(version, _)| *version);
    newest.map(|(_, path)| path)
}

/// The release that a program says it is of: the first word that starts with a digit.
fn version(text: &str) -> Option<Version> {
    let mut words = text.split_whitespace();
    let word = words.find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
    let mut numbers = word.split(|letter: char| !letter.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|text| text.parse().ok());
    Some((major, minor.unwrap_or(0)))
}

fn install_debian_packages(program: &str, packages: &str) -> Result<()> {
    let missing = format!(
        "`{program}` is missing or too old: install it (Debian: `apt-get install {packages}`)"
    );
    ensure!(find("apt-get").is_some(), missing);
    let install = || apt_get_as_root(&format!("install --no-install-recommends {packages}"));
    with_fresh_lists(install).context(missing)
}

/// The list of packages may be absent or too old; it is fetched only when `work` has failed.
fn with_fresh_lists(work: impl Fn() -> Result<()>) -> Result<()> {
    work().or_else(|_| apt_get_as_root("update").and_then(|()| work()))
}

fn apt_get_as_root(line: &str) -> Result<()> {
    let program = if is_root() {
        Program::new("env")
    } else {
        Program::new("sudo").words("-n env")
    };
    program
        .arg("DEBIAN_FRONTEND=noninteractive")
        .words("sh xtask/scripts/without_services.sh")
        .words("apt-get -q -y -o DPkg::Lock::Timeout=300")
        .words(line)
        .run()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_release_is_read_from_what_a_server_says_of_itself() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        let mariadb = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64";
        assert_eq!(version(debian), Some((15, 18)));
        assert_eq!(version(mariadb), Some((10, 11)));
        assert_eq!(version("postgres (PostgreSQL) 19devel"), Some((19, 0)));
        assert_eq!(version("no number"), None);
    }

    #[test]
    fn the_newest_release_is_taken_by_its_number_and_an_old_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let release = |number: &str| {
            let path = folder.path().join(number);
            std::fs::write(&path, format!("#!/bin/sh\necho server {number}\n")).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            path
        };
        let absent = folder.path().join("absent");
        let releases = [release("9.6"), absent, release("15.2"), release("15.10")];
        let found = |at_least| newest(releases.iter().cloned(), at_least);
        assert_eq!(found((15, 0)), Some(releases[3].clone()));
        assert_eq!(found((16, 0)), None);
    }
}
