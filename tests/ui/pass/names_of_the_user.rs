//! Names that the expansion might use itself, or hide, are the user's.
#![deny(warnings)]
#![allow(dead_code)]

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct S;
#[derive(Serialize, Deserialize)]
pub struct T;
pub struct Option;
pub struct Box;
pub struct Send;
pub struct Future;
pub struct Duration;
pub struct Channel;
pub struct Request;

#[allow(non_camel_case_types)]
pub type argument0 = u8;

#[pipe_rpc::service]
pub trait Service<S1: Serialize + for<'de> Deserialize<'de> + std::marker::Send + Sync + 'static> {
    async fn put(&self, s: S, t: T, s1: S1) -> Result<S, T>;
    async fn locals(&self, request: u8, service: u8, cx: u8, result: u8, index: u8, client: u8, stub: u8) -> u8;
    async fn context(&self, context: &pipe_rpc::Context, argument0: argument0) -> argument0;
    async fn fmt(&self);
    async fn call(&self);
    async fn name(&self);
    async fn drop(&self);
    async fn eq(&self, other: String) -> bool;
}

fn main() {}
