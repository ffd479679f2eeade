//! The server's end of a name: keeps free instances ready in a task of its own.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use rpc_core::transport::Link;
use tokio::runtime::Handle;
use tokio::time::timeout;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY};

use super::file_unsafe::{File, Place};
use super::instance::Blueprint;
use super::link::link;
use super::listening::{Listening, Work};
use super::security::{self, DescriptorError};
use crate::backoff::Backoff;
use crate::error::BindError;
use crate::gauges::Gauges;
use crate::name::NativeName;
use crate::options::ServerOptions;

/// Takes the name and keeps `spare_instances` free instances ready; a task of its own accepts into a bounded queue.
///
/// The system frees the name when the last instance is gone, and each accepted pipe is one.
#[derive(Debug)]
pub(crate) struct Acceptor(Arc<Listening>);

impl Acceptor {
    pub(crate) fn bind(
        name: &NativeName,
        options: &ServerOptions,
        gauges: Arc<Gauges>,
    ) -> Result<Self, BindError> {
        let runtime = Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        let failed = |source: io::Error| bind_failure(name, source);
        let blueprint = Blueprint::new(name, options).map_err(|error| match error {
            DescriptorError::Access(error) => error.into(),
            DescriptorError::System(error) => failed(error),
        })?;
        let task = Task {
            blueprint,
            spare_instances: options.spare_instances,
            max_packet: options.max_packet,
            listening: Listening::new(Arc::clone(&gauges)),
            gauges,
            backoff: None,
        };
        let acceptor = Self(Arc::clone(&task.listening));
        let first = task.blueprint.make(Place::First).map_err(failed)?;
        task.listening.arm(first).map_err(failed)?;
        task.refill().map_err(failed)?;
        runtime.spawn(task.run());
        Ok(acceptor)
    }

    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.0.poll_accept(cx)
    }

    pub(crate) fn close(&mut self) {
        self.0.close();
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.close();
    }
}

fn bind_failure(name: &NativeName, source: io::Error) -> BindError {
    let name = name.to_string();
    match source.raw_os_error().map(i32::cast_unsigned) {
        // What the system answers to a first instance that is not the first.
        Some(ERROR_ACCESS_DENIED | ERROR_PIPE_BUSY) => BindError::NameTaken { name },
        _ => BindError::Io { name, source },
    }
}

/// Makes links of connected instances, and an instance for each.
struct Task {
    blueprint: Blueprint,
    spare_instances: usize,
    max_packet: usize,
    listening: Arc<Listening>,
    gauges: Arc<Gauges>,
    /// The pauses since an instance failed or could not be made, until a client comes.
    backoff: Option<Backoff>,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.listening.next_work() {
                Work::Serve(instance) => {
                    self.backoff = None;
                    // First the replacement, so that there always is a free instance.
                    self.refill_or_back_off();
                    self.serve(instance);
                    self.listening.end_work();
                }
                Work::Wait => self.wait().await,
                Work::Stop => return,
            }
        }
    }

    /// Waits for work, or until it is time to make what is missing.
    async fn wait(&mut self) {
        if self.listening.take_failure() {
            self.backoff.get_or_insert_with(Backoff::new);
        }
        if self.listening.unserved() >= self.spare_instances {
            return self.listening.work().await;
        }
        if let Some(backoff) = &mut self.backoff
            && timeout(backoff.next_pause(), self.listening.work()).await.is_ok()
        {
            return;
        }
        if self.listening.begin_work() {
            self.refill_or_back_off();
            self.listening.end_work();
        }
    }

    fn refill_or_back_off(&mut self) {
        let Err(error) = self.refill() else { return };
        if self.backoff.is_none() {
            tracing::warn!(%error, "a free instance of a pipe could not be made; it is tried again");
        }
        self.backoff.get_or_insert_with(Backoff::new);
    }

    fn refill(&self) -> io::Result<()> {
        for _ in self.listening.unserved()..self.spare_instances {
            self.listening.arm(self.blueprint.make(Place::Further)?)?;
        }
        Ok(())
    }

    fn serve(&self, instance: Arc<File>) {
        let peer = security::client_of(&instance);
        let counted = self.gauges.count_connected();
        self.listening
            .hand_out(link(instance, peer, self.max_packet, Some(counted)));
    }
}

impl Drop for Task {
    /// With its runtime gone nobody would serve the clients that still come.
    fn drop(&mut self) {
        self.listening.close();
    }
}
