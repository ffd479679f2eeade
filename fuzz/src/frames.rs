//! One end, in the middle of whatever the input made it do, hears packets that the input makes: nothing panics, what it
//! tells and sends stays in order, and its memory is bounded.

use arbitrary::{Result, Unstructured};

use super::connection::LIMITS;
use super::side::{METHODS, SERVICE, Side};
use super::{commands, made};

/// The most that an end may have to say for each of the peer's calls and its own beside what its user does, in bytes.
const FOR_A_CALL: usize = 300;

/// The first byte chooses what is granted, and the transport; then come things to do, and packets.
pub fn run(input: &[u8]) {
    let mut u = Unstructured::new(input);
    let grants = u.arbitrary::<u8>().unwrap_or_default();
    let [granted, received] = [grants, grants >> 2].map(|which| LIMITS[usize::from(which % 4)]);
    let mut side = Side::new(granted, received, grants >> 4);
    side.peer_is_honest = false;
    let mut peer = made::Peer::new(SERVICE, &METHODS);
    let calls = [granted, received].map(|limits| limits.max_calls + limits.max_nested);
    let for_calls = calls.iter().sum::<u32>() as usize * FOR_A_CALL + 5000;
    side.owed += for_calls;
    while !u.is_empty() {
        match step(&mut side, &mut peer, &mut u, for_calls) {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
    }
    send_all(&mut side);
}

/// False: the peer was found out, the connection ends.
fn step(
    side: &mut Side,
    peer: &mut made::Peer<'_>,
    u: &mut Unstructured<'_>,
    for_calls: usize,
) -> Result<bool> {
    match u.arbitrary::<u8>()? {
        0..100 => commands::act(side, u)?,
        100..140 => {
            side.take();
            side.owed += for_calls;
        }
        140..150 => {
            send_all(side);
            side.owed += for_calls;
        }
        _ => {
            let packet = peer.packet(u)?;
            if let Err(error) = side.hear(&packet) {
                side.owed += 5000;
                side.proto.report(&error);
                return Ok(false);
            }
        }
    }
    side.complete.clear();
    Ok(true)
}

fn send_all(side: &mut Side) {
    while side.take().is_some() {}
    assert!(
        side.sent_bytes <= side.owed,
        "{} bytes of {}",
        side.sent_bytes,
        side.owed
    );
}
