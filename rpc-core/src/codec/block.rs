//! `Bytes` and `Vec<u8>` as the whole value: one block, as it is, with nothing around it.

use std::any::Any;

use bytes::Bytes;

use crate::proto::Body;

/// From this length on a `Bytes` shares the memory that its body came in. Below, it is copied out: one that is kept
/// must not hold on to a whole packet.
const SHARED_FROM: usize = 4096;

/// The body of `value` if it is a block.
#[inline]
pub(super) fn encode<T: 'static>(value: &T) -> Option<Body> {
    let value = value as &dyn Any;
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return Some(match bytes.len() {
            ..=Body::SMALL => Body::copy_from(bytes),
            _ => Body::from(bytes.clone()),
        });
    }
    value
        .downcast_ref::<Vec<u8>>()
        .map(|bytes| Body::copy_from(bytes))
}

/// The body of `value` if it is a block whose memory can become the body's. Then an empty block is left behind.
#[inline]
pub(super) fn take<T: 'static>(value: &mut T) -> Option<Body> {
    let value: &mut dyn Any = value;
    let bytes = value.downcast_mut::<Vec<u8>>()?;
    (bytes.len() > Body::SMALL).then(|| Body::from(std::mem::take(bytes)))
}

/// The value whose bytes these are, if `T` is a block.
#[inline]
pub(super) fn copy<T: 'static>(bytes: &[u8]) -> Option<T> {
    let mut slot: Option<T> = None;
    let any: &mut dyn Any = &mut slot;
    if let Some(slot) = any.downcast_mut::<Option<Bytes>>() {
        *slot = Some(Bytes::copy_from_slice(bytes));
    } else if let Some(slot) = any.downcast_mut::<Option<Vec<u8>>>() {
        *slot = Some(bytes.to_vec());
    }
    slot
}

/// The value in `body` if `T` is a block, else the body back.
#[inline]
pub(super) fn decode<T: 'static>(body: Body) -> Result<T, Body> {
    let mut slot: Option<T> = None;
    let any: &mut dyn Any = &mut slot;
    if let Some(slot) = any.downcast_mut::<Option<Bytes>>() {
        *slot = Some(match body.len() {
            ..SHARED_FROM => Bytes::copy_from_slice(body.as_ref()),
            _ => body.into_bytes(),
        });
    } else if let Some(slot) = any.downcast_mut::<Option<Vec<u8>>>() {
        *slot = Some(body.into_vec());
    } else {
        return Err(body);
    }
    Ok(slot.expect("either branch that comes here has filled it"))
}
