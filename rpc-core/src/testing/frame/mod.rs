//! Frames by hand, written from PROTOCOL.md sections 4 to 6 and not from the code that they test: one function for each
//! kind, and [`Frame`] for what none of them makes.
//!
//! A call is named by its slot and its generation: `(0, 1)` is the first call in the first slot.
//!
//! ```
//! use pipe_rpc_core::testing::frame::{self, Frame};
//!
//! let packet = frame::packet(&[frame::request((0, 1), b"pipe").to("Thesaurus", "synonyms"), frame::cancel((0, 1))]);
//! assert_eq!(frame::told(&packet), ["request 0.1", "cancel 0.1"]);
//! ```

mod form;
mod kinds;
mod packet;
mod request;
mod shown;

pub use form::{EXT, Frame, HEADER, MORE, ONEWAY, OPENER, STREAM, TornPacket};
pub use kinds::{
    cancel, credit, done, end, end_failed, end_faulted, failed, farewell, farewell_ack, fault_record,
    faulted, goaway, item, item_part, large_item, large_response, ping, pong, refused, request_part,
    response, response_part, stream, stream_credit,
};
pub use packet::{IntoPacket, packet, told};
pub use request::{REQUEST_HEAD, large_request, request, request_head};
