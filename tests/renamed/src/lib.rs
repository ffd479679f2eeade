//! A program that knows pipe-rpc as `rpc`, and that no lint may find anything in.
//!
//! It only has to compile, with `cargo clippy` as well.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    elided_lifetimes_in_paths
)]
#![deny(clippy::pedantic, clippy::nursery, clippy::unwrap_used)]

use std::error::Error;
use std::fmt;

use rpc::Context;
use serde::{Deserialize, Serialize};

/// Why a word is not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupError;

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such word")
    }
}

impl Error for LookupError {}

/// Words and their like.
#[rpc::service(name = "com.example.thesaurus")]
pub trait Thesaurus {
    /// Words that mean about the same.
    ///
    /// # Errors
    /// If the word is not known.
    async fn synonyms(&self, word: String, limit: u32) -> Result<Vec<String>, LookupError>;

    /// How many words match.
    async fn count(&self, cx: &Context, pattern: String) -> u64;

    /// Nobody waits for it.
    #[rpc(oneway)]
    async fn touch(&self, word: String);

    /// How large it is.
    #[rpc(idempotent, timeout = "2s")]
    async fn size(&self) -> u64;

    /// Forgets all.
    #[rpc(spawn)]
    async fn clear(&self) {}

    /// Takes much.
    #[allow(clippy::too_many_arguments)]
    #[rustfmt::skip]
    async fn many(&self, one: u8, two: u8, three: u8, four: u8, five: u8, six: u8, seven: u8, eight: String) -> bool;
}

/// Keeps values by key.
#[rpc::service]
pub trait Cache<K: Serialize + for<'de> Deserialize<'de> + Send + Sync + 'static> {
    /// What is kept.
    async fn get(&self, key: K) -> Option<K>;
    /// How many are kept.
    async fn count(&self) -> usize;
    /// How often it was asked.
    async fn asked(&self) -> u64;
    /// Forgets all.
    async fn clear(&self);
}

/// Seen only in this crate.
#[rpc::service]
pub(crate) trait Inner {
    async fn size(&self, _unused: u8) -> u64;
}

/// Does nothing yet.
#[rpc::service]
pub trait Nothing {}

/// Asks for synonyms.
///
/// # Errors
/// If nobody answers, or not with a word.
pub async fn ask() -> Result<Vec<String>, Box<dyn Error>> {
    let thesaurus = ThesaurusClient::connect("thesaurus").await?;
    Ok(thesaurus.synonyms("pipe".to_owned(), 10).await?)
}

/// Without docs of its methods.
#[allow(missing_docs)]
#[rpc::service]
pub trait Terse {
    async fn r#type(&self, r#fn: u8) -> u8;
}
