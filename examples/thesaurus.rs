//! A server for programs in other languages: `examples/python_client.py` calls it. It runs until its input ends.
//!
//! ```text
//! cargo run --example thesaurus -- thesaurus
//! python3 examples/python_client.py thesaurus pipe
//! ```
#![forbid(unsafe_code)]

use std::io::Read;

use futures_util::stream::{self, Stream};
use pipe_rpc::{PipeServer, Server};
use serde::{Deserialize, Serialize};

#[pipe_rpc::service]
trait Thesaurus {
    /// Words that mean about the same, at most `limit` of them.
    async fn synonyms(&self, word: String, limit: u32) -> Result<Vec<String>, LookupError>;
    /// Every word there is.
    async fn words(&self) -> impl Stream<Item = String>;
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
enum LookupError {
    #[error("there is no word {word:?}")]
    Unknown { word: String },
}

const WORDS: [(&str, &[&str]); 2] = [
    ("pipe", &["tube", "duct", "conduit"]),
    ("call", &["shout", "cry"]),
];

struct Small;

impl Thesaurus for Small {
    async fn synonyms(&self, word: String, limit: u32) -> Result<Vec<String>, LookupError> {
        let found = WORDS.iter().find(|(name, _)| *name == word);
        let (_, synonyms) = found.ok_or(LookupError::Unknown { word })?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(synonyms
            .iter()
            .take(limit)
            .map(|word| (*word).to_owned())
            .collect())
    }

    async fn words(&self) -> impl Stream<Item = String> {
        stream::iter(WORDS.iter().map(|(word, _)| (*word).to_owned()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipe = std::env::args().nth(1).unwrap_or_else(|| "thesaurus".into());
    let listener = PipeServer::bind(pipe.as_str())?;
    println!("serving at {pipe}");
    let input_ends = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    // Bincode and JSON are both offered unless `codecs` says otherwise; each client chooses.
    Server::builder()
        .service(ThesaurusServer::new(Small))
        .serve_until(listener, async { drop(input_ends.await) })
        .await?;
    Ok(())
}
