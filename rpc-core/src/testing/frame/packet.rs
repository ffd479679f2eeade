//! Packets: several frames, or any bytes.

use super::Frame;

/// One packet of several frames.
#[must_use]
pub fn packet(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}

/// What a packet holds, in short.
///
/// # Panics
/// If the packet does not end where its last frame ends.
#[must_use]
pub fn told(packet: &[u8]) -> Vec<String> {
    Frame::all_of(packet).iter().map(Frame::to_string).collect()
}

/// What can be sent as one packet: a frame, several frames, or bytes that need not be any.
pub trait IntoPacket {
    /// The packet's bytes.
    fn into_packet(self) -> Vec<u8>;
}

impl IntoPacket for Frame {
    fn into_packet(self) -> Vec<u8> {
        self.bytes()
    }
}

impl IntoPacket for &Frame {
    fn into_packet(self) -> Vec<u8> {
        self.bytes()
    }
}

impl<const N: usize> IntoPacket for [Frame; N] {
    fn into_packet(self) -> Vec<u8> {
        packet(&self)
    }
}

impl IntoPacket for &[Frame] {
    fn into_packet(self) -> Vec<u8> {
        packet(self)
    }
}

impl IntoPacket for Vec<u8> {
    fn into_packet(self) -> Vec<u8> {
        self
    }
}

impl IntoPacket for &Vec<u8> {
    fn into_packet(self) -> Vec<u8> {
        self.clone()
    }
}

impl IntoPacket for &[u8] {
    fn into_packet(self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<const N: usize> IntoPacket for &[u8; N] {
    fn into_packet(self) -> Vec<u8> {
        self.to_vec()
    }
}
