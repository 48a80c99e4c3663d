//! The values in the unit of systemd: where its files are, and what it may do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, Loaded, Source};

/// What the unit reads where no configuration file is in force yet.
const CONFIGURATION: &str = "/etc/vestibule/vestibule.toml";
/// What systemd makes for the unit and gives to its user.
const STATE: &str = "/var/lib/vestibule";

/// Left writable, as the standard output is there; what it has besides is bounded by `PrivateDevices`.
const DEVICES: &str = "/dev";

/// Beyond `drain_delay`: the drain takes eight seconds at the most, and the database is closed after it.
const STOP_TIME: Duration = Duration::from_secs(15);

/// Ports below this one need a privilege.
const FIRST_FREE_PORT: u16 = 1024;

/// What the template of the unit names, each with its text.
pub(super) fn values(loaded: &Loaded) -> Vec<(&'static str, String)> {
    let config = &loaded.config;
    let file = config.file.as_deref();
    let file = absolute(file.unwrap_or(Path::new(CONFIGURATION)));
    let is_elsewhere = *loaded.source_of("data_dir") != Source::Default;
    let data = match is_elsewhere {
        true => absolute(&config.data_dir),
        false => STATE.to_owned(),
    };
    let moved = is_elsewhere.then(|| PathBuf::from(&data));
    let writable = match writable_folders(config, moved).as_slice() {
        [] => String::new(),
        folders => format!("\nReadWritePaths={}", words(folders)),
    };
    let (capabilities, private_users) = match needs_a_privilege(config) {
        true => (
            "CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE",
            "",
        ),
        // Under users of its own, a process has privileges over nothing, and so none over ports.
        false => ("", "PrivateUsers=yes\n"),
    };
    let stop_time = (config.drain_delay + STOP_TIME).as_secs();
    vec![
        // A command line has variables, too.
        ("config_word", word(&file).replace('$', "$$")),
        ("config", file),
        ("data_word", word(&format!("VESTIBULE_DATA_DIR={data}"))),
        ("writable", writable),
        ("capabilities", capabilities.to_owned()),
        ("private_users", private_users.to_owned()),
        ("stop_time", stop_time.to_string()),
    ]
}

/// The folders beside [`STATE`] that the server writes to: the data folder where that was `moved`, and those of files that
/// the settings put somewhere else. To the unit every other one is read-only.
fn writable_folders(config: &Config, moved: Option<PathBuf>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = moved.into_iter().collect();
    let files = [config.database.url.file(), config.audit.file.as_deref()];
    // A relative path is below the working folder, which is `STATE`.
    let absolute = files
        .into_iter()
        .flatten()
        .filter(|file| file.is_absolute());
    for folder in absolute.filter_map(Path::parent) {
        let is_within = |writable: &Path| folder.starts_with(writable);
        let is_writable = is_within(Path::new(STATE)) || is_within(Path::new(DEVICES));
        if !is_writable && !folders.iter().any(|writable| is_within(writable)) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn needs_a_privilege(config: &Config) -> bool {
    let addresses = [
        Some(config.listen),
        config.https_redirect,
        config.metrics_listen,
    ];
    let mut ports = addresses
        .into_iter()
        .flatten()
        .map(|address| address.port());
    ports.any(|port| port < FIRST_FREE_PORT)
}

fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_no_folder| PathBuf::from(path));
    absolute.display().to_string()
}

/// Paths, as systemd takes them for a list.
fn words(paths: &[PathBuf]) -> String {
    let words = paths.iter().map(|path| word(&path.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

/// The text as systemd takes it for one word, whatever is in it.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+:@,=".contains(letter);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_word_stays_one_whatever_is_in_it() {
        assert_eq!(word("/etc/a-b.toml"), "/etc/a-b.toml");
        assert_eq!(word("/srv/my site"), r#""/srv/my site""#);
        assert_eq!(word(r#"/a"b\c%d"#), r#""/a\"b\\c%%d""#);
    }
}
