//! Finds and opens the file that a path names, and streams its bytes; within the bounds of `room`. Which caller
//! may have it is left to `rules`, and what HTTP says about it to `answer`.

use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::at_once::{self, Folder, Looked, Root};
use super::description::{Description, shown};
use super::encoding::Encoding;
use super::memory::{Looks, Memory, Remembered};
use super::path::SitePath;
use super::room::{Place, Room, Share};
use super::withheld::is_withheld;

/// How much of a file is in memory at a time, in bytes.
const CHUNK: usize = 64 * 1024;
/// How often a file is opened anew when another one was put in its place meanwhile.
const OPENING_ATTEMPTS: usize = 3;

/// What a path names.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file.
    File(Located),
    /// A folder that was asked for without its final slash.
    Folder,
    /// Nothing that is ever served.
    Nothing,
}

/// A file that may be opened once the caller is known to be allowed to.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) place: Whereabouts,
    /// The path by which it was asked for, its index page included: gives the content type.
    pub(super) page: SitePath,
    /// The path of the very file below the root, if it is another one because a link led there. Rules count for both.
    pub(super) behind_link: Option<SitePath>,
}

/// Where a file is.
#[derive(Debug)]
pub(super) enum Whereabouts {
    /// Here, free of links.
    At(PathBuf),
    /// Open, found in this folder by the path itself with no link on the way from there.
    Open(Arc<Folder>, Root, Content),
    /// As it was found and read a moment ago, for a client that takes the same.
    Remembered(Arc<Remembered>),
}

/// A file, or its compressed copy, with what identifies its content.
#[derive(Debug)]
pub(super) struct Opened {
    state: State,
    /// How the content is encoded; `None` for the file as it is.
    pub(super) encoding: Option<Encoding>,
    pub(super) description: Description,
    source: Source,
}

/// Where its bytes are.
#[derive(Debug)]
enum Source {
    File(Content, Room),
    Memory(Bytes),
}

/// An open file and its place among those that may be open. The file is closed before the place is free.
#[derive(Debug)]
pub(super) struct Content {
    file: File,
    state: State,
    place: Place,
}

/// What a file shows to the outside of the version of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// In bytes.
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
    /// When the file system last saw it change; `None` where it does not say.
    pub(super) changed: Option<SystemTime>,
    /// Made of which file it is and of its times.
    pub(super) version: u64,
}

/// The file of a path, opened, if that takes no waiting: a plain one, of that very name. Whoever asks has met the demand
/// of the name, which is all that there is to judge: the file has no other.
pub(super) fn open_at_once(folder: &Arc<Folder>, path: &SitePath, room: &Room) -> Option<Located> {
    let page = path.page();
    if page.segments().any(looks_like_another_spelling) || is_withheld(page.name()) {
        return None;
    }
    let place = room.place_at_once()?;
    let root = folder.root()?;
    let has_others = || !is_its_one_spelling(&page, |other| root.lacks(other));
    let (file, metadata) = folder.open(&root, page.as_str(), has_others)?;
    let content = Content {
        state: State::of(&metadata),
        file,
        place,
    };
    Some(Located {
        place: Whereabouts::Open(Arc::clone(folder), root, content),
        page,
        behind_link: None,
    })
}

/// Looks for the file of a path below `dir`, following links as long as they stay inside.
pub(super) fn find(dir: &Path, path: &SitePath) -> io::Result<Found> {
    // Resolved each time: deployments swap the link that the site's folder often is.
    let root = fs::canonicalize(dir)?;
    let page = path.page();
    let file = match fs::canonicalize(page.below(&root)) {
        Ok(file) => file,
        Err(error) if means_absent(&error) => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let Some(real) = file.strip_prefix(&root).ok().and_then(SitePath::of_file) else {
        return Ok(Found::Nothing);
    };
    if !is_spelled_as_listed(&root, &page)?
        || (real != page && !is_spelled_as_listed(&root, &real)?)
    {
        return Ok(Found::Nothing);
    }
    let kind = match fs::symlink_metadata(&file) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if means_absent(&error) => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if kind.is_dir() && !path.is_folder() {
        return Ok(Found::Folder);
    }
    // Pipes and devices are told apart by their kind alone: opening one might wait for ever.
    if !kind.is_file() || is_withheld(page.name()) || is_withheld(real.name()) {
        return Ok(Found::Nothing);
    }
    Ok(Found::File(Located {
        place: Whereabouts::At(file),
        behind_link: (real != page).then_some(real),
        page,
    }))
}

impl Whereabouts {
    /// Opens the file, or the first compressed copy beside it that the client takes and that is not older than the
    /// file. `page` is its path. `None` if the file is gone or is another one than was found.
    pub(super) async fn open(
        self,
        page: &SitePath,
        accepted: Vec<Encoding>,
        room: &Room,
        memory: &Memory,
    ) -> io::Result<Option<Opened>> {
        let opened = match self {
            Self::Remembered(file) => return Ok(Some(Opened::remembered(&file))),
            Self::Open(folder, root, plain) => {
                let mut looks = Looks::of_file(page.below(&folder.dir), plain.state);
                match copy_at_once(&root, page, plain.state, &accepted, &mut looks) {
                    Looked::Unclear => {
                        // The place is for one file.
                        drop((root, plain.file));
                        let page = page.clone();
                        let path = move || Ok(page.below(&fs::canonicalize(&folder.dir)?));
                        newest(path, accepted, plain.place, room).await?
                    }
                    found => {
                        let (content, encoding) = match found {
                            Looked::File((file, state, encoding)) => {
                                let copy = Content {
                                    file,
                                    state,
                                    ..plain
                                };
                                (copy, Some(encoding))
                            }
                            _ => (plain, None),
                        };
                        let Content { file, state, .. } = &content;
                        if let Some(file) =
                            memory.take_in(page, &accepted, file, *state, encoding, looks)
                        {
                            return Ok(Some(Opened::remembered(&file)));
                        }
                        Some((content, encoding))
                    }
                }
            }
            Self::At(path) => newest(|| Ok(path), accepted, room.place().await?, room).await?,
        };
        Ok(opened.map(|(content, encoding)| Opened {
            state: content.state,
            encoding,
            description: Description::of(page, &content.state, encoding),
            source: Source::File(content, room.clone()),
        }))
    }
}

/// The copy of a file in that state which the client likes best, as far as that is known without waiting. What was looked
/// at is added to the `looks`.
fn copy_at_once(
    root: &Root,
    page: &SitePath,
    plain: State,
    accepted: &[Encoding],
    looks: &mut Looks,
) -> Looked<(File, State, Encoding)> {
    for encoding in accepted {
        match root.open(&format!("{page}{}", encoding.suffix())) {
            Looked::File((copy, metadata)) => {
                let copied = State::of(&metadata);
                looks.add(encoding.suffix(), Some(copied));
                if copied.modified >= plain.modified {
                    return Looked::File((copy, copied, *encoding));
                }
            }
            Looked::Absent => looks.add(encoding.suffix(), None),
            Looked::Unclear => return Looked::Unclear,
        }
    }
    Looked::Absent
}

/// Opens the file at a path, which is free of links, or the copy of it that the client likes best.
async fn newest(
    path: impl FnOnce() -> io::Result<PathBuf> + Send + 'static,
    accepted: Vec<Encoding>,
    place: Place,
    room: &Room,
) -> io::Result<Option<(Content, Option<Encoding>)>> {
    // The place goes with the work: a client that leaves meanwhile does not make the file close any sooner.
    let opening = move || {
        let newest = open_newest(&path()?, &accepted)?;
        Ok(newest.map(|(file, state, encoding)| {
            let content = Content { file, state, place };
            (content, encoding)
        }))
    };
    room.off_the_async_threads(opening).await
}

fn open_newest(
    path: &Path,
    accepted: &[Encoding],
) -> io::Result<Option<(File, State, Option<Encoding>)>> {
    let Some((file, state)) = open_regular(path)? else {
        return Ok(None);
    };
    for encoding in accepted {
        let mut copy = path.as_os_str().to_owned();
        copy.push(encoding.suffix());
        // A copy is an extra: one that cannot be read is as good as none.
        if let Ok(Some((copy, copied))) = open_regular(Path::new(&copy))
            && copied.modified >= state.modified
        {
            return Ok(Some((copy, copied, Some(*encoding))));
        }
    }
    Ok(Some((file, state, None)))
}

impl Opened {
    fn remembered(file: &Remembered) -> Self {
        Self {
            state: file.state,
            encoding: file.encoding,
            description: file.description.clone(),
            source: Source::Memory(file.content.clone()),
        }
    }

    /// Length of the content in bytes, as encoded.
    pub(super) fn length(&self) -> u64 {
        self.state.length
    }

    /// When the content last changed; `None` where HTTP cannot say it.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        shown(self.state.modified)
    }

    /// The bytes of the range, a chunk at a time; the first one is read at once, so that a small file leaves in one
    /// piece with its header. Fails if the file is written to meanwhile: the client sees a broken transfer instead of
    /// a mixture of two versions.
    pub(super) async fn body(self, range: Range<u64>) -> io::Result<Body> {
        match self.source {
            // Boxed, so that one from memory has no room for this.
            Source::File(content, room) => Box::pin(read(content, room, range)).await,
            Source::Memory(content) => part(&content, range).map(Body::from),
        }
    }
}

async fn read(content: Content, room: Room, range: Range<u64>) -> io::Result<Body> {
    let reading = Reading {
        content,
        left: range,
        room,
    };
    let share = reading.room.share_soon(reading.chunk_length()).await?;
    let (first, reading) = reading.next(share).await?;
    if reading.left.is_empty() {
        return Ok(Body::from(first));
    }
    Ok(Body::from_stream(stream::try_unfold(
        (Some(first), reading),
        |(first, reading)| async {
            match first {
                Some(chunk) => Ok(Some((chunk, (None, reading)))),
                None if reading.left.is_empty() => Ok(None),
                None => {
                    let share = reading.room.share(reading.chunk_length()).await?;
                    let (chunk, reading) = reading.next(share).await?;
                    Ok::<_, io::Error>(Some((chunk, (None, reading))))
                }
            }
        },
    )))
}

/// The bytes of a range, which share those of the whole.
fn part(content: &Bytes, range: Range<u64>) -> io::Result<Bytes> {
    let place = |place| usize::try_from(place).map_err(io::Error::other);
    Ok(content.slice(place(range.start)?..place(range.end)?))
}

struct Reading {
    content: Content,
    left: Range<u64>,
    room: Room,
}

impl Reading {
    async fn next(mut self, share: Share) -> io::Result<(Bytes, Self)> {
        if let Some(chunk) = self.read_chunk_at_once() {
            return Ok((share.of(chunk?), self));
        }
        let room = self.room.clone();
        // The share goes with the work, as a place does.
        room.off_the_async_threads(move || Ok((share.of(self.read_chunk()?), self)))
            .await
    }

    /// The same as `read_chunk`, if that takes no waiting.
    fn read_chunk_at_once(&mut self) -> Option<io::Result<Vec<u8>>> {
        let chunk = at_once::read(&self.content.file, self.left.start, self.chunk_length())?;
        Some(self.took(chunk))
    }

    fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let length = self.chunk_length();
        let mut chunk = Vec::with_capacity(length);
        let file = &mut self.content.file;
        file.seek(SeekFrom::Start(self.left.start))?;
        file.take(length as u64).read_to_end(&mut chunk)?;
        if chunk.len() != length {
            return Err(changed());
        }
        self.took(chunk)
    }

    fn chunk_length(&self) -> usize {
        let left = self.left.end - self.left.start;
        usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))
    }

    /// Goes on behind a chunk.
    fn took(&mut self, chunk: Vec<u8>) -> io::Result<Vec<u8>> {
        self.left.start += chunk.len() as u64;
        let Content { file, state, .. } = &self.content;
        if self.left.is_empty() && !state.is_still(&file.metadata()?) {
            return Err(changed());
        }
        Ok(chunk)
    }
}

fn changed() -> io::Error {
    io::Error::other("the file changed while it was sent")
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let changed = change_time(metadata);
        let mut version = DefaultHasher::new();
        modified.hash(&mut version);
        identity(metadata).hash(&mut version);
        changed.hash(&mut version);
        Self {
            length: metadata.len(),
            modified,
            changed,
            version: version.finish(),
        }
    }

    /// Whether the content is the same. A file that was replaced by renaming another one over it counts as the same:
    /// who holds it open reads the old one to its end.
    fn is_still(&self, metadata: &Metadata) -> bool {
        self.length == metadata.len() && self.modified == metadata.modified().ok()
    }
}

/// Opens a path that is free of links; `None` if it no longer is, or is not a regular file.
fn open_regular(path: &Path) -> io::Result<Option<(File, State)>> {
    for _ in 0..OPENING_ATTEMPTS {
        match open_once(path) {
            Ok(Some((file, metadata))) => match fs::symlink_metadata(path) {
                Ok(now) if identity(&metadata) == identity(&now) => {
                    return Ok(Some((file, State::of(&metadata))));
                }
                // Somebody has just renamed a new version over it: that one is wanted.
                Ok(_) => {}
                Err(error) if means_absent(&error) => return Ok(None),
                Err(error) => return Err(error),
            },
            Ok(None) => return Ok(None),
            Err(error) if means_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn open_once(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    let file = without_waiting(OpenOptions::new().read(true)).open(path)?;
    let metadata = file.metadata()?;
    // Had a folder on the way been replaced by a link since `path` was resolved, this could be a file elsewhere.
    Ok((metadata.is_file() && fs::canonicalize(path)? == path).then_some((file, metadata)))
}

/// Neither follows a link nor waits for the other end of a pipe.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Which file this is, whatever it is called. Elsewhere than on Unix the standard library does not say.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> impl Hash + PartialEq + use<> {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> impl Hash + PartialEq + use<> {
    metadata.created().ok()
}

/// When the file system last saw the file change: unlike the modification time it cannot be set back, so a copy tool
/// that keeps times does not make two versions look like one.
#[cfg(unix)]
fn change_time(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    let nanoseconds = Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + nanoseconds)
}

#[cfg(not(unix))]
fn change_time(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
}

/// Whether every name of the path is spelled as its folder lists it. File systems that ignore case, fold Unicode, cut
/// off trailing dots or make up short names (`PROGRA~1`, `file:stream`) open a file under names that no rule was
/// written for; those names do not exist here.
fn is_spelled_as_listed(root: &Path, path: &SitePath) -> io::Result<bool> {
    let mut folder = root.to_path_buf();
    for name in path.segments() {
        if may_be_another_spelling(&folder, name) && !is_listed(&folder, name)? {
            return Ok(false);
        }
        folder.push(name);
    }
    Ok(true)
}

/// Reading a folder for each request would be slow, so it is read only for a name that could have a second spelling:
/// it looks like one, or the same name in the other case exists too.
fn may_be_another_spelling(folder: &Path, name: &str) -> bool {
    if looks_like_another_spelling(name) {
        return true;
    }
    let other: String = in_other_case(name).collect();
    other != name
        && !matches!(fs::symlink_metadata(folder.join(other)), Err(error) if means_absent(&error))
}

fn looks_like_another_spelling(name: &str) -> bool {
    !name.is_ascii() || name.contains(['~', ':']) || name.ends_with(['.', ' '])
}

/// Whether there is nothing by the path in another case: for each of its names that has one, `lacks` is asked for the
/// path as far as that name, with the name in the other case.
fn is_its_one_spelling(page: &SitePath, lacks: impl Fn(&str) -> bool) -> bool {
    let mut path = String::with_capacity(page.as_str().len());
    page.segments().all(|name| {
        path.push('/');
        let folder = path.len();
        path.extend(in_other_case(name));
        let lacks_other = path[folder..] == *name || lacks(&path);
        path.truncate(folder);
        path.push_str(name);
        lacks_other
    })
}

/// The name with small letters for capitals and the other way round.
fn in_other_case(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|letter| {
        if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        }
    })
}

/// A folder that may be entered and not read lists nothing for us.
fn is_listed(folder: &Path, name: &str) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if means_absent(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        if entry?.file_name() == name {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the error says that there is no such file for us, in contrast to a machine in trouble.
fn means_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    let known = [
        InvalidFilename,
        InvalidInput,
        IsADirectory,
        NotADirectory,
        NotFound,
        PermissionDenied,
    ];
    known.contains(&error.kind()) || is_link_or_special(error)
}

/// A link where none may be, links in a circle, or a socket or device without anybody behind it.
#[cfg(unix)]
fn is_link_or_special(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ELOOP | libc::ENXIO | libc::ENODEV)
    )
}

#[cfg(not(unix))]
fn is_link_or_special(_: &io::Error) -> bool {
    false
}
