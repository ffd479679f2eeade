//! What a peer can do wrong. Each ends the connection.

use super::CallId;

/// The peer broke the protocol. The connection ends; PROTOCOL.md section 11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The frames of a packet do not end exactly at its end.
    #[error("a packet of {size} bytes does not end where its last frame ends")]
    TornPacket {
        /// The packet's size in bytes.
        size: usize,
    },
    /// An empty packet, or one over the limit that was agreed on.
    #[error("a packet has 1 to {limit} bytes, not {size}")]
    PacketSize {
        /// The packet's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A frame kind below 128 that is unknown or was not negotiated.
    #[error("frame kind {kind} is unknown or was not agreed on")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// The head is shorter or longer than its kind demands.
    #[error("the head of a frame of kind {kind} has the wrong length or contents")]
    MalformedHead {
        /// The kind.
        kind: u8,
    },
    /// An extension that must be understood is unknown.
    #[error("extension {tag:#06x} must be understood and is unknown")]
    UnknownExtension {
        /// The extension's tag.
        tag: u16,
    },
    /// A frame was sent by the end that may not send it.
    #[error("a frame of kind {kind} came from the wrong end of its call")]
    WrongSide {
        /// The kind.
        kind: u8,
    },
    /// A call's slot is beyond the credit that was granted.
    #[error("slot {slot} is beyond the {granted} calls that were granted")]
    CallCreditOverrun {
        /// The slot.
        slot: u32,
        /// How many slots were granted.
        granted: u32,
    },
    /// A slot was used again while its call was not answered, or out of turn.
    #[error("{call} was used out of turn")]
    SlotOutOfTurn {
        /// The call.
        call: CallId,
    },
    /// A request body was begun without credit for it.
    #[error("a request body of {total} bytes was begun without credit")]
    WindowOverrun {
        /// The declared size of the body in bytes.
        total: u64,
    },
    /// Fragments that nobody waits for, or whose sum is not the declared total.
    #[error("the fragments of {call} do not add up to the size that was declared")]
    WrongFragments {
        /// The call.
        call: CallId,
    },
    /// A Done for a call whose result is waited for.
    #[error("{call} was ended without a result")]
    NoResult {
        /// The call.
        call: CallId,
    },
    /// An item, an end or credit of a stream that the call has not.
    #[error("{call} has no such stream of items, or it is over")]
    NoStream {
        /// The call.
        call: CallId,
    },
    /// An item beyond the credit of its stream.
    #[error("an item of {call} came beyond the credit of its stream")]
    ItemCreditOverrun {
        /// The call.
        call: CallId,
    },
    /// A large item that was begun while those under way filled the window.
    #[error("a large item of {call} was begun while the window was full of others")]
    ItemsOverrun {
        /// The call.
        call: CallId,
    },
    /// An item over the limit this end had stated.
    #[error("an item of {total} bytes is over the stated limit of {limit}")]
    ItemTooLarge {
        /// The declared size of the item in bytes.
        total: u64,
        /// The stated limit in bytes.
        limit: u64,
    },
    /// Metadata over the limit of the protocol.
    #[error("metadata of {size} bytes is over the limit of {limit}")]
    MetadataSize {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A second farewell.
    #[error("a farewell was said twice")]
    SecondFarewell,
    /// An acknowledgement of a farewell that was not said.
    #[error("a farewell was acknowledged that was not said")]
    UnexpectedFarewellAck,
}
