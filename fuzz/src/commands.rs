//! What the user of an end does, as the input says: anything that it may do, in any order.

mod streams;

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::proto::{Answer, BodyLimit, FaultRecord, ItemsEnd, Metadata, RequestHead, code, ran};

use super::side::{MAX_PACKET, METHODS, SERVICE, Side, VERY_LARGE, body};
use streams::{end_upload, open_stream, read, send_items, send_pack, stop_reading};

/// What a frame may cost in the outbox beside its body, in bytes: head, metadata, a fault's text.
const AROUND: usize = 7000;

/// After that nothing is waited for, and no memory of large bodies is kept for further ones.
pub const LONG: Duration = Duration::from_secs(10);

/// The header of a frame, in bytes.
const HEADER: usize = 16;

/// Does one thing, if it can be done now.
pub fn act(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    side.owed += AROUND;
    match u.arbitrary::<u8>()? % 20 {
        0..4 => call(side, u)?,
        4 => {
            if let Some(at) = pick(u, side.waiting.len())? {
                let call = side.waiting[at].call;
                let _ = side.proto.has_left(call);
                side.abandon(call);
            }
        }
        5 => {
            if let Some(at) = pick(u, side.running.len())? {
                side.proto.begin(side.running[at].call);
            }
        }
        6 | 7 => answer(side, u)?,
        8 => {
            let stopped: Vec<_> = (0..side.running.len())
                .filter(|at| side.running[*at].interrupted)
                .collect();
            if let Some(at) = pick(u, stopped.len())? {
                side.answer_interrupted(stopped[at]);
            }
        }
        9 => open_stream(side, u)?,
        10 | 11 => send_items(side, u)?,
        12 => send_pack(side, u)?,
        13 => end_upload(side, u)?,
        14 => read(side, u)?,
        15 => stop_reading(side, u)?,
        16 => side.pass(match u.arbitrary::<u8>()? {
            250.. => LONG,
            milliseconds => Duration::from_millis(u64::from(milliseconds)),
        }),
        17 => describe(side, u)?,
        18 => side.proto.ping(7),
        _ => leave(side, u)?,
    }
    side.note_events();
    Ok(())
}

/// Answers, ends and reads all that there is.
pub fn finish(side: &mut Side) {
    for at in 0..side.inboxes.len() {
        let inbox = &mut side.inboxes[at];
        let (id, held) = (inbox.id, std::mem::take(&mut inbox.held));
        side.proto.take_items(id, held);
    }
    while let Some(running) = side.running.first() {
        match running {
            running if running.interrupted => side.answer_interrupted(0),
            running if running.streaming => side.answer(0, Answer::Failed(body(3))),
            _ => side.answer(0, Answer::Succeeded(body(3))),
        }
    }
    for waiting in &mut side.waiting {
        if std::mem::take(&mut waiting.upload) {
            side.proto.end_upload(waiting.call, ItemsEnd::Failed(body(3)));
        }
    }
    side.note_events();
}

fn call(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let [how, method, time, buffer] = u.arbitrary::<[u8; 4]>()?;
    let depth = u8::from(how & 1 != 0);
    if side.proto.is_parting() || side.peer_left || (side.proto.is_draining() && depth == 0) {
        return Ok(());
    }
    let oneway = how & 6 == 6;
    let head = RequestHead {
        service: SERVICE,
        method: METHODS[usize::from(method) % METHODS.len()],
        fingerprint: 0,
        depth,
        attempt: 0,
        oneway,
        upload: how & 8 != 0 && !oneway,
        buffer: u16::from(buffer % 4),
        deadline: (time > 128).then(|| side.now + Duration::from_millis(u64::from(time - 127))),
    };
    let size = size(side, u)?;
    let metadata = if how & 16 != 0 {
        metadata(u)?
    } else {
        Metadata::new()
    };
    let limits = *side.proto.received();
    let nested = |call| side.proto.is_nested(call) == (depth > 0);
    let open = side.taken.iter().filter(|call| nested(**call)).count();
    let most = if depth > 0 {
        limits.max_nested
    } else {
        limits.max_calls
    };
    let call = side.proto.send_request_with(head, metadata, body(size));
    assert_eq!(
        call.is_some(),
        open < most as usize,
        "a free slot is credit, and nothing else is"
    );
    side.owed += size + size / 10;
    side.call(head, call);
    if let Some(call) = call.filter(|_| how & 32 != 0) {
        side.proto.limit_response(call, u64::from(method) * 50);
    }
    Ok(())
}

fn answer(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(at) = pick(u, side.running.len())? else {
        return Ok(());
    };
    let running = &side.running[at];
    let (call, streaming) = (running.call, running.streaming);
    let may_be_silent = running.oneway;
    let how = u.arbitrary::<u8>()?;
    let record = FaultRecord {
        code: code::OVERLOADED,
        outcome: ran::MAY_HAVE_RUN,
        values: [1, 2],
        text: "x".repeat(usize::from(how) * 20),
    };
    let answer = match how % 8 {
        0..3 if streaming => Answer::StreamEnded,
        0..3 => {
            let (BodyLimit::End(limit) | BodyLimit::Method(limit)) = side.proto.response_limit(call);
            Answer::Succeeded(body(size(side, u)?.min(limit as usize)))
        }
        3 | 4 => Answer::Failed(body(size(side, u)?.min(side.proto.max_body() as usize))),
        5 => Answer::Faulted(record),
        6 => Answer::Refused(record),
        _ if may_be_silent => Answer::Nothing,
        _ => return Ok(()),
    };
    if let Answer::Succeeded(body) | Answer::Failed(body) = &answer {
        side.owed += body.len() + body.len() / 10;
    }
    side.answer(at, answer);
    Ok(())
}

/// Sets metadata of a result.
fn describe(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(at) = pick(u, side.running.len())? else {
        return Ok(());
    };
    let new = metadata(u)?;
    let running = &side.running[at];
    let metadata = side.proto.metadata_mut(running.call);
    assert_eq!(metadata.is_none(), running.streaming);
    if let Some(metadata) = metadata {
        *metadata = new;
    }
    Ok(())
}

/// Drains; or leaves, if no call is open.
fn leave(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let how = u.arbitrary::<u8>()?;
    if how < 200 {
        return Ok(());
    }
    side.proto.drain(&"bye ".repeat(usize::from(how)));
    if how >= 230 && side.proto.outgoing_open() + side.proto.incoming_open() == 0 {
        side.proto.say_farewell();
    }
    Ok(())
}

fn metadata(u: &mut Unstructured<'_>) -> Result<Metadata> {
    let [keys, length] = u.arbitrary::<[u8; 2]>()?;
    let mut metadata = Metadata::new();
    for key in 0..keys % 4 {
        // One that does not fit changes nothing.
        let _ = metadata.insert(&format!("key-{key}"), vec![0; usize::from(length) * 4]);
    }
    Ok(metadata)
}

/// The size of a body: small, just about a packet, several, or very many.
fn size(side: &Side, u: &mut Unstructured<'_>) -> Result<usize> {
    let size = usize::from(u.arbitrary::<u8>()?);
    let packet = side.max_packet - HEADER + 5;
    Ok(match size {
        0..160 => size,
        160..200 => packet - (size - 160),
        200..240 => packet - (size - 200) * 80,
        // In packets that do not make it slow.
        255 if side.max_packet > MAX_PACKET[0] => VERY_LARGE,
        _ => (size - 238) * 4000,
    })
}

fn pick(u: &mut Unstructured<'_>, count: usize) -> Result<Option<usize>> {
    let which = usize::from(u.arbitrary::<u8>()?);
    Ok((count > 0).then(|| which % count))
}
