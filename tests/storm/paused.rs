//! A pipe whose reading pauses and goes on when the test wants it.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use pipe_rpc::transport::{Landing, Link, Listener, Packet, PacketReceiver};
use tokio::time::Instant;

use super::random::Random;

/// Whether an end reads.
#[derive(Default)]
pub(crate) struct Weather(Mutex<Reading>);

#[derive(Default)]
struct Reading {
    paused: bool,
    reader: Option<Waker>,
}

impl Weather {
    fn pause(&self, paused: bool) {
        let mut reading = self.0.lock().unwrap();
        reading.paused = paused;
        let reader = reading.reader.take();
        drop(reading);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Pauses and goes on at random until then; the last is that it goes on.
    pub(crate) async fn change(self: Arc<Self>, mut random: Random, until: Instant) {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_micros(random.below(30_000))).await;
            self.pause(true);
            tokio::time::sleep(Duration::from_micros(random.below(20_000))).await;
            self.pause(false);
        }
    }
}

struct Paused {
    inner: Box<dyn PacketReceiver>,
    weather: Arc<Weather>,
}

impl Paused {
    fn poll_fine(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut reading = self.weather.0.lock().unwrap();
        reading.reader = Some(cx.waker().clone());
        if reading.paused {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl PacketReceiver for Paused {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        ready!(self.poll_fine(cx));
        self.inner.poll_recv(cx)
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        ready!(self.poll_fine(cx));
        self.inner.poll_recv_landing(cx, landing)
    }
}

/// The same link, read as the weather allows.
pub(crate) fn paused(link: Link, weather: &Arc<Weather>) -> Link {
    let receiver = Box::new(Paused {
        inner: link.receiver,
        weather: Arc::clone(weather),
    });
    Link { receiver, ..link }
}

/// A listener whose links are read as the weather allows.
pub(crate) struct PausedListener {
    inner: Box<dyn Listener>,
    weather: Arc<Weather>,
}

impl PausedListener {
    pub(crate) fn new(inner: impl Listener, weather: &Arc<Weather>) -> Self {
        Self {
            inner: Box::new(inner),
            weather: Arc::clone(weather),
        }
    }
}

impl Listener for PausedListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let accepted = self.inner.poll_accept(cx);
        accepted.map_ok(|link| paused(link, &self.weather))
    }

    fn close(&mut self) {
        self.inner.close();
    }

    fn local_name(&self) -> String {
        self.inner.local_name()
    }
}
