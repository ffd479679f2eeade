//! Links with faults: slow, stuck, torn or cut.

mod delayed;
mod direct;
mod lane;
mod receiver;

use std::sync::Arc;
use std::time::Duration;

pub use lane::Lane;

use crate::transport::Link;
use delayed::DelayedSender;
use direct::{DirectSender, PlainSender};
use lane::Shared;
use receiver::FaultyReceiver;

/// How many bytes wait in a lane with a delay before its sender has to wait.
const CAPACITY: usize = 256 * 1024;

/// What goes wrong in one direction of a link; of any link, also that of a real pipe.
///
/// Packets are counted from when the faults were put in: with a link that is new, the first is the greeting. For
/// faults in both directions, put some in twice.
///
/// ```
/// use std::time::Duration;
///
/// use pipe_rpc_core::client::Channel;
/// use pipe_rpc_core::connection::Config;
/// use pipe_rpc_core::server::Server;
/// use pipe_rpc_core::testing::{Faults, serve};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let link = serve(Server::builder()).connect().await?;
/// let (link, to_server) = Faults::new().delay(Duration::from_millis(5)).outgoing(link);
/// let (link, _) = Faults::new().cut_after(2).incoming(link);
///
/// let channel = Channel::open(link, &Config::default()).await?;
/// channel.ping().await?;
/// assert_eq!(to_server.passed(), 2);
/// assert!(channel.ping().await.is_err(), "the server vanished after its first pong");
/// # Ok(())
/// # }
/// ```
#[must_use = "faults do nothing until they are put into a link"]
#[derive(Default)]
pub struct Faults {
    delay: Duration,
    cut_after: Option<usize>,
    torn: Option<usize>,
    stalled: bool,
    change: Option<Change>,
}

/// What happens to the bytes of each packet.
type Change = Box<dyn Fn(&mut Vec<u8>) + Send + Sync>;

impl Faults {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Each packet arrives this much later, in tokio's time. Up to 256 KiB are under way, then the sender has to wait.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// After this many packets the end that the faults are in vanishes: its link is closed without a word. What a real
    /// pipe has not handed over by then may be lost.
    pub fn cut_after(mut self, packets: usize) -> Self {
        self.cut_after = Some(packets);
        self
    }

    /// The `n`-th packet arrives as its first half; the first is 1. A packet of one byte cannot be torn.
    pub fn tear(mut self, n: usize) -> Self {
        self.torn = Some(n);
        self
    }

    /// Nothing gets through until [`Lane::resume`].
    pub fn stalled(mut self) -> Self {
        self.stalled = true;
        self
    }

    /// Changes the bytes of each packet; what it leaves has to be a packet that the link takes.
    pub fn change(mut self, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Puts the faults into what this end of the link sends.
    ///
    /// # Panics
    /// With a delay, if there is no tokio runtime.
    #[must_use]
    pub fn outgoing(self, link: Link) -> (Link, Lane) {
        let inner = Arc::new(link.sender);
        let delay = self.delay;
        let shared = Shared::new(self, &inner);
        let lane = Lane::new(&shared);
        let sender: Box<_> = if delay.is_zero() {
            Box::new(DirectSender::new(inner, shared)) as _
        } else {
            Box::new(DelayedSender::new(inner, shared, delay, link.max_packet)) as _
        };
        (Link { sender, ..link }, lane)
    }

    /// Puts the faults into what this end of the link receives.
    #[must_use]
    pub fn incoming(self, link: Link) -> (Link, Lane) {
        let inner = Arc::new(link.sender);
        let delay = self.delay;
        let shared = Shared::new(self, &inner);
        let lane = Lane::new(&shared);
        let link = Link {
            sender: Box::new(PlainSender {
                inner,
                lane: Arc::clone(&shared),
            }),
            receiver: Box::new(FaultyReceiver::new(link.receiver, shared, delay)),
            ..link
        };
        (link, lane)
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults")
            .field("delay", &self.delay)
            .field("cut_after", &self.cut_after)
            .field("torn", &self.torn)
            .field("stalled", &self.stalled)
            .finish_non_exhaustive()
    }
}
