//! The serde_json crate behind the guards: the only file that names it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::{DecodeErrorKind, EncodeErrorKind};
use super::guard_ser::Guarded;
use super::json_de::Guard;
use super::json_ser::Place;
use super::meter::Meter;

/// The longest message of an error, in bytes: it may quote the body.
const MAX_MESSAGE: usize = 1000;

/// Writes a body behind what is there.
pub(super) fn encode<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), EncodeErrorKind> {
    let meter = Meter::new();
    let mut json = serde_json::Serializer::new(bytes);
    let encoded = Guarded::whole(value, Place::Value, &meter).serialize(&mut json);
    if let Some(fault) = meter.take_fault() {
        return Err(fault);
    }
    encoded.map_err(|error| EncodeErrorKind::Custom(error.to_string()))?;
    Ok(())
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeErrorKind> {
    let text = std::str::from_utf8(body).map_err(DecodeErrorKind::NotText)?;
    let meter = Meter::new();
    let mut json = serde_json::Deserializer::from_str(text);
    // The guard has the limit: it counts as for bincode, and sees what is deep without brackets.
    json.disable_recursion_limit();
    let decoded = T::deserialize(Guard::whole(&mut json, &meter));
    if let Some(fault) = meter.take_fault() {
        return Err(fault);
    }
    let value = decoded?;
    json.end()?;
    Ok(value)
}

impl From<serde_json::Error> for DecodeErrorKind {
    fn from(error: serde_json::Error) -> Self {
        let message = shortened(error.to_string(), MAX_MESSAGE);
        match error.classify() {
            Category::Syntax | Category::Eof => Self::InvalidJson(message),
            Category::Data | Category::Io => Self::Custom(message),
        }
    }
}

/// The text, cut off where it is longer than `limit` bytes.
pub(super) fn shortened(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text.push('…');
    text.shrink_to_fit();
    text
}
