//! The protocol without I/O: frames in, frames out, events out. Time comes in as an argument; nothing here awaits,
//! locks or asks the clock. PROTOCOL.md is its specification.

mod assembly;
mod body;
mod call;
mod connection;
mod error;
mod hello;
mod incoming;
mod outbox;
mod outgoing;
mod slots;
mod window;
mod wire;

pub use body::{Body, BodyWriter};
pub use call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead, code, ran};
pub use connection::{Answer, Connection, Event, Goaway};
pub use error::ProtocolError;
pub use hello::{
    Agreed, Answer as HelloAnswer, Hello, HelloError, Limits, MAX_CREDIT, MAX_PACKET_LIMIT, MAX_SECRET,
    MIN_PACKET, Reject, RejectCode, VERSION,
};
pub use outbox::OutPacket;
pub use outgoing::Abandoned;
pub(crate) use slots::Slots;
