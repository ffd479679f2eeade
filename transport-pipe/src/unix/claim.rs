//! The claim on a name: a locked file beside the socket, held as long as the server lives.
//!
//! The lock tells a living server from the socket file of a killed one, and lets only one server at a time touch the
//! socket's path.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, lstat, open, rename, unlink};
use rustix::io::Errno;

use crate::error::BindError;
use crate::name_rules::unix::{LOCK, PREPARING};

/// The right to a path. Dropped, the path is free.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    lock_path: PathBuf,
    lock: OwnedFd,
    /// The socket's file, once it is in place.
    published: Option<FileId>,
}

impl Claim {
    /// Takes the path, if no living server has it.
    pub(super) fn take(path: &Path) -> Result<Self, BindError> {
        let lock_path = with_ending(path, LOCK);
        let lock = take_lock(&lock_path).map_err(|error| match error {
            Errno::WOULDBLOCK => BindError::NameTaken {
                name: path.display().to_string(),
            },
            other => io_error(path, other),
        })?;
        let claim = Self {
            path: path.to_owned(),
            lock_path,
            lock,
            published: None,
        };
        claim.check_nothing_in_the_way()?;
        Ok(claim)
    }

    /// Where to bind the socket first. What a killed server left there is removed.
    pub(super) fn preparing_path(&self) -> Result<PathBuf, BindError> {
        let path = with_ending(&self.path, PREPARING);
        match unlink(&path) {
            Ok(()) | Err(Errno::NOENT) => Ok(path),
            Err(error) => Err(io_error(&self.path, error)),
        }
    }

    /// Puts the listening socket in place in one step, over a stale one if there is one.
    pub(super) fn publish(&mut self, prepared: &Path) -> Result<(), BindError> {
        let put = || -> Result<FileId, Errno> {
            let id = FileId::of(&lstat(prepared)?);
            rename(prepared, &self.path)?;
            Ok(id)
        };
        self.published = Some(put().map_err(|error| io_error(&self.path, error))?);
        Ok(())
    }

    fn check_nothing_in_the_way(&self) -> Result<(), BindError> {
        match lstat(&self.path) {
            Err(Errno::NOENT) => Ok(()),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Socket => Ok(()),
            Ok(_) => Err(BindError::InTheWay {
                name: self.path.display().to_string(),
            }),
            Err(error) => Err(io_error(&self.path, error)),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Only what is still ours: somebody may have put another file there, lock or not.
        if let Some(published) = &self.published {
            published.unlink(&self.path);
        }
        if let Ok(stat) = fstat(&self.lock) {
            FileId::of(&stat).unlink(&self.lock_path);
        }
    }
}

/// Which file it is, whatever its name.
#[derive(Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)] // the widths differ between systems
    fn of(stat: &Stat) -> Self {
        Self(stat.st_dev as u64, stat.st_ino as u64)
    }

    fn is_at(&self, path: &Path) -> bool {
        lstat(path).is_ok_and(|stat| Self::of(&stat) == *self)
    }

    fn unlink(&self, path: &Path) {
        if self.is_at(path) {
            // A server that ends cannot do more about it; the next one takes the stale file over.
            let _ = unlink(path);
        }
    }
}

/// Opens and locks the file. `WOULDBLOCK` when another has it.
fn take_lock(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    loop {
        let file = open(path, flags, Mode::RUSR | Mode::WUSR)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        // The server before us removed the file between our two steps: the lock is on what nobody finds any more.
        if FileId::of(&fstat(&file)?).is_at(path) {
            return Ok(file);
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(ending);
    path.into()
}

pub(super) fn io_error(path: &Path, error: Errno) -> BindError {
    BindError::Io {
        name: path.display().to_string(),
        source: io::Error::from(error),
    }
}
