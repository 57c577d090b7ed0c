//! libFuzzer's way into [`tonewall_fuzz::relay`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::relay::run(data));
