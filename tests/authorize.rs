//! Rules about who may call what, by peers whose identities the test makes up. `authorize_processes.rs` has real ones.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::io;
use std::task::{Context, Poll};

use pipe_rpc::transport::memory::{self, MemoryConnector, MemoryListener};
use pipe_rpc::transport::{Account, Link, Listener, PeerIdentity, PrincipalId};
use pipe_rpc::{
    Authorize, Channel, Config, Fault, MountError, Outcome, Principal, Reason, Require, RuleError,
    ServeError, Server,
};
use support::lab::{LabServer, Laboratory};
use support::{Gauge, LabClient, soon};
use tokio::sync::mpsc;
use tower::limit::ConcurrencyLimitLayer;

/// Hands links out as if who connected had the identity that the test says.
struct Disguised {
    inner: MemoryListener,
    identities: mpsc::UnboundedReceiver<PeerIdentity>,
}

impl Listener for Disguised {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let accepted = std::task::ready!(self.inner.poll_accept(cx));
        let peer = self.identities.try_recv().expect("told before the connect");
        Poll::Ready(accepted.map(|link| Link { peer, ..link }))
    }

    fn close(&mut self) {
        self.inner.close();
    }

    fn local_name(&self) -> String {
        self.inner.local_name()
    }
}

/// Connects as whoever the test says.
struct Door {
    connector: MemoryConnector,
    identities: mpsc::UnboundedSender<PeerIdentity>,
}

impl Door {
    async fn client(&self, peer: PeerIdentity) -> LabClient {
        self.client_of("Lab", peer).await
    }

    async fn client_of(&self, name: &str, peer: PeerIdentity) -> LabClient {
        self.identities.send(peer).unwrap();
        let link = self.connector.connect().await.unwrap();
        let channel = Channel::open(link, &Config::default()).await.unwrap();
        LabClient::named(channel, name)
    }
}

fn door() -> (Door, Disguised) {
    let (inner, connector) = memory::listener();
    let (sender, identities) = mpsc::unbounded_channel();
    let door = Door {
        connector,
        identities: sender,
    };
    (door, Disguised { inner, identities })
}

/// Serves a lab behind these rules.
fn serve(rules: Authorize) -> (Door, Gauge) {
    let ((door, listener), gauge) = (door(), Gauge::default());
    let server = Server::builder().service(LabServer::new(Laboratory(gauge.clone())));
    let server = server.service_as("second", LabServer::new(Laboratory::default()));
    tokio::spawn(server.authorize(rules).serve(listener));
    (door, gauge)
}

fn uid(uid: u32) -> PeerIdentity {
    PeerIdentity::new(Account::Unix { uid, gid: uid }, Some(4_000_000))
}

fn echo(client: &LabClient) -> impl Future<Output = Result<String, Fault>> {
    soon(client.echo("x".into()))
}

#[tokio::test]
async fn a_refused_call_tells_what_is_required_and_who_called_and_never_runs() {
    let (door, gauge) = serve(Authorize::new().method("Lab", "hold", Require::uid(0)));
    let client = door.client(uid(1000)).await;
    let fault = soon(client.hold()).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::Refused, Reason::Forbidden)
    );
    assert_eq!(
        fault.to_string(),
        "the call was refused before it ran: the server does not allow it to this caller: \
         Lab.hold requires uid 0, and uid 1000 calls"
    );
    assert_eq!(gauge.begun(), 0);
}

#[tokio::test]
async fn the_rule_of_a_method_comes_before_its_services_and_that_before_the_rest() {
    let rules = Authorize::new()
        .otherwise(Require::uid(1))
        .method("Lab", "take", Require::uid(3))
        .service("Lab", Require::uid(2));
    let (door, _gauge) = serve(rules);
    for caller in 1..=3 {
        let lab = door.client(uid(caller)).await;
        let second = door.client_of("second", uid(caller)).await;
        let allowed = [
            echo(&second).await.is_ok(),
            echo(&lab).await.is_ok(),
            soon(lab.take(vec![7].into())).await.is_ok(),
        ];
        assert_eq!(allowed, [caller == 1, caller == 2, caller == 3], "uid {caller}");
    }
}

#[tokio::test]
async fn a_later_rule_for_the_same_replaces_the_earlier_one() {
    let rules = Authorize::new()
        .service("Lab", Require::uid(1))
        .service("Lab", Require::uid(2));
    let (door, _gauge) = serve(rules);
    assert!(echo(&door.client(uid(1)).await).await.is_err());
    assert!(echo(&door.client(uid(2)).await).await.is_ok());
}

#[tokio::test]
async fn without_a_rule_only_the_user_who_runs_the_server_may_call() {
    let (door, _gauge) = serve(Authorize::new());
    assert!(echo(&door.client(uid(1000).of_same_user()).await).await.is_ok());
    assert!(echo(&door.client(PeerIdentity::in_process()).await).await.is_ok());
    for stranger in [uid(1000), uid(0)] {
        let fault = echo(&door.client(stranger).await).await.unwrap_err();
        let text = fault.detail().unwrap();
        assert!(text.contains("requires the user who runs the server"), "{text}");
    }
}

#[tokio::test]
async fn groups_count_the_callers_own_and_its_further_ones() {
    let video = Principal::gid(44).with_name("group video");
    let (door, _gauge) = serve(Authorize::new().otherwise(Require::one_of([video])));
    let in_group = uid(1000).with_groups(vec![PrincipalId::Gid(4), PrincipalId::Gid(44)]);
    assert!(echo(&door.client(in_group).await).await.is_ok());
    assert!(
        echo(&door.client(uid(44)).await).await.is_ok(),
        "its own group has the number"
    );
    let fault = echo(&door.client(uid(1000)).await).await.unwrap_err();
    let text = fault.detail().unwrap();
    assert_eq!(text, "Lab.echo requires group video (gid 44), and uid 1000 calls");
}

#[tokio::test]
async fn an_account_of_windows_is_told_by_its_identifier() {
    let admins = Principal::sid("S-1-5-32-544").unwrap();
    let (door, _gauge) = serve(Authorize::new().otherwise(admins));
    let account = |sid: &str| PeerIdentity::new(Account::Windows { sid: sid.into() }, None);
    let admin = account("S-1-5-21-7").with_groups(vec![PrincipalId::Sid("S-1-5-32-544".into())]);
    assert!(echo(&door.client(admin).await).await.is_ok());
    let fault = echo(&door.client(account("S-1-5-21-7")).await).await.unwrap_err();
    let text = fault.detail().unwrap();
    assert_eq!(text, "Lab.echo requires S-1-5-32-544, and S-1-5-21-7 calls");
}

#[tokio::test]
async fn a_list_of_nobody_admits_nobody() {
    let (door, _gauge) = serve(Authorize::new().otherwise(Require::one_of([])));
    let fault = echo(&door.client(uid(0).of_same_user()).await).await.unwrap_err();
    assert_eq!(fault.reason(), Reason::Forbidden);
}

#[tokio::test]
async fn a_refused_call_keeps_no_place_of_an_inner_limit() {
    let ((door, listener), gauge) = (door(), Gauge::default());
    let server = Server::builder()
        .service(LabServer::new(Laboratory(gauge.clone())))
        .authorize(Authorize::new().otherwise(Require::uid(0)))
        .layer(ConcurrencyLimitLayer::new(1));
    tokio::spawn(server.serve(listener));
    let (strangers, good) = (
        [door.client(uid(1)).await, door.client(uid(2)).await],
        door.client(uid(0)).await,
    );
    for _ in 0..3 {
        for stranger in &strangers {
            assert_eq!(echo(stranger).await.unwrap_err().reason(), Reason::Forbidden);
        }
        // It would wait for ever if a stranger's connection still had the one place.
        assert_eq!(echo(&good).await.unwrap(), "x");
    }
}

#[tokio::test]
async fn a_refused_oneway_call_never_runs_and_the_connection_goes_on() {
    let (door, gauge) = serve(Authorize::new().otherwise(Require::anyone()).method(
        "Lab",
        "touch",
        Require::uid(0),
    ));
    let client = door.client(uid(1000)).await;
    soon(client.touch()).await.unwrap();
    assert_eq!(echo(&client).await.unwrap(), "x");
    assert_eq!(gauge.begun(), 0);
}

#[tokio::test]
async fn the_secret_stands_in_no_refusal() {
    const SECRET: &str = "correct horse";
    let (door, listener) = door();
    let server = Server::builder()
        .service(LabServer::new(Laboratory::default()))
        .secret(SECRET)
        .authorize(Authorize::new().otherwise(Require::uid(0)));
    tokio::spawn(server.serve(listener));
    door.identities.send(uid(1000)).unwrap();
    let link = door.connector.connect().await.unwrap();
    let mut config = Config::default();
    config.secret = Some(SECRET.into());
    let client = LabClient::new(Channel::open(link, &config).await.unwrap());
    let fault = echo(&client).await.unwrap_err();
    assert!(!format!("{fault} {fault:?}").contains(SECRET));
    assert!(
        !fault.to_string().contains("4000000"),
        "nor does the process id: {fault}"
    );
}

/// What a server with these rules says when it is to serve.
async fn rule_error(rules: Authorize) -> RuleError {
    let server = Server::builder().service_as("lab", LabServer::new(Laboratory::default()));
    match soon(server.authorize(rules).serve(door().1)).await {
        Err(ServeError::Mount(MountError::Rule(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rule_for_what_is_not_there_keeps_the_server_from_starting() {
    let error = rule_error(Authorize::new().service("Lab", Require::anyone())).await;
    assert_eq!(
        error.to_string(),
        "a rule is for the service \"Lab\", and the server has lab: name it as it is mounted"
    );
    let error = rule_error(Authorize::new().method("lab", "ecko", Require::anyone())).await;
    assert!(
        matches!(&error, RuleError::UnknownMethod { service, method, methods }
            if service == "lab" && method == "ecko" && methods.contains(&"echo")),
        "{error}"
    );
}
