//! Where a server is to be found.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::system;

/// A folder for sockets that only this user can get into. Dropped, it is gone with all that killed servers left there.
pub(crate) struct Places {
    folder: TempDir,
    used: AtomicU32,
}

impl Places {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            folder: tempfile::Builder::new().prefix("versus-").tempdir()?,
            used: AtomicU32::new(0),
        })
    }

    /// One that no other server has.
    pub(crate) fn next(&self) -> Place {
        let count = self.used.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{count}", std::process::id());
        Place(system::place_path(self.folder.path(), &name))
    }
}

/// The path of a Unix socket or of a named pipe. Nothing is there yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The same, for those who want text.
    pub(crate) fn text(&self) -> &str {
        self.0.to_str().expect("job descriptions are UTF-8")
    }
}
