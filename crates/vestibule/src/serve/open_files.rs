//! How many files the process may open, and how they are shared out: a connection is an open file, and so is a download
//! of the site. Who holds them and what happens when they are gone is left to `serve.rs` and the site.

use std::sync::LazyLock;

/// Files that are open beside connections and downloads: database, logs, what is looked at for a moment.
const OTHERS: usize = 256;

/// More downloads than this are not served at once, however many files may be open.
const MOST_FOR_SITE: usize = 10_000;

/// How the process shares out its open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// Connections that may be open at once.
    pub for_connections: usize,
    /// Files of the site that may be open at once.
    pub for_site: usize,
}

/// The shares of this process, whose limit is raised as far as it may be when this is first asked for.
#[must_use]
pub fn open_files() -> OpenFiles {
    static SHARES: LazyLock<OpenFiles> = LazyLock::new(|| OpenFiles::share(limit()));
    *SHARES
}

impl OpenFiles {
    /// Two thirds to the connections, of which not every one is a download. Whatever a client does, accepting another
    /// connection and asking the database find a file left.
    fn share(files: usize) -> Self {
        let free = files.saturating_sub(OTHERS).max(files / 2);
        let for_site = (free / 3).min(MOST_FOR_SITE);
        Self {
            for_connections: free - for_site,
            for_site,
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
            let shares = OpenFiles::share(files);
            let left = files - shares.for_connections - shares.for_site;
            assert!(left >= (files / 2).min(256), "{files}: {shares:?}");
            assert!(
                shares.for_connections > shares.for_site,
                "{files}: {shares:?}"
            );
            assert!(shares.for_site > 0, "{files}: {shares:?}");
        }
        let enough = OpenFiles::share(32_768);
        assert_eq!(
            (enough.for_connections >= 10_000, enough.for_site),
            (true, 10_000)
        );
    }
}
