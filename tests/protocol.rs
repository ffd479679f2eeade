//! PROTOCOL.md's exchange is what really goes over the pipe.

use std::future::poll_fn;
use std::io::IoSlice;

use pipe_rpc::transport::{Link, Packet, memory};
use pipe_rpc::{Channel, Config};
use rpc_core::proto::{Hello, VERSION};

#[pipe_rpc::service]
trait Thesaurus {
    async fn synonyms(&self, word: String, limit: u32) -> Vec<String>;
}

/// The bytes that the last section shows: the request and the response. Each line is pairs of hexadecimal digits, then
/// words after several spaces.
fn exchange() -> (Vec<u8>, Vec<u8>) {
    let section = include_str!("../PROTOCOL.md")
        .split("## 16.")
        .nth(1)
        .expect("the last section");
    let (request, response) = section.split_once("The server answers").expect("two packets");
    (shown(request), shown(response))
}

fn shown(text: &str) -> Vec<u8> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    let digits = lines.map(|line| line.split("   ").next().unwrap_or_default());
    let byte = |digits| u8::from_str_radix(digits, 16).expect("hexadecimal digits");
    digits.flat_map(str::split_whitespace).map(byte).collect()
}

async fn receive(link: &mut Link) -> Packet {
    let packet = poll_fn(|cx| link.receiver.poll_recv(cx)).await;
    packet.expect("the pair lives").expect("a packet")
}

fn send(link: &Link, packet: &[u8]) {
    link.sender
        .try_send(&[IoSlice::new(packet)])
        .expect("there is room");
}

#[tokio::test]
async fn the_exchange_in_the_specification_is_what_is_sent() {
    let (ours, mut peer) = memory::pair();
    let opening = tokio::spawn(async move { Channel::open(ours, &Config::default()).await });
    let greeting = Hello::decode(&receive(&mut peer).await).unwrap();
    assert_eq!((greeting.lowest, greeting.highest), (VERSION, VERSION));
    send(&peer, &greeting.encode());
    let thesaurus = ThesaurusClient::new(opening.await.unwrap().unwrap());

    let (request, response) = exchange();
    let call = tokio::spawn(async move { thesaurus.synonyms("pipe".into(), 10).await });
    assert_eq!(&*receive(&mut peer).await, request);
    send(&peer, &response);
    assert_eq!(call.await.unwrap().unwrap(), ["tube"]);
}
