//! A bare SEQPACKET socket without a runtime: a thread waits in the system call itself. The pipe's own price.
//!
//! A large body goes in packets of 64 KiB, and both ends store the whole of it before they go on: of `bulk1m` and
//! `bulk64m` in memory that is used again for the next one, of `vec1m` in a new `Vec` each time.

use std::io;
use std::path::PathBuf;
use std::thread;

use super::blocking::{Listener, Socket};
use crate::job::Call;
use crate::row::SMALL;
use crate::rows::Entry;
use crate::server::Serving;
use crate::turns::{Series, Told, Turns};
use crate::workload::{CALLERS, Workload};

pub(super) const ENTRY: Entry = Entry {
    name: "bare-blocking",
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
};

/// A thread for each connection.
fn serve(serving: Serving) {
    let listener = Listener::bind(serving.job.place.path()).expect("the path is free");
    serving.ready.tell();
    let workload = serving.job.workload;
    loop {
        let socket = listener.accept().expect("the listener lives");
        thread::spawn(move || one(&socket, workload).expect("the client ends between calls"));
    }
}

/// Echoes until the client ends.
fn one(socket: &Socket, workload: Workload) -> io::Result<()> {
    let len = workload.body();
    let mut body = vec![0; len];
    while socket.recv_body(&mut body)? == len {
        socket.send_body(&body)?;
        if workload == Workload::Vec1m {
            body = vec![0; len];
        }
    }
    Ok(())
}

fn turns(job: &Call) -> Turns {
    let workload = job.serve.workload;
    let place = job.serve.place.path().to_owned();
    let socket = Socket::connect(&place).expect("a server listens");
    let client = Client {
        socket,
        place,
        sent: vec![7; workload.body()],
        memory: vec![0; workload.body()],
    };
    client.turns(workload)
}

struct Client {
    socket: Socket,
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
        self.socket.send_body(&self.sent)?;
        let len = self.socket.recv_body(&mut self.memory)?;
        assert_eq!(len, self.sent.len());
        Ok(())
    }

    fn timed(&mut self, calls: u64) -> io::Result<Series> {
        let mut series = Series::start("", calls);
        for _ in 0..calls {
            self.echo()?;
            series.lap();
        }
        Ok(series)
    }

    /// So many packets are under way at once; the next one is sent when one has come back.
    fn many(&mut self, calls: u64) -> io::Result<()> {
        (0..CALLERS).try_for_each(|_| self.socket.send(&self.sent))?;
        for call in 0..calls {
            assert_eq!(self.socket.recv(&mut self.memory)?, SMALL);
            if call + CALLERS < calls {
                self.socket.send(&self.sent)?;
            }
        }
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
            self.socket = Socket::connect(&self.place)?;
            self.echo()?;
        }
        Ok(())
    }
}
