//! The names of pipes: checked once, resolved to the system's own form when they are used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::NameError;
#[cfg(unix)]
use crate::name_rules::unix as rules;
#[cfg(windows)]
use crate::name_rules::windows as rules;
use crate::sys;

/// The name of a pipe.
///
/// A plain name like `thesaurus` names a pipe of this user: two users' pipes of one name do not meet. A shared name is
/// the same pipe for all users, and so is a native one, which is a full path of the system.
///
/// ```
/// use pipe_rpc_transport::PipeName;
///
/// let name = PipeName::new("com.example.thesaurus")?;
/// assert!(PipeName::new("a/b").is_err());
/// # let _ = name;
/// # Ok::<_, pipe_rpc_transport::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PipeName(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Plain(String),
    Shared(String),
    Native(PathBuf),
}

impl PipeName {
    /// Checks a plain name, or a native one in full: an absolute path, on Windows `\\.\pipe\NAME`.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the name.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if rules::looks_native(name) {
            return Self::native(name);
        }
        rules::check_plain(name)?;
        Ok(Self(Form::Plain(name.to_owned())))
    }

    /// Checks a native name: an absolute path, on Windows `\\.\pipe\NAME`.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the path.
    pub fn native(path: impl AsRef<Path>) -> Result<Self, NameError> {
        let path = path.as_ref();
        rules::check_native(path)?;
        Ok(Self(Form::Native(path.to_owned())))
    }

    /// Checks the name of a pipe that all users of this computer find: plain, but put in a place that is nobody's own.
    ///
    /// On Windows it is `\\.\pipe\pipe-rpc-shared-NAME`. On Unix it lies in `/run/pipe-rpc` (`/var/run/pipe-rpc` on macOS and
    /// the BSDs), a directory of root's that a server makes if it runs as root; for another account's server the
    /// administrator gives it a directory of its own, and its pipe a [native](Self::native) name.
    ///
    /// Anyone can take a free name on Windows, so clients say whose server they [expect](crate::Owner). Servers say
    /// who may connect by [`Access`](crate::Access), which is the same user here too unless set.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the name.
    pub fn shared(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        rules::check_plain(name)?;
        Ok(Self(Form::Shared(name.to_owned())))
    }

    /// Whether it leads to this user's own place.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.0, Form::Plain(_))
    }

    /// As [`resolve`](Self::resolve), with the place made if it can be.
    pub(crate) fn resolve_for_server(&self) -> Result<NativeName, NameError> {
        if matches!(self.0, Form::Shared(_)) {
            sys::prepare_shared_place()?;
        }
        self.resolve()
    }

    /// The name as the system knows it; a plain one is put in this user's place.
    pub(crate) fn resolve(&self) -> Result<NativeName, NameError> {
        let path = match &self.0 {
            Form::Plain(name) => sys::private_path(name)?,
            Form::Shared(name) => sys::shared_path(name),
            Form::Native(path) => path.clone(),
        };
        rules::check_native(&path)?;
        Ok(NativeName(path))
    }
}

impl fmt::Display for PipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Plain(name) | Form::Shared(name) => f.write_str(name),
            Form::Native(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for PipeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<&str> for PipeName {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<String> for PipeName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<&String> for PipeName {
    type Error = NameError;

    fn try_from(name: &String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl From<&Self> for PipeName {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

/// A name that was resolved and obeys the system's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NativeName(PathBuf);

impl NativeName {
    /// The socket's path, on Windows `\\.\pipe\NAME`.
    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for NativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}
