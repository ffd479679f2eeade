//! Unix: the socket's file, its lock, and what a stranger at the other end may try.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use pipe_rpc_transport::{Access, BindError, Framing, MAX_PACKET, NameError, Packet, Pipe, PipeServer};
use support::{child, connect, number_of, numbered, on_each_transport, pair, role, server};

fn native(directory: &tempfile::TempDir) -> String {
    directory.path().join("pipe").to_str().unwrap().to_owned()
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_socket_is_the_owners_alone_and_leaves_nothing_behind() {
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = native(&directory);
        let server = PipeServer::builder(&path).framing(framing).bind().unwrap();
        assert_eq!(server.local_name(), path);
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
        assert_eq!(mode(&path), 0o600);
        drop(server);
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            0,
            "socket and lock are gone"
        );
        let builder = PipeServer::builder(&path)
            .framing(framing)
            .access(Access::AnyUser);
        let _server = builder.bind().unwrap();
        assert_eq!(mode(&path), 0o666);
    });
}

#[test]
fn a_plain_name_lies_in_a_directory_nobody_else_can_write_to() {
    on_each_transport(async |framing| {
        let (server, _) = server(framing);
        let path = Path::new(server.local_name());
        assert_eq!(mode(path.parent().unwrap()) & 0o022, 0);
    });
}

#[test]
fn the_socket_of_a_killed_server_is_taken_over() {
    const TEST: &str = "the_socket_of_a_killed_server_is_taken_over";
    if let Some((_, name)) = role() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let _server = PipeServer::bind(&name).unwrap();
            println!("listening");
            std::future::pending::<()>().await;
        });
    }
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = native(&directory);
        let mut child = child(TEST, "server", &path).spawn().unwrap();
        wait_for_line(&mut child.stdout.take().unwrap(), "listening");
        let taken = PipeServer::bind(&path).unwrap_err();
        assert!(matches!(taken, BindError::NameTaken { .. }), "{taken}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(fs::exists(&path).unwrap(), "a killed server leaves its file");
        let builder = Pipe::builder(&path).framing(framing);
        let error = builder.connect().await.unwrap_err();
        assert!(error.to_string().contains("no server listens"), "{error}");
        let mut server = PipeServer::builder(&path).framing(framing).bind().unwrap();
        let mut client = connect(&path, framing).await;
        client.send(b"taken over").await.unwrap();
        let packet = server.accept().await.unwrap().recv().await.unwrap().unwrap();
        assert_eq!(&*packet, b"taken over");
    });
}

#[test]
fn anothers_socket_at_the_path_is_not_removed() {
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = native(&directory);
        let server = PipeServer::builder(&path).framing(framing).bind().unwrap();
        fs::remove_file(&path).unwrap();
        let _foreign = UnixListener::bind(&path).unwrap();
        drop(server);
        UnixStream::connect(&path).unwrap();
    });
}

#[test]
fn a_file_that_is_no_socket_is_not_replaced() {
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = native(&directory);
        fs::write(&path, "precious").unwrap();
        let error = PipeServer::builder(&path).framing(framing).bind().unwrap_err();
        assert!(matches!(error, BindError::InTheWay { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    });
}

#[test]
fn many_servers_that_fight_for_a_name_leave_exactly_one() {
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = native(&directory);
        for _ in 0..20 {
            let bind = || {
                let path = path.clone();
                tokio::spawn(async move { PipeServer::builder(&path).framing(framing).bind() })
            };
            let binding: Vec<_> = (0..8).map(|_| bind()).collect();
            let mut winners = Vec::new();
            for outcome in binding {
                match outcome.await.unwrap() {
                    Ok(server) => winners.push(server),
                    Err(error) => assert!(matches!(error, BindError::NameTaken { .. }), "{error}"),
                }
            }
            assert_eq!(winners.len(), 1);
            connect(&path, framing).await;
        }
    });
}

#[test]
fn a_path_that_is_too_long_is_told_with_its_length_and_the_limit() {
    on_each_transport(async |_| {
        let path = format!("/tmp/{}", "x".repeat(200));
        let error = PipeServer::bind(&path).unwrap_err();
        assert!(
            matches!(error, BindError::Name(NameError::TooLong { length: 205, .. })),
            "{error}"
        );
    });
}

#[test]
fn parts_hand_over_what_was_read_and_not_taken() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        for number in 0..3 {
            client.send(&numbered(number, 5_000)).await.unwrap();
        }
        client.close();
        assert_eq!(number_of(&served.recv().await.unwrap().unwrap()), 0);
        let parts = served.into_parts().await.unwrap();
        let mut numbers: Vec<u32> = parts
            .packets
            .iter()
            .map(|packet: &Packet| number_of(packet))
            .collect();
        match framing {
            Framing::Prefixed => {
                let mut bytes = parts.partial;
                UnixStream::from(parts.handle).read_to_end(&mut bytes).unwrap();
                for packet in bytes.chunks(5_004) {
                    assert_eq!(packet[..4], 5_000_u32.to_le_bytes());
                    numbers.push(number_of(&packet[4..]));
                }
            }
            _ => {
                assert!(parts.partial.is_empty());
                let mut buffer = vec![0; 70_000];
                let mut handle = UnixStream::from(parts.handle);
                while let Ok(len @ 1..) = handle.read(&mut buffer) {
                    numbers.push(number_of(&buffer[..len]));
                }
            }
        }
        assert_eq!(numbers, [1, 2]);
    });
}

/// The handle of a client's end, to write to it what a pipe never would.
async fn raw_client(framing: Framing) -> (OwnedFd, Pipe) {
    let (client, served) = pair(framing).await;
    (client.into_parts().await.unwrap().handle, served)
}

/// More than any limit that can be set.
const TOO_LARGE: u32 = MAX_PACKET as u32 + 1;

#[test]
fn a_peer_that_breaks_the_framing_ends_its_pipe_and_nothing_is_allocated_for_it() {
    on_each_transport(async |framing| {
        let cases: &[(&[u8], ErrorKind)] = match framing {
            Framing::Prefixed => &[
                (&[0, 0, 0, 0], ErrorKind::InvalidData),
                (&TOO_LARGE.to_le_bytes(), ErrorKind::InvalidData),
                (&[255, 255, 255, 255], ErrorKind::InvalidData),
                (&[5, 0, 0, 0, 1, 2, 3, 4], ErrorKind::UnexpectedEof),
                (&[5, 0], ErrorKind::UnexpectedEof),
                (&[5, 0, 0, 0], ErrorKind::UnexpectedEof),
            ],
            _ => &[(&[7; TOO_LARGE as usize], ErrorKind::InvalidData)],
        };
        for (bytes, expected) in cases {
            let (handle, mut served) = raw_client(framing).await;
            let mut stranger = UnixStream::from(handle);
            stranger.write_all(bytes).unwrap();
            drop(stranger);
            assert_eq!(served.recv().await.unwrap_err().kind(), *expected);
            assert!(served.recv().await.unwrap().is_none(), "nothing comes after it");
        }
    });
}

#[test]
fn a_prefixed_packet_may_come_byte_by_byte() {
    on_each_transport(async |_| {
        let (handle, mut served) = raw_client(Framing::Prefixed).await;
        let mut trickle = UnixStream::from(handle);
        for number in 0..3 {
            let packet = numbered(number, 40);
            for byte in 40_u32.to_le_bytes().iter().chain(&packet) {
                assert!(support::drop_at_poll(1, served.recv()).await.is_none());
                trickle.write_all(&[*byte]).unwrap();
            }
            assert_eq!(number_of(&served.recv().await.unwrap().unwrap()), number);
        }
    });
}

#[test]
fn a_client_of_the_other_framing_is_told_on_linux() {
    if !cfg!(target_os = "linux") {
        return; // the two are the same elsewhere
    }
    on_each_transport(async |framing| {
        let (_server, name) = server(framing);
        let other = match framing {
            Framing::Native => Framing::Prefixed,
            _ => Framing::Native,
        };
        let error = Pipe::builder(&name).framing(other).connect().await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(".framing(..)"), "{cause}");
    });
}

fn wait_for_line(output: &mut impl Read, line: &str) {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.lines().any(|found| found.ends_with(line)) || !text.ends_with('\n') {
        output.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
}
