//! The server's "no": Reject, and whichever of the two answers it gives. PROTOCOL.md section 3.2.

use std::time::Duration;

use super::call::truncated;
use super::hello::{FIXED, Hello, HelloError};
use super::wire::{u16_at, u32_at};

const REJECT: [u8; 8] = *b"pipe-rej";

/// Why a server does not let a client in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub code: RejectCode,
    /// The lowest version the server speaks.
    pub lowest: u16,
    /// The highest version the server speaks.
    pub highest: u16,
    /// When to come again, if that helps; precise to the millisecond.
    pub retry_after: Option<Duration>,
    /// A text a person can act on.
    pub text: String,
}

/// The reasons to reject a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectCode {
    /// No version that both speak.
    Version,
    /// The secret is missing or wrong.
    Secret,
    /// The Hello could not be understood.
    Malformed,
    /// The server is shutting down or full.
    Unavailable,
    /// No codec that both have.
    Codec,
    /// A code that this version does not know.
    Other(u16),
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Come in.
    Hello(Hello),
    /// Stay out.
    Reject(Reject),
}

impl Reject {
    /// The packet that says it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let text = truncated(&self.text).as_bytes();
        let after = self.retry_after.map_or(0, |after| {
            u32::try_from(after.as_millis()).unwrap_or(u32::MAX).max(1)
        });
        let mut packet = Vec::with_capacity(FIXED + 8 + text.len());
        packet.extend_from_slice(&REJECT);
        packet.extend_from_slice(&self.lowest.to_le_bytes());
        packet.extend_from_slice(&self.highest.to_le_bytes());
        packet.extend_from_slice(&(8 + text.len() as u32).to_le_bytes());
        packet.extend_from_slice(&self.code.to_wire().to_le_bytes());
        packet.extend_from_slice(&[0; 2]);
        packet.extend_from_slice(&after.to_le_bytes());
        packet.extend_from_slice(text);
        packet
    }

    fn decode(packet: &[u8]) -> Result<Self, HelloError> {
        if packet.len() < FIXED + 8 || u32_at(packet, 12) as usize != packet.len() - FIXED {
            return Err(HelloError::Malformed);
        }
        let after = u32_at(packet, FIXED + 4);
        Ok(Self {
            code: RejectCode::from_wire(u16_at(packet, FIXED)),
            lowest: u16_at(packet, 8),
            highest: u16_at(packet, 10),
            retry_after: (after != 0).then(|| Duration::from_millis(after.into())),
            text: truncated(&String::from_utf8_lossy(&packet[FIXED + 8..])).to_owned(),
        })
    }
}

impl Answer {
    /// Reads what the server answered.
    ///
    /// # Errors
    /// If it is neither a Hello nor a Reject, or one that cannot be understood.
    pub fn decode(packet: &[u8]) -> Result<Self, HelloError> {
        if packet.starts_with(&REJECT) {
            return Reject::decode(packet).map(Self::Reject);
        }
        Hello::decode(packet).map(Self::Hello)
    }
}

impl RejectCode {
    fn to_wire(self) -> u16 {
        match self {
            Self::Version => 1,
            Self::Secret => 2,
            Self::Malformed => 3,
            Self::Unavailable => 4,
            Self::Codec => 5,
            Self::Other(code) => code,
        }
    }

    fn from_wire(code: u16) -> Self {
        match code {
            1 => Self::Version,
            2 => Self::Secret,
            3 => Self::Malformed,
            4 => Self::Unavailable,
            5 => Self::Codec,
            code => Self::Other(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_reads_back() {
        let reject = Reject {
            code: RejectCode::Version,
            lowest: 2,
            highest: 3,
            retry_after: Some(Duration::from_millis(1500)),
            text: "update the client".to_owned(),
        };
        assert_eq!(Answer::decode(&reject.encode()), Ok(Answer::Reject(reject)));
    }
}
