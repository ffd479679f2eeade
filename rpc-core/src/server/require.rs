//! What a rule requires of who calls.

use std::fmt;
use std::sync::Arc;

use crate::transport::{PeerIdentity, Principal};

/// What is required of a caller, with the text that a refused one is told.
///
/// ```
/// use pipe_rpc_core::server::Require;
/// use pipe_rpc_core::transport::Principal;
///
/// let admins = Require::one_of([Principal::uid(0), Principal::gid(44).with_name("group video")]);
/// assert_eq!(admins.to_string(), "uid 0 or group video (gid 44)");
/// let either = Require::same_user().or(admins);
/// assert_eq!(either.to_string(), "the user who runs the server or uid 0 or group video (gid 44)");
/// ```
#[derive(Clone)]
pub struct Require {
    text: Arc<str>,
    admits: Arc<Predicate>,
}

type Predicate = dyn Fn(&PeerIdentity) -> bool + Send + Sync;

impl Require {
    /// Whoever could connect.
    #[must_use]
    pub fn anyone() -> Self {
        Self::that("nothing", |_| true)
    }

    /// The user who runs the server; also true of the other end of an in-memory pair.
    #[must_use]
    pub fn same_user() -> Self {
        Self::that("the user who runs the server", PeerIdentity::is_same_user)
    }

    /// The Unix user of that number. Windows has none.
    #[must_use]
    pub fn uid(uid: u32) -> Self {
        Principal::uid(uid).into()
    }

    /// A member of the Unix group of that number. Windows has none.
    #[must_use]
    pub fn gid(gid: u32) -> Self {
        Principal::gid(gid).into()
    }

    /// One of these users, or a member of one of these groups. Of an empty list, nobody.
    #[must_use]
    pub fn one_of(principals: impl IntoIterator<Item = Principal>) -> Self {
        Self::any_of(principals.into_iter().map(Self::from))
    }

    /// What one of these requires. Of an empty list, nobody.
    #[must_use]
    pub fn any_of(requirements: impl IntoIterator<Item = Self>) -> Self {
        let nobody = Self::that("what nobody has", |_| false);
        requirements.into_iter().reduce(Self::or).unwrap_or(nobody)
    }

    /// Whoever the predicate is true of; `text` tells a refused caller who that is. The predicate runs with each call,
    /// so it should neither block nor take long.
    ///
    /// ```
    /// use pipe_rpc_core::server::Require;
    ///
    /// let low = Require::that("a uid below 1000", |peer| {
    ///     matches!(peer.account, pipe_rpc_core::transport::Account::Unix { uid: ..1000, .. })
    /// });
    /// # let _ = low;
    /// ```
    #[must_use]
    pub fn that(
        text: impl Into<Arc<str>>,
        predicate: impl Fn(&PeerIdentity) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            text: text.into(),
            admits: Arc::new(predicate),
        }
    }

    /// This or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let text = format!("{self} or {other}");
        Self::that(text, move |peer| self.admits(peer) || other.admits(peer))
    }

    /// Whether the peer is what is required.
    #[must_use]
    pub fn admits(&self, peer: &PeerIdentity) -> bool {
        (self.admits)(peer)
    }
}

impl From<Principal> for Require {
    fn from(principal: Principal) -> Self {
        Self::that(principal.to_string(), move |peer| peer.is(&principal))
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.text).finish()
    }
}
