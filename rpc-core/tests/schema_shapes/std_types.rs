//! Types of the standard library and of other crates.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::is;

#[test]
fn types_without_parts() {
    is::<bool>("bool");
    is::<(i8, i16, i32, i64, i128)>("(i8, i16, i32, i64, i128)");
    is::<(u8, u16, u32, u64, u128)>("(u8, u16, u32, u64, u128)");
    is::<(f32, f64, char)>("(f32, f64, char)");
    is::<(usize, isize)>("(u64, i64)");
    is::<String>("String");
    is::<Cow<'static, str>>("String");
    is::<Box<str>>("String");
    is::<std::path::PathBuf>("String");
    is::<()>("()");
    is::<[u8; 0]>("()");
}

#[test]
fn types_with_parts() {
    is::<Option<Option<u8>>>("Option<Option<u8>>");
    is::<Vec<Option<String>>>("Vec<Option<String>>");
    is::<HashSet<u16>>("Vec<u16>");
    is::<HashMap<String, Vec<u16>>>("Map<String, Vec<u16>>");
    is::<BTreeMap<u8, ()>>("Map<u8, ()>");
    is::<(u8,)>("(u8,)");
    is::<((u8, u16), u8)>("((u8, u16), u8)");
    is::<Result<u8, String>>("Result<u8, String>");
    is::<Box<Option<Box<u8>>>>("Option<u8>");
}

#[test]
fn equal_elements_of_a_tuple_are_an_array() {
    is::<[u16; 32]>("[u16; 32]");
    is::<(u16, u16)>("[u16; 2]");
    is::<(Box<u16>, u16)>("[u16; 2]");
    is::<[[u8; 2]; 3]>("[[u8; 2]; 3]");
    is::<[u16; 1]>("(u16,)");
}

#[test]
fn types_of_the_standard_library() {
    is::<Duration>("Duration; struct Duration { secs: u64, nanos: u32 }");
    is::<SystemTime>("SystemTime; struct SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }");
    is::<Range<u8>>("Range; struct Range { start: u8, end: u8 }");
    is::<std::ops::Bound<u8>>("Bound; enum Bound { Unbounded, Included(u8), Excluded(u8) }");
    is::<IpAddr>("IpAddr; enum IpAddr { V4([u8; 4]), V6([u8; 16]) }");
    is::<SocketAddr>("SocketAddr; enum SocketAddr { V4(([u8; 4], u16)), V6(([u8; 16], u16)) }");
    is::<NonZeroU32>("u32");
    is::<std::sync::atomic::AtomicU8>("u8");
    is::<std::num::Wrapping<i8>>("i8");
    is::<std::cmp::Reverse<i8>>("i8");
    is::<std::marker::PhantomData<u8>>("PhantomData; struct PhantomData");
    is::<std::ffi::CString>("Vec<u8>");
}

#[test]
fn types_of_other_crates() {
    is::<(uuid::Uuid, u8)>("(Vec<u8>, u8)");
    is::<(chrono::NaiveDate, u8)>("(String, u8)");
    is::<(chrono::NaiveTime, u8)>("(String, u8)");
    is::<(chrono::NaiveDateTime, u8)>("(String, u8)");
    is::<(chrono::DateTime<chrono::Utc>, u8)>("(String, u8)");
}
