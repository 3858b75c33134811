//! Files that only their owner may read: checked before they are opened and after.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::sign::SignError;

/// Longest key file.
const BYTES_MAX: u64 = 65_536;
const OTHERS_WRITE: u32 = 0o022;
const OTHERS_ANYTHING: u32 = 0o077;
const PERMISSIONS: u32 = 0o7777;
const ROOT: u32 = 0;

pub(crate) fn refuse(path: &Path, reason: impl Into<String>) -> SignError {
    SignError::File { path: path.display().to_string(), reason: reason.into() }
}

/// Checks that a directory is the user's or root's and that nobody else may write into it.
///
/// # Errors
///
/// Returns [`SignError::File`] with what is wrong.
pub fn check_directory(path: &Path, uid: u32) -> Result<(), SignError> {
    let it = fs::metadata(path).map_err(|error| refuse(path, error.to_string()))?;
    if !it.is_dir() {
        return Err(refuse(path, "is no directory"));
    }
    if it.uid() != uid && it.uid() != ROOT {
        return Err(refuse(path, format!("belongs to user {}, expected {uid} or root", it.uid())));
    }
    if it.mode() & OTHERS_WRITE != 0 {
        let mode = it.mode() & PERMISSIONS;
        return Err(refuse(
            path,
            format!("others may write into it (mode {mode:04o}): chmod go-w"),
        ));
    }
    Ok(())
}

/// Checks that a file is a regular one of the user that nobody else may read.
fn check_file(path: &Path, it: &Metadata, uid: u32) -> Result<(), SignError> {
    if it.file_type().is_symlink() {
        return Err(refuse(path, "is a symbolic link, expected the file itself"));
    }
    if !it.is_file() {
        return Err(refuse(path, "is no regular file"));
    }
    if it.uid() != uid {
        return Err(refuse(path, format!("belongs to user {}, expected {uid}", it.uid())));
    }
    if it.mode() & OTHERS_ANYTHING != 0 {
        let mode = it.mode() & PERMISSIONS;
        return Err(refuse(
            path,
            format!("others may read or write it (mode {mode:04o}): chmod 600"),
        ));
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Opens an existing file after checking it and its directory.
pub(crate) fn open(path: &Path, uid: u32, options: &OpenOptions) -> Result<File, SignError> {
    check_directory(parent(path), uid)?;
    let named = fs::symlink_metadata(path).map_err(|error| refuse(path, error.to_string()))?;
    check_file(path, &named, uid)?;
    let file = options.open(path).map_err(|error| refuse(path, error.to_string()))?;
    let opened = file.metadata().map_err(|error| refuse(path, error.to_string()))?;
    check_file(path, &opened, uid)?;
    // The name may have come to mean another file between the look and the opening.
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(refuse(path, "was replaced while it was opened"));
    }
    Ok(file)
}

/// Reads a secret file.
///
/// # Errors
///
/// Returns [`SignError::File`] if it or its directory is not safe, or if it is too long.
pub fn read(path: &Path, uid: u32) -> Result<Zeroizing<Vec<u8>>, SignError> {
    let file = open(path, uid, OpenOptions::new().read(true))?;
    // Room for all of it at once: a buffer that grows would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(BYTES_MAX).unwrap_or(0) + 1));
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(path, error.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(refuse(path, format!("is longer than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Makes a new file that only the user may read, durable with its name; replaces nothing.
///
/// # Errors
///
/// Returns [`SignError::File`] if the directory is not safe or the file exists.
pub fn create(path: &Path, uid: u32, content: &[u8]) -> Result<File, SignError> {
    check_directory(parent(path), uid)?;
    let error = |error: std::io::Error| refuse(path, error.to_string());
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create_new(true).mode(0o600).open(path).map_err(error)?;
    file.write_all(content).map_err(error)?;
    file.sync_all().map_err(error)?;
    sync_directory(path)?;
    Ok(file)
}

/// Makes a file's name durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), SignError> {
    let directory = parent(path);
    File::open(directory)
        .and_then(|it| it.sync_all())
        .map_err(|error| refuse(directory, error.to_string()))
}
