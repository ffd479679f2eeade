# What capnp's code is generated from.
@0xa5d1f7c39e2b6480;

interface Echo {
  bytes @0 (body :Data) -> (body :Data);
}
