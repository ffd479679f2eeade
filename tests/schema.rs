//! Two programs whose types differ, and the schema that a service tells of itself.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::marker::PhantomData;

use pipe_rpc::{CallError, Connect, Fault, Outcome, PipeServer, Reason, Server};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use support::unique_name;

mod older {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) struct Entry {
        pub(super) word: String,
        pub(super) kind: Kind,
    }

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) enum Kind {
        Noun,
        Verb { regular: bool },
    }

    #[pipe_rpc::service]
    pub(super) trait Words {
        async fn find(&self, word: String) -> Result<Entry, String>;
        async fn add(&self, entry: Vec<Entry>) -> u32;
        async fn count(&self) -> u32;
    }
}

/// A field and a variant more; the traits read the same.
mod newer {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) struct Entry {
        pub(super) word: String,
        pub(super) kind: Kind,
        pub(super) rank: u32,
    }

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) enum Kind {
        Noun,
        Verb { regular: bool },
        Adverb,
    }

    #[pipe_rpc::service]
    pub(super) trait Words {
        async fn find(&self, word: String) -> Result<Entry, String>;
        async fn add(&self, entry: Vec<Entry>) -> u32;
        async fn count(&self) -> u32;
    }
}

struct OldWords;

impl older::Words for OldWords {
    async fn find(&self, _word: String) -> Result<older::Entry, String> {
        panic!("a call with another shape was let in")
    }
    async fn add(&self, _entry: Vec<older::Entry>) -> u32 {
        panic!("a call with another shape was let in")
    }
    async fn count(&self) -> u32 {
        7
    }
}

#[track_caller]
fn is_mismatch(fault: &Fault, shown: &[&str]) {
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::Refused, Reason::SignatureMismatch)
    );
    let text = fault.to_string();
    for shown in shown {
        assert!(text.contains(shown), "{shown:?} is not in {text:?}");
    }
}

#[tokio::test]
async fn a_changed_field_is_told_at_the_first_call_with_both_shapes_and_the_rest_works() {
    let name = unique_name("schema-versions");
    let server = Server::builder().service(older::WordsServer::new(OldWords));
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let client = newer::WordsClient::new(Connect::to(name).open().await.unwrap());

    let Err(CallError::Fault(fault)) = client.find("pipe".into()).await else {
        panic!("it was let in");
    };
    let shapes = [
        "the server has find(String) -> Result<Entry, String>; struct Entry { word: String, kind: Kind }; enum Kind { \
         Noun, Verb { regular: bool } }; this client has find(String) -> Result<Entry, String>; struct Entry { word: \
         String, kind: Kind, rank: u32 }; enum Kind { Noun, Verb { regular: bool }, Adverb }; what differs: ",
        "struct Entry: only this client has field `rank: u32`",
        "enum Kind: only this client has variant `Adverb`",
    ];
    is_mismatch(&fault, &shapes);
    let entry = newer::Entry {
        word: "pipe".into(),
        kind: newer::Kind::Adverb,
        rank: 1,
    };
    is_mismatch(&client.add(vec![entry]).await.unwrap_err(), &shapes[1..]);
    assert_eq!(client.count().await, Ok(7));
}

#[test]
fn a_service_tells_its_schema() {
    assert_eq!(
        older::WordsServer::schema().to_string(),
        "service Words\n\
         fn find(word: String) -> Result<Entry, String>\n\
         fn add(entry: Vec<Entry>) -> u32\n\
         fn count() -> u32\n\n\
         struct Entry { word: String, kind: Kind }\n\
         enum Kind { Noun, Verb { regular: bool } }\n"
    );
    let changes = newer::WordsServer::schema().changes_since(&older::WordsServer::schema());
    let differences = "struct Entry: field `rank: u32` was added; enum Kind: variant `Adverb` was added";
    let expected = [
        format!("fn find: {differences}"),
        format!("fn add: {differences}"),
    ];
    assert_eq!(
        changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        expected
    );
}

/// The parameters of a trait are part of its shape.
#[pipe_rpc::service]
trait Shelf<K: Serialize + DeserializeOwned + Send + Sync + 'static, const SIZE: usize = 2> {
    async fn swap(&self, key: K) -> K;
}

struct Keeper<K>(PhantomData<fn() -> K>);

impl<K: Serialize + DeserializeOwned + Send + Sync + 'static> Shelf<K> for Keeper<K> {
    async fn swap(&self, key: K) -> K {
        key
    }
}

#[tokio::test]
async fn the_same_trait_with_other_types_is_another_shape() {
    assert_eq!(
        ShelfServer::<_, Vec<String>>::schema().to_string(),
        "service Shelf\nfn swap(key: Vec<String>) -> Vec<String>\n"
    );
    let name = unique_name("schema-generic");
    let server = Server::builder().service(ShelfServer::<_, String>::new(Keeper::<String>(PhantomData)));
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let channel = Connect::to(name).open().await.unwrap();
    let strings = ShelfClient::<String>::new(channel.clone());
    let numbers = ShelfClient::<u64>::new(channel);
    assert_eq!(strings.swap("same".into()).await.unwrap(), "same");
    is_mismatch(
        &numbers.swap(7).await.unwrap_err(),
        &["the server has swap(String) -> String; this client has swap(u64) -> u64"],
    );
    assert_eq!(strings.swap("still".into()).await.unwrap(), "still");
}
