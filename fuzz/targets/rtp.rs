//! libFuzzer's way into [`tonewall_fuzz::rtp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::rtp::run(data));
