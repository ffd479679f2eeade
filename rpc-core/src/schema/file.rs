//! A schema kept in a file, which a test holds against the present one.

use std::io;
use std::path::{Path, PathBuf};

use super::compare::Change;
use super::model::Schema;
use super::tokens::ParseError;

/// Set to `1` when tests run, it has the files written anew.
const BLESS: &str = "PIPE_RPC_BLESS";

/// A schema does not fit its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no file yet.
    #[error("`{}` does not exist: have it written, with {BLESS}=1 in the environment of this test", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no schema.
    #[error("`{}` is no schema: correct it, or have it written anew with {BLESS}=1 in the environment of this test", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        source: ParseError,
    },
    /// Programs built before and after the change refuse each other's calls.
    #[error(
        "the service is no longer what `{}` says, and programs that were built from that notice:{}\nif that is meant, \
         have the file written anew with {BLESS}=1 in the environment of this test",
        path.display(), listed(changes)
    )]
    Incompatible {
        /// The file.
        path: PathBuf,
        /// The changes that are not compatible.
        changes: Vec<Change>,
    },
}

fn listed(changes: &[Change]) -> String {
    changes.iter().map(|change| format!("\n    {change}")).collect()
}

impl Schema {
    /// Compares the schema with the one kept in a file of the repository, for a test. The path is relative to the
    /// package, where tests run. With `PIPE_RPC_BLESS=1` in the environment the file is written anew instead.
    ///
    /// Returns the compatible changes: the file lacks them until it is written anew, best with each release.
    ///
    /// # Errors
    /// If a change is not [compatible](Change::is_compatible), or there is no such file.
    pub fn check_file(&self, path: impl AsRef<Path>) -> Result<Vec<Change>, CheckError> {
        let path = path.as_ref();
        if std::env::var_os(BLESS).is_some_and(|value| !value.is_empty() && value != "0") {
            self.write_file(path)?;
            return Ok(Vec::new());
        }
        let kept: Self = read(path)?.parse().map_err(|source| CheckError::Parse {
            path: path.to_owned(),
            source,
        })?;
        let (compatible, changes): (Vec<_>, _) = self
            .changes_since(&kept)
            .into_iter()
            .partition(Change::is_compatible);
        if changes.is_empty() {
            return Ok(compatible);
        }
        let path = path.to_owned();
        Err(CheckError::Incompatible { path, changes })
    }

    /// As [`check_file`](Self::check_file), with a message that people can read where a test fails.
    ///
    /// ```no_run
    /// # use pipe_rpc_core::schema::Schema;
    /// # struct ThesaurusServer;
    /// # impl ThesaurusServer {
    /// #     fn schema() -> Schema { Schema::of("Thesaurus", &[]) }
    /// # }
    /// // In a test:
    /// ThesaurusServer::schema().assert_file("tests/thesaurus.schema");
    /// ```
    ///
    /// # Panics
    /// If it is an error there.
    #[track_caller]
    pub fn assert_file(&self, path: impl AsRef<Path>) {
        if let Err(error) = self.check_file(path) {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            panic!("{error}{}", source.unwrap_or_default());
        }
    }

    /// Writes the schema's text to a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_file(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        let path = path.as_ref();
        std::fs::write(path, self.to_string()).map_err(|source| CheckError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

fn read(path: &Path) -> Result<String, CheckError> {
    let to_error = |source: io::Error| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => CheckError::Missing { path },
            _ => CheckError::Io { path, source },
        }
    };
    std::fs::read_to_string(path).map_err(to_error)
}
