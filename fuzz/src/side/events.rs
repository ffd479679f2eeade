//! What an end is told, and that it makes sense.

use pipe_rpc_core::proto::{Body, CallId, Ending, Event, IncomingCall, ItemsEnd, StreamId, cost};

use super::{Inbox, PATTERN, Running, Side, own, peers};

impl Side {
    /// Looks at all that happened since the last time.
    pub fn note_events(&mut self) {
        while let Some(event) = self.proto.poll_event() {
            self.note(event);
        }
        if self.is_over {
            return;
        }
        assert_eq!(self.proto.outgoing_open(), self.taken.len());
        assert_eq!(
            self.proto.incoming_open(),
            self.announced.len() + self.running.len()
        );
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Announced(call, _) => {
                assert!(!self.announced.contains(&call));
                self.announced.push(call);
            }
            Event::Withdrawn(call) => take_out(&mut self.announced, |known| *known == call),
            Event::Incoming(call) => self.note_call(&call),
            Event::Interrupted(call) => {
                let running = self.running.iter_mut().find(|running| running.call == call);
                let running = running.expect("a call that runs");
                assert!(
                    !std::mem::replace(&mut running.interrupted, true),
                    "{call} is stopped once"
                );
            }
            Event::Metadata(call, _) => assert!(self.is_waiting(call)),
            Event::Streaming(call) => {
                let waiting = self.waiting.iter_mut().find(|waiting| waiting.call == call);
                let waiting = waiting.expect("a call that somebody waits for");
                assert!(
                    !std::mem::replace(&mut waiting.streaming, true),
                    "{call} has one stream"
                );
                let buffer = waiting.buffer;
                self.open_inbox(own(call), buffer);
            }
            Event::Items(id, mut items) => {
                assert!(!items.is_empty(), "an event for nothing");
                while let Some(item) = items.pop() {
                    self.note_item(id, &Body::copy_from(item));
                }
            }
            Event::Item(id, item) => self.note_item(id, &item),
            Event::UploadEnded(call, end) => self.close_inbox(peers(call), matches!(end, ItemsEnd::Complete)),
            Event::Ended {
                call,
                ending,
                is_free,
            } => {
                self.note_ending(call, &ending);
                if is_free {
                    take_out(&mut self.taken, |known| *known == call);
                }
            }
            Event::Freed(call) => take_out(&mut self.taken, |known| *known == call),
            Event::UploadStopped(call) => assert!(self.is_waiting(call)),
            Event::Goaway(goaway) => {
                assert!(
                    !(self.peer_is_honest && goaway.is_protocol_error),
                    "{}",
                    goaway.text
                );
            }
            Event::Farewell => assert!(!std::mem::replace(&mut self.peer_left, true)),
            Event::FarewellAcked => self.acknowledged = true,
            Event::Room(_) | Event::Pong(_) | Event::Timeout(_) => {}
        }
    }

    fn note_call(&mut self, call: &IncomingCall) {
        self.announced.retain(|announced| *announced != call.id);
        assert!(
            self.running.iter().all(|running| running.call != call.id),
            "{} came twice",
            call.id
        );
        self.check(&call.body);
        let head = call.head;
        self.running.push(Running {
            call: call.id,
            interrupted: false,
            oneway: head.oneway,
            streaming: false,
        });
        if head.upload {
            self.open_inbox(peers(call.id), head.buffer);
        }
    }

    fn note_ending(&mut self, call: CallId, ending: &Ending) {
        take_out(&mut self.waiting, |waiting| waiting.call == call);
        if let Ending::Succeeded(body) = ending {
            self.check(body);
        }
        if self.inboxes.iter().any(|inbox| inbox.id == own(call)) {
            self.close_inbox(own(call), matches!(ending, Ending::StreamEnded));
        }
    }

    fn open_inbox(&mut self, id: StreamId, buffer: u16) {
        let most = self.granted.stream;
        let credit = if buffer == 0 {
            most
        } else {
            most.min(u64::from(buffer) << 10)
        };
        self.inboxes.push(Inbox {
            id,
            credit,
            held: 0,
            items: 0,
        });
    }

    fn note_item(&mut self, id: StreamId, item: &Body) {
        self.check(item);
        let inbox = self.inboxes.iter_mut().find(|inbox| inbox.id == id);
        let inbox = inbox.expect("a stream that is read");
        assert!(inbox.held < inbox.credit, "what is kept is bounded");
        inbox.held += cost(item.len());
        inbox.items += 1;
        assert!(item.len() as u64 <= self.granted.max_body);
    }

    fn close_inbox(&mut self, id: StreamId, complete: bool) {
        let at = self.inboxes.iter().position(|inbox| inbox.id == id);
        let inbox = self.inboxes.swap_remove(at.expect("a stream that is read"));
        if complete {
            self.complete.push((id, inbox.items));
        }
    }

    fn is_waiting(&self, call: CallId) -> bool {
        self.waiting.iter().any(|waiting| waiting.call == call)
    }

    fn check(&self, body: &Body) {
        if self.peer_is_honest {
            assert!(body.as_ref() == &PATTERN[..body.len()], "not a byte is wrong");
        }
    }
}

/// What is there is there once.
fn take_out<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) {
    let at = all.iter().position(is_it).expect("what begins ends once");
    all.remove(at);
}
