//! How values become bodies.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::proto::Body;

/// How values become bodies; which one is agreed on when a connection is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// bincode 2 with fixed-width little-endian integers: the compact one, for Rust at both ends.
    #[default]
    Bincode,
}

/// A value could not become a body.
#[derive(Debug, thiserror::Error)]
#[error("encode")]
pub struct EncodeError;

/// A body could not become a value.
#[derive(Debug, thiserror::Error)]
#[error("decode")]
pub struct DecodeError;

impl Codec {
    /// The codec's number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Bincode => 1,
        }
    }

    /// The codec of that number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Bincode),
            _ => None,
        }
    }

    /// Makes a body of `value`.
    ///
    /// # Errors
    /// If the value's `Serialize` fails or uses what the codec cannot carry.
    pub fn encode<T: Serialize + 'static>(self, value: &T) -> Result<Body, EncodeError> {
        let _ = value;
        Err(EncodeError)
    }

    /// Makes a value of `body`.
    ///
    /// # Errors
    /// If the body is not exactly one such value.
    pub fn decode<T: DeserializeOwned + 'static>(self, body: Body) -> Result<T, DecodeError> {
        let _ = body;
        Err(DecodeError)
    }
}
