//! Programs the checks need: found, else installed where that is possible, else named in the error.
//! What they are used for is up to the callers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::program::{Program, find, root, target};

const NODE_MAJOR: u32 = 20;

/// Makes a program of the operating system available and returns its path.
pub(crate) fn system_program(name: &str, debian_package: &str) -> Result<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    install_debian_package(name, debian_package)?;
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
        install_debian_package("python3 -m venv", "python3-venv")?;
    }
    let folder = target()?.join("outside");
    let python = folder.join("bin/python");
    let wanted = root().join("xtask/outside/requirements.txt");
    let installed = folder.join("requirements.txt");
    if same_bytes(&wanted, &installed) {
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

fn install_debian_package(program: &str, package: &str) -> Result<()> {
    let missing = format!("`{program}` is missing: install it (Debian package `{package}`)");
    ensure!(find("apt-get").is_some(), missing);
    let install = || apt_get_as_root(&format!("install --no-install-recommends {package}"));
    with_fresh_lists(install).context(missing)
}

/// The list of packages may be absent or too old; it is fetched only when `work` has failed.
fn with_fresh_lists(work: impl Fn() -> Result<()>) -> Result<()> {
    work().or_else(|_| apt_get_as_root("update").and_then(|()| work()))
}

fn apt_get_as_root(line: &str) -> Result<()> {
    let is_root = Program::new("id").arg("-u").ask().as_deref() == Some("0");
    let program = if is_root {
        Program::new("apt-get")
    } else {
        Program::new("sudo").words("-n apt-get")
    };
    program
        .env("DEBIAN_FRONTEND", "noninteractive")
        .words("-q -y -o DPkg::Lock::Timeout=300")
        .words(line)
        .run()
}
