//! What travels beside arguments and results.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use pipe_rpc::{Channel, Connect, Context, Metadata, MetadataError, PipeServer, Request, Response, Server};
use support::{soon, unique_name};
use tower::ServiceExt as _;

/// Tells what came beside the arguments, and answers with something beside the result.
#[pipe_rpc::service]
pub trait Post {
    /// What came under the key.
    async fn read(&self, cx: &Context, key: String) -> Option<Vec<u8>>;
    /// Puts an entry beside the result.
    async fn write(&self, cx: &Context, key: String, value: Vec<u8>) -> bool;
    /// The same, with a result of that many bytes.
    async fn write_beside(&self, cx: &Context, size: u64) -> Bytes;
    /// The same, beside a stream.
    async fn write_beside_items(&self, cx: &Context) -> impl Stream<Item = u32>;
    /// The same, beside an error.
    async fn write_beside_error(&self, cx: &Context) -> Result<(), u32>;
    /// How many bytes came, if the entry did too.
    async fn size(&self, cx: &Context, bytes: Bytes) -> Option<u64>;
}

struct Office;

impl Post for Office {
    async fn read(&self, cx: &Context, key: String) -> Option<Vec<u8>> {
        cx.metadata().get(&key).map(<[u8]>::to_vec)
    }
    async fn write(&self, cx: &Context, key: String, value: Vec<u8>) -> bool {
        cx.respond_with_metadata(&key, value).is_ok()
    }
    async fn write_beside(&self, cx: &Context, size: u64) -> Bytes {
        cx.respond_with_metadata("size", size.to_string()).unwrap();
        vec![7; usize::try_from(size).unwrap()].into()
    }
    async fn write_beside_items(&self, cx: &Context) -> impl Stream<Item = u32> {
        cx.respond_with_metadata("kind", "stream").unwrap();
        stream::iter([1, 2])
    }
    async fn write_beside_error(&self, cx: &Context) -> Result<(), u32> {
        cx.respond_with_metadata("kind", "error").unwrap();
        Err(1)
    }
    async fn size(&self, cx: &Context, bytes: Bytes) -> Option<u64> {
        cx.metadata().get("large").map(|_| bytes.len() as u64)
    }
}

fn serve(test: &str) -> String {
    let name = unique_name(test);
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(Server::builder().service(PostServer::new(Office)).serve(listener));
    name
}

fn metadata(key: &str, value: &[u8]) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert(key, value).unwrap();
    metadata
}

/// A client that keeps what came beside the last result.
async fn listening(name: &str) -> (PostClient<impl pipe_rpc::Caller>, Arc<Mutex<Metadata>>) {
    let channel: Channel = Connect::to(name).open().await.unwrap();
    let last = Arc::new(Mutex::new(Metadata::new()));
    let heard = Arc::clone(&last);
    let keep = move |response: Response| {
        heard.lock().unwrap().clone_from(response.metadata());
        response
    };
    (PostClient::new(channel.map_response(keep)), last)
}

#[tokio::test]
async fn metadata_travels_with_the_call_it_was_given_for() {
    let client = PostClient::connect(serve("metadata-there").as_str())
        .await
        .unwrap();
    let told = client.clone().with_metadata(metadata("locale", b"\xff\0pt"));
    assert_eq!(
        soon(told.read("locale".into())).await.unwrap(),
        Some(b"\xff\0pt".to_vec())
    );
    assert_eq!(soon(told.read("other".into())).await.unwrap(), None);
    assert_eq!(soon(client.read("locale".into())).await.unwrap(), None);
}

#[tokio::test]
async fn metadata_travels_beside_a_large_body() {
    let client = PostClient::connect(serve("metadata-large").as_str())
        .await
        .unwrap();
    let told = client.with_metadata(metadata("large", &[0; 1000]));
    for size in [0, 60_000, 65_500, 65_536, 1 << 20] {
        let body = Bytes::from(vec![7; size]);
        assert_eq!(soon(told.size(body)).await.unwrap(), Some(size as u64));
    }
}

#[tokio::test]
async fn metadata_travels_back_beside_every_kind_of_result() {
    let (client, last) = listening(&serve("metadata-back")).await;
    let heard = |key: &str| last.lock().unwrap().get(key).map(<[u8]>::to_vec);
    assert!(soon(client.write("k".into(), b"v".to_vec())).await.unwrap());
    assert_eq!(heard("k"), Some(b"v".to_vec()));
    soon(client.read("k".into())).await.unwrap();
    assert_eq!(heard("k"), None, "it was of another call");
    for size in [0, 65_500, 1 << 20] {
        assert_eq!(soon(client.write_beside(size)).await.unwrap().len() as u64, size);
        assert_eq!(heard("size"), Some(size.to_string().into_bytes()));
    }
    let mut items = soon(client.write_beside_items()).await.unwrap();
    assert_eq!(heard("kind"), Some(b"stream".to_vec()));
    assert_eq!(soon(items.next()).await, Some(Ok(1)));
    assert!(soon(client.write_beside_error()).await.is_err());
    assert_eq!(heard("kind"), Some(b"error".to_vec()));
}

#[tokio::test]
async fn metadata_over_the_limit_is_told_to_who_sets_it() {
    let client = PostClient::connect(serve("metadata-limit").as_str())
        .await
        .unwrap();
    let mut metadata = Metadata::new();
    let refused = metadata.insert("key", [0; 3000]);
    assert_eq!(refused, Err(MetadataError::Size { size: 3008 }));
    assert!(!soon(client.write("key".into(), vec![0; 3000])).await.unwrap());
    assert!(!soon(client.write(String::new(), vec![])).await.unwrap());
}

#[tokio::test]
async fn layers_read_and_write_metadata_at_both_ends() {
    let name = unique_name("metadata-layers");
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let answer = tower::layer::layer_fn(|inner| {
        tower::util::MapResponse::new(inner, |mut response: Response| {
            response.metadata_mut().insert("served-by", "a layer").unwrap();
            response
        })
    });
    let server = Server::builder().service(PostServer::new(Office)).layer(answer);
    tokio::spawn(server.serve(listener));
    let channel: Channel = Connect::to(name.as_str()).open().await.unwrap();
    let last = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&last);
    let caller = channel
        .map_response(move |response: Response| {
            *heard.lock().unwrap() = response.metadata().get("served-by").map(<[u8]>::to_vec);
            response
        })
        .map_request(|mut request: Request| {
            request.metadata_mut().insert("asked-by", "a layer").unwrap();
            request
        });
    let client = PostClient::new(caller);
    let read = soon(client.read("asked-by".into())).await.unwrap();
    assert_eq!(read, Some(b"a layer".to_vec()));
    assert_eq!(*last.lock().unwrap(), Some(b"a layer".to_vec()));
}
