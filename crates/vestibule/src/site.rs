//! The site gate for files: opens the folder that `--site` names, judges what a path needs before anything is read, and
//! serves it. Who the caller is, and where a stranger is sent, is left to the HTTP layer.

mod answer;
mod app;
mod at_once;
pub(crate) mod conditions;
mod description;
pub(crate) mod encoding;
mod files;
pub mod identity;
mod memory;
mod path;
mod private;
mod room;
mod rules;
#[cfg(test)]
mod tests;
pub(crate) mod wishes;
mod withheld;

use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;

pub use app::AppSite;
use at_once::Folder;
use encoding::{Encoding, accepted};
use files::{Found, Located, Opened, Whereabouts};
use memory::Memory;
pub use path::{Rejected, SitePath};
pub use private::Private;
use private::quoted;
use room::Room;
pub use rules::{Access, Pattern, Rule, Rules};

/// Paths that belong to the server. Whatever the router does not answer itself below them is no file of the site, so
/// that no other spelling of such a path brings up a file that looks like ours.
const RESERVED: &[&str] = &[
    "/login",
    "/register",
    "/setup",
    "/dashboard",
    "/account",
    "/admin",
    "/admin/users",
    "/admin/audit",
    "/livez",
    "/readyz",
    "/metrics",
    "/.well-known/jwks.json",
];
/// Folders of which everything below is reserved too. Of `/admin` it is not, so that a site may go on with one of its own.
const RESERVED_FOLDERS: &[&str] = &["/api", "/admin/users"];

/// The page that is sent with each 404.
const NOT_FOUND_PAGE: &str = "/404.html";

/// A folder of files and the rules on who may have them.
#[derive(Debug)]
pub struct Site {
    folder: Arc<Folder>,
    rules: Rules,
    room: Room,
    memory: Memory,
}

/// Why a folder cannot be served; each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SiteProblem {
    /// There is nothing at this path.
    #[error("the site's folder {0} does not exist; create it or name another one with --site")]
    Missing(String),
    /// There is a file instead.
    #[error("{0} is no folder; name the folder that holds the site with --site")]
    NotAFolder(String),
    /// The folder is there but cannot be read.
    #[error("the site's folder {dir} cannot be read: {source}; give this user read access to it")]
    Unreadable {
        /// The folder.
        dir: String,
        /// What the system said.
        source: io::Error,
    },
    /// Accounts or keys would lie among published files.
    #[error("the {what} {path} is inside the site {dir}; keep it outside: {instead}")]
    PrivateInside {
        /// What would be published.
        what: &'static str,
        /// Where it is.
        path: String,
        /// The site's folder.
        dir: String,
        /// A flag, a variable or a command that names a place beside the site, quoted for a shell.
        instead: String,
    },
}

/// The target of a request, as it names itself.
#[derive(Debug)]
pub struct Wanted {
    path: SitePath,
    query: Option<String>,
    access: Access,
}

/// What a path needs.
#[derive(Debug)]
pub enum Judged {
    /// There is nothing that anybody could have: answer with [`Site::not_found`].
    NotFound,
    /// Anybody may have it.
    Public(Target),
    /// The caller must be known and meet the demand first. It may yet turn out that there is nothing.
    Protected(Target, Access),
}

/// What [`Site::serve`] opens: the outcome of judging one path.
#[derive(Debug)]
pub struct Target {
    access: Access,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(Located),
    /// A folder asked for without its slash: its path with it, and the query of the request.
    Folder(SitePath, Option<String>),
    Nothing,
    Unreadable,
}

impl Wanted {
    /// What it needs by its own name alone.
    pub fn access(&self) -> &Access {
        &self.access
    }
}

impl Site {
    /// Opens the folder, to have at most so many of its files open at once.
    ///
    /// # Errors
    /// The folder is missing, is no folder, cannot be read, or holds something of `private`.
    pub fn open(
        dir: &Path,
        rules: Rules,
        private: &[Private<'_>],
        open_files: usize,
    ) -> Result<Self, SiteProblem> {
        let unreadable = |source| SiteProblem::Unreadable {
            dir: quoted(dir),
            source,
        };
        let real = match dir.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SiteProblem::Missing(quoted(dir)));
            }
            Err(error) => return Err(unreadable(error)),
        };
        if !real.is_dir() {
            return Err(SiteProblem::NotAFolder(quoted(dir)));
        }
        std::fs::read_dir(&real).map_err(unreadable)?;
        for private in private {
            private.refuse_inside(&real, dir)?;
        }
        Ok(Self {
            folder: Arc::new(Folder::of(std::path::absolute(dir).map_err(unreadable)?)),
            rules,
            room: Room::for_files(open_files),
            memory: Memory::new(),
        })
    }

    /// Refuses a file of the server that is about to be made in the site at `dir`, without opening it.
    ///
    /// # Errors
    /// The folder holds it, or cannot be read. One that does not exist holds nothing.
    pub fn refuse_within(dir: &Path, private: Private<'_>) -> Result<(), SiteProblem> {
        match dir.canonicalize() {
            Ok(real) => private.refuse_inside(&real, dir),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(SiteProblem::Unreadable {
                dir: quoted(dir),
                source,
            }),
        }
    }

    /// Where a login leads, as percent-encoded paths.
    pub fn areas(&self) -> Vec<String> {
        self.rules.areas()
    }

    /// Files that nobody can have because the server answers at their address itself.
    pub fn shadowed(&self) -> Vec<String> {
        let pages = RESERVED
            .iter()
            .flat_map(|page| [(*page).to_owned(), format!("{page}/index.html")]);
        let mut shadowed: Vec<String> = pages
            .filter(|path| self.folder.dir.join(&path[1..]).is_file())
            .collect();
        let folders = RESERVED_FOLDERS
            .iter()
            .filter(|folder| self.folder.dir.join(&folder[1..]).exists());
        shadowed.extend(folders.map(|folder| format!("{folder}/")));
        shadowed
    }

    /// Rules that probably protect less than was meant, a sentence each: those that name nothing in the site, and those
    /// that name a folder's index page while the rest of the folder is public.
    pub fn doubtful_rules(&self) -> Vec<String> {
        let protecting = self
            .rules
            .iter()
            .filter(|rule| rule.access != Access::Public);
        protecting
            .filter_map(|rule| self.doubt(&rule.pattern))
            .collect()
    }

    /// The target of a request, given as it was sent, with or without its query. `None` if there is nothing that anybody
    /// could have, whatever the folder holds: answer with [`Site::not_found`].
    pub fn wanted(&self, path_and_query: &str) -> Option<Wanted> {
        let (raw_path, query) = match path_and_query.split_once('?') {
            Some((raw_path, query)) => (raw_path, Some(query)),
            None => (path_and_query, None),
        };
        let path = SitePath::parse(raw_path)
            .ok()
            .filter(|path| !is_reserved(path))?;
        Some(Wanted {
            access: self.rules.access(&path),
            query: query.map(str::to_owned),
            path,
        })
    }

    /// What the target needs. It is judged by its own name, the name of the file that it opens and the name of the file
    /// to which a link leads; the strictest demand counts, and never one that is less than that of its own name. A
    /// compressed copy is another form of the file, and not judged by its own name. Nothing is read. The fields say what
    /// the client takes.
    pub async fn judge(&self, wanted: Wanted, headers: &HeaderMap) -> Judged {
        let Wanted {
            path,
            query,
            mut access,
        } = wanted;
        let kind = match self.find(&path, &accepted(headers)).await {
            Ok(Found::File(located)) => {
                // Without a link it is the name that was judged before.
                if let Some(real) = &located.behind_link {
                    access = access.stricter(self.rules.access(real));
                }
                Kind::File(located)
            }
            Ok(Found::Folder) => Kind::Folder(path.folder(), query),
            Ok(Found::Nothing) => Kind::Nothing,
            Err(error) => {
                tracing::error!(url.path = %path, error.message = %error, "The site's folder cannot be read; {path} is answered with 503");
                Kind::Unreadable
            }
        };
        match (access, kind) {
            (Access::Public, Kind::Nothing) => Judged::NotFound,
            (Access::Public, kind) => Judged::Public(Target {
                access: Access::Public,
                kind,
            }),
            (access, kind) => Judged::Protected(
                Target {
                    access: access.clone(),
                    kind,
                },
                access,
            ),
        }
    }

    /// The answer to a caller who may have the target.
    pub async fn serve(&self, target: Target, method: &Method, headers: &HeaderMap) -> Response {
        let Target { access, kind } = target;
        if !is_read(method) {
            return answer::method_not_allowed(&access, method);
        }
        match kind {
            Kind::File(located) => self.serve_file(located, &access, method, headers).await,
            Kind::Folder(folder, query) => {
                answer::to_folder(&folder, query.as_deref(), &access, method)
            }
            Kind::Nothing => self.absent(&access, method, headers).await,
            Kind::Unreadable => answer::unavailable(&access, method),
        }
    }

    /// 404 with the site's `404.html`, or a line of text where it has none or keeps it from strangers.
    pub async fn not_found(&self, method: &Method, headers: &HeaderMap) -> Response {
        self.absent(&Access::Public, method, headers).await
    }

    async fn serve_file(
        &self,
        located: Located,
        access: &Access,
        method: &Method,
        headers: &HeaderMap,
    ) -> Response {
        let Located { place, page, .. } = located;
        let opening = place.open(&page, accepted(headers), &self.room, &self.memory);
        let answered = match opening.await {
            Ok(Some(opened)) => answer::file(opened, access, method, headers).await,
            Ok(None) => Ok(self.absent(access, method, headers).await),
            Err(error) => Err(error),
        };
        answered.unwrap_or_else(|error| {
            tracing::error!(url.path = %page, error.message = %error, "The file {page} cannot be read; it is answered with 503");
            answer::unavailable(access, method)
        })
    }

    /// 404 to a caller who met `access`.
    async fn absent(&self, access: &Access, method: &Method, headers: &HeaderMap) -> Response {
        if is_read(method)
            && let Some(opened) = self.not_found_page(access, headers).await
            && let Ok(answer) = answer::not_found_page(opened, access, method).await
        {
            return answer;
        }
        answer::text(
            StatusCode::NOT_FOUND,
            "There is nothing at this address.\n",
            access,
            method,
        )
    }

    /// The site's page for what is absent, if whoever met `met` may see it.
    async fn not_found_page(&self, met: &Access, headers: &HeaderMap) -> Option<Opened> {
        let page = SitePath::parse(NOT_FOUND_PAGE).ok()?;
        let may_see = |needed: &Access| *needed == Access::Public || needed == met;
        let needed = Some(self.rules.access(&page)).filter(may_see)?;
        let accepted = accepted(headers);
        let Found::File(located) = self.find(&page, &accepted).await.ok()? else {
            return None;
        };
        if let Some(real) = &located.behind_link
            && !may_see(&needed.stricter(self.rules.access(real)))
        {
            return None;
        }
        let opening = located
            .place
            .open(&page, accepted, &self.room, &self.memory);
        opening.await.ok()?
    }

    /// Looks for the file of a path, for a client that takes these codings.
    async fn find(&self, path: &SitePath, accepted: &[Encoding]) -> io::Result<Found> {
        let page = path.page();
        if let Some(file) = self.memory.recall(&page, accepted) {
            return Ok(Found::File(Located {
                place: Whereabouts::Remembered(file),
                page,
                behind_link: None,
            }));
        }
        if let Some(located) = files::open_at_once(&self.folder, path, &self.room) {
            return Ok(Found::File(located));
        }
        let (folder, path) = (Arc::clone(&self.folder), path.clone());
        self.room
            .off_the_async_threads(move || files::find(&folder.dir, &path))
            .await
    }

    fn doubt(&self, pattern: &Pattern) -> Option<String> {
        let written = pattern.as_str();
        let fixed = pattern.exact().unwrap_or_else(|| {
            let before_star = written.split('*').next().unwrap_or_default();
            before_star
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
        });
        let fixed = fixed.trim_end_matches('/');
        let is_folder = fixed.is_empty() || {
            let path = SitePath::parse(&path::encode(fixed)).ok()?;
            match files::find(&self.folder.dir, &path).ok()? {
                Found::Nothing => {
                    return Some(format!(
                        "the rule `{written}` names nothing in the site; check its spelling"
                    ));
                }
                found => matches!(found, Found::Folder),
            }
        };
        // Stands for the files inside that have no rule of their own.
        let inside = SitePath::parse(&format!("{}/-", path::encode(fixed))).ok()?;
        let is_open_inside = self.rules.access(&inside) == Access::Public;
        (pattern.exact().is_some() && is_folder && is_open_inside).then(|| {
            format!("the rule `{written}` protects the index page alone; for the whole folder write `{fixed}/**`")
        })
    }
}

/// Whether somebody is opening a page, who is better sent to the login page than told 401: GET or HEAD with
/// `Sec-Fetch-Mode: navigate` or, from a client too old to send that, asking for HTML without being a script.
pub fn is_page_visit(method: &Method, headers: &HeaderMap) -> bool {
    if !is_read(method) {
        return false;
    }
    if let Some(mode) = headers.get("sec-fetch-mode") {
        return mode == "navigate";
    }
    let asks_for_html = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media_type| media_type.trim().eq_ignore_ascii_case("text/html"));
    asks_for_html && !headers.contains_key("x-requested-with")
}

/// The longest way back in a `Location`, in bytes as encoded. nginx takes the head of an answer into 4 KiB unless it is
/// told otherwise, and a larger one is a failure to it.
const LONGEST_WAY_BACK: usize = 2048;

/// The login page that leads back to this path and query of the same origin. What could lead elsewhere, such as
/// `//host` or a backslash, which browsers read as a slash, is left out. So is what would be too long for a header: the
/// query first, and then the path.
pub fn login_location(path_and_query: &str) -> String {
    let is_local = path_and_query.starts_with('/')
        && !path_and_query.starts_with("//")
        && !path_and_query.contains(|letter: char| letter == '\\' || letter.is_control());
    let path = path_and_query.split('?').next();
    let ways_back = [Some(path_and_query), path].into_iter().flatten();
    ways_back
        .filter(|_| is_local)
        .map(path::encode)
        .find(|encoded| encoded.len() <= LONGEST_WAY_BACK)
        .map_or("/login".to_owned(), |next| format!("/login?next={next}"))
}

fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Whether a path belongs to the server, in whatever spelling.
fn is_reserved(path: &SitePath) -> bool {
    let page = path.as_str().trim_end_matches('/');
    let page = page.strip_suffix("/index.html").unwrap_or(page);
    let is_within = |folder: &str| {
        let rest = page.strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    RESERVED.contains(&page) || RESERVED_FOLDERS.iter().any(|folder| is_within(folder))
}
