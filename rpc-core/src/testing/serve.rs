//! A server and its clients in one process, without a pipe.

use std::io;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tower::{Layer, Service};

use crate::client::{BoxError, Channel};
use crate::connection::Config;
use crate::message::{Request, Response};
use crate::server::{Router, ServerBuilder};
use crate::transport::memory::{self, MemoryConnector};
use crate::transport::{Link, Listener, Packet, PacketReceiver};

/// Serves in memory, in a task of the current runtime, until every connector is dropped.
///
/// ```
/// use pipe_rpc_core::server::Server;
/// use pipe_rpc_core::testing::{ScriptedPeer, frame, serve};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let connector = serve(Server::builder());
/// let mut client = ScriptedPeer::client(&connector).await;
/// client.send(frame::ping(7)).await;
/// client.expect(frame::pong(7)).await;
/// # }
/// ```
///
/// # Panics
/// If there is no tokio runtime.
pub fn serve<L, C>(server: ServerBuilder<L, C>) -> MemoryConnector
where
    L: Layer<Router> + Send + 'static,
    L::Service: Clone + Send + Sync + 'static,
    C: Layer<L::Service> + Send + Sync + 'static,
    C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <C::Service as Service<Request>>::Error: Into<BoxError>,
    <C::Service as Service<Request>>::Future: Send,
{
    let (listener, connector) = memory::listener();
    tokio::spawn(server.serve(listener));
    connector
}

/// A client of a server in memory. The server runs in a task of the current runtime and ends with the connection.
///
/// ```
/// # use pipe_rpc_core::message::{Request, Response};
/// # use pipe_rpc_core::server::{Mount, Reply};
/// # struct ThesaurusServer;
/// # impl Mount for ThesaurusServer {
/// #     fn name(&self) -> &'static str { "Thesaurus" }
/// #     fn methods(&self) -> &'static [pipe_rpc_core::method::Method] { &[] }
/// #     fn call(&self, _: usize, _: Request) -> Reply { unreachable!() }
/// # }
/// use pipe_rpc_core::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = Server::builder().service(ThesaurusServer).max_calls(4);
/// let channel = pipe_rpc_core::testing::connect(server).await;
/// // let thesaurus = ThesaurusClient::new(channel);
/// # assert!(channel.ping().await.is_ok());
/// # }
/// ```
///
/// # Panics
/// If the services cannot be mounted together, the server wants a secret, or there is no tokio runtime.
///
/// # Cancel safety
/// Dropping the future ends the server.
pub async fn connect<L, C>(server: ServerBuilder<L, C>) -> Channel
where
    L: Layer<Router> + Send + 'static,
    L::Service: Clone + Send + Sync + 'static,
    C: Layer<L::Service> + Send + Sync + 'static,
    C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <C::Service as Service<Request>>::Error: Into<BoxError>,
    <C::Service as Service<Request>>::Future: Send,
{
    let (ours, theirs) = memory::pair();
    let (theirs, over) = until_dropped(theirs);
    let over = async { drop(over.await) };
    let serving = tokio::spawn(server.serve_until(OneClient(Some(theirs)), over));
    match Channel::open(ours, &Config::default()).await {
        Ok(channel) => channel,
        Err(error) => match serving.await {
            Ok(Err(fault)) => panic!("the server cannot serve: {fault}"),
            _ => panic!("the server does not let the client in: {error}"),
        },
    }
}

/// Hands over one link, and listens on.
struct OneClient(Option<Link>);

impl Listener for OneClient {
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.0.take().map_or(Poll::Pending, |link| Poll::Ready(Ok(link)))
    }

    fn close(&mut self) {
        self.0 = None;
    }

    fn local_name(&self) -> String {
        "in-memory".to_owned()
    }
}

/// The same link, and what is ready when its connection is over.
fn until_dropped(link: Link) -> (Link, oneshot::Receiver<()>) {
    let (told, over) = oneshot::channel();
    let receiver = Box::new(TellsItsDrop {
        receiver: link.receiver,
        _told: told,
    });
    (Link { receiver, ..link }, over)
}

struct TellsItsDrop {
    receiver: Box<dyn PacketReceiver>,
    _told: oneshot::Sender<()>,
}

impl PacketReceiver for TellsItsDrop {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        self.receiver.poll_recv(cx)
    }
}
