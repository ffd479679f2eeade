//! The task that sends the items that follow a request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Ambient;
use super::faults::record_of;
use super::pump::{Pump, Pumped};
use super::shared::Shared;
use super::streams::Outlet;
use crate::proto::ItemsEnd;
use crate::streaming::{ItemError, Items};

/// Sends the items of one call of this end's, until they end or the call does.
pub(super) struct UploadTask {
    pump: Pump,
    outlet: Outlet,
    shared: Arc<Shared>,
}

impl UploadTask {
    pub(super) fn new(shared: &Arc<Shared>, outlet: Outlet, items: Items, ambient: Option<Ambient>) -> Self {
        Self {
            pump: Pump::new(shared, outlet, items, ambient),
            outlet,
            shared: Arc::clone(shared),
        }
    }
}

impl Future for UploadTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let end = match ready!(self.pump.poll(cx)) {
            // Whoever wants no more is told that no more comes.
            Pumped::Unwanted | Pumped::Ended(Ok(())) => ItemsEnd::Complete,
            Pumped::Ended(Err(ItemError::Failed(error))) => ItemsEnd::Failed(error),
            Pumped::Ended(Err(ItemError::Fault(fault))) => ItemsEnd::Faulted(record_of(&fault)),
        };
        self.shared.end_upload(self.outlet, end);
        Poll::Ready(())
    }
}
