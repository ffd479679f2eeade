//! Each attribute of serde either works or is an error that names it.

mod carried;
mod refused;

use std::fmt::Debug;

use pipe_rpc_core::codec::{Codec, DecodeErrorKind, EncodeErrorKind, Unsupported};
use pipe_rpc_core::proto::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[track_caller]
fn becomes<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: &T, expected: &T) {
    let body = Codec::Bincode.encode(value).unwrap();
    assert_eq!(&Codec::Bincode.decode::<T>(body).unwrap(), expected);
}

#[track_caller]
fn is_not_encoded<T: Serialize + 'static>(value: &T, why: Unsupported, named: &str) {
    let error = Codec::Bincode.encode(value).unwrap_err();
    assert_eq!(error.kind(), &EncodeErrorKind::Unsupported(why));
    assert!(error.to_string().contains(named), "{error}");
}

#[track_caller]
fn is_not_decoded<T: DeserializeOwned + Debug + 'static>(body: Body, named: &str) -> DecodeErrorKind {
    let error = Codec::Bincode.decode::<T>(body).unwrap_err();
    assert!(error.to_string().contains(named), "{error}");
    error.kind().clone()
}

#[track_caller]
fn does_not_come_back<T: Serialize + DeserializeOwned + Debug + 'static>(
    value: &T,
    named: &str,
) -> DecodeErrorKind {
    is_not_decoded::<T>(Codec::Bincode.encode(value).unwrap(), named)
}
