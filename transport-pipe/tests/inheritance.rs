//! Child processes inherit nothing of a pipe or a server.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::io::Read;
use std::process::Stdio;

use pipe_rpc_transport::PipeServer;
use support::{child, connect, on_each_transport, role, role_text, server};

#[test]
fn a_child_process_keeps_neither_a_pipe_nor_a_name_open() {
    const TEST: &str = "a_child_process_keeps_neither_a_pipe_nor_a_name_open";
    if role().is_some() {
        // Lives until its parent has closed this.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        std::process::exit(0);
    }
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        let mut client = connect(&name, framing).await;
        let served = server.accept().await.unwrap();
        let mut child = child(TEST, role_text(framing), &name)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();

        drop(served);
        assert!(
            client.recv().await.unwrap().is_none(),
            "the child holds the server's end"
        );
        drop(client);
        server.close();
        drop(server);
        let again = PipeServer::builder(&name).framing(framing).bind();
        assert!(again.is_ok(), "the child holds the name: {again:?}");

        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    });
}
