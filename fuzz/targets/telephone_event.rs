//! libFuzzer's way into [`tonewall_fuzz::telephone_event`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::telephone_event::run(data));
