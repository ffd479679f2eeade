//! Linux: descriptors that a peer sends along with a packet reach nobody, and end its pipe: nobody has asked for them.
#![cfg(target_os = "linux")]

mod support;

use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use pipe_rpc_transport::Framing;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use support::{numbered, on_each_transport, pair};

#[test]
fn a_descriptor_that_comes_along_is_closed_and_ends_the_pipe() {
    on_each_transport(async |framing| {
        let (client, mut served) = pair(framing).await;
        if framing == Framing::Prefixed {
            return;
        }
        let client = client.into_parts().await.unwrap().handle;
        let (mut kept, given) = UnixStream::pair().unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        let descriptors = [given.as_fd()];
        assert!(along.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let packet = numbered(7, 100);
        sendmsg(&client, &[IoSlice::new(&packet)], &mut along, SendFlags::EOR).unwrap();
        drop(given);
        assert_eq!(served.recv().await.unwrap_err().kind(), ErrorKind::InvalidData);
        assert!(served.recv().await.unwrap().is_none());
        // Were the other end still open anywhere, this would wait for ever.
        assert_eq!(kept.read(&mut [0]).unwrap(), 0);
    });
}
