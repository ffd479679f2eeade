//! The example of the documentation, as a whole.
#![deny(warnings, missing_docs)]

use pipe_rpc::Context;
use serde::{Deserialize, Serialize};

/// Why a word is not found.
#[derive(Debug, Serialize, Deserialize)]
pub struct LookupError;

/// Words and their like.
#[pipe_rpc::service]
pub trait Thesaurus {
    /// Words that mean about the same.
    async fn synonyms(&self, word: String, limit: u32) -> Result<Vec<String>, LookupError>;

    /// How many there are.
    async fn count(&self, cx: &Context, pattern: String) -> u64;

    /// Nobody waits for it.
    #[rpc(oneway)]
    async fn touch(&self, word: String);

    /// How large it is.
    #[rpc(idempotent, timeout = "2s")]
    async fn size(&self) -> u64;

    /// Forgets all.
    #[rpc(spawn)]
    async fn clear(&self);
}

struct Empty;

impl Thesaurus for Empty {
    async fn synonyms(&self, word: String, limit: u32) -> Result<Vec<String>, LookupError> {
        if limit == 0 { Ok(vec![word]) } else { Err(LookupError) }
    }

    async fn count(&self, cx: &Context, pattern: String) -> u64 {
        let _ = (cx.deadline(), pattern);
        0
    }

    async fn touch(&self, _word: String) {}

    async fn size(&self) -> u64 {
        0
    }

    async fn clear(&self) {}
}

fn is_send<T: Send>(value: T) -> T {
    value
}

async fn use_it() -> Result<(), Box<dyn std::error::Error>> {
    let thesaurus = ThesaurusClient::connect("thesaurus").await?;
    let words: Result<Vec<String>, pipe_rpc::CallError<LookupError>> = thesaurus.synonyms("pipe".into(), 10).await;
    drop(words);
    let size: Result<u64, pipe_rpc::Fault> = thesaurus.clone().with_timeout(std::time::Duration::MAX).size().await;
    size?;
    thesaurus.touch("pipe".into()).await?;
    thesaurus.clear().await?;
    Ok(())
}

fn main() {
    let _ = ThesaurusServer::new(Empty).clone();
    drop(is_send(async {
        let _ = use_it().await;
    }));
}
