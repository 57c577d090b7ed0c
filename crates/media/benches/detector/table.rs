//! Every engine's figure in every row.
//! Owns: what is better in which row, and the comparison with the best rival.
//! Never: measures.

use std::collections::BTreeMap;
use std::io::Write;

use super::engines::OURS;

/// Which figure of a row is the better one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Better {
    /// The higher; beyond `enough` more is no gain.
    Higher { enough: f64 },
    /// The lower; beyond `enough` less is no gain.
    Lower { enough: f64 },
    /// As [`Better::Lower`], among engines whose figure in the other row is 0: who takes what must be refused has no say.
    LowerAmong { enough: f64, clean_in: &'static str },
    /// Printed for the reader: the standard allows either, or it is no virtue.
    Either,
}

/// Percentages.
pub(crate) const UP: Better = Better::Higher { enough: 100.0 };

/// Faults.
pub(crate) const DOWN: Better = Better::Lower { enough: 0.0 };

/// The rows in the order in which they came up.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(String, Better)>,
    values: BTreeMap<(String, usize), f64>,
}

impl Table {
    /// Writes a figure down and prints it.
    pub(crate) fn put(&mut self, engine: &str, row: &str, better: Better, value: f64) {
        let place = self.row(row, better);
        self.values.insert((engine.into(), place), value);
        say(&format!(
            "{{\"engine\": \"{engine}\", \"row\": \"{row}\", \"value\": {}}}",
            number(value)
        ));
    }

    /// A published figure; only beside a row that was measured here.
    pub(crate) fn put_published(&mut self, engine: &str, row: &str, value: f64) {
        if let Some(place) = self.rows.iter().position(|(name, _)| name == row) {
            let better = self.rows[place].1;
            self.put(engine, row, better, value);
        }
    }

    fn row(&mut self, row: &str, better: Better) -> usize {
        if let Some(place) = self.rows.iter().position(|(name, _)| name == row) {
            return place;
        }
        self.rows.push((row.into(), better));
        self.rows.len() - 1
    }

    pub(crate) fn value(&self, engine: &str, row: &str) -> Option<f64> {
        let place = self.rows.iter().position(|(name, _)| name == row)?;
        self.values.get(&(engine.into(), place)).copied()
    }

    /// Says for each judged row whether ours is at least the best rival's; true if all are.
    pub(crate) fn judge(&self) -> bool {
        let mut passed = true;
        for (place, (row, better)) in self.rows.iter().enumerate() {
            let Some(ours) = self.values.get(&(OURS.into(), place)) else {
                continue;
            };
            let Some(best) = self.best_rival(place, *better) else {
                continue;
            };
            let holds = better.at_least(*ours, best.1);
            passed &= holds;
            say(&format!(
                "{{\"target\": \"{row}\", \"ours\": {}, \"rival\": {}, \"rival_engine\": \"{}\", \"pass\": {holds}}}",
                number(*ours),
                number(best.1),
                best.0
            ));
        }
        passed
    }

    fn best_rival(&self, place: usize, better: Better) -> Option<(&str, f64)> {
        let mut best: Option<(&str, f64)> = None;
        for ((engine, row), value) in &self.values {
            let counts = *row == place && engine != OURS && self.may_say(engine, better);
            if counts && best.is_none_or(|(_, so_far)| !better.at_least(so_far, *value)) {
                best = Some((engine, *value));
            }
        }
        best.filter(|_| !matches!(better, Better::Either))
    }

    fn may_say(&self, engine: &str, better: Better) -> bool {
        match better {
            Better::LowerAmong { clean_in, .. } => self.value(engine, clean_in) == Some(0.0),
            Better::Higher { .. } | Better::Lower { .. } | Better::Either => true,
        }
    }
}

impl Better {
    fn at_least(self, ours: f64, rival: f64) -> bool {
        match self {
            Self::Higher { enough } => ours.min(enough) >= rival.min(enough),
            Self::Lower { enough } | Self::LowerAmong { enough, .. } => {
                ours.max(enough) <= rival.max(enough)
            }
            Self::Either => true,
        }
    }
}

/// A target of ours alone.
pub(crate) fn target(name: &str, ours: f64, limit: f64, pass: bool) -> bool {
    say(&format!(
        "{{\"target\": \"{name}\", \"ours\": {}, \"limit\": {}, \"pass\": {pass}}}",
        number(ours),
        number(limit)
    ));
    pass
}

/// A line to standard output.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away is no concern of a measurement.
    let _gone = writeln!(out, "{line}");
}

fn number(value: f64) -> String {
    format!("{}", (value * 1_000.0).round() / 1_000.0)
}
