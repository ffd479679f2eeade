//! Who may connect to a server.

/// Who may connect to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// The account the server runs under, and the system's own (root, LocalSystem).
    #[default]
    SameUser,
    /// Every account of this computer; never another computer's.
    ///
    /// A plain name is looked up in each user's own place, so such a server needs a
    /// [native name](crate::PipeName::native).
    AnyUser,
}
