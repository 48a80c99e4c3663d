//! How many files the process may open, and how they are shared out: a connection is an open file, a download of the
//! site is one, and a connection to the database several. Who holds them and what happens when they are gone is left to
//! `serve.rs`, the site and the database.

use std::sync::LazyLock;

/// Files that are open beside all these: logs, locks, what is looked at for a moment.
const OTHERS: usize = 224;

/// What a connection to the database keeps open: its file, its write-ahead log, and a temporary file at times.
const PER_DATABASE_CONNECTION: usize = 3;

/// More downloads than this are not served at once, however many files may be open.
const MOST_FOR_SITE: usize = 10_000;

/// How the process shares out its open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// Connections that may be open at once.
    pub for_connections: usize,
    /// Files of the site that may be open at once.
    pub for_site: usize,
    /// Connections to an app behind this server that may be open at once.
    pub for_app: usize,
    /// Connections to the database that may be open at once; not more than were asked for.
    pub for_database: u32,
}

/// The shares of this process, which would like so many connections to its database. The limit is raised as far as it
/// may be when this is first asked for.
#[must_use]
pub fn open_files(database_connections: u32) -> OpenFiles {
    OpenFiles::share(open_files_limit(), database_connections)
}

/// How many files this process may have open, the limit being raised as by [`open_files`].
#[must_use]
pub fn open_files_limit() -> usize {
    static LIMIT: LazyLock<usize> = LazyLock::new(limit);
    *LIMIT
}

impl OpenFiles {
    /// The same for a server that serves no files: each connection may need another one, to the app behind it. The app
    /// has the larger share, since some connections to it wait for their next request.
    #[must_use]
    pub fn for_proxying(self) -> Self {
        let free = self.for_connections + self.for_site;
        let for_connections = free / 5 * 2;
        Self {
            for_connections,
            for_site: 0,
            for_app: free - for_connections,
            ..self
        }
    }

    /// Two thirds to the connections, of which not every one is a download. Whatever a client does, accepting another
    /// connection and asking the database find a file left. Where files are few, clients have half of them, and the
    /// database has half of the rest.
    fn share(files: usize, database_connections: u32) -> Self {
        let wanted = PER_DATABASE_CONNECTION * database_connections as usize;
        let free = files.saturating_sub(OTHERS + wanted).max(files / 2);
        let for_site = (free / 3).min(MOST_FOR_SITE);
        let reserved = files - free;
        let for_database =
            reserved.saturating_sub(OTHERS).max(reserved / 2) / PER_DATABASE_CONNECTION;
        Self {
            for_connections: free - for_site,
            for_site,
            for_app: 0,
            for_database: u32::try_from(for_database)
                .unwrap_or(u32::MAX)
                .clamp(1, database_connections.max(1)),
        }
    }
}

/// How many files may be open, once that is as many as this user may have. Where the kernel does not tell, the
/// configured cap on connections stands.
fn limit() -> usize {
    let limit = rlimit::increase_nofile_limit(rlimit::INFINITY)
        .or_else(|_forbidden| rlimit::Resource::NOFILE.get_soft());
    limit.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::OpenFiles;

    #[test]
    fn connections_and_downloads_together_leave_files_for_the_database() {
        for files in [64, 256, 300, 512, 1024, 4096, 20_000, 1_048_576, usize::MAX] {
            for wanted in [1, 10, 400, 1000] {
                let shares = OpenFiles::share(files, wanted);
                let left = files - shares.for_connections - shares.for_site;
                let of_database = 3 * shares.for_database as usize;
                assert!(
                    left >= of_database + (files / 4).min(224),
                    "{files}: {shares:?}"
                );
                assert!(
                    shares.for_connections > shares.for_site,
                    "{files}: {shares:?}"
                );
                assert!(shares.for_site > 0, "{files}: {shares:?}");
                assert!(
                    (1..=wanted).contains(&shares.for_database),
                    "{files}: {shares:?}"
                );
            }
        }
        let enough = OpenFiles::share(32_768, 400);
        assert_eq!(
            (
                enough.for_connections >= 10_000,
                enough.for_site,
                enough.for_database
            ),
            (true, 10_000, 400)
        );
    }

    #[test]
    fn each_connection_to_a_server_in_front_of_an_app_has_a_file_for_one_to_the_app() {
        let shares = OpenFiles::share(1024, 10);
        let proxying = shares.for_proxying();
        let free = shares.for_connections + shares.for_site;
        assert!(
            proxying.for_connections + proxying.for_app <= free,
            "{proxying:?}"
        );
        assert!(proxying.for_connections < proxying.for_app, "{proxying:?}");
        assert_eq!(proxying.for_database, shares.for_database);
    }

    #[test]
    fn a_database_gets_fewer_connections_than_it_may_have_where_files_are_few() {
        assert_eq!(OpenFiles::share(300, 400).for_database, 25);
        assert_eq!(OpenFiles::share(300, 10).for_database, 10);
        assert_eq!(OpenFiles::share(1024, 10).for_database, 10);
    }
}
