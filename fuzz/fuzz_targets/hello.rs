#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pipe_rpc_fuzz::hello::run(input));
