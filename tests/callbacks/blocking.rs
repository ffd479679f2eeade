//! A client without async is called back too.

use pipe_rpc::Server;
use tokio::runtime::Runtime;

use crate::ends::{End, RelayBlockingClient, RelayServer, connect, host};

#[test]
fn a_blocking_client_offers_services() {
    let runtime = Runtime::new().unwrap();
    let host = {
        let _inside = runtime.enter();
        host("callbacks-blocking")
    };
    let end = End::default();
    let offers = Server::builder().service(RelayServer::new(end.relay.clone()));
    let client = RelayBlockingClient::connect(connect(&host.name).serving(offers)).unwrap();
    for more in 0..5 {
        assert_eq!(client.bounce(more), Ok(u8::try_from(more).unwrap()));
    }
    assert_eq!(end.relay.gauge.begun(), 1 + 1 + 2 + 2);
}
