//! Signs of life.

use tokio::sync::oneshot;

use super::Shared;
use crate::fault::Fault;

/// Whoever waits for the answer to a ping, by the ping's number.
#[derive(Default)]
pub(super) struct Pings {
    last: u64,
    waiting: Vec<(u64, oneshot::Sender<()>)>,
}

impl Pings {
    /// An answer answers all pings before it as well, because the peer may answer only the last one.
    pub(super) fn on_pong(&mut self, payload: u64) {
        for (_, sender) in self.waiting.extract_if(.., |(number, _)| *number <= payload) {
            // Whoever has stopped waiting does not want to know.
            let _ = sender.send(());
        }
    }

    fn next(&mut self) -> (u64, oneshot::Receiver<()>) {
        // Those that nobody waits for any more go first, so that the list is as long as there are waiting callers.
        self.waiting.retain(|(_, sender)| !sender.is_closed());
        self.last += 1;
        let (sender, receiver) = oneshot::channel();
        self.waiting.push((self.last, sender));
        (self.last, receiver)
    }
}

impl Shared {
    /// Resolves when the peer has answered; it takes no credit and no part of the peer's services.
    pub(crate) async fn ping(&self) -> Result<(), Fault> {
        let receiver = {
            let mut state = self.lock();
            if state.end.is_some() {
                drop(state);
                return Err(self.refusal());
            }
            let (number, receiver) = state.pings.next();
            state.proto.ping(number);
            self.flush_or_gather(state);
            receiver
        };
        receiver.await.map_err(|_| self.refusal())
    }
}
