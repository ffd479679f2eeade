//! A link that counts what it sends, and can change it.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use pipe_rpc::transport::{Link, PacketSender};
use pipe_rpc::{Channel, PipeName};
use tokio::sync::watch;
use transport_pipe::{ConnectOptions, connect_link};

/// What a counting link has seen.
pub struct Counts {
    packets: AtomicUsize,
    full: watch::Sender<usize>,
}

impl Counts {
    /// How many packets the pipe has taken.
    pub fn packets(&self) -> usize {
        self.packets.load(SeqCst)
    }

    /// Waits until the pipe was full at least once.
    pub async fn until_full(&self) {
        let mut full = self.full.subscribe();
        super::soon(full.wait_for(|full| *full > 0)).await.unwrap();
    }
}

/// What happens to a packet before it is sent.
type Change = Box<dyn Fn(&mut Vec<u8>) + Send + Sync>;

struct Sender {
    inner: Box<dyn PacketSender>,
    counts: Arc<Counts>,
    change: Option<Change>,
}

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let sent = match &self.change {
            None => self.inner.try_send(packet),
            Some(change) => {
                let mut changed: Vec<u8> = packet.iter().flat_map(|slice| slice.iter().copied()).collect();
                change(&mut changed);
                self.inner.try_send(&[IoSlice::new(&changed)])
            }
        };
        match &sent {
            Ok(()) => drop(self.counts.packets.fetch_add(1, SeqCst)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counts.full.send_modify(|full| *full += 1);
            }
            Err(_) => {}
        }
        sent
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn close(&self) {
        self.inner.close();
    }
}

/// A real pipe's link, not greeted yet.
pub async fn connect(name: &str) -> Link {
    let name = PipeName::new(name).unwrap();
    connect_link(&name, &ConnectOptions::default()).await.unwrap()
}

/// The same link, counted.
pub fn counted(link: Link) -> (Link, Arc<Counts>) {
    wrapped(link, None)
}

/// The same link, with packets changed before they are sent.
pub fn changed(link: Link, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Link {
    wrapped(link, Some(Box::new(change))).0
}

fn wrapped(link: Link, change: Option<Change>) -> (Link, Arc<Counts>) {
    let counts = Arc::new(Counts {
        packets: AtomicUsize::new(0),
        full: watch::Sender::new(0),
    });
    let sender = Box::new(Sender {
        inner: link.sender,
        counts: Arc::clone(&counts),
        change,
    });
    (Link { sender, ..link }, counts)
}

/// A channel over a real pipe that counts its packets.
pub async fn counted_channel(name: &str) -> (Channel, Arc<Counts>) {
    let (link, counts) = counted(connect(name).await);
    let channel = Channel::open(link, &pipe_rpc::Config::default()).await.unwrap();
    (channel, counts)
}
