#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mongoferry_fuzz::deltas(bytes));
