//! The handle on a connection through which its other end is called.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;
use tower::Service;

use super::CallFuture;
use crate::codec::Codec;
use crate::connection::{
    Ambient, Config, ConnectError, ConnectionError, Driver, Leave, Permit, Shared, WaitForPermit, connect,
};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::server::Services;
use crate::transport::{Link, PeerIdentity};

/// A handle on a connection: makes calls, and waits in [`poll_ready`](Service::poll_ready) until the other end has
/// credit for one more.
///
/// Clones share the connection. It ends, in good order, when the last one of the end that connected is dropped and no
/// call is open. Once nobody waits for a call of this end any more, calls of the server's that still run, and a server
/// that does not read, get 10 s more; [`shutdown`](Self::shutdown) sets another limit, and waits. Channels that a
/// connection's [`Context`](crate::server::Context) gives, of the peer, neither end it nor keep it.
pub struct Channel {
    handle: Handle,
    permit: Option<Permit<Arc<Shared>>>,
    line: Option<WaitForPermit<Arc<Shared>>>,
}

#[derive(Clone)]
enum Handle {
    /// Of the end that connected.
    Own(Arc<Owner>),
    /// Of whichever end, to call the other one; the connection goes its own way.
    Peer(Arc<Shared>),
}

/// What all clones of the channel that connected hold; the last one to go says farewell.
struct Owner {
    shared: Arc<Shared>,
    serves: bool,
}

/// What the other end is told.
const LEAVING: &str = "the other end is leaving";

impl Drop for Owner {
    fn drop(&mut self) {
        if self.serves {
            // Else a server that calls all the time would never let it go.
            self.shared.drain(LEAVING);
        }
        self.shared.leave(Leave::Unused);
    }
}

impl Channel {
    /// Greets the server at the other end of the link and drives the connection in a task of the current runtime.
    ///
    /// # Errors
    /// If the server does not let this client in, or says nothing in time; or if there is no tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn open(mut link: Link, config: &Config) -> Result<Self, ConnectError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        let handshake = connect(&mut link, config, Vec::new()).await?;
        let driver = Driver::new(link, handshake, None);
        let channel = Self::owning(driver.shared(), false);
        runtime.spawn(driver);
        Ok(channel)
    }

    /// As [`open`](Self::open), and offers services to the server on the same connection. What the server's calls are
    /// granted, `max_calls`, `max_nested` and `window`, is said where the services are; of `config` the rest holds.
    ///
    /// ```
    /// use pipe_rpc_core::client::Channel;
    /// use pipe_rpc_core::connection::{Config, ConnectError};
    /// use pipe_rpc_core::server::Services;
    /// use pipe_rpc_core::transport::memory::MemoryConnector;
    ///
    /// async fn join(host: &MemoryConnector, offers: &Services) -> Result<Channel, ConnectError> {
    ///     let link = host.connect().await?;
    ///     Channel::open_serving(link, &Config::default(), offers).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn open_serving(
        mut link: Link,
        config: &Config,
        services: &Services,
    ) -> Result<Self, ConnectError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        let config = services.granting(config);
        let handshake = connect(&mut link, &config, services.names()).await?;
        let driver = services.driver(link, handshake);
        let channel = Self::owning(driver.shared(), true);
        runtime.spawn(services.clone().drive(driver));
        Ok(channel)
    }

    fn owning(shared: &Arc<Shared>, serves: bool) -> Self {
        let shared = Arc::clone(shared);
        Self::with(Handle::Own(Arc::new(Owner { shared, serves })))
    }

    /// A handle that neither ends the connection nor keeps it.
    pub(crate) fn of_peer(shared: &Arc<Shared>) -> Self {
        Self::with(Handle::Peer(Arc::clone(shared)))
    }

    fn with(handle: Handle) -> Self {
        Self {
            handle,
            permit: None,
            line: None,
        }
    }

    /// Waits until the connection has ended, and says why.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn closed(&self) -> Arc<ConnectionError> {
        self.shared().until_ended().await
    }

    /// Asks the other end for a sign of life, and waits for it. It takes no credit and runs no method.
    ///
    /// # Errors
    /// If the connection is lost.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ping(&self) -> Result<(), Fault> {
        self.shared().ping().await
    }

    /// Leaves in good order: makes no more calls and takes none, lets those that run, and their streams, end, and waits
    /// until the other end has acknowledged the last answer. What has not ended within `limit` is cut: its callers, at
    /// either end, get a fault with [`Reason::Draining`], and a stream gets it as its last item. Calls between running
    /// handlers and their callers go on until then. Resolves a second after the limit at the latest.
    ///
    /// Holds for all clones. Of several limits the first that passes counts. A handler that waits for the shutdown of
    /// the connection that its call came by waits for itself, until the limit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use pipe_rpc_core::client::Channel;
    /// async fn leave(channel: Channel) {
    ///     if let Err(why) = channel.shutdown(Duration::from_secs(5)).await {
    ///         eprintln!("some calls did not end: {why}");
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If calls were cut, the other end did not acknowledge in time, or the connection was lost.
    ///
    /// # Cancel safety
    /// Dropped after it was first polled, the shutdown goes on; another one waits for it.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), Arc<ConnectionError>> {
        let deadline = Instant::now().checked_add(limit);
        self.shared().drain(LEAVING);
        self.shared().leave(Leave::By(deadline));
        let why = self.closed().await;
        match *why {
            ConnectionError::Closed | ConnectionError::PeerClosed => Ok(()),
            _ => Err(why),
        }
    }

    /// Closes the connection at once; open calls end with a fault. Idempotent.
    pub fn close(&self) {
        self.shared().end(ConnectionError::Closed);
    }

    /// Who is at the other end, as the operating system told when the pipe was made.
    #[must_use]
    pub fn peer_identity(&self) -> &PeerIdentity {
        &self.shared().peer
    }

    /// Whether the connection takes calls, as far as is known: not once it is lost or the server drains.
    pub(super) fn takes_calls(&self) -> bool {
        self.shared().takes_calls()
    }

    /// Waits until the connection takes no more calls: why, if it has ended. It does not keep the connection.
    pub(super) fn retired(&self) -> impl Future<Output = Option<Arc<ConnectionError>>> + Send + use<> {
        let shared = Arc::clone(self.shared());
        async move { shared.until_retired().await }
    }

    /// The codec that both ends agreed on. Clients made with [`Stub::with_codec`](super::Stub::with_codec) must use it.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.shared().codec
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        match &self.handle {
            Handle::Own(owner) => &owner.shared,
            Handle::Peer(shared) => shared,
        }
    }
}

impl Clone for Channel {
    /// Another handle, without the credit this one may have reserved.
    fn clone(&self) -> Self {
        Self::with(self.handle.clone())
    }
}

impl Service<Request> for Channel {
    type Response = Response;
    type Error = Fault;
    type Future = CallFuture;

    /// Ready when the server has credit for one more call, or when the connection is lost; what is ready stays
    /// reserved for this handle until it calls or is dropped. A handler's own calls never wait.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if self.permit.is_some() || Ambient::current().is_some() {
            return Poll::Ready(Ok(()));
        }
        let line = match &mut self.line {
            Some(line) => line,
            None => {
                let line = WaitForPermit::new(Arc::clone(self.shared()));
                self.line.insert(line)
            }
        };
        let permit = ready!(Pin::new(line).poll(cx));
        self.line = None;
        self.permit = Some(permit?);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> CallFuture {
        let permit = self.permit.take().filter(|_| request.depth() == 0);
        if let Err(wrong) = check_codec(request.codec(), self.codec()) {
            return CallFuture::unsent(wrong);
        }
        if permit.is_none() && request.depth() == 0 {
            return CallFuture::not_ready();
        }
        CallFuture::start(self.shared(), request, permit)
    }
}

/// Whether a request's codec is the connection's.
#[inline]
pub(super) fn check_codec(given: Codec, agreed: Codec) -> Result<(), Fault> {
    if given == agreed {
        Ok(())
    } else {
        Err(wrong_codec(given, agreed))
    }
}

#[cold]
fn wrong_codec(given: Codec, agreed: Codec) -> Fault {
    let text = format!(
        "the request is {given} and the connection {agreed}; give the client the channel's codec, with \
         `.with_codec(channel.codec())`"
    );
    Fault::new(Outcome::NotSent, Reason::WrongCodec).with_detail(text)
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("peer", self.peer_identity())
            .finish_non_exhaustive()
    }
}
