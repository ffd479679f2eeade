//! What else there is while a call is measured, and does nothing.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Load {
    Nothing,
    /// So many more connections between the two processes.
    Connections(u64),
    /// So many more calls on the same connection, which wait at the server.
    Calls(u64),
}

impl Load {
    /// What is compared where work grows.
    pub(crate) const GROWING: [Self; 6] = [
        Self::Connections(1),
        Self::Connections(100),
        Self::Connections(10_000),
        Self::Calls(1),
        Self::Calls(100),
        Self::Calls(10_000),
    ];

    /// A row under this load, in the results.
    pub(crate) fn label(self, row: &str) -> String {
        match self {
            Self::Nothing => row.to_owned(),
            Self::Connections(1) => format!("{row}, 1 idle connection"),
            Self::Connections(count) => format!("{row}, {count} idle connections"),
            Self::Calls(1) => format!("{row}, 1 waiting call"),
            Self::Calls(count) => format!("{row}, {count} waiting calls"),
        }
    }
}
