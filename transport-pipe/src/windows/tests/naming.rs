//! Names as the system takes them, and what answers to them.

use super::fresh_name;
use crate::error::AttemptError;
use crate::options::{ConnectOptions, ServerOptions};
use crate::windows::connect_once;
use crate::windows::file_unsafe::Place;
use crate::windows::instance::Blueprint;

#[tokio::test]
async fn a_name_without_a_server_is_not_found() {
    let answer = connect_once(&fresh_name(), &ConnectOptions::default()).await;
    assert!(matches!(answer, Err(AttemptError::NotFound)), "{answer:?}");
}

#[tokio::test]
async fn a_server_without_a_free_instance_is_busy() {
    let name = fresh_name();
    let _server = Blueprint::new(&name, &ServerOptions::default())
        .unwrap()
        .make(Place::First)
        .unwrap();
    let _first = connect_once(&name, &ConnectOptions::default()).await.unwrap();
    let second = connect_once(&name, &ConnectOptions::default()).await;
    assert!(matches!(second, Err(AttemptError::Busy)), "{second:?}");
}

#[test]
fn the_private_name_holds_the_users_identifier() {
    let path = crate::windows::private_path("thesaurus").unwrap();
    let path = path.to_str().unwrap();
    assert!(
        path.starts_with(r"\\.\pipe\pipe-rpc-S-1-5-") && path.ends_with("-thesaurus"),
        "{path}"
    );
}
