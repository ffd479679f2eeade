//! Parameters over types and constants, with bounds, defaults and a where clause.
#![deny(warnings, missing_docs)]

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A cache.
#[pipe_rpc::service(name = "com.example.cache")]
pub trait Cache<K: Serialize + DeserializeOwned + Send + Sync + 'static, V = String, const LIMIT: usize = 4>
where
    K: Eq + Hash,
    V: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// What is kept for `key`.
    async fn get(&self, key: K) -> Option<V>;
    /// Keeps `value`.
    async fn put(&self, key: K, value: V) -> Result<(), V>;
}

struct Map<K, V>(Mutex<HashMap<K, V>>);

impl<K, V, const LIMIT: usize> Cache<K, V, LIMIT> for Map<K, V>
where
    K: Serialize + DeserializeOwned + Eq + Hash + Send + Sync + 'static,
    V: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    async fn get(&self, key: K) -> Option<V> {
        self.0.lock().unwrap().get(&key).cloned()
    }

    async fn put(&self, key: K, value: V) -> Result<(), V> {
        let mut map = self.0.lock().unwrap();
        if map.len() >= LIMIT {
            return Err(value);
        }
        map.insert(key, value);
        Ok(())
    }
}

/// A client with the defaults, one without, and neither asks for the bounds.
pub struct Clients<K, V> {
    /// Of strings.
    pub defaults: CacheClient<u32>,
    /// Of anything.
    pub any: CacheClient<K, V, 8>,
}

async fn use_it() -> Option<String> {
    let client = CacheClient::<u32>::connect("cache").await.ok()?;
    client.clone().get(1).await.ok()?
}

fn main() {
    let _ = CacheServer::<_, u32, String, 8>::new(Map(Mutex::default())).clone();
    drop(use_it());
}
