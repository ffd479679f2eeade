//! The `#[service]` attribute of pipe-rpc: a trait becomes a server and its clients.
//!
//! It goes parse → model → check → expand. All faults of a trait are told at once, each at the token it is about; what
//! is sound is expanded all the same, so that one fault does not look like many.
#![warn(clippy::unwrap_used)]

mod attributes;
mod check;
mod duration;
mod errors;
mod expand;
mod facade;
mod model;
mod parse;
mod signature;
mod size;
mod stream;

use proc_macro::TokenStream;

/// Makes a server and clients of a trait.
///
/// For `trait Thesaurus` it makes `ThesaurusServer<T>`, which a server mounts; `ThesaurusClient<S>`, with one async
/// method for each of the trait's; and, with the feature `blocking`, `ThesaurusBlockingClient`, the same without async.
/// All have the trait's visibility.
///
/// # Options of the service
/// `name = "com.example.thesaurus"` is the name on the wire, the trait's own unless given. `crate = path::to::pipe_rpc`
/// is where the crate is found when the user does not depend on it, but on one that re-exports it. `ordered` makes all of
/// its methods ordered.
///
/// # Methods
/// A method is `async`, takes `&self`, then, if it wants to know who calls, `cx: &Context`, then up to 16 owned
/// arguments. `Result<T, E>`, written out, arrives as `Result<T, CallError<E>>`; any other `T` as `Result<T, Fault>`.
/// A method with a body is a default that servers may override.
///
/// # Streams
/// A method may return `impl Stream<Item = T>`, by itself or as the `Ok` of a `Result`; clients get a `Streaming<T>`, or
/// a `Streaming<T, E>` if the items are `Result<T, E>`. It may take one argument `Streaming<T>` or `Streaming<T, E>`, for
/// which clients give any `Stream` of `T` or of `Result<T, E>`; blocking clients get and give iterators.
///
/// Docs, `#[cfg]`, `#[allow]` and `#[deprecated]` hold for all that is made of a method.
///
/// # Options of a method
/// | `#[rpc(..)]` | |
/// |---|---|
/// | `buffer = "64KiB"` | how much of each of the method's streams may be under way |
/// | `finish` | a handler that has begun runs to its end, whoever waits for it |
/// | `idempotent` | asking again does no harm |
/// | `max_body = "256MiB"` | the largest encoded arguments, and the largest encoded result, in place of what the two ends set for all methods; `B`, `KiB`, `MiB` or `GiB` |
/// | `name = ".."` | the name on the wire |
/// | `oneway` | nobody waits for it |
/// | `ordered` | the calls of one connection to the service's ordered methods run one after the other, in the order in which they began to arrive, which for those that fit a packet is the order sent |
/// | `spawn` | it always gets a task of its own |
/// | `timeout = "2s"` | how long a call may take unless the caller says otherwise, its stream included; `ms`, `s`, `m` or `h` |
///
/// # Generics
/// The trait may have type and const parameters. Type parameters need the bounds `Serialize + DeserializeOwned + Send +
/// Sync + 'static`, or those of them that their use asks for. The client takes them before its own: `CacheClient<K, S>`.
/// What two programs put in for them is not compared when they connect.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(arguments.into(), item.into()).into()
}
