//! libFuzzer's way into [`tonewall_fuzz::siprec`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::siprec::run(data));
