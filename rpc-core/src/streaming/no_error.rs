//! The error of streams that have none.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The own error of a stream whose items cannot fail: there is no value of it, so only a fault can end such a stream
/// early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NoError {}

impl fmt::Display for NoError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Error for NoError {}
