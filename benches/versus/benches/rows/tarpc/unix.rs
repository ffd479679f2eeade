//! A Unix socket.

use std::io;

use tokio::net::{UnixListener, UnixStream};

use crate::place::Place;

pub(super) struct Listener(UnixListener);

impl Listener {
    pub(super) fn bind(place: &Place) -> io::Result<Self> {
        UnixListener::bind(place.path()).map(Self)
    }

    pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
        let (stream, _) = self.0.accept().await?;
        Ok(stream)
    }
}

pub(super) async fn connect(place: &Place) -> io::Result<UnixStream> {
    UnixStream::connect(place.path()).await
}
