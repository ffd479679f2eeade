//! The table of methods says what the trait says.
#![deny(warnings)]

use std::time::Duration;

use pipe_rpc::__private::Mount;

#[pipe_rpc::service(name = "com.example.table")]
trait Service {
    async fn plain(&self, words: Vec< String >, number: u32,) -> Result<(u8,), String>;
    async fn one(&self, _cx: &pipe_rpc::Context, pair: (u8, u16)) -> ();
    #[rpc(oneway)]
    #[rpc(name = "the-touch", spawn)]
    async fn touch(&self);
    #[rpc(idempotent, max_body = "3MiB", timeout = "150ms")]
    async fn r#type(&self, r#fn: u8) -> std::result::Result<u8, u16>;
}

struct Implementation;

impl Service for Implementation {
    async fn plain(&self, _words: Vec<String>, _number: u32) -> Result<(u8,), String> {
        Ok((0,))
    }
    async fn one(&self, _cx: &pipe_rpc::Context, _pair: (u8, u16)) {}
    async fn touch(&self) {}
    async fn r#type(&self, r#fn: u8) -> Result<u8, u16> {
        Ok(r#fn)
    }
}

fn main() {
    let server = ServiceServer::new(Implementation);
    assert_eq!(server.name(), "com.example.table");
    let [plain, one, touch, kind] = server.methods() else {
        panic!("four methods");
    };
    assert_eq!(plain.service, "com.example.table");
    assert_eq!(plain.signature, "(Vec<String>, u32) -> Result<(u8,), String>");
    assert_eq!((plain.oneway, plain.idempotent, plain.spawn, plain.timeout), (false, false, false, None));
    assert_eq!(one.signature, "((u8, u16))");
    assert_eq!((touch.name, touch.oneway, touch.spawn), ("the-touch", true, true));
    assert_eq!(touch.signature, "()");
    assert_eq!((kind.name, kind.idempotent, kind.timeout), ("type", true, Some(Duration::from_millis(150))));
    assert_eq!((plain.max_body, kind.max_body), (None, Some(3 << 20)));
    assert_eq!(kind.signature, "(u8) -> Result<u8, u16>");
}
