//! Greetings that are none, or that ask for too much.

mod support;

use std::time::Duration;

use pipe_rpc_core::client::Channel;
use pipe_rpc_core::connection::{Config, ConnectError};
use pipe_rpc_core::proto::{Hello, HelloAnswer, HelloError, Reject, RejectCode};
use pipe_rpc_core::testing::{Frame, ScriptedPeer, hello};
use pipe_rpc_core::transport::memory;
use support::peer::{assert_alive, assert_lives, serve};

/// A Hello with one more tag.
fn with_tag(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut packet = hello().encode();
    packet.extend_from_slice(&tag.to_le_bytes());
    packet.extend_from_slice(&(value.len() as u16).to_le_bytes());
    packet.extend_from_slice(value);
    let length = packet.len() as u32 - 16;
    packet[12..16].copy_from_slice(&length.to_le_bytes());
    packet
}

/// What a server says to a greeting before it closes the pipe.
async fn rejection(greeting: &[u8]) -> Reject {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::connect(&connector).await;
    peer.send(greeting).await;
    let answer = peer.recv().await.expect("an answer");
    assert_eq!(peer.recv().await, None, "and the end");
    assert_alive(&connector).await;
    match HelloAnswer::decode(&answer) {
        Ok(HelloAnswer::Reject(reject)) => reject,
        other => panic!("not a rejection: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_greeting_is_rejected() {
    let half = &hello().encode()[..20];
    let mut longer_than_it_says = hello().encode();
    longer_than_it_says.push(0);
    let huge = with_tag(0x700, &[0; 17_000]);
    let greetings: [(&[u8], &str); 8] = [
        (
            b"GET / HTTP/1.1\r\n\r\n",
            "the greeting is not one of pipe-rpc; is another program at the other end?",
        ),
        (
            b"x",
            "the greeting is not one of pipe-rpc; is another program at the other end?",
        ),
        (
            &Frame::new(1, 1, (0, 1)).bytes(),
            "the greeting is not one of pipe-rpc; is another program at the other end?",
        ),
        (
            &[0; 60_000],
            "the greeting is not one of pipe-rpc; is another program at the other end?",
        ),
        (half, "the greeting is malformed"),
        (&longer_than_it_says, "the greeting is malformed"),
        (&huge, "the greeting is malformed"),
        (
            &with_tag(0x8000, b""),
            "the greeting demands 0x8000, which is unknown; update the older of the two programs",
        ),
    ];
    for (greeting, text) in greetings {
        let reject = rejection(greeting).await;
        assert_eq!((reject.code, reject.text.as_str()), (RejectCode::Malformed, text));
    }
}

#[tokio::test]
async fn a_version_of_the_future_is_told_which_ones_are_spoken() {
    let future = Hello {
        lowest: 2,
        highest: 7,
        ..hello()
    };
    let reject = rejection(&future.encode()).await;
    assert_eq!(reject.code, RejectCode::Version);
    assert_eq!((reject.lowest, reject.highest), (1, 1));
    assert_eq!(
        reject.text,
        "no version of the protocol that both ends speak; update the older program"
    );
}

#[tokio::test]
async fn a_client_of_the_future_that_still_speaks_this_version_is_let_in() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::connect(&connector).await;
    let future = Hello {
        highest: u16::MAX,
        features: u64::MAX,
        codecs: vec![200, 1],
        ..hello()
    };
    peer.send(&future.encode()).await;
    peer.recv().await.unwrap();
    assert_lives(&mut peer, (0, 1)).await;
}

#[tokio::test]
async fn a_client_without_a_common_codec_is_rejected() {
    for codecs in [vec![], vec![77, 78]] {
        let reject = rejection(&Hello { codecs, ..hello() }.encode()).await;
        assert_eq!(
            (reject.code, reject.text.as_str()),
            (
                RejectCode::Codec,
                "no codec that both ends offer; this one offers 1 (bincode), 2 (JSON)"
            )
        );
    }
}

#[tokio::test]
async fn limits_out_of_range_are_rejected() {
    let out_of_range = [
        Hello {
            max_packet: 0,
            ..hello()
        },
        Hello {
            max_packet: 1,
            ..hello()
        },
        Hello {
            max_packet: 4095,
            ..hello()
        },
        Hello {
            max_calls: u32::MAX,
            ..hello()
        },
        Hello {
            max_calls: 65_537,
            ..hello()
        },
        Hello {
            max_nested: u32::MAX,
            ..hello()
        },
    ];
    for greeting in out_of_range {
        let reject = rejection(&greeting.encode()).await;
        assert_eq!(reject.code, RejectCode::Malformed, "{greeting:?}");
        assert!(
            reject.text.starts_with("a limit in the greeting is out of range"),
            "{}",
            reject.text
        );
    }
}

#[tokio::test]
async fn a_client_that_grants_nothing_can_call_all_the_same() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::connect(&connector).await;
    let stingy = Hello {
        max_calls: 0,
        max_nested: 0,
        window: 0,
        max_packet: u32::MAX,
        ..hello()
    };
    peer.send(&stingy.encode()).await;
    peer.recv().await.unwrap();
    assert_lives(&mut peer, (0, 1)).await;
}

#[tokio::test]
async fn unknown_tags_are_skipped() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::connect(&connector).await;
    peer.send(&with_tag(0x7fff, b"of the future")).await;
    peer.recv().await.unwrap();
    assert_lives(&mut peer, (0, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_shown_out_in_time() {
    let (connector, _) = serve(|server| server.handshake_timeout(Duration::from_secs(3)));
    let start = tokio::time::Instant::now();
    let mut silent = ScriptedPeer::connect(&connector).await;
    assert_eq!(silent.recv().await, None);
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_alive(&connector).await;
}

#[tokio::test]
async fn silent_clients_keep_nobody_out() {
    let (connector, _) = serve(|server| server);
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(ScriptedPeer::connect(&connector).await);
    }
    assert_alive(&connector).await;
}

#[tokio::test]
async fn clients_that_come_and_go_keep_nobody_out() {
    let (connector, _) = serve(|server| server);
    for _ in 0..500 {
        drop(ScriptedPeer::connect(&connector).await);
    }
    assert_alive(&connector).await;
}

#[tokio::test]
async fn only_the_right_secret_lets_in() {
    let (connector, _) = serve(|server| server.secret(*b"open sesame"));
    let greeting = |secret: Option<&[u8]>| {
        let secret = secret.map(<[u8]>::to_vec);
        Hello { secret, ..hello() }.encode()
    };
    let wrong: [Option<&[u8]>; 6] = [
        None,
        Some(b""),
        Some(b"open sesam"),
        Some(b"open sesame!"),
        Some(b"Open sesame"),
        Some(&[0; 5000]),
    ];
    for secret in wrong {
        let mut peer = ScriptedPeer::connect(&connector).await;
        peer.send(&greeting(secret)).await;
        let answer = HelloAnswer::decode(&peer.recv().await.unwrap());
        let Ok(HelloAnswer::Reject(reject)) = answer else {
            panic!("{secret:?} was let in");
        };
        assert_eq!(reject.code, RejectCode::Secret);
        assert_eq!(
            reject.text,
            "the secret is missing or wrong; give the server's secret"
        );
        assert_eq!(peer.recv().await, None);
    }
    let mut peer = ScriptedPeer::connect(&connector).await;
    peer.send(&greeting(Some(b"open sesame"))).await;
    peer.recv().await.unwrap();
    assert_lives(&mut peer, (0, 1)).await;
}

/// What a client says of a server that answers its greeting with `answer`; nothing: it leaves.
async fn refusal(answer: Option<Vec<u8>>) -> ConnectError {
    let (ours, theirs) = memory::pair();
    let mut peer = ScriptedPeer::new(theirs);
    let server = async {
        peer.recv().await.expect("the client speaks first");
        match answer {
            Some(answer) => peer.send(&answer).await,
            None => peer.close(),
        }
    };
    let config = Config::default();
    let (opened, ()) = tokio::join!(Channel::open(ours, &config), server);
    if opened.is_err() {
        assert_eq!(peer.recv().await, None, "the client closes");
    }
    opened.map(drop).unwrap_err()
}

#[tokio::test]
async fn a_client_says_what_was_wrong_with_the_server() {
    let error = refusal(None).await;
    assert_eq!(error.to_string(), "the other end left during the greeting");
    let garbage = [
        b"220 mail ready\r\n".to_vec(),
        vec![0xff],
        hello().encode()[..30].to_vec(),
    ];
    for (answer, source) in garbage.into_iter().zip([
        HelloError::WrongMagic,
        HelloError::WrongMagic,
        HelloError::Malformed,
    ]) {
        let error = refusal(Some(answer)).await;
        assert_eq!(error.to_string(), "the other end's greeting is of no use");
        assert!(matches!(error, ConnectError::Hello(error) if error == source));
    }
}

#[tokio::test]
async fn a_client_refuses_a_server_with_limits_that_cannot_work() {
    let servers = [
        Hello {
            max_calls: 0,
            ..hello()
        },
        Hello {
            max_calls: u32::MAX,
            ..hello()
        },
        Hello {
            max_nested: u32::MAX,
            ..hello()
        },
        Hello {
            max_packet: 1,
            ..hello()
        },
    ];
    for server in servers {
        let error = refusal(Some(server.encode())).await;
        assert!(
            matches!(error, ConnectError::Hello(HelloError::OutOfRange)),
            "{server:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_client_refuses_a_server_of_another_version_or_codec() {
    let future = Hello {
        lowest: 2,
        highest: 3,
        ..hello()
    };
    let error = refusal(Some(future.encode())).await;
    assert!(matches!(
        error,
        ConnectError::NothingInCommon(RejectCode::Version)
    ));
    let other = Hello {
        codecs: vec![9],
        ..hello()
    };
    let error = refusal(Some(other.encode())).await;
    assert_eq!(
        error.to_string(),
        "the two ends cannot agree (Codec); one of the two programs is too old, or offers no codec of the other's"
    );
}

#[tokio::test]
async fn a_rejection_is_told_with_its_text() {
    for code in [RejectCode::Unavailable, RejectCode::Other(999)] {
        let reject = Reject {
            code,
            lowest: 1,
            highest: 1,
            retry_after: Some(Duration::from_millis(1500)),
            text: "try again after the update".to_owned(),
        };
        let error = refusal(Some(reject.encode())).await;
        let ConnectError::Rejected {
            code: told,
            retry_after,
            text,
        } = error
        else {
            panic!("not a rejection: {error:?}");
        };
        assert_eq!((told, retry_after), (code, Some(Duration::from_millis(1500))));
        assert_eq!(&*text, "try again after the update");
    }
    let half = refusal(Some(b"pipe-rej".to_vec())).await;
    assert!(matches!(half, ConnectError::Hello(HelloError::Malformed)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let (ours, theirs) = memory::pair();
    let mut config = Config::default();
    config.handshake_timeout = Duration::from_secs(2);
    let start = tokio::time::Instant::now();
    let error = Channel::open(ours, &config).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the other end did not greet within 2s; is it a pipe-rpc server, and is it alive?"
    );
    assert_eq!(start.elapsed().as_secs(), 2);
    drop(theirs);
}
