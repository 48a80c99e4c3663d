//! Names of files that are never served, whatever the rules say: what ends up in a site's folder by mistake and would
//! hurt most. Hidden files are refused earlier, by `path`.

/// Endings of names that are withheld, in lower case, each group with its reason.
const ENDINGS: &[&str] = &[
    // Configuration holds addresses and passwords. JSON, YAML and XML are not here: sites publish those.
    "toml", "env", "ini", "conf", "cnf", "cfg", "config", "htaccess", "htpasswd",
    // Private keys, and certificates, which are kept in the same file as often as not.
    "pem", "key", "crt", "cer", "csr", "der", "p7b", "p7c", "p8", "p12", "pfx", "jks", "keystore",
    "ppk", "kdb", "kdbx", // Databases and their dumps hold other people's data.
    "db", "db3", "sqlite", "sqlite2", "sqlite3", "s3db", "mdb", "accdb", "mdf", "ldf", "rdb",
    "sql", "dump",
    // What editors and tools leave beside a file was never meant to be published.
    "bak", "backup", "swp", "swo",
];

/// What SQLite appends to the name of a database that is in use.
const DATABASE_TAILS: &[&str] = &["-wal", "-shm", "-journal"];

/// Private keys that by custom have no ending.
const NAMES: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// Endings that copies and archives of a file add to its name; what is below them counts.
const WRAPPERS: &[&str] = &[
    "br", "gz", "zst", "xz", "bz2", "zip", "old", "orig", "save", "copy", "tmp",
];

/// Whether a file of this name is never served.
pub(super) fn is_withheld(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.ends_with('~') {
        return true;
    }
    let mut rest = name.as_str();
    loop {
        if NAMES.contains(&rest) || DATABASE_TAILS.iter().any(|tail| rest.ends_with(tail)) {
            return true;
        }
        let Some((below, ending)) = rest.rsplit_once('.') else {
            return false;
        };
        // Blanks at the end are dropped by some file systems.
        let ending = ending.trim_end();
        if ENDINGS.contains(&ending) {
            return true;
        }
        // `vestibule.db.1` and `secret.key.2026-11-21` are copies too.
        let is_number = ending
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_number && !WRAPPERS.contains(&ending) {
            return false;
        }
        rest = below;
    }
}

#[cfg(test)]
mod tests {
    use super::is_withheld;

    #[test]
    fn configuration_keys_certificates_and_databases_are_withheld_in_any_case_and_under_any_copy() {
        for name in [
            "vestibule.toml",
            "Vestibule.TOML",
            "app.env",
            "php.ini",
            "secret.key",
            "secret.key.bak",
            "server.pem",
            "server.crt",
            "root.CER",
            "store.p12",
            "store.pfx",
            "cert.der",
            "vestibule.db",
            "vestibule.db-wal",
            "vestibule.db-shm",
            "data.sqlite",
            "data.sqlite3",
            "dump.sql",
            "dump.sql.gz",
            "vestibule.db.1",
            "secret.key.2026-11-21",
            "secret.key.old.gz",
            "index.html~",
            "page.html.bak",
            "id_ed25519",
            "secret.key.",
            "secret.key ",
            "web.config",
            "site-journal",
            "vestibule.db.",
            "a.db.zip",
        ] {
            assert!(is_withheld(name), "{name} is served");
        }
    }

    #[test]
    fn what_sites_publish_is_served() {
        for name in [
            "index.html",
            "style.css",
            "tailwind.config.js",
            "openapi.yaml",
            "feed.xml",
            "site.webmanifest",
            "data.json",
            "key.html",
            "db",
            "keys",
            "archive.tar.gz",
            "release-1.2.3.zip",
            "signature.asc",
            "report.2026.pdf",
            "a.b.c",
            "config.html",
            "journal.html",
        ] {
            assert!(!is_withheld(name), "{name} is withheld");
        }
    }
}
