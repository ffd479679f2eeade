//! Each operation comes back exactly once, from the call or from the completion.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_OPERATION_ABORTED, ERROR_PIPE_CONNECTED};

use super::{ends, fresh_name};
use crate::options::ServerOptions;
use crate::windows::buffer::{Buffer, SMALL};
use crate::windows::file_unsafe::{File, Place};
use crate::windows::instance::{Blueprint, system_name};
use crate::windows::operation_unsafe::{Operation, Outcome, Submitted, Target};

/// Hands completions to the test.
struct Report(Mutex<mpsc::Sender<(Operation, Outcome)>>);

impl Target for Report {
    fn complete(self: Arc<Self>, operation: Operation, outcome: Outcome) {
        drop(self.0.lock().unwrap().send((operation, outcome)));
    }
}

struct Desk {
    report: Arc<Report>,
    completed: mpsc::Receiver<(Operation, Outcome)>,
}

impl Desk {
    fn new() -> Self {
        let (sender, completed) = mpsc::channel();
        let report = Arc::new(Report(Mutex::new(sender)));
        Self { report, completed }
    }

    fn read(&self, file: &Arc<File>, len: usize) -> Submitted {
        Operation::new(Buffer::small()).read(0..len, file, Arc::clone(&self.report) as _)
    }

    fn write(&self, file: &Arc<File>, message: &[u8]) -> Submitted {
        let mut operation = Operation::new(Buffer::Empty);
        operation.buffer().load(&[IoSlice::new(message)], message.len());
        operation.write(message.len(), file, Arc::clone(&self.report) as _)
    }

    /// How it ended, whichever way it comes back.
    fn end(&self, submitted: Submitted) -> (Operation, Outcome) {
        match submitted {
            Submitted::Now(operation, outcome) => (operation, outcome),
            Submitted::Pending(_) => self.completion(),
        }
    }

    fn completion(&self) -> (Operation, Outcome) {
        self.completed
            .recv_timeout(Duration::from_secs(10))
            .expect("the completion comes")
    }

    /// No completion is on its way: one posted for a later operation overtakes none.
    fn assert_nothing_else_comes(&self, file: &Arc<File>) {
        let submitted = self.read(file, SMALL);
        let Submitted::Pending(id) = submitted else {
            panic!("the pipe is empty")
        };
        file.cancel(id);
        assert_eq!(self.completion().1, Outcome::Failed(ERROR_OPERATION_ABORTED));
        assert!(self.completed.try_recv().is_err(), "an operation came back twice");
    }
}

fn over_at_once(submitted: Submitted) -> Outcome {
    match submitted {
        Submitted::Now(_, outcome) => outcome,
        Submitted::Pending(_) => panic!("the operation is under way"),
    }
}

#[test]
fn what_is_over_at_once_completes_no_second_time() {
    let (server, client) = ends();
    let desk = Desk::new();
    assert_eq!(over_at_once(desk.write(&client, b"hello")), Outcome::Done(5));
    assert_eq!(over_at_once(desk.read(&server, SMALL)), Outcome::Done(5));
    desk.assert_nothing_else_comes(&server);
    desk.assert_nothing_else_comes(&client);
}

#[test]
fn what_is_pending_completes_once_with_its_data() {
    let (server, client) = ends();
    let desk = Desk::new();
    let Submitted::Pending(_) = desk.read(&server, SMALL) else {
        panic!("the pipe is empty")
    };
    assert_eq!(over_at_once(desk.write(&client, b"later")), Outcome::Done(5));
    let (mut operation, outcome) = desk.completion();
    assert_eq!(outcome, Outcome::Done(5));
    assert_eq!(operation.buffer().bytes()[..5], *b"later");
    desk.assert_nothing_else_comes(&server);
}

#[test]
fn a_message_that_waits_is_read_in_parts_whichever_way_the_system_tells_it() {
    let (server, client) = ends();
    let desk = Desk::new();
    assert_eq!(over_at_once(desk.write(&client, b"abcdef")), Outcome::Done(6));
    assert_eq!(desk.end(desk.read(&server, 4)).1, Outcome::More(4));
    assert_eq!(desk.end(desk.read(&server, 4)).1, Outcome::Done(2));
    desk.assert_nothing_else_comes(&server);
}

#[test]
fn a_read_that_waits_for_a_longer_message_is_told_of_more() {
    let (server, client) = ends();
    let desk = Desk::new();
    let Submitted::Pending(_) = desk.read(&server, 4) else {
        panic!("the pipe is empty")
    };
    assert_eq!(desk.end(desk.write(&client, b"abcdef")).1, Outcome::Done(6));
    assert_eq!(desk.completion().1, Outcome::More(4));
    assert_eq!(desk.end(desk.read(&server, 4)).1, Outcome::Done(2));
}

#[test]
fn a_message_of_no_bytes_is_told_as_one() {
    let (server, client) = ends();
    let desk = Desk::new();
    assert_eq!(over_at_once(desk.write(&client, b"")), Outcome::Done(0));
    assert_eq!(desk.end(desk.read(&server, SMALL)).1, Outcome::Done(0));
}

#[test]
fn a_write_beyond_the_quota_ends_when_the_reader_took_enough() {
    let (server, client) = ends();
    let desk = Desk::new();
    let message = vec![7; 64 * 1024];
    let mut taken = 0;
    while let Submitted::Now(_, outcome) = desk.write(&client, &message) {
        assert_eq!(outcome, Outcome::Done(message.len()));
        taken += 1;
        assert!(taken < 100, "the pipe has a quota");
    }
    let reader = Desk::new();
    for _ in 0..message.len() / SMALL {
        reader.end(reader.read(&server, SMALL));
    }
    assert_eq!(desk.completion().1, Outcome::Done(message.len()));
}

#[test]
fn an_operation_keeps_its_handle_open_until_it_has_ended() {
    let (server, client) = ends();
    let desk = Desk::new();
    let Submitted::Pending(_) = desk.read(&server, SMALL) else {
        panic!("the pipe is empty")
    };
    let weak = Arc::downgrade(&server);
    drop(server);
    assert_eq!(
        over_at_once(desk.write(&client, b"still open")),
        Outcome::Done(10)
    );
    assert_eq!(desk.completion().1, Outcome::Done(10));
    assert!(
        weak.upgrade().is_none(),
        "the file is closed once its last operation has ended"
    );
}

#[test]
fn a_peer_that_closes_ends_the_read_after_its_data() {
    let (server, client) = ends();
    let desk = Desk::new();
    assert_eq!(
        over_at_once(desk.write(&client, b"last words")),
        Outcome::Done(10)
    );
    drop(client);
    assert_eq!(desk.end(desk.read(&server, SMALL)).1, Outcome::Done(10));
    assert_eq!(
        desk.end(desk.read(&server, SMALL)).1,
        Outcome::Failed(ERROR_BROKEN_PIPE)
    );
}

#[test]
fn a_client_that_came_before_the_server_waited_is_told_at_once() {
    let name = fresh_name();
    let blueprint = Blueprint::new(&name, &ServerOptions::default()).unwrap();
    let server = Arc::new(blueprint.make(Place::First).unwrap());
    let _client = File::open(&system_name(&name)).unwrap();
    let desk = Desk::new();
    let submitted = Operation::new(Buffer::Empty).connect(&server, Arc::clone(&desk.report) as _);
    assert_eq!(over_at_once(submitted), Outcome::Failed(ERROR_PIPE_CONNECTED));
    desk.assert_nothing_else_comes(&server);
}

#[test]
fn an_operation_that_is_cancelled_comes_back_once_whoever_wins() {
    let (server, client) = ends();
    let (desk, writer) = (Desk::new(), Desk::new());
    for _ in 0..500 {
        let Submitted::Pending(id) = desk.read(&server, SMALL) else {
            panic!("the pipe is empty")
        };
        let wrote = std::thread::scope(|scope| {
            let cancel = scope.spawn(|| server.cancel(id));
            let wrote = over_at_once(writer.write(&client, b"x"));
            cancel.join().unwrap();
            wrote
        });
        assert_eq!(wrote, Outcome::Done(1));
        match desk.completion().1 {
            Outcome::Done(1) => {}
            Outcome::Failed(ERROR_OPERATION_ABORTED) => {
                // The message was not lost with the read.
                assert_eq!(desk.end(desk.read(&server, SMALL)).1, Outcome::Done(1));
            }
            other => panic!("{other:?}"),
        }
        assert!(desk.completed.try_recv().is_err(), "an operation came back twice");
    }
}
