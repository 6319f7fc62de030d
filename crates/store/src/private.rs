//! Files that only their owner may read: what is kept of a telephone's password is as secret as the
//! password, whatever the process's umask says.

use crate::error::StoreError;
use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions, Permissions, set_permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
const OTHERS: u32 = 0o077;

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let what = path.display().to_string();
    |source| StoreError::Open { what, source: Arc::new(source) }
}

/// Makes a folder, and those above it, if there is none. One that is there stays as it is: whose
/// it is, somebody has decided.
pub fn folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path).map_err(failed(path))
}

/// Makes a file if there is none, and closes one that is open to others.
pub fn file(path: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new().append(true).create(true).mode(FILE).open(path);
    let mode = file.and_then(|file| file.metadata()).map_err(failed(path))?.mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    match set_permissions(path, Permissions::from_mode(FILE)) {
        // Another user's, who lets us write: it is for them to close.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(failed(path)),
    }
}

/// Writes a file whole or not at all: it is never seen half, nor by others.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut beside = OsString::from(path);
    beside.push(".new");
    let beside = Path::new(&beside);
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(beside);
    let written = open.and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(FILE))?;
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(beside, path)).map_err(failed(path))
}

/// The same of a SQLite database; files beside it that it makes later have its mode.
pub(crate) fn database(path: &Path) -> Result<(), StoreError> {
    file(path)?;
    for end in ["-wal", "-shm"] {
        let mut beside = OsString::from(path);
        beside.push(end);
        if Path::new(&beside).exists() {
            file(Path::new(&beside))?;
        }
    }
    Ok(())
}
