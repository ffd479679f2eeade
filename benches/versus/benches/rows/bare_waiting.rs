//! A bare pipe without a runtime: each thread waits for what it asked the system for. The pipe's own price.
//!
//! A large body goes in packets of 64 KiB, and both ends store the whole of it before they go on: of `bulk1m` and
//! `bulk64m` in memory that is used again for the next one, of `vec1m` in a new `Vec` each time.

use std::io;
use std::path::PathBuf;
use std::thread;

use super::{Entry, Listener, Pipe};
use crate::job::Call;
use crate::row::{SMALL, from_bytes, to_bytes};
use crate::server::Serving;
use crate::turns::{Series, Told, Turns};
use crate::workload::{CALLERS, Workload};

/// How many bytes a large body has in each packet.
pub(super) const PACKET: usize = 64 * 1024;

/// The row, by the name that it has on this system.
pub(super) const fn entry(name: &'static str) -> Entry {
    Entry {
        name,
        has: &[
            Workload::Rtt64,
            Workload::Pipe64,
            Workload::Bulk1m,
            Workload::Bulk64m,
            Workload::Vec1m,
            Workload::Connect,
        ],
        serve,
        connect: turns,
    }
}

/// A thread for each connection.
fn serve(serving: Serving) {
    let mut listener = Listener::bind(serving.job.place.path()).expect("the path is free");
    serving.ready.tell();
    let workload = serving.job.workload;
    loop {
        let pipe = listener.accept().expect("the listener lives");
        thread::spawn(move || one(pipe, workload).expect("the client ends between calls"));
    }
}

/// Echoes until the client ends.
fn one(mut pipe: Pipe, workload: Workload) -> io::Result<()> {
    let len = workload.body();
    let mut body = vec![0; len];
    while recv_body(&mut pipe, &mut body)? == len {
        send_body(&mut pipe, &body)?;
        if workload == Workload::Vec1m {
            body = vec![0; len];
        }
    }
    Ok(())
}

fn turns(job: &Call) -> Turns {
    let workload = job.serve.workload;
    let place = job.serve.place.path().to_owned();
    let pipe = Pipe::connect(&place).expect("a server listens");
    let client = Client {
        pipe,
        place,
        sent: vec![7; workload.body()],
        memory: vec![0; workload.body()],
    };
    client.turns(workload)
}

struct Client {
    pipe: Pipe,
    place: PathBuf,
    /// What is sent each time.
    sent: Vec<u8>,
    /// Where it is stored when it comes back.
    memory: Vec<u8>,
}

impl Client {
    fn turns(mut self, workload: Workload) -> Turns {
        Turns::new(move |calls| {
            let done = match workload {
                Workload::Rtt64 => return self.timed(calls).expect("the server lives").into(),
                Workload::Pipe64 => self.many(calls),
                Workload::Vec1m => self.vecs(calls),
                Workload::Connect => self.connections(calls),
                _ => (0..calls).try_for_each(|_| self.echo()),
            };
            done.expect("the server lives");
            Told::default()
        })
    }

    fn echo(&mut self) -> io::Result<()> {
        send_body(&mut self.pipe, &self.sent)?;
        let len = recv_body(&mut self.pipe, &mut self.memory)?;
        assert_eq!(len, self.sent.len());
        Ok(())
    }

    fn timed(&mut self, calls: u64) -> io::Result<Series> {
        let mut series = Series::start("", calls);
        for call in 0..calls {
            self.send(call)?;
            self.recv(call)?;
            series.lap();
        }
        Ok(series)
    }

    /// So many packets are under way at once; the next one is sent when one has come back.
    fn many(&mut self, calls: u64) -> io::Result<()> {
        (0..CALLERS).try_for_each(|call| self.send(call))?;
        for call in 0..calls {
            self.recv(call)?;
            if call + CALLERS < calls {
                self.send(call + CALLERS)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, call: u64) -> io::Result<()> {
        self.pipe.send(&to_bytes([call; 8]))
    }

    fn recv(&mut self, call: u64) -> io::Result<()> {
        let mut packet = [0; SMALL];
        let len = self.pipe.recv(&mut packet)?;
        assert_eq!((len, from_bytes(&packet)), (SMALL, [call; 8]));
        Ok(())
    }

    fn vecs(&mut self, calls: u64) -> io::Result<()> {
        for _ in 0..calls {
            self.memory = vec![0; self.sent.len()];
            self.echo()?;
        }
        Ok(())
    }

    fn connections(&mut self, calls: u64) -> io::Result<()> {
        for _ in 0..calls {
            self.pipe = Pipe::connect(&self.place)?;
            self.echo()?;
        }
        Ok(())
    }
}

fn send_body(pipe: &mut Pipe, body: &[u8]) -> io::Result<()> {
    body.chunks(PACKET).try_for_each(|packet| pipe.send(packet))
}

/// Fills the body with what comes; says how much of it is filled, which is less at the end of the connection only.
fn recv_body(pipe: &mut Pipe, body: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < body.len() {
        match pipe.recv(&mut body[filled..])? {
            0 => break,
            len => filled += len,
        }
    }
    Ok(filled)
}
