//! libFuzzer's way into [`tonewall_fuzz::answer::form`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tonewall_fuzz::answer::form(data));
