//! The server's end of a name: takes it, keeps it, and accepts whoever connects.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use rpc_core::transport::{Link, Listener};

use crate::access::{Access, AccessError};
use crate::error::{BindError, NameError};
use crate::gauges::Gauges;
use crate::name::PipeName;
use crate::options::{Framing, ServerOptions};
use crate::pipe::Pipe;
use crate::sys;

/// Listens on a name and accepts pipes.
///
/// A task of its own accepts clients as they come, so that there is always a free instance to connect to. Dropping the
/// server closes it; pipes already accepted live on.
#[derive(Debug)]
pub struct PipeServer {
    acceptor: sys::Acceptor,
    name: String,
    gauges: Arc<Gauges>,
}

impl PipeServer {
    /// Takes the name and listens on it, with the default options.
    ///
    /// # Errors
    /// [`BindError`], above all when another server has the name.
    ///
    /// # Panics
    /// If the current tokio runtime has no I/O or no time driver.
    pub fn bind<N>(name: N) -> Result<Self, BindError>
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        Self::builder(name).bind()
    }

    /// Begins a server with options.
    pub fn builder<N>(name: N) -> PipeServerBuilder
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        PipeServerBuilder {
            name: name.try_into().map_err(NameError::from),
            options: ServerOptions::default(),
        }
    }

    /// Takes the next client.
    ///
    /// # Errors
    /// Only when the server is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no client is lost: the next call takes it.
    pub async fn accept(&mut self) -> io::Result<Pipe> {
        let link = std::future::poll_fn(|cx| self.poll_accept(cx)).await?;
        Ok(Pipe::from(link))
    }

    /// Stops listening and frees the name. Clients accepted and not yet taken are closed. Idempotent.
    pub fn close(&mut self) {
        self.acceptor.close();
    }

    /// The pipe's full name, as the system knows it.
    #[must_use]
    pub fn local_name(&self) -> &str {
        &self.name
    }

    /// How many instances are free for a client right now. On Unix 1 while the server listens: the kernel's backlog
    /// holds the spare ones.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.gauges.listening.load(Relaxed)
    }

    /// How many accepted pipes are not yet fully closed, taken or not.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.gauges.connected.load(Relaxed)
    }
}

impl Listener for PipeServer {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.acceptor.poll_accept(cx)
    }

    fn close(&mut self) {
        self.acceptor.close();
    }

    fn local_name(&self) -> String {
        self.name.clone()
    }
}

/// A server yet to be started; [`PipeServer::builder`] begins one.
#[derive(Debug)]
#[must_use = "a builder listens only once `bind` is called"]
pub struct PipeServerBuilder {
    name: Result<PipeName, NameError>,
    options: ServerOptions,
}

impl PipeServerBuilder {
    /// How many free instances are kept ready for a burst of clients; 4 by default, at least 2.
    pub fn spare_instances(mut self, count: usize) -> Self {
        self.options.spare_instances = count;
        self
    }

    /// Who may connect; the same user by default.
    pub fn access(mut self, access: Access) -> Self {
        self.options.access = access;
        self
    }

    /// The largest packet in bytes, from 1 to [`MAX_PACKET`](crate::MAX_PACKET); 98,304 by default on Linux and
    /// 65,536 elsewhere.
    pub fn max_packet(mut self, bytes: usize) -> Self {
        self.options.max_packet = bytes;
        self
    }

    /// How packets keep their boundaries; clients must use the same.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.options.framing = framing;
        self
    }

    /// Takes the name and listens on it.
    ///
    /// # Errors
    /// [`BindError`], above all when another server has the name.
    ///
    /// # Panics
    /// If the current tokio runtime has no I/O or no time driver.
    pub fn bind(self) -> Result<PipeServer, BindError> {
        let name = self.name?;
        if self.options.access.admits_other_users() && name.is_plain() {
            let name = name.to_string();
            return Err(AccessError::PlainName { name }.into());
        }
        let native = name.resolve_for_server()?;
        let gauges = Arc::<Gauges>::default();
        let options = self.options.within_limits();
        Ok(PipeServer {
            acceptor: sys::Acceptor::bind(&native, &options, Arc::clone(&gauges))?,
            name: native.to_string(),
            gauges,
        })
    }
}
