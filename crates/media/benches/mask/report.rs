//! A class's figures as one line of JSON, and which of its bounds they miss.

use crate::class::{Bounds, Class, MaskBound, Moment};
use crate::foreign::Recovered;
use crate::measure::Figures;

/// How far the mask may reach beyond a tone, in samples: 12 ms before, 20 ms after.
const BEFORE_MAX: usize = 96;
const AFTER_MAX: usize = 160;

/// Speech altered far from keys, in percent, and its longest piece in samples: 30 ms.
const ALTERED_PCT_MAX: f64 = 0.3;
const PIECE_MAX: usize = 240;

/// How much of an edge of the mask may depend on the digit: 16 samples.
const EDGE_MOVED_MAX: usize = 16;

/// Probability that guessing looks like reading in any test of a run.
const FALSE_ALARM: f64 = 0.001;

/// What a control must read at least, as a share.
const CONTROL_LEAST: f64 = 0.99;

/// Everything known of a class.
pub(crate) struct Report {
    pub(crate) class: Class,
    pub(crate) figures: Figures,
    /// Nothing where no foreign decoder ran.
    pub(crate) recovered: Option<Recovered>,
    pub(crate) blind: [f64; 3],
    pub(crate) oracle: [f64; 3],
    /// Presses that the filter that knows the times reads, for the controls.
    pub(crate) oracle_right: [usize; 3],
    /// Nothing where no twin was played.
    pub(crate) edge_moved_max: Option<usize>,
}

impl Report {
    pub(crate) fn line(&self) -> String {
        let figures = &self.figures;
        let [before_50, before_99] =
            [50, 99].map(|percent| millis(percentile(&figures.before, percent)));
        let [after_50, after_99] =
            [50, 99].map(|percent| millis(percentile(&figures.after, percent)));
        let foreign = |read: fn(&Recovered) -> usize| {
            self.recovered
                .as_ref()
                .map_or("null".into(), |recovered| read(recovered).to_string())
        };
        let p = |values: &[f64; 3], name: &str| {
            format!(
                "\"{name}_3ms\": {:.3e}, \"{name}_5ms\": {:.3e}, \"{name}_10ms\": {:.3e}",
                values[0], values[1], values[2]
            )
        };
        let or_null = |value: Option<usize>| value.map_or("null".into(), |value| value.to_string());
        format!(
            "{{\"class\": \"{}\", \"digits\": {}, \"clear_samples_max\": {}, \"recovered\": {{\"multimon\": {}, \"spandsp\": {}, \"own\": {}}}, \
             \"p_value\": {{{}, {}}}, \"mask_before_ms_p50\": {before_50}, \"mask_before_ms_p99\": {before_99}, \
             \"mask_after_ms_p50\": {after_50}, \"mask_after_ms_p99\": {after_99}, \"latency_ms_p50\": null, \"latency_ms_p99\": null, \
             \"speech_altered_pct\": {:.4}, \"gap_silenced_pct\": {:.4}, \"digits_right\": {}, \"digits_missed\": {}, \"digits_wrong\": {}, \
             \"digits_doubled\": {}, \"tones_out\": {}, \"presses_clear\": {}, \"tones_unclear\": {}, \"altered_piece_ms_max\": {}, \
             \"edge_moved_samples_max\": {}, \"faults\": {}}}",
            self.class.name,
            figures.digits,
            figures.clear_samples_max,
            foreign(|recovered| recovered.multimon),
            foreign(|recovered| recovered.spandsp),
            figures.own,
            p(&self.blind, "blind"),
            p(&self.oracle, "oracle"),
            percent(figures.altered, figures.speech),
            percent(figures.gap_silenced, figures.speech),
            figures.right,
            figures.missed,
            figures.wrong,
            figures.doubled,
            figures.tones_out,
            figures.presses_clear,
            figures.unclear,
            millis(Some(figures.piece_max)),
            or_null(self.edge_moved_max),
            figures.faults,
        )
    }

    /// The bounds that are missed; `tests` filters judge in this run.
    pub(crate) fn missed(&self, tests: usize) -> Vec<String> {
        let (bounds, figures) = (&self.class.bounds, &self.figures);
        let mut missed = Vec::new();
        let mut want = |holds: bool, what: String| {
            if !holds {
                missed.push(format!("{}: {what}", self.class.name));
            }
        };
        // A key that the mask misses in a class that is printed only trips the egress guard, as it should.
        want(
            figures.faults == 0 || !bounds.silent,
            format!("{} faults", figures.faults),
        );
        want(figures.digits > 0, "nothing was played".into());
        if bounds.silent {
            self.want_silence(tests, &mut want);
        }
        if bounds.mask == MaskBound::Tight {
            let (before, after) = (
                percentile(&figures.before, 99),
                percentile(&figures.after, 99),
            );
            want(
                before.is_some_and(|samples| samples <= BEFORE_MAX),
                format!("the mask begins {} ms early", millis(before)),
            );
            want(
                after.is_some_and(|samples| samples <= AFTER_MAX),
                format!("the mask ends {} ms late", millis(after)),
            );
        }
        if bounds.speech {
            let altered = percent(figures.altered, figures.speech);
            want(
                figures.speech > 0 && altered <= ALTERED_PCT_MAX,
                format!(
                    "{altered:.3} % of {} samples of speech altered",
                    figures.speech
                ),
            );
            want(
                figures.piece_max <= PIECE_MAX,
                format!(
                    "{} samples of speech altered in one piece",
                    figures.piece_max
                ),
            );
        }
        self.want_digits(bounds, &mut want);
        if let (true, Some(samples)) = (bounds.alike, self.edge_moved_max) {
            want(
                samples <= EDGE_MOVED_MAX,
                format!("an edge of the mask moves by {samples} samples with the digits"),
            );
        }
        self.want_sight(&mut want);
        missed
    }

    fn want_silence(&self, tests: usize, want: &mut impl FnMut(bool, String)) {
        let figures = &self.figures;
        want(
            figures.clear_samples_max == 0,
            format!(
                "{} presses clear, up to {} samples",
                figures.presses_clear, figures.clear_samples_max
            ),
        );
        want(
            figures.event_packets == 0,
            format!("{} events reached the agent", figures.event_packets),
        );
        want(
            figures.own == 0,
            format!("our detector reads {}", figures.own),
        );
        if let Some(recovered) = &self.recovered {
            want(
                recovered.multimon == 0,
                format!("multimon-ng reads {}", recovered.multimon),
            );
            want(
                recovered.spandsp == 0,
                format!("spandsp reads {}", recovered.spandsp),
            );
        }
        for (name, values) in [("blind", self.blind), ("oracle", self.oracle)] {
            for (window, p) in [3, 5, 10].into_iter().zip(values) {
                want(
                    p > FALSE_ALARM / tests as f64,
                    format!("the {name} filter of {window} ms reads, p {p:.1e}"),
                );
            }
        }
    }

    fn want_digits(&self, bounds: &Bounds, want: &mut impl FnMut(bool, String)) {
        let figures = &self.figures;
        let right = percent(figures.right, figures.digits);
        want(
            right >= bounds.right_pct,
            format!("{right:.3} % of digits right, {} missed", figures.missed),
        );
        if bounds.exact {
            want(
                figures.wrong + figures.doubled == 0,
                format!(
                    "{} digits wrong, {} doubled",
                    figures.wrong, figures.doubled
                ),
            );
        }
        if bounds.one_tone {
            want(
                figures.tones_out == figures.digits,
                format!("{} tones for {} keys", figures.tones_out, figures.digits),
            );
        }
    }

    /// Controls: the attackers see what is there to be seen.
    fn want_sight(&self, want: &mut impl FnMut(bool, String)) {
        if !matches!(self.class.moment, Moment::Never | Moment::Late) {
            return;
        }
        let least = (self.figures.digits as f64 * CONTROL_LEAST) as usize;
        let mut reads = |name: &str, count: usize| {
            want(
                count >= least,
                format!("{name} reads {count} of {}", self.figures.digits),
            )
        };
        for (window, count) in [3, 5, 10].into_iter().zip(self.oracle_right) {
            // 3 ms of a key between two stretches of flat tone is all that a late mask leaves.
            if self.class.moment == Moment::Never || window == 3 {
                reads(&format!("the oracle of {window} ms"), count);
            }
        }
        if self.class.moment == Moment::Late {
            let (clear, p) = (self.figures.presses_clear, self.oracle[0]);
            return want(
                clear >= least && p < 1e-9,
                format!("3 ms leak: {clear} presses are seen, p {p:.1e}"),
            );
        }
        reads("our detector", self.figures.own);
        if let Some(recovered) = &self.recovered {
            reads("multimon-ng", recovered.multimon);
            // spandsp reports no key below 23 ms, nor should it.
            if self.class.on_ms.0 >= 40.0 {
                reads("spandsp", recovered.spandsp);
            }
        }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The least value that `percent` of all do not exceed.
fn percentile(values: &[usize], percent: usize) -> Option<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted
        .get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
        .copied()
}

fn millis(samples: Option<usize>) -> String {
    samples.map_or("null".into(), |samples| {
        format!("{:.3}", samples as f64 / 8.0)
    })
}
