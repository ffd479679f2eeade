//! The bincode crate behind the guards: the only file that names it.

use bincode::config::{Configuration, Fixint, LittleEndian, NoLimit};
use bincode::enc::write::Writer;
use bincode::error as raw;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bincode_ser::BincodeRules;
use super::error::{DecodeErrorKind, EncodeErrorKind};
use super::guard_de::GuardSeed;
use super::guard_ser::Guarded;
use super::meter::{Meter, max_elements};

const CONFIG: Configuration<LittleEndian, Fixint, NoLimit> =
    bincode::config::standard().with_fixed_int_encoding();

/// Writes a body behind what is there.
#[inline]
pub(super) fn encode<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), EncodeErrorKind> {
    let meter = Meter::new();
    let start = bytes.len();
    let guarded = Guarded::whole(value, BincodeRules, &meter);
    let encoded = bincode::serde::encode_into_writer(guarded, Out(bytes), CONFIG);
    if let Some(fault) = meter.take_fault() {
        return Err(fault);
    }
    encoded.map_err(EncodeErrorKind::from)?;
    if let Some(check) = meter.field_check() {
        bytes.push(check);
    }
    let (elements, limit) = (meter.elements(), max_elements(bytes.len() - start));
    if elements > limit {
        return Err(EncodeErrorKind::TooManyValues { elements, limit });
    }
    Ok(())
}

#[inline]
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeErrorKind> {
    let meter = Meter::new();
    let seed = GuardSeed::whole(std::marker::PhantomData::<T>, &meter, body.len());
    let decoded = bincode::serde::seed_decode_from_slice(seed, body, CONFIG);
    if let Some(fault) = meter.take_fault() {
        return Err(fault);
    }
    let (value, read) = decoded?;
    match (meter.field_check(), &body[read..]) {
        (None, []) => Ok(value),
        (Some(check), [found]) if check == *found => Ok(value),
        (check, rest) => Err(misfit(check, rest.len())),
    }
}

/// Why the value is not all of the body, or has other fields at the sender.
#[cold]
fn misfit(check: Option<u8>, rest: usize) -> DecodeErrorKind {
    match (check, rest) {
        (Some(_), 0) => DecodeErrorKind::UnexpectedEnd,
        (Some(_), 1) => DecodeErrorKind::FieldMismatch,
        (check, rest) => DecodeErrorKind::LeftOver {
            bytes: rest - usize::from(check.is_some()),
        },
    }
}

/// Where bincode writes to.
struct Out<'a>(&'a mut Vec<u8>);

impl Writer for Out<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), raw::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl From<raw::EncodeError> for EncodeErrorKind {
    #[cold]
    fn from(error: raw::EncodeError) -> Self {
        match error {
            raw::EncodeError::OtherString(message) => Self::Custom(message),
            other => Self::Custom(other.to_string()),
        }
    }
}

impl From<raw::DecodeError> for DecodeErrorKind {
    #[cold]
    fn from(error: raw::DecodeError) -> Self {
        use raw::DecodeError as Raw;
        match error {
            // A length that no memory of this computer could hold is longer than the body too.
            Raw::UnexpectedEnd { .. } | Raw::OutsideUsizeRange(_) => Self::UnexpectedEnd,
            Raw::Utf8 { inner } => Self::InvalidUtf8(inner),
            Raw::InvalidBooleanValue(found) => Self::InvalidBool { found },
            // The guard reads enums itself: only an Option's tag, one byte, comes this way.
            Raw::UnexpectedVariant { found, .. } => Self::InvalidOption { found: found as u8 },
            Raw::InvalidCharEncoding(bytes) => Self::InvalidChar { bytes },
            Raw::OtherString(message) => Self::Custom(message),
            other => Self::Custom(other.to_string()),
        }
    }
}
