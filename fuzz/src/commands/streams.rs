//! What the user of an end does with the streams of its calls.

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::proto::{FaultRecord, ItemsEnd, Opener, Pack, Room, StreamId, cost};

use super::super::side::{Side, body, own, peers};
use super::{AROUND, HEADER, pick, size};

/// The largest item that may be among others.
const LARGEST_SMALL: usize = 4096 - HEADER - 1;

pub(super) fn open_stream(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
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
pub(super) fn send_items(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(id) = pick_stream(side, u)? else {
        return Ok(());
    };
    for _ in 0..=u.arbitrary::<u8>()? % 4 {
        let size = size(side, u)?.min(side.proto.max_body() as usize);
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

/// Sends small items together, as many as there is room for.
pub(super) fn send_pack(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(id) = pick_stream(side, u)? else {
        return Ok(());
    };
    let count = u.arbitrary::<u8>()?;
    let size = size(side, u)?.min(LARGEST_SMALL);
    let Room::Open(mut left) = side.proto.room(id) else {
        return Ok(());
    };
    let mut pack = Pack::default();
    for _ in 0..count {
        if left == 0 {
            break;
        }
        pack.push(body(size).as_ref());
        left = left.saturating_sub(cost(size));
    }
    side.owed += AROUND + pack.len() * (HEADER + size);
    *side.sent.entry(id).or_default() += pack.len() as u32;
    assert!(side.proto.send_items(id, &mut pack) && pack.is_empty());
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

pub(super) fn end_upload(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(at) = pick(u, side.waiting.len())? else {
        return Ok(());
    };
    let end = match u.arbitrary::<u8>()? % 4 {
        0 => {
            let size = size(side, u)?;
            side.owed += size;
            ItemsEnd::Failed(body(size))
        }
        1 => ItemsEnd::Faulted(FaultRecord::default()),
        _ => ItemsEnd::Complete,
    };
    let waiting = &mut side.waiting[at];
    let open = std::mem::take(&mut waiting.upload);
    assert_eq!(side.proto.end_upload(waiting.call, end), open);
    Ok(())
}

/// Takes some of what came on a stream.
pub(super) fn read(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    if let Some(at) = pick(u, side.inboxes.len())? {
        let inbox = &mut side.inboxes[at];
        let part = inbox.held * u64::from(u.arbitrary::<u8>()? % 5) / 4;
        inbox.held -= part;
        side.proto.take_items(inbox.id, part);
    }
    Ok(())
}

/// The items of a call of the peer's are not wanted any more.
pub(super) fn stop_reading(side: &mut Side, u: &mut Unstructured<'_>) -> Result<()> {
    let uploads: Vec<_> = (0..side.inboxes.len())
        .filter(|at| side.inboxes[*at].id.opener == Opener::Peer)
        .collect();
    if let Some(at) = pick(u, uploads.len())? {
        let inbox = side.inboxes.remove(uploads[at]);
        side.proto.stop_items(inbox.id.call);
    }
    Ok(())
}
