//! libFuzzer's way into [`tonewall_fuzz::sdp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::sdp::run(data));
