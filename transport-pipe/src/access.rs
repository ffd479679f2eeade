//! Who may connect to a server.

use rpc_core::transport::Principal;
use thiserror::Error;

/// Who may connect to a server: programs of this computer, never those of another one.
///
/// The system's own account (root, LocalSystem) may always connect, since nothing could keep it out. Who connects is
/// what the kernel says: the socket's mode and the peer's credentials at accept on Unix, the pipe's access list on
/// Windows.
///
/// A plain name leads to a place of this user's own, which other users do not look at and on Unix cannot enter. So
/// [`Listed`](Self::Listed) and [`AnyUser`](Self::AnyUser) need a [shared](crate::PipeName::shared) name or a
/// [native](crate::PipeName::native) one, in a directory that those users may enter, and their clients name the
/// [owner](crate::Owner) whose server they expect.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use pipe_rpc_transport::{Access, PipeName, PipeServer, group_named, user_named};
///
/// let server = PipeServer::builder(PipeName::shared("mixer")?)
///     .access(Access::listed([user_named("alice")?, group_named("audio")?]))
///     .bind()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// The account the server runs under.
    #[default]
    SameUser,
    /// The account the server runs under, from the login session that the server is in.
    ///
    /// A session is what the kernel counts as one: the logon session on Windows, the audit session on Linux, which PAM
    /// begins with each login (and, for what systemd starts as the user, once for the user). On Linux it needs kernel
    /// 6.5, and a client that has ended before it is accepted is refused, since its session is not known any more. A
    /// server that is in no session, like most daemons, and one on another system does not start.
    SameSession,
    /// The account the server runs under, these users, and the members of these groups.
    ///
    /// Groups are those the client's process is in, its supplementary ones too. Systems other than Linux, macOS,
    /// FreeBSD and Windows tell only the effective one. [`user_named`](crate::user_named) and
    /// [`group_named`](crate::group_named) look names up.
    Listed(Vec<Principal>),
    /// Every account of this computer; on Windows those that authenticated, so neither guests nor the anonymous.
    AnyUser,
}

impl Access {
    /// The account the server runs under, these users, and the members of these groups.
    pub fn listed(principals: impl IntoIterator<Item = Principal>) -> Self {
        Self::Listed(principals.into_iter().collect())
    }

    /// Whether users other than the server's may connect, the system's own apart.
    pub(crate) fn admits_other_users(&self) -> bool {
        matches!(self, Self::Listed(_) | Self::AnyUser)
    }
}

/// A choice of who may connect that cannot be enforced here, or makes no sense. It is told before anyone can connect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Other users may connect, to a place they cannot reach.
    #[error(
        "other users may connect, but the plain name `{name}` leads to a place of this user's own: give a name from `PipeName::shared` or a native one"
    )]
    PlainName {
        /// The name.
        name: String,
    },
    /// The server is in no login session, so that nobody could be in the same.
    #[error(
        "only this login session may connect, but this process is in none: start it from a login, or give access to the same user"
    )]
    NoSession,
    /// The system does not prove which session a client is in.
    #[error(
        "only this login session may connect, but this system does not prove who is in it ({needed}): give access to the same user"
    )]
    SessionsUnknown {
        /// What is missing.
        needed: &'static str,
    },
    /// A uid or gid on Windows, or a security identifier elsewhere.
    #[error("{principal} is no user or group of this system: {form}")]
    ForeignPrincipal {
        /// The user or group.
        principal: Principal,
        /// What this system has.
        form: &'static str,
    },
}
