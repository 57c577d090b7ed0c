//! Figures of detectors that are not run here, as published beside the same sweeps.
//! Owns: the table.
//! Never: passes for a measurement; every engine's name says where its figure comes from.
//!
//! Source: the project's study of detectors (MEDIA.md D, 2026-11-23): spandsp 0.0.6, Asterisk's dsp, FreeSWITCH's teletone, multimon-ng's algorithm at
//! 8 kHz, the crate dtmf 0.1.5, over sweeps of this same description. A missing figure is one that the study does not give.

use super::table::Table;

const ENGINES: [&str; 5] = [
    "spandsp 0.0.6 (MEDIA.md)",
    "asterisk dsp (MEDIA.md)",
    "freeswitch teletone (MEDIA.md)",
    "multimon-ng 8 kHz (MEDIA.md)",
    "rust dtmf 0.1.5 (MEDIA.md)",
];

/// No figure.
const NONE: f64 = f64::NAN;

const FIGURES: &[(&str, [f64; 5])] = &[
    ("basic 50/50 16x10 %", [100.0, 100.0, 100.0, 100.0, 100.0]),
    (
        "reporting delay after tone start ms",
        [39.0, 39.0, 122.0, 21.0, 60.0],
    ),
    (
        "freq lo: accept |d|<=1.5%",
        [100.0, 100.0, 0.0, 100.0, 100.0],
    ),
    (
        "freq lo: accept |d|>=3.5% (want 0)",
        [9.4, 9.4, 0.0, 0.0, 14.4],
    ),
    ("freq lo: accept 1.75..3.25%", [80.8, 80.8, 0.0, 55.4, 59.8]),
    ("freq lo: 100% range from", [-2.25, -2.25, NONE, -2.0, -2.0]),
    ("freq lo: 100% range to", [2.5, 2.5, NONE, 2.0, 2.25]),
    (
        "freq hi: accept |d|<=1.5%",
        [100.0, 100.0, 0.0, 91.3, 100.0],
    ),
    (
        "freq hi: accept |d|>=3.5% (want 0)",
        [0.0, 0.0, 0.0, 0.0, 10.0],
    ),
    ("freq hi: accept 1.75..3.25%", [23.2, 22.8, 0.0, 2.7, 36.2]),
    ("freq hi: 100% range from", [-1.5, -1.5, NONE, -1.25, -1.75]),
    ("freq hi: 100% range to", [1.5, 1.5, NONE, 1.25, 1.75]),
    (
        "freq both: accept |d|<=1.5%",
        [98.6, 98.6, 0.0, 78.8, 100.0],
    ),
    (
        "freq both: accept |d|>=3.5% (want 0)",
        [0.0, 0.0, 0.6, 0.0, 0.6],
    ),
    ("freq both: accept 1.75..3.25%", [5.4, 5.4, 0.0, 0.0, 30.4]),
    (
        "freq both: 100% range from",
        [-1.25, -1.25, NONE, -1.0, -1.75],
    ),
    ("freq both: 100% range to", [1.25, 1.25, NONE, 1.0, 1.75]),
    (
        "twist accept -8..+4 dB (hi/lo)",
        [93.3, 93.8, 0.0, 71.2, 100.0],
    ),
    (
        "twist accept beyond (-14..-9,+5..+14)",
        [0.0, 0.0, 0.0, 0.4, 88.3],
    ),
    ("twist 100% range from dB", [-7.0, -7.0, NONE, -4.0, -14.0]),
    ("twist 100% range to dB", [3.0, 3.0, NONE, 4.0, 4.0]),
    (
        "level 100% range from dBm0/tone",
        [-41.0, -41.0, -50.0, -50.0, -50.0],
    ),
    ("level 100% range to dBm0/tone", [0.0, 0.0, 0.0, 0.0, 0.0]),
    (
        "lowest level ever detected",
        [-41.0, -42.0, -50.0, -50.0, -50.0],
    ),
    (
        "duration accept >=40 ms %",
        [100.0, 100.0, 100.0, 100.0, 96.13],
    ),
    (
        "duration accept <=20 ms (want 0)",
        [0.0, 0.0, 100.0, 64.73, 0.45],
    ),
    ("duration accept 23 ms", [28.1, 28.1, 100.0, 100.0, 18.8]),
    ("duration accept 30 ms", [68.8, 68.8, 100.0, 100.0, 43.8]),
    ("duration 100% from ms", [34.0, 34.0, 14.0, 17.0, 48.0]),
    ("duration first accepted ms", [21.0, 22.0, 14.0, 16.0, 20.0]),
    (
        "pause >=40 ms seen as two %",
        [100.0, 100.0, 14.2, 100.0, 76.7],
    ),
    (
        "gap <=10 ms seen as one %",
        [82.8, 100.0, 100.0, 29.7, 100.0],
    ),
    (
        "lowest SNR dB with 100% (burst, 96 each)",
        [10.0, 10.0, 5.0, 0.0, 21.0],
    ),
    (
        "continuous noise SNR 18 dB accept %",
        [100.0, 100.0, 0.0, 100.0, 99.2],
    ),
    (
        "continuous noise SNR 15 dB accept %",
        [100.0, 100.0, 0.0, 100.0, 97.5],
    ),
    (
        "continuous noise SNR 12 dB accept %",
        [100.0, 100.0, 0.0, 100.0, 98.5],
    ),
    (
        "continuous noise SNR 9 dB accept %",
        [97.8, 97.8, 0.0, 100.0, 92.0],
    ),
    (
        "continuous noise SNR 6 dB accept %",
        [16.0, 14.0, 0.0, 100.0, 81.8],
    ),
    ("continuous noise SNR 18 dB doubled and false", [0.0; 5]),
    ("continuous noise SNR 15 dB doubled and false", [0.0; 5]),
    ("continuous noise SNR 12 dB doubled and false", [0.0; 5]),
    ("continuous noise SNR 9 dB doubled and false", [0.0; 5]),
    ("continuous noise SNR 6 dB doubled and false", [0.0; 5]),
    (
        "dial tone -25 dBm0/tone, DTMF -10: accept %",
        [100.0, 100.0, 0.0, 100.0, 100.0],
    ),
    (
        "dial tone -20 dBm0/tone, DTMF -10: accept %",
        [100.0, 100.0, 0.0, 100.0, 100.0],
    ),
    (
        "dial tone -15 dBm0/tone, DTMF -10: accept %",
        [0.0, 0.0, 0.0, 100.0, 100.0],
    ),
    (
        "dial tone -12 dBm0/tone, DTMF -10: accept %",
        [0.0, 0.0, 0.0, 100.0, 99.0],
    ),
    (
        "dial tone -10 dBm0/tone, DTMF -10: accept %",
        [0.0, 0.0, 0.0, 100.0, 99.0],
    ),
    (
        "packet loss 1% zero fill: missed%",
        [0.0, 0.0, 0.0, 0.0, 0.94],
    ),
    (
        "packet loss 1% zero fill: doubled%",
        [0.31, 0.0, 0.0, 0.16, 0.0],
    ),
    (
        "packet loss 3% zero fill: missed%",
        [0.0, 0.0, 0.0, 0.0, 1.09],
    ),
    (
        "packet loss 3% zero fill: doubled%",
        [1.09, 0.0, 0.0, 0.16, 0.0],
    ),
    (
        "packet loss 5% zero fill: missed%",
        [0.16, 0.16, 0.0, 0.0, 3.28],
    ),
    (
        "packet loss 5% zero fill: doubled%",
        [1.88, 0.0, 0.0, 0.31, 0.0],
    ),
    (
        "packet loss 10% zero fill: missed%",
        [2.66, 2.66, 0.0, 0.16, 5.47],
    ),
    (
        "packet loss 10% zero fill: doubled%",
        [1.25, 0.0, 0.0, 1.41, 0.0],
    ),
    (
        "talk-off speech native: false digits",
        [0.0, 0.0, 0.0, 1.0, 57.0],
    ),
    (
        "talk-off speech pitch-shifted: false digits",
        [0.0, 0.0, 4.0, 5.0, 191.0],
    ),
    ("talk-off music: false digits", [0.0, 0.0, 0.0, 0.0, 19.0]),
    (
        "throughput x real time",
        [21_984.0, 16_447.0, 11_590.0, 16_235.0, 3_592.0],
    ),
];

/// Puts every published figure beside what was measured.
pub(crate) fn put(table: &mut Table) {
    for (row, figures) in FIGURES {
        for (engine, value) in ENGINES.iter().zip(figures) {
            if !value.is_nan() {
                table.put_published(engine, row, *value);
            }
        }
    }
}
