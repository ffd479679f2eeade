//! What can go wrong with names, with connecting and with listening; each says what to do.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rpc_core::transport::Account;
use thiserror::Error;

use crate::access::AccessError;
use crate::expect::Owner;

/// A name that no pipe can have, or whose place cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left to name the pipe.
    #[error("the pipe's name is empty: give it one, like `com.example.app`")]
    Empty,
    /// A NUL would end the name early in the system's eyes.
    #[error("a pipe's name cannot contain a NUL character: remove it")]
    Nul,
    /// `/` or `\` in a plain name.
    #[error(
        "`{separator}` cannot stand in the pipe's name `{name}`: use `.` or `-`, or give a full native path"
    )]
    Separator {
        /// The name that was given.
        name: String,
        /// The character that cannot stand in it.
        separator: char,
    },
    /// `.` and `..` are directories.
    #[error("`{name}` is the name of a directory: choose another")]
    Dots {
        /// The name that was given.
        name: String,
    },
    /// An ending the server uses for the files beside its pipe.
    #[error(
        "a pipe's name cannot end in `{ending}`, which the server uses for files of its own: choose another"
    )]
    Reserved {
        /// The ending in question.
        ending: &'static str,
    },
    /// A native path that is not absolute, or not that of a pipe.
    #[error("`{path}` is not the full path of a pipe: {form}")]
    NotNative {
        /// The path that was given.
        path: PathBuf,
        /// The form a path has on this system.
        form: &'static str,
    },
    /// A pipe of another computer.
    #[error("`{host}` is another computer: pipes connect programs of one, so write `\\\\.\\pipe\\NAME`")]
    OtherHost {
        /// The computer's name.
        host: String,
    },
    /// More than the system allows.
    #[error("`{path}` has {length} {unit}, and a pipe's full name has at most {limit}: shorten it")]
    TooLong {
        /// The whole name as the system would see it.
        path: PathBuf,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// The directory for pipes is somebody else's, or others can write to it.
    #[error("`{directory}` cannot hold pipes because it {fault}: remove it, or give a full native path")]
    UnsafePlace {
        /// The directory in question.
        directory: PathBuf,
        /// What is wrong with it.
        fault: PlaceFault,
    },
    /// The place for shared pipes is not there and this user may not make it.
    #[error(
        "the place for shared pipes, `{place}`, could not be prepared: have root make it (mode 755), or give a full native path"
    )]
    NoSharedPlace {
        /// The place in question.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not let us find or make this user's place.
    #[error("this user's place for pipes, `{place}`, could not be prepared")]
    NoPlace {
        /// The place in question.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What is wrong with a directory for pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlaceFault {
    /// A symbolic link or a file stands there.
    #[error("is not a directory")]
    NotADirectory,
    /// It belongs to another account.
    #[error("belongs to uid {0}")]
    OwnedBy(u32),
    /// Its mode lets others in.
    #[error("is open to others (mode {0:03o})")]
    OpenToOthers(u32),
}

impl From<Infallible> for NameError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A pipe that could not be connected. Nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name cannot be a pipe's.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Nobody listens on that name.
    #[error("no server listens on `{name}`: start it first, or wait for it with `.wait_for_server(true)`")]
    NotFound {
        /// The pipe's full name.
        name: String,
    },
    /// The server belongs to somebody else than expected.
    #[error(
        "the server on `{name}` runs as {found}, and {expected} was expected: if that is right, say so with `.expect_owner(..)`"
    )]
    WrongOwner {
        /// The pipe's full name.
        name: String,
        /// Whose server was expected.
        expected: Owner,
        /// Whose it is.
        found: Account,
    },
    /// The pipe's access keeps this user out.
    #[error("`{name}` does not let this user in: its server has to, with `.access(..)`")]
    Denied {
        /// The pipe's full name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The deadline passed.
    #[error(
        "`{name}` could not be connected within {after:?}: {obstacle}; a later `.deadline(..)` waits longer"
    )]
    TimedOut {
        /// The pipe's full name.
        name: String,
        /// The deadline that was set.
        after: Duration,
        /// What stood in the way last.
        obstacle: Obstacle,
    },
    /// Connecting needs tokio.
    #[error("pipes need a tokio runtime: call this from within one, as `#[tokio::main]` makes it")]
    NoRuntime,
    /// The system refused.
    #[error("`{name}` could not be connected")]
    Io {
        /// The pipe's full name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ConnectError {
    /// Whether no further attempt can cure it, because the name, the server or this program must be changed first.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Name(NameError::NoPlace { .. }) | Self::NotFound { .. } | Self::TimedOut { .. } => false,
            Self::Name(_) | Self::WrongOwner { .. } | Self::Denied { .. } | Self::NoRuntime => true,
            // What the system says may pass, whatever it is: a server that is just dying is hard to tell. Of our own
            // finding is that the server is of another kind, or frames its packets otherwise.
            Self::Io { source, .. } => {
                let is_ours = source.raw_os_error().is_none();
                is_ours
                    && matches!(
                        source.kind(),
                        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                    )
            }
        }
    }
}

/// What stood in the way of a connect that timed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// No server was there.
    #[error("no server came")]
    NoServer,
    /// The server was there and had no free instance.
    #[error("the server had no free instance")]
    Busy,
    /// An attempt did not come back.
    #[error("the system did not answer")]
    NoAnswer,
}

/// A server that could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The name cannot be a pipe's.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Who may connect cannot be enforced so.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Another server has the name.
    #[error("another server listens on `{name}` already: stop it, or choose another name")]
    NameTaken {
        /// The pipe's full name.
        name: String,
    },
    /// Something that is no pipe stands at the name.
    #[error("`{name}` exists and is not a pipe: move it away, or choose another name")]
    InTheWay {
        /// The pipe's full name.
        name: String,
    },
    /// Listening needs tokio.
    #[error("pipes need a tokio runtime: call this from within one, as `#[tokio::main]` makes it")]
    NoRuntime,
    /// The system refused.
    #[error("the server could not listen on `{name}`")]
    Io {
        /// The pipe's full name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Why one attempt to connect failed; the common half decides what follows.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// The server has no free instance right now.
    Busy,
    /// Nobody listens.
    NotFound,
    /// The server's account is not the one expected.
    WrongOwner {
        /// Whose server was expected.
        expected: Owner,
        /// Whose it is.
        found: Account,
    },
    /// Anything else the system said.
    Failed(io::Error),
}

impl From<io::Error> for AttemptError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}
