//! A server and its clients in one process, without a pipe.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::{Layer, Service};

use crate::client::{BoxError, Channel};
use crate::connection::Config;
use crate::message::{Request, Response};
use crate::server::{Router, ServeError, ServerBuilder};
use crate::transport::memory::{self, MemoryConnector, MemoryListener};
use crate::transport::{Landing, Link, Listener, Packet, PacketReceiver};

/// Serves in memory, in a task of the current runtime, until every connector is dropped and every connection over.
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
    start(server).0
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
    let (connector, serving) = start(server);
    let opened = match connector.connect().await {
        Ok(link) => Channel::open(link, &Config::default()).await,
        Err(gone) => Err(gone.into()),
    };
    drop(connector);
    match opened {
        Ok(channel) => channel,
        Err(error) => match serving.await {
            Ok(Err(fault)) => panic!("the server cannot serve: {fault}"),
            _ => panic!("the server does not let the client in: {error}"),
        },
    }
}

fn start<L, C>(server: ServerBuilder<L, C>) -> (MemoryConnector, JoinHandle<Result<(), ServeError>>)
where
    L: Layer<Router> + Send + 'static,
    L::Service: Clone + Send + Sync + 'static,
    C: Layer<L::Service> + Send + Sync + 'static,
    C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <C::Service as Service<Request>>::Error: Into<BoxError>,
    <C::Service as Service<Request>>::Future: Send,
{
    let (listener, connector) = memory::listener();
    let (held, let_go) = oneshot::channel();
    let listener = Lasting {
        listener,
        in_use: Some(Arc::new(held)),
    };
    let over = async { drop(let_go.await) };
    (connector, tokio::spawn(server.serve_until(listener, over)))
}

/// Listens on when every connector is gone: that ends the server, which would drain the connections that are open.
struct Lasting {
    listener: MemoryListener,
    /// The server is in use as long as somebody has a share in this: the listener, until every connector is gone, and
    /// every connection.
    in_use: Option<InUse>,
}

type InUse = Arc<oneshot::Sender<()>>;

impl Listener for Lasting {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let Some(in_use) = &self.in_use else {
            return Poll::Pending;
        };
        match ready!(self.listener.poll_accept(cx)) {
            Ok(link) => Poll::Ready(Ok(Link {
                receiver: Box::new(Held {
                    receiver: link.receiver,
                    _in_use: Arc::clone(in_use),
                }),
                ..link
            })),
            Err(_) => {
                self.in_use = None;
                Poll::Pending
            }
        }
    }

    fn close(&mut self) {
        self.listener.close();
    }

    fn local_name(&self) -> String {
        self.listener.local_name()
    }
}

/// A receiver that keeps its server going.
struct Held {
    receiver: Box<dyn PacketReceiver>,
    _in_use: InUse,
}

impl PacketReceiver for Held {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        self.receiver.poll_recv(cx)
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        self.receiver.poll_recv_landing(cx, landing)
    }
}
