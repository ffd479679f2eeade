//! What a server and a client may choose about their pipes.

use std::time::Duration;

use crate::access::Access;
use crate::expect::Owner;
use crate::sys::DEFAULT_MAX_PACKET;

/// The most that `max_packet` can be set to, in bytes: what every system's pipe still carries in one message.
pub const MAX_PACKET: usize = 192 * 1024;

const MIN_SPARE_INSTANCES: usize = 2;

/// How packets keep their boundaries. Both ends of a pipe must use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// The best way of the system: by the kernel on Windows and Linux, by a length prefix elsewhere.
    #[default]
    Native,
    /// A length prefix on a stream socket. It makes no difference on Windows.
    Prefixed,
}

/// What a server may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// How many free instances are kept ready; 4 by default, at least 2.
    pub spare_instances: usize,
    /// Who may connect.
    pub access: Access,
    /// The largest packet sent or received, in bytes; 98,304 by default on Linux and 65,536 elsewhere, at most
    /// [`MAX_PACKET`].
    pub max_packet: usize,
    /// How packets keep their boundaries.
    pub framing: Framing,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            spare_instances: 4,
            access: Access::default(),
            max_packet: DEFAULT_MAX_PACKET,
            framing: Framing::default(),
        }
    }
}

impl ServerOptions {
    /// The same with every number within its limits.
    pub(crate) fn within_limits(mut self) -> Self {
        self.spare_instances = self.spare_instances.max(MIN_SPARE_INSTANCES);
        self.max_packet = self.max_packet.clamp(1, MAX_PACKET);
        self
    }
}

/// What a client may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// How long connecting may take in all; 5 seconds by default.
    pub deadline: Duration,
    /// Whether to wait, within the deadline, for a server that is not there yet; no by default.
    pub wait_for_server: bool,
    /// Whose server it must be; the same user's by default.
    pub expect_owner: Owner,
    /// The largest packet sent or received, in bytes; 98,304 by default on Linux and 65,536 elsewhere, at most
    /// [`MAX_PACKET`].
    pub max_packet: usize,
    /// How packets keep their boundaries.
    pub framing: Framing,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            wait_for_server: false,
            expect_owner: Owner::default(),
            max_packet: DEFAULT_MAX_PACKET,
            framing: Framing::default(),
        }
    }
}

impl ConnectOptions {
    /// The same with every number within its limits.
    pub(crate) fn within_limits(mut self) -> Self {
        self.max_packet = self.max_packet.clamp(1, MAX_PACKET);
        self
    }
}
