//! libFuzzer's way into [`tonewall_fuzz::sip`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::sip::run(data));
