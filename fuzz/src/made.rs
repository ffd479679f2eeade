//! Packets made of input: nearly right ones, and plain garbage.

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::testing::Frame;
use pipe_rpc_core::testing::frame::{self, EXT, MORE, ONEWAY, OPENER, STREAM};

const REQUEST: u8 = 1;
const FRAGMENT: u8 = 4;

/// What fits into the smallest packet behind a frame's header, in bytes.
const MOST: u64 = 4096 - 16;

/// Flags that belong together.
const FLAGS: [u8; 14] = [
    0,
    OPENER,
    MORE,
    OPENER | MORE,
    OPENER | ONEWAY,
    OPENER | STREAM,
    OPENER | STREAM | MORE,
    STREAM,
    EXT,
    OPENER | EXT,
    OPENER | EXT | MORE,
    OPENER | EXT | STREAM,
    OPENER | ONEWAY | MORE,
    STREAM | EXT,
];

/// What no end would say, and what one might.
pub struct Peer<'a> {
    service: u32,
    methods: &'a [u32],
    /// How often it used each of the first slots.
    generations: [u32; 4],
    /// Bodies that were begun, and how many bytes of each are still to come.
    begun: Vec<(Frame, u64)>,
}

impl<'a> Peer<'a> {
    /// The service and the methods are those that exist.
    pub fn new(service: u32, methods: &'a [u32]) -> Self {
        Self {
            service,
            methods,
            generations: [0; 4],
            begun: Vec::new(),
        }
    }

    /// A packet of whatever the input says.
    pub fn packet(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let count = u.arbitrary::<u8>()? % 8;
        if count == 0 {
            let size = usize::from(u.arbitrary::<u8>()?).min(u.len());
            return Ok(u.bytes(size)?.to_vec());
        }
        // One frame is the rule.
        let count = count.saturating_sub(4).max(1);
        let frames: Result<Vec<Frame>> = (0..count).map(|_| self.frame(u)).collect();
        Ok(frame::packet(&frames?))
    }

    fn frame(&mut self, u: &mut Unstructured<'_>) -> Result<Frame> {
        let kind = match u.arbitrary::<u8>()? % 16 {
            0 => REQUEST,
            15 => u.arbitrary()?,
            kind => kind,
        };
        if kind == FRAGMENT && !self.begun.is_empty() {
            return self.fragment(u);
        }
        let flags = match u.arbitrary::<u8>()? % 16 {
            15 => u.arbitrary()?,
            14 => OPENER | EXT | MORE | STREAM,
            which => FLAGS[usize::from(which)],
        };
        let (slot, generation) = self.call(u, kind)?;
        let body = body(u)?;
        let mut head = head(u, kind, flags, body.len(), self.service, self.methods)?;
        if flags & MORE != 0
            && let Some(total) = head.last_chunk()
        {
            let rest = u64::from_le_bytes(*total).saturating_sub(body.len() as u64);
            let next = Frame::new(FRAGMENT, flags & OPENER, (slot, generation));
            self.begun.push((next, rest));
        }
        if flags & EXT != 0 {
            head.extend(extension(u)?);
        }
        Ok(Frame::new(kind, flags, (slot, generation))
            .with_head(head)
            .with_body(body))
    }

    /// The next call, for a request; else most often the last one of its slot, which may be the other end's first.
    fn call(&mut self, u: &mut Unstructured<'_>, kind: u8) -> Result<(u32, u32)> {
        let slot = number(u)?;
        let generation = number(u)?;
        let last = self.generations.get_mut(slot as usize).filter(|_| generation < 6);
        let Some(last) = last else {
            return Ok((slot, generation));
        };
        if kind == REQUEST {
            *last += 1;
        }
        Ok((slot, (*last).max(1)))
    }

    /// The next part of a body, as it should be, or nearly so.
    fn fragment(&mut self, u: &mut Unstructured<'_>) -> Result<Frame> {
        let [which, size] = u.arbitrary::<[u8; 2]>()?;
        let which = usize::from(which) % self.begun.len();
        let (next, rest) = &mut self.begun[which];
        let part = match size {
            0..200 => MOST.min(*rest),
            200..220 => u64::from(size - 199).min(*rest),
            220..250 => MOST / u64::from(size - 218),
            250.. => rest.saturating_add(u64::from(size - 249)).min(MOST),
        };
        *rest = rest.saturating_sub(part);
        let more = if *rest > 0 { MORE } else { 0 };
        let fragment = next.clone().with_flags(more).with_body(vec![size; part as usize]);
        if more == 0 {
            self.begun.remove(which);
        }
        Ok(fragment)
    }
}

/// A small number most of the time.
fn number(u: &mut Unstructured<'_>) -> Result<u32> {
    match u.arbitrary::<u8>()? {
        255 => u.arbitrary(),
        small => Ok(u32::from(small % 8)),
    }
}

fn body(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let size = u.arbitrary::<u8>()?;
    Ok(match size {
        0..128 => u.bytes(usize::from(size % 32).min(u.len()))?.to_vec(),
        128..192 => vec![size; usize::from(size - 128) * 4],
        192..250 => vec![size; 1000 + usize::from(size - 192) * 50],
        250.. => vec![size; 4096 - 16 - 4 * usize::from(size - 250)],
    })
}

/// A head of the right length, most of the time.
fn head(
    u: &mut Unstructured<'_>,
    kind: u8,
    flags: u8,
    body: usize,
    service: u32,
    methods: &[u32],
) -> Result<Vec<u8>> {
    let mut head = match kind {
        1 => {
            let [way, which, left, depth] = u.arbitrary::<[u8; 4]>()?;
            let mut head = vec![0; 28];
            head[0..4].copy_from_slice(&(service ^ u32::from(way == 255)).to_le_bytes());
            head[4..8].copy_from_slice(&methods[usize::from(which) % methods.len()].to_le_bytes());
            // A deadline of some milliseconds, now and then.
            head[17] = left.saturating_sub(128);
            (head[24], head[25]) = ([0, 0, 0, 1, 40][usize::from(depth % 5)], depth / 128);
            head[26] = left % 4;
            head
        }
        2 | 6 => vec![u.arbitrary::<u8>()? % 4, 0, 0, 0],
        9 => return Ok(total(u, body)?.to_le_bytes().to_vec()),
        10 | 11 => return Ok(u.arbitrary::<[u8; 8]>()?.to_vec()),
        12 => vec![u.arbitrary::<u8>()? % 3, 0],
        15.. => {
            let size = usize::from(u.arbitrary::<u8>()?).min(u.len());
            u.bytes(size)?.to_vec()
        }
        _ => Vec::new(),
    };
    if flags & MORE != 0 && matches!(kind, 1 | 2 | 5) {
        head.extend(total(u, body)?.to_le_bytes());
    }
    Ok(head)
}

/// The size of a body that goes on, or a number that cannot be right.
fn total(u: &mut Unstructured<'_>, body: usize) -> Result<u64> {
    Ok(match u.arbitrary::<u8>()? {
        255 => u64::MAX,
        254 => u.arbitrary()?,
        more => body as u64 + u64::from(more) * if more > 128 { 100 } else { 1 },
    })
}

/// An entry of metadata, right or wrong.
fn extension(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let [tag, key, value] = u.arbitrary::<[u8; 3]>()?;
    let tag = match tag {
        0..200 => 1,
        255 => u.arbitrary()?,
        other => u16::from(other),
    };
    let (key, value) = (usize::from(key % 80), usize::from(value) * 9);
    let mut entry = vec![key as u8];
    entry.resize(1 + key, b'k');
    entry.resize(1 + key + value, 0xfe);
    let mut extension = tag.to_le_bytes().to_vec();
    extension.extend((entry.len() as u16).to_le_bytes());
    extension.extend(entry);
    Ok(extension)
}
