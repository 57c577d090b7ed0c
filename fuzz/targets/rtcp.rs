//! libFuzzer's way into [`tonewall_fuzz::rtcp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::rtcp::run(data));
