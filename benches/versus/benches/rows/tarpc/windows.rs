//! tokio's named pipe, used as tokio's documentation has it.

use std::io;
use std::mem;

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use tokio::task::yield_now;
use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;

use crate::place::Place;

pub(super) struct Listener {
    place: Place,
    /// There before the one in front of it is handed out, so that the name is always there.
    next: NamedPipeServer,
}

impl Listener {
    pub(super) fn bind(place: &Place) -> io::Result<Self> {
        let place = place.clone();
        let next = ServerOptions::new()
            .first_pipe_instance(true)
            .create(place.path())?;
        Ok(Self { place, next })
    }

    pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let next = ServerOptions::new().create(self.place.path())?;
        Ok(mem::replace(&mut self.next, next))
    }
}

/// Asks again while all instances are taken.
pub(super) async fn connect(place: &Place) -> io::Result<NamedPipeClient> {
    loop {
        match ClientOptions::new().open(place.path()) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed()) => yield_now().await,
            done => return done,
        }
    }
}
