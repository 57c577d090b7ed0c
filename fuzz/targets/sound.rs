//! libFuzzer's way into [`tonewall_fuzz::sound`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::sound::run(data));
