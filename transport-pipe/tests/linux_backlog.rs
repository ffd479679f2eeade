//! Linux: a full backlog answers "try again". Elsewhere it refuses, as if nobody listened.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::time::Duration;

use pipe_rpc_transport::{ConnectError, Framing, Obstacle, Pipe};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use support::on_each_transport;

#[test]
fn a_server_that_does_not_keep_up_is_busy_and_not_absent() {
    on_each_transport(async |_| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe").to_str().unwrap().to_owned();
        let address = SocketAddrUnix::new(&path).unwrap();
        let socket = || {
            socket_with(
                AddressFamily::UNIX,
                SocketType::STREAM,
                SocketFlags::NONBLOCK,
                None,
            )
            .unwrap()
        };
        let lazy = socket();
        rustix::net::bind(&lazy, &address).unwrap();
        rustix::net::listen(&lazy, 0).unwrap();
        let mut backlog = vec![socket()];
        while rustix::net::connect(backlog.last().unwrap(), &address).is_ok() {
            backlog.push(socket());
        }
        let deadline = Duration::from_millis(20);
        let builder = Pipe::builder(&path).framing(Framing::Prefixed).deadline(deadline);
        let error = builder.connect().await.unwrap_err();
        assert!(
            matches!(
                error,
                ConnectError::TimedOut {
                    obstacle: Obstacle::Busy,
                    ..
                }
            ),
            "{error}"
        );

        let builder = Pipe::builder(&path)
            .framing(Framing::Prefixed)
            .deadline(support::HANG);
        let mut waiting = Box::pin(builder.connect());
        assert!(support::drop_at_poll(1, waiting.as_mut()).await.is_none());
        rustix::net::accept(&lazy).unwrap();
        waiting.await.unwrap();
    });
}
