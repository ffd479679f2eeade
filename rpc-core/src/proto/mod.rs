//! The protocol without I/O: frames in, frames out, events out. Time comes in as an argument; nothing here awaits,
//! locks or asks the clock. PROTOCOL.md is its specification.

mod agreed;
mod assembly;
mod body;
mod body_limits;
mod call;
mod connection;
mod error;
mod event;
mod frame;
mod hello;
mod incoming;
mod items;
mod keeping;
mod kept;
mod landings;
mod large_buffer;
mod metadata;
mod outbox;
mod outgoing;
mod pack;
mod receive;
mod reject;
mod slots;
mod small_buffer;
mod source;
mod streams;
mod under_way;
mod unsent;
mod window;
mod wire;

pub use agreed::{Agreed, Limits, MAX_CREDIT, MAX_PACKET_LIMIT, MIN_PACKET};
pub use body::{Body, BodyWriter};
pub use body_limits::{BodyLimit, MethodLimits};
pub use call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead, code, ran};
pub use connection::Connection;
pub use error::ProtocolError;
pub use event::{Answer, Event, EventSink, Goaway};
pub use hello::{Hello, HelloError, MAX_SECRET, VERSION};
pub use items::{ItemsEnd, Opener, Room, StreamId, cost};
pub use metadata::{Metadata, MetadataError};
pub use outbox::OutPacket;
pub use outgoing::Abandoned;
pub use pack::Pack;
pub use reject::{Answer as HelloAnswer, Reject, RejectCode};
pub(crate) use slots::{Slots, reserve_first};
