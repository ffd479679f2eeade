//! JSON over real pipes: which codec a connection gets, and that the same service works with each.

#[allow(dead_code, unreachable_pub)] // this file uses a part
mod support;

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use pipe_rpc::{
    CallError, Channel, Codec, Connect, ConnectError, Fault, GreetError, Outcome, Pipe, PipeServer, Reason,
    Server, ServerBuilder, Streaming,
};
use rpc_core::proto::{Hello, RejectCode};
use rpc_core::testing::frame::{Frame, packet, request};
use serde::{Deserialize, Serialize};
use support::{soon, unique_name};

#[pipe_rpc::service]
trait Store {
    async fn put(&self, entry: Entry) -> Result<Entry, StoreError>;
    async fn swap(&self, left: u32, right: String) -> (String, u32);
    async fn nothing(&self);
    async fn bytes(&self, bytes: Bytes) -> Bytes;
    #[rpc(oneway)]
    async fn touch(&self, word: String);
    async fn json(&self, value: serde_json::Value) -> Vec<Search>;
    async fn float(&self, float: f64) -> f64;
    async fn count(&self, up_to: u32) -> impl Stream<Item = Result<(u32, String), StoreError>>;
    async fn longest(&self, words: Streaming<String>) -> Result<Option<String>, StoreError>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    id: u64,
    tags: BTreeMap<u8, Vec<Option<String>>>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Sized(f64, f32),
    Named { name: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum StoreError {
    Full { limit: u64 },
}

/// What no codec without names can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by")]
enum Search {
    Word {
        word: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u8>,
    },
}

struct Shelf;

impl Store for Shelf {
    async fn put(&self, entry: Entry) -> Result<Entry, StoreError> {
        match entry.id {
            0 => Err(StoreError::Full { limit: 7 }),
            _ => Ok(entry),
        }
    }
    async fn swap(&self, left: u32, right: String) -> (String, u32) {
        (right, left)
    }
    async fn nothing(&self) {}
    async fn bytes(&self, bytes: Bytes) -> Bytes {
        bytes
    }
    async fn touch(&self, _word: String) {}
    async fn json(&self, value: serde_json::Value) -> Vec<Search> {
        let words = value["words"].as_array().cloned().unwrap_or_default();
        let words = words.iter().filter_map(serde_json::Value::as_str);
        words
            .map(|word| Search::Word {
                word: word.to_owned(),
                limit: None,
            })
            .collect()
    }
    async fn float(&self, float: f64) -> f64 {
        float
    }
    async fn count(&self, up_to: u32) -> impl Stream<Item = Result<(u32, String), StoreError>> {
        let items = (0..up_to).map(|item| Ok((item, item.to_string())));
        stream::iter(items.chain([Err(StoreError::Full { limit: 7 })]))
    }
    async fn longest(&self, mut words: Streaming<String>) -> Result<Option<String>, StoreError> {
        let mut longest: Option<String> = None;
        while let Some(word) = words.next().await {
            let word = word.map_err(|_| StoreError::Full { limit: 1 })?;
            longest = longest.into_iter().chain([word]).max_by_key(String::len);
        }
        Ok(longest)
    }
}

fn serve(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> String {
    let name = unique_name("json");
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(configure(Server::builder().service(StoreServer::new(Shelf))).serve(listener));
    name
}

const BOTH: [Codec; 2] = [Codec::Bincode, Codec::Json];

async fn client(codec: Codec) -> StoreClient {
    let connect = Connect::to(serve(|server| server)).codecs([codec]);
    soon(StoreClient::connect(connect)).await.unwrap()
}

fn entry(id: u64, kind: Kind) -> Entry {
    let tags = BTreeMap::from([(1, vec![Some("ß\"".to_owned()), None]), (2, vec![])]);
    Entry { id, tags, kind }
}

#[tokio::test]
async fn the_same_service_works_with_each_codec() {
    for codec in BOTH {
        let store = client(codec).await;
        for kind in [
            Kind::Plain,
            Kind::Sized(0.1, -0.1),
            Kind::Named { name: "x".into() },
        ] {
            let entry = entry(u64::MAX, kind);
            assert_eq!(soon(store.put(entry.clone())).await, Ok(entry));
        }
        let failed = soon(store.put(entry(0, Kind::Plain))).await;
        assert_eq!(failed, Err(CallError::Failed(StoreError::Full { limit: 7 })));
        assert_eq!(soon(store.swap(1, "one".into())).await, Ok(("one".into(), 1)));
        assert_eq!(soon(store.nothing()).await, Ok(()));
        assert_eq!(soon(store.touch("x".into())).await, Ok(()));
        for size in [0, 100, 1 << 20] {
            let bytes = Bytes::from(vec![b'"'; size]);
            assert_eq!(soon(store.bytes(bytes.clone())).await, Ok(bytes));
        }
        let long = "\u{1}".repeat(1 << 20);
        assert_eq!(soon(store.swap(1, long.clone())).await, Ok((long, 1)));
    }
}

#[tokio::test]
async fn streams_work_with_each_codec() {
    for codec in BOTH {
        let store = client(codec).await;
        let mut items = soon(store.count(3)).await.unwrap();
        for item in 0..3 {
            assert_eq!(soon(items.next()).await, Some(Ok((item, item.to_string()))));
        }
        let failed = CallError::Failed(StoreError::Full { limit: 7 });
        assert_eq!(soon(items.next()).await, Some(Err(failed)));
        assert_eq!(soon(items.next()).await, None);
        let words = ["a".to_owned(), "\u{1}".repeat(100_000), "bc".to_owned()];
        let longest = soon(store.longest(stream::iter(words.clone()))).await;
        assert_eq!(longest, Ok(Some(words[1].clone())));
    }
}

#[tokio::test]
async fn types_that_need_names_work_with_json_and_are_refused_by_bincode() {
    let words = serde_json::json!({"words": ["a", 1, "b"], "more": null});
    let found = soon(client(Codec::Json).await.json(words.clone())).await.unwrap();
    let word = |word: &str| Search::Word {
        word: word.to_owned(),
        limit: None,
    };
    assert_eq!(found, [word("a"), word("b")]);
    let fault = soon(client(Codec::Bincode).await.json(words)).await.unwrap_err();
    assert_eq!(fault.reason(), Reason::Decode);
    assert!(fault.detail().unwrap().contains("serde_json::Value"), "{fault}");
}

#[tokio::test]
async fn what_json_has_not_is_not_sent_and_harms_no_other_call() {
    let store = client(Codec::Json).await;
    let fault = soon(store.float(f64::NAN)).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::Encode)
    );
    let why = fault.source().unwrap().to_string();
    assert!(why.contains("a float is NaN or infinite"), "{why}");
    assert_eq!(soon(store.float(0.1)).await, Ok(0.1));
}

async fn agreed(server: &[Codec], client: &[Codec]) -> Result<Codec, ConnectError> {
    let name = serve(|builder| builder.codecs(server.iter().copied()));
    let connect = Connect::to(name).codecs(client.iter().copied());
    let channel = soon(connect.open()).await?;
    let codec = channel.codec();
    let store = StoreClient::new(channel).with_codec(codec);
    assert_eq!(soon(store.swap(1, "one".into())).await, Ok(("one".into(), 1)));
    Ok(codec)
}

#[tokio::test]
async fn the_clients_first_codec_that_the_server_offers_is_used() {
    use Codec::{Bincode, Json};
    for (server, client, expected) in [
        (&[Bincode, Json][..], &[Bincode, Json][..], Bincode),
        (&[Bincode, Json], &[Json, Bincode], Json),
        (&[Json, Bincode], &[Bincode, Json], Bincode),
        (&[Json], &[Bincode, Json], Json),
        (&[Bincode], &[Json, Bincode], Bincode),
        (&[Bincode, Json], &[Json], Json),
        (&[Json], &[Json], Json),
    ] {
        assert_eq!(
            agreed(server, client).await.unwrap(),
            expected,
            "{server:?} {client:?}"
        );
    }
    for (server, client) in [
        (&[Bincode][..], &[Json][..]),
        (&[Json], &[Bincode]),
        (&[Json], &[]),
        (&[], &[Json]),
    ] {
        let error = agreed(server, client).await.unwrap_err();
        let ConnectError::Greeting(GreetError::Rejected { code, text, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(code, RejectCode::Codec);
        assert!(
            text.starts_with("no codec that both ends offer; this one offers "),
            "{text}"
        );
    }
}

#[tokio::test]
async fn bincode_is_used_unless_an_end_says_otherwise() {
    let channel = soon(Connect::to(serve(|server| server)).open()).await.unwrap();
    assert_eq!(channel.codec(), Codec::Bincode);
}

#[tokio::test]
async fn a_generated_client_takes_the_codec_that_was_agreed_on() {
    let name = serve(|server| server.codecs([Codec::Json]));
    let store = soon(StoreClient::connect(name)).await.unwrap();
    assert_eq!(soon(store.swap(1, "one".into())).await, Ok(("one".into(), 1)));
}

async fn json_channel() -> Channel {
    let name = serve(|server| server.codecs([Codec::Json]).max_calls(1));
    soon(Connect::to(name).open()).await.unwrap()
}

#[tokio::test]
async fn a_request_in_another_codec_is_not_sent_and_keeps_no_credit() {
    let channel = json_channel().await;
    let wrong = StoreClient::new(channel.clone());
    for _ in 0..3 {
        let fault: Fault = soon(wrong.nothing()).await.unwrap_err();
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::NotSent, Reason::WrongCodec)
        );
        assert_eq!(
            fault.to_string(),
            "the call was not sent: the connection speaks another codec: the request is bincode and the connection \
             JSON; give the client the channel's codec, with `.with_codec(channel.codec())`"
        );
    }
    let right = wrong.with_codec(channel.codec());
    assert_eq!(soon(right.nothing()).await, Ok(()));
}

/// A peer that was let in with JSON and sends what it likes.
struct Script(Pipe);

impl Script {
    async fn greet(name: &str) -> Self {
        let mut pipe = soon(Pipe::connect(name)).await.unwrap();
        let hello = Hello {
            lowest: 1,
            highest: 1,
            features: 0,
            codecs: vec![Codec::Json.number()],
            max_packet: 65_536,
            max_calls: 0,
            max_nested: 0,
            window: 0,
            max_body: 1 << 20,
            stream: 0,
            secret: None,
            product: String::new(),
            services: Vec::new(),
        };
        pipe.send(&hello.encode()).await.unwrap();
        soon(pipe.recv()).await.unwrap().expect("an answer");
        Self(pipe)
    }

    /// Calls a method in a slot's next use; the answer.
    async fn call(&mut self, generation: u32, method: &str, body: &[u8]) -> Frame {
        let mut call = request((0, generation), body);
        call.head[0..4].copy_from_slice(&rpc_core::method::wire_id("Store").to_le_bytes());
        call.head[4..8].copy_from_slice(&rpc_core::method::wire_id(method).to_le_bytes());
        self.0.send(&packet(&[call])).await.unwrap();
        let answer = soon(self.0.recv()).await.unwrap().expect("an answer");
        Frame::all_of(&answer).remove(0)
    }
}

#[tokio::test]
async fn hostile_json_is_refused_with_the_reason_and_the_connection_goes_on() {
    const REFUSED: u8 = 3;
    let mut peer = Script::greet(&serve(|server| server)).await;
    let deep = format!("{{\"words\":{}", "[".repeat(60_000));
    let hostile: [(&str, &[u8], &str); 12] = [
        (
            "json",
            deep.as_bytes(),
            "more than 128 values stand one inside another",
        ),
        ("json", b"{\"a\":1,\"a\":2}", "an object has the key \"a\" twice"),
        ("json", b"[1e999]", "number out of range"),
        ("json", b"\"\xff\"", "the body is not UTF-8"),
        ("json", b"{} {}", "trailing characters"),
        ("json", b"", "EOF"),
        ("float", b"NaN", "not one JSON value"),
        ("float", b"1e99999999999999999999", "number out of range"),
        ("swap", b"[1,\"x\",3]", "trailing"),
        ("swap", b"[4294967296,\"x\"]", "expected u32"),
        ("swap", b"[1]", "invalid length 1"),
        ("nothing", b"0", "expected unit"),
    ];
    for (generation, (method, body, words)) in (1..).zip(hostile) {
        let answer = peer.call(generation, method, body).await;
        let text = String::from_utf8_lossy(&answer.body[20..]);
        assert_eq!(answer.kind, REFUSED, "{method}: {text}");
        assert_eq!(answer.body[0], 10, "{text}");
        assert!(text.contains(words), "{text}");
    }
    let answer = peer.call(13, "swap", b" [1, \"x\"] ").await;
    assert_eq!(answer.body, b"[\"x\",1]");
}
