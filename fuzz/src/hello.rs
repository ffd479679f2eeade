//! Greetings: any bytes can be read, what can be written reads back, and both ends conclude the same.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::proto::{
    Agreed, Connection, Hello, HelloAnswer, MAX_CREDIT, MAX_PACKET_LIMIT, MIN_PACKET, Reject, RejectCode,
};
use pipe_rpc_core::testing;

/// The longest list of tags of a Hello, in bytes.
const MAX_TAGS: usize = 16 * 1024;
/// The longest text in one, in bytes.
const MAX_TEXT: usize = 4000;
/// What stands before the tags, in bytes.
const FIXED: usize = 16;

/// The first byte chooses: the rest is a packet, or values to make one of.
pub fn run(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    match choice % 3 {
        0 => read(rest),
        1 => drop(hello(&mut Unstructured::new(rest)).map(|hello| write(&hello))),
        _ => drop(write_reject(&mut Unstructured::new(rest))),
    }
}

fn read(packet: &[u8]) {
    let hello = Hello::decode(packet);
    match HelloAnswer::decode(packet) {
        Ok(HelloAnswer::Hello(answer)) => assert_eq!(hello, Ok(answer)),
        Ok(HelloAnswer::Reject(reject)) => {
            assert!(hello.is_err());
            read_back(&reject);
        }
        Err(_) => assert!(hello.is_err()),
    }
    if let Ok(hello) = hello {
        write(&hello);
        agree(&testing::hello(), &hello);
        agree(&hello, &testing::hello());
    }
}

/// A Hello that some program could make, within and beyond the limits.
fn hello(u: &mut Unstructured<'_>) -> Result<Hello> {
    Ok(Hello {
        lowest: u.arbitrary::<u8>()?.into(),
        highest: u.arbitrary()?,
        features: u.arbitrary()?,
        codecs: u.arbitrary()?,
        max_packet: u.arbitrary()?,
        max_calls: u.arbitrary()?,
        max_nested: u.arbitrary()?,
        window: u.arbitrary()?,
        max_body: u.arbitrary()?,
        stream: u.arbitrary()?,
        secret: u.arbitrary()?,
        product: u.arbitrary()?,
        services: u.arbitrary()?,
    })
}

/// What is written reads back: the text cut to its limit, and as many names of services as there is room for.
fn write(hello: &Hello) {
    let packet = hello.encode();
    if packet.len() > FIXED + MAX_TAGS || hello.lowest > hello.highest {
        assert!(Hello::decode(&packet).is_err());
        return;
    }
    let read = Hello::decode(&packet).expect("a Hello of this library's");
    assert!(hello.services.starts_with(&read.services));
    assert!(hello.product.starts_with(&read.product));
    assert!(read.product == hello.product || read.product.len() > MAX_TEXT - 4);
    assert_eq!(read.encode(), packet);
    let (product, services) = (read.product.clone(), read.services.clone());
    let hello = hello.clone();
    assert_eq!(
        read,
        Hello {
            product,
            services,
            ..hello
        }
    );
}

/// Both ends conclude the same from their Hellos, and no limit is out of range.
fn agree(server: &Hello, client: &Hello) {
    let at_server = Agreed::of(server, client, client);
    let at_client = Agreed::of(client, server, client);
    let (Ok(at_server), Ok(at_client)) = (at_server, at_client) else {
        assert_eq!(at_server.err(), at_client.err());
        return;
    };
    let swapped = Agreed {
        granted: at_client.received,
        received: at_client.granted,
        ..at_client
    };
    assert_eq!(at_server, swapped);
    assert!((MIN_PACKET as usize..=MAX_PACKET_LIMIT as usize).contains(&at_server.max_packet));
    for limits in [at_server.granted, at_server.received] {
        assert!(limits.max_calls <= MAX_CREDIT && limits.max_nested <= MAX_CREDIT);
    }
    assert!(Connection::new(at_server).next_timeout().is_none());
}

fn write_reject(u: &mut Unstructured<'_>) -> Result<()> {
    let codes = [
        RejectCode::Version,
        RejectCode::Secret,
        RejectCode::Malformed,
        RejectCode::Unavailable,
        RejectCode::Codec,
        RejectCode::Other(u.int_in_range(6..=u16::MAX)?),
    ];
    let reject = Reject {
        code: *u.choose(&codes)?,
        lowest: u.arbitrary()?,
        highest: u.arbitrary()?,
        retry_after: u.arbitrary::<Option<u64>>()?.map(Duration::from_millis),
        text: u.arbitrary()?,
    };
    read_back(&reject);
    Ok(())
}

fn read_back(reject: &Reject) {
    let packet = reject.encode();
    let Ok(HelloAnswer::Reject(read)) = HelloAnswer::decode(&packet) else {
        panic!("a Reject of this library's");
    };
    assert_eq!(
        (read.code, read.lowest, read.highest),
        (reject.code, reject.lowest, reject.highest)
    );
    assert!(reject.text.starts_with(&read.text));
    assert_eq!(read.retry_after.is_some(), reject.retry_after.is_some());
    assert_eq!(read.encode(), packet);
}
