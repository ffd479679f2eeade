//! How values become bodies, and bodies values again. PROTOCOL.md sections 14 and 15 have the bytes.

mod bincode;
mod bincode_ser;
mod block;
mod error;
mod guard_access;
mod guard_de;
mod guard_enum;
mod guard_parts;
mod guard_rules;
mod guard_ser;
mod json;
mod json_access;
mod json_de;
mod json_keys;
mod json_ser;
mod meter;
mod variant;

pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Unsupported};

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::proto::{Body, BodyWriter};

/// How values become bodies; which one is agreed on when a connection is made.
///
/// Whatever the codec, `Bytes` and `Vec<u8>` as the whole value go as one block, as they are and without a copy,
/// `Bytes` under 4 KiB on their way in excepted. Anywhere inside another type, be it `Option<Bytes>` or `(Bytes, u32)`, they are copied.
///
/// ```
/// use pipe_rpc_core::codec::Codec;
///
/// let body = Codec::Bincode.encode(&("pipe".to_owned(), 7_u32))?;
/// assert_eq!(body.len(), 8 + 4 + 4);
/// let (word, limit): (String, u32) = Codec::Bincode.decode(body)?;
/// assert_eq!((word.as_str(), limit), ("pipe", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// bincode 2 with fixed-width little-endian integers: the compact one, for Rust at both ends.
    #[default]
    Bincode,
    /// JSON: for other languages and for people. Types that need names, `#[serde(untagged)]` and `#[serde(flatten)]`
    /// among them, work with it.
    Json,
}

impl Codec {
    /// The codec's number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Bincode => 1,
            Self::Json => 2,
        }
    }

    /// The codec of that number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Bincode),
            2 => Some(Self::Json),
            _ => None,
        }
    }

    /// Makes a body of `value`.
    ///
    /// # Errors
    /// If the value's `Serialize` fails or uses what the codec cannot carry.
    #[inline]
    pub fn encode<T: Serialize + 'static>(self, value: &T) -> Result<Body, EncodeError> {
        if let Some(body) = block::encode(value) {
            return Ok(body);
        }
        let mut body = BodyWriter::new();
        self.append(value, body.bytes_mut())?;
        Ok(body.finish())
    }

    /// Makes a body of a value that is not needed any more: a `Vec<u8>` is not copied.
    ///
    /// # Errors
    /// As of [`encode`](Self::encode).
    #[inline]
    pub fn encode_owned<T: Serialize + 'static>(self, mut value: T) -> Result<Body, EncodeError> {
        match block::take(&mut value) {
            Some(body) => Ok(body),
            None => self.encode(&value),
        }
    }

    /// The body of a value that is a block, and not needed any more.
    #[inline]
    pub(crate) fn take_block<T: 'static>(value: &mut T) -> Option<Body> {
        block::take(value).or_else(|| block::encode(value))
    }

    /// Writes the body of a value that is no block behind what is there. What is there after an error means nothing.
    #[inline]
    pub(crate) fn append<T: Serialize + 'static>(
        self,
        value: &T,
        bytes: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        match self {
            Self::Bincode => bincode::encode(value, bytes),
            Self::Json => json::encode(value, bytes),
        }
        .map_err(EncodeError::of::<T>)
    }

    /// Makes a value of `body`.
    ///
    /// # Errors
    /// If the body is not exactly one such value.
    #[inline]
    pub fn decode<T: DeserializeOwned + 'static>(self, body: Body) -> Result<T, DecodeError> {
        let body = match block::decode(body) {
            Ok(value) => return Ok(value),
            Err(body) => body,
        };
        self.decode_parts(body.as_ref())
    }

    /// Makes a value of a body that lies somewhere; a block is copied.
    #[inline]
    pub(crate) fn decode_slice<T: DeserializeOwned + 'static>(self, body: &[u8]) -> Result<T, DecodeError> {
        match block::copy(body) {
            Some(value) => Ok(value),
            None => self.decode_parts(body),
        }
    }

    /// Makes a value that is no block.
    #[inline]
    fn decode_parts<T: DeserializeOwned + 'static>(self, body: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::Bincode => bincode::decode(body),
            Self::Json => json::decode(body),
        }
        .map_err(DecodeError::of::<T>)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bincode => "bincode",
            Self::Json => "JSON",
        })
    }
}
