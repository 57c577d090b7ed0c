//! libFuzzer's way into [`tonewall_fuzz::recording`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::recording::run(data));
