//! Both ends greet: Hello, then Hello or Reject. PROTOCOL.md section 3.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::ConnectError;
use crate::codec::Codec;
use crate::proto::{
    Agreed, Hello, HelloAnswer, HelloError, MAX_CREDIT, MAX_SECRET, Reject, RejectCode, VERSION,
};
use crate::transport::{Link, Packet, PacketReceiver, PacketSender};

/// What one end grants the other, and how long it waits for its greeting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How many calls the other end may have open; 1 to 65,536, 1,024 unless set. Further callers there wait.
    pub max_calls: u32,
    /// How many nested calls the other end may have open beside them; 0 to 65,536, 1,024 unless set.
    pub max_nested: u32,
    /// How many bytes of bodies larger than a packet the other end may send before they are taken; 16 MiB unless set. Of
    /// items of streams that are larger than a packet, as many bytes may be half sent.
    pub window: u64,
    /// The largest body this end takes, in bytes, of methods without a limit of their own; 128 MiB unless set.
    pub max_body: u64,
    /// How many bytes of each stream of items the other end may send before they are taken, where an item counts 64
    /// bytes more than it has; 1 or more, 256 KiB unless set. The last item may go beyond.
    pub stream_buffer: u64,
    /// The codecs this end offers, the preferred one first; bincode and JSON unless set. The first in the client's list
    /// that both ends offer is used.
    pub codecs: Vec<Codec>,
    /// What a client must know to be let in, at most 1,024 bytes.
    pub secret: Option<Vec<u8>>,
    /// How long the greeting may take; 5 s unless set.
    pub handshake_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_calls: 1024,
            max_nested: 1024,
            window: 16 << 20,
            max_body: 128 << 20,
            stream_buffer: 256 << 10,
            codecs: vec![Codec::Bincode, Codec::Json],
            secret: None,
            handshake_timeout: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// The same within the ranges that the fields state.
    fn hello(&self, max_packet: usize, services: Vec<String>) -> Hello {
        Hello {
            lowest: VERSION,
            highest: VERSION,
            features: 0,
            codecs: self.codecs.iter().map(|codec| codec.number()).collect(),
            // A pipe's packet limit is far below 4 GiB.
            max_packet: u32::try_from(max_packet).unwrap_or(u32::MAX),
            max_calls: self.max_calls.clamp(1, MAX_CREDIT),
            max_nested: self.max_nested.min(MAX_CREDIT),
            window: self.window.max(1),
            max_body: self.max_body,
            stream: self.stream_buffer.max(1),
            secret: None,
            product: concat!("pipe-rpc ", env!("CARGO_PKG_VERSION")).to_owned(),
            services,
        }
    }
}

/// What both ends agreed on.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    pub(crate) agreed: Agreed,
    pub(crate) codec: Codec,
}

/// The client's half: speaks first.
pub(crate) async fn connect(
    link: &mut Link,
    config: &Config,
    services: Vec<String>,
) -> Result<Handshake, ConnectError> {
    let limit = config.handshake_timeout;
    let greeting = async {
        let ours = Hello {
            secret: config.secret.clone(),
            ..config.hello(link.max_packet, services)
        };
        send(&*link.sender, &ours.encode()).await?;
        let packet = recv(&mut *link.receiver).await?.ok_or(ConnectError::Left)?;
        let theirs = match HelloAnswer::decode(&packet)? {
            HelloAnswer::Hello(theirs) => theirs,
            HelloAnswer::Reject(reject) => return Err(rejected(reject)),
        };
        let agreed = Agreed::of(&ours, &theirs, &ours).map_err(nothing_in_common)?;
        // Without credit every call would wait for ever.
        if agreed.received.max_calls == 0 {
            return Err(HelloError::OutOfRange.into());
        }
        handshake(agreed).ok_or(ConnectError::NothingInCommon(RejectCode::Codec))
    };
    tokio::time::timeout(limit, greeting)
        .await
        .map_err(|_| ConnectError::HandshakeTimeout(limit))?
}

/// The server's half: listens, then lets the client in or says why not.
pub(crate) async fn accept(
    link: &mut Link,
    config: &Config,
    services: Vec<String>,
) -> Result<Handshake, ConnectError> {
    let limit = config.handshake_timeout;
    let greeting = async {
        let packet = recv(&mut *link.receiver).await?.ok_or(ConnectError::Left)?;
        let ours = config.hello(link.max_packet, services);
        match check(&ours, &packet, config.secret.as_deref()) {
            Ok(handshake) => {
                send(&*link.sender, &ours.encode()).await?;
                Ok(handshake)
            }
            Err(reject) => {
                send(&*link.sender, &reject.encode()).await?;
                Err(rejected(reject))
            }
        }
    };
    tokio::time::timeout(limit, greeting)
        .await
        .map_err(|_| ConnectError::HandshakeTimeout(limit))?
}

/// What follows from the client's greeting, or why it is not let in.
fn check(ours: &Hello, packet: &[u8], secret: Option<&[u8]>) -> Result<Handshake, Reject> {
    let reject = |code, text: &str| Reject {
        code,
        lowest: ours.lowest,
        highest: ours.highest,
        retry_after: None,
        text: text.to_owned(),
    };
    let theirs = Hello::decode(packet).map_err(|error| reject(RejectCode::Malformed, &error.to_string()))?;
    if let Some(secret) = secret {
        let told = theirs.secret.as_deref().unwrap_or_default();
        // Compared in constant time, so that how long it takes tells nothing of how much was right.
        if told.len() > MAX_SECRET || !bool::from(told.ct_eq(secret)) {
            return Err(reject(
                RejectCode::Secret,
                "the secret is missing or wrong; give the server's secret",
            ));
        }
    }
    let agreed = Agreed::of(ours, &theirs, &theirs).map_err(|code| reject(code, &text_for(code, ours)))?;
    handshake(agreed).ok_or_else(|| reject(RejectCode::Codec, &text_for(RejectCode::Codec, ours)))
}

fn nothing_in_common(code: RejectCode) -> ConnectError {
    match code {
        RejectCode::Malformed => HelloError::OutOfRange.into(),
        code => ConnectError::NothingInCommon(code),
    }
}

fn handshake(agreed: Agreed) -> Option<Handshake> {
    Codec::from_number(agreed.codec).map(|codec| Handshake { agreed, codec })
}

fn text_for(code: RejectCode, ours: &Hello) -> Cow<'static, str> {
    match code {
        RejectCode::Version => {
            "no version of the protocol that both ends speak; update the older program".into()
        }
        RejectCode::Codec => format!(
            "no codec that both ends offer; this one offers {}",
            names(&ours.codecs)
        )
        .into(),
        _ => "a limit in the greeting is out of range; the limits are in section 3 of PROTOCOL.md".into(),
    }
}

/// The codecs for people: `1 (bincode), 2 (JSON)`.
fn names(codecs: &[u8]) -> String {
    let name = |number| match Codec::from_number(number) {
        Some(codec) => format!("{number} ({codec})"),
        None => number.to_string(),
    };
    let names: Vec<String> = codecs.iter().copied().map(name).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

fn rejected(reject: Reject) -> ConnectError {
    ConnectError::Rejected {
        code: reject.code,
        retry_after: reject.retry_after,
        text: reject.text.into(),
    }
}

async fn send(sender: &dyn PacketSender, packet: &[u8]) -> io::Result<()> {
    loop {
        poll_fn(|cx| sender.poll_ready(cx)).await?;
        match sender.try_send(&[IoSlice::new(packet)]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => {
                result?;
                return poll_fn(|cx| sender.poll_flush(cx)).await;
            }
        }
    }
}

async fn recv(receiver: &mut dyn PacketReceiver) -> io::Result<Option<Packet>> {
    poll_fn(|cx| receiver.poll_recv(cx)).await
}
