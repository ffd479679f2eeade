//! The listening socket, and the task that accepts from it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use rpc_core::transport::Link;
use rustix::fs::{Mode, chmod};
use rustix::io::Errno;
use rustix::net::{Shutdown, SocketAddrUnix, bind, listen, shutdown};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::admission::Admission;
use super::claim::{Claim, io_error};
use super::peer;
use super::register_unsafe::Registered;
use super::socket::Socket;
use super::system;
use crate::error::BindError;
use crate::gauges::Gauges;
use crate::name::NativeName;
use crate::options::ServerOptions;

/// What is asked of the kernel; it has a limit of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Owns the name and the queue of accepted clients.
#[derive(Debug)]
pub(crate) struct Acceptor {
    accepted: mpsc::Receiver<Link>,
    /// While the server is open.
    place: Option<Place>,
    gauges: Arc<Gauges>,
}

/// The listening socket in its place.
#[derive(Debug)]
struct Place {
    _claim: Claim,
    /// The accepting task's socket, in a duplicate.
    socket: OwnedFd,
}

impl Acceptor {
    /// Takes the name, listens, and starts to accept.
    pub(crate) fn bind(
        name: &NativeName,
        options: &ServerOptions,
        gauges: Arc<Gauges>,
    ) -> Result<Self, BindError> {
        let runtime = Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        let failed = |source| BindError::Io {
            name: name.to_string(),
            source,
        };
        let admission = Admission::new(&options.access)?;
        let (claim, socket) = listen_on(name, options, admission.mode())?;
        let duplicate = socket.try_clone().map_err(failed)?;
        let (accepting, accepted) = mpsc::channel(options.spare_instances);
        let accepting = Accepting {
            socket: Registered::for_reading(socket).map_err(failed)?,
            accepted: accepting,
            admission,
            options: options.clone(),
            gauges: Arc::clone(&gauges),
        };
        gauges.listening.store(1, Relaxed);
        runtime.spawn(accepting.run());
        Ok(Self {
            accepted,
            place: Some(Place {
                _claim: claim,
                socket: duplicate,
            }),
            gauges,
        })
    }

    /// The next client from the queue.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.accepted.poll_recv(cx).map(|link| link.ok_or_else(closed))
    }

    /// Frees the name, refuses who is in the backlog, and closes who is in the queue.
    pub(crate) fn close(&mut self) {
        let Some(place) = self.place.take() else { return };
        self.gauges.listening.store(0, Relaxed);
        // The queue goes as a whole, and first: the task may be about to put another client in, and takes an error of
        // the socket for the end only once the queue is closed.
        self.accepted = mpsc::channel(1).1;
        // Stops the socket at once; the task that holds it may not run for a while.
        let _ = shutdown(&place.socket, Shutdown::Both);
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.close();
    }
}

fn listen_on(name: &NativeName, options: &ServerOptions, mode: Mode) -> Result<(Claim, OwnedFd), BindError> {
    let mut claim = Claim::take(name.as_path())?;
    let prepared = claim.preparing_path()?;
    let listening = || -> Result<OwnedFd, Errno> {
        let socket = system::new_socket(options.framing)?;
        system::restrict_before_bind(&socket, mode)?;
        bind(&socket, &SocketAddrUnix::new(&prepared)?)?;
        // Whatever the umask, and where there is no mode before the bind. Nobody can connect before the listen.
        chmod(&prepared, mode)?;
        listen(&socket, BACKLOG)?;
        Ok(socket)
    };
    let socket = listening().map_err(|error| io_error(name.as_path(), error))?;
    claim.publish(&prepared)?;
    Ok((claim, socket))
}

/// The accepting task.
struct Accepting {
    socket: Registered,
    accepted: mpsc::Sender<Link>,
    admission: Admission,
    options: ServerOptions,
    gauges: Arc<Gauges>,
}

impl Accepting {
    /// Accepts until the server is closed. Room in the queue comes first, so that a client is never held between the
    /// two.
    async fn run(self) {
        let mut pauses = Pauses::default();
        while let Ok(room) = self.accepted.reserve().await {
            match self.accept().await {
                Ok(Some(link)) => {
                    pauses = Pauses::default();
                    room.send(link);
                }
                Ok(None) => {}
                Err(_) if self.accepted.is_closed() => return,
                Err(error) => {
                    let pause = pauses.next_pause();
                    tracing::warn!(%error, ?pause, "a client could not be accepted; it is tried again after a pause");
                    let _ = tokio::time::timeout(pause, self.accepted.closed()).await;
                }
            }
        }
    }

    /// The next client; `None` if it was refused, or left before it was accepted.
    async fn accept(&self) -> io::Result<Option<Link>> {
        let client = loop {
            let mut readable = self.socket.readable().await?;
            match system::accept(&self.socket) {
                Ok(client) => break client,
                // A socket that was shut down stays readable, and on Linux still answers EAGAIN.
                Err(Errno::AGAIN) if self.accepted.is_closed() => return Err(closed()),
                Err(Errno::AGAIN) => readable.clear_ready(),
                Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => {}
                Err(error) => return Err(error.into()),
            }
        };
        let peer = match peer::client_of(&client) {
            Ok(peer) => peer,
            Err(error) => {
                tracing::debug!(%error, "a client left before it was accepted");
                return Ok(None);
            }
        };
        if !self.admission.admits(&peer, &client) {
            tracing::warn!(%peer, "a client was refused: it may not connect");
            return Ok(None);
        }
        let socket = Socket::new(client, Some(self.gauges.count_connected()))?;
        let options = &self.options;
        Ok(Some(system::link(
            socket,
            options.framing,
            peer,
            options.max_packet,
        )))
    }
}

impl Drop for Accepting {
    /// Also when the runtime ends before the server is closed.
    fn drop(&mut self) {
        self.gauges.listening.store(0, Relaxed);
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the pipe server is closed")
}

/// Growing pauses after errors, so that the listener neither ends nor spins.
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_millis(5))
    }
}

impl Pauses {
    fn next_pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (self.0 * 2).min(Duration::from_secs(1));
        pause
    }
}
