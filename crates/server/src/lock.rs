//! One server a data folder: a lock that the kernel takes back when its process ends, however it
//! ends. A second server on the same folder would take the first one's live calls for lost.

use anyhow::{Context, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

const NAME: &str = "lock";

#[derive(Debug)]
pub struct DataLock(#[allow(dead_code)] File); // held, never read

/// Whether a server runs on a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Nobody,
    /// Its process id, if it could be read.
    Somebody(Option<u32>),
}

impl DataLock {
    pub fn take(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let who = pid(&mut file).map_or(String::new(), |pid| format!(" (process {pid})"));
                bail!("another undertone{who} serves from {}", data.display());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| writeln!(file, "{}", std::process::id())).context("the lock file")?;
        Ok(Self(file))
    }
}

/// Looks without taking the lock for longer than the look.
pub fn holder(data: &Path) -> Holder {
    let Ok(mut file) = File::open(data.join(NAME)) else { return Holder::Nobody };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Holder::Somebody(pid(&mut file)),
        _ => Holder::Nobody,
    }
}

fn pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_server_and_it_is_free_again_after_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder(dir.path()), Holder::Nobody);
        let lock = DataLock::take(dir.path()).unwrap();
        assert_eq!(holder(dir.path()), Holder::Somebody(Some(std::process::id())));
        let refused = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(lock);
        assert_eq!(holder(dir.path()), Holder::Nobody);
        DataLock::take(dir.path()).unwrap();
    }
}
