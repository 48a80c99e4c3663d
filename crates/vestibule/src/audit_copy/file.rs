//! Lines at the end of a file that others may rename and remove, as programs for rotation do. What the lines say, and
//! what becomes of a failure, is left to `audit_copy.rs`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// Puts whole lines at the end of the file of this name, for its owner alone where there is none, and waits until they
/// would survive a power cut. The name is looked up each time, so that a file that was renamed is left alone. Where not
/// all of them find room, none is kept.
pub(super) fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        // Such as the standard output: it has neither a length nor a disk.
        return file.write_all(lines);
    }
    let whole = metadata.len();
    let written = write(&mut file, whole, lines);
    if written.is_err() {
        // If this fails too, the rest of a line is ended before the next one.
        let _ = file.set_len(whole);
    }
    written?;
    if whole == 0 {
        // The name of a new file must outlive a power cut as its lines do.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn write(file: &mut File, length: u64, lines: &[u8]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    if !ends_a_line(file, length)? {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_data()
}

/// Whether what comes next begins a line. It does not after a crash in the middle of one.
fn ends_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn lines_come_behind_each_other_in_a_file_of_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.jsonl");
        append(&path, b"").expect("appends");
        append(&path, b"one\ntwo\n").expect("appends");
        append(&path, b"three\n").expect("appends");
        assert_eq!(fs::read(&path).expect("readable"), b"one\ntwo\nthree\n");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_renamed_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, old) = (folder.path().join("audit"), folder.path().join("audit.1"));
        append(&path, b"one\n").expect("appends");
        fs::rename(&path, &old).expect("renames");
        append(&path, b"two\n").expect("appends");
        assert_eq!(fs::read(&old).expect("readable"), b"one\n");
        assert_eq!(fs::read(&path).expect("readable"), b"two\n");
    }

    #[test]
    fn the_rest_of_a_line_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit");
        fs::write(&path, "one\ntw").expect("writable");
        append(&path, b"two\n").expect("appends");
        assert_eq!(fs::read(&path).expect("readable"), b"one\ntw\ntwo\n");
    }

    #[test]
    fn what_has_no_room_is_an_error() {
        // A device that is always full.
        assert!(append(Path::new("/dev/full"), b"one\n").is_err());
    }
}
