//! What the user of an end does, as the input says: anything that it may do, in any order.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::proto::{
    Answer, BodyLimit, FaultRecord, ItemsEnd, Metadata, Opener, RequestHead, Room, StreamId, code, ran,
};

use super::side::{METHODS, SERVICE, Side, body, own, peers};

/// What a frame may cost in the outbox beside its body, in bytes: head, metadata, a fault's text.
const AROUND: usize = 7000;

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
        10..13 => send_items(side, u)?,
        13 => end_upload(side, u)?,
        14 => read(side, u)?,
        15 => stop_reading(side, u)?,
        16 => side.pass(Duration::from_millis(u64::from(u.arbitrary::<u8>()?))),
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
    let size = size(u)?;
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
            Answer::Succeeded(body(size(u)?.min(limit as usize)))
        }
        3 | 4 => Answer::Failed(body(size(u)?.min(side.proto.max_body() as usize))),
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

fn open_stream(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(at) = pick(u, side.running.len())? else {
        return Ok(());
    };
    let running = &mut side.running[at];
    let may_open = !(running.oneway || running.interrupted || running.streaming);
    assert_eq!(side.proto.open_stream(running.call), may_open);
    if may_open {
        running.streaming = true;
        side.sent.insert(peers(running.call), 0);
    }
    Ok(())
}

/// Sends items on one of this end's streams while there is room.
fn send_items(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(id) = pick_stream(side, u)? else {
        return Ok(());
    };
    for _ in 0..=u.arbitrary::<u8>()? % 4 {
        let size = size(u)?.min(side.proto.max_body() as usize);
        match side.proto.room(id) {
            Room::Open(left) => assert!(left > 0),
            Room::Full | Room::Stopped | Room::Over => return Ok(()),
        }
        assert!(side.proto.send_item(id, body(size)));
        side.owed += AROUND + size + size / 10;
        *side.sent.entry(id).or_default() += 1;
    }
    Ok(())
}

fn pick_stream(side: &Side, u: &mut Unstructured<'_>) -> Result<Option<StreamId>> {
    let uploads = side.waiting.iter().filter(|waiting| waiting.upload);
    let downloads = side.running.iter().filter(|running| running.streaming);
    let uploads = uploads.map(|waiting| own(waiting.call));
    let streams: Vec<_> = uploads
        .chain(downloads.map(|running| peers(running.call)))
        .collect();
    Ok(pick(u, streams.len())?.map(|at| streams[at]))
}

fn end_upload(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(at) = pick(u, side.waiting.len())? else {
        return Ok(());
    };
    let end = match u.arbitrary::<u8>()? % 4 {
        0 => ItemsEnd::Failed(body(size(u)?)),
        1 => ItemsEnd::Faulted(FaultRecord::default()),
        _ => ItemsEnd::Complete,
    };
    let waiting = &mut side.waiting[at];
    let open = std::mem::take(&mut waiting.upload);
    assert_eq!(side.proto.end_upload(waiting.call, end), open);
    Ok(())
}

/// Takes some of what came on a stream.
fn read(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    if let Some(at) = pick(u, side.inboxes.len())? {
        let inbox = &mut side.inboxes[at];
        let part = inbox.held * u64::from(u.arbitrary::<u8>()? % 5) / 4;
        inbox.held -= part;
        side.proto.take_items(inbox.id, part);
    }
    Ok(())
}

/// The items of a call of the peer's are not wanted any more.
fn stop_reading(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let uploads: Vec<_> = (0..side.inboxes.len())
        .filter(|at| side.inboxes[*at].id.opener == Opener::Peer)
        .collect();
    if let Some(at) = pick(u, uploads.len())? {
        let inbox = side.inboxes.remove(uploads[at]);
        side.proto.stop_items(inbox.id.call);
    }
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

/// The size of a body: small, just about a packet, or several.
fn size(u: &mut Unstructured<'_>) -> Result<usize> {
    let size = usize::from(u.arbitrary::<u8>()?);
    Ok(match size {
        0..160 => size,
        160..200 => 4096 - 16 + 5 - (size - 160) * 2,
        200..240 => 4096 - 16 + 5 - (size - 200) * 80,
        _ => (size - 238) * 4000,
    })
}

fn pick(u: &mut Unstructured<'_>, count: usize) -> Result<Option<usize>> {
    let which = usize::from(u.arbitrary::<u8>()?);
    Ok((count > 0).then(|| which % count))
}
