//! What was heard against what was keyed.
//! Owns: the alignment of both.
//! Never: forgives a wrong key.
//!
//! Foreign detectors do not all say when they heard a key, so keys are aligned by their order: the longest common subsequence. Neighbours on the line
//! differ (but where a sweep presses twice), so a key heard twice in a row was doubled.

use super::line::KeyIndex;

/// Counts of one line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    pub(crate) keyed: usize,
    pub(crate) hits: usize,
    pub(crate) doubled: usize,
    /// Neither hits nor doubled.
    pub(crate) wrong: usize,
}

impl Score {
    pub(crate) fn of(keyed: &[KeyIndex], heard: &[KeyIndex]) -> Self {
        let mut singles = heard.to_vec();
        singles.dedup();
        let doubled = heard.len() - singles.len();
        let hits = matches(keyed, &singles).len();
        Self {
            keyed: keyed.len(),
            hits,
            doubled,
            wrong: singles.len() - hits,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            keyed: self.keyed + other.keyed,
            hits: self.hits + other.hits,
            doubled: self.doubled + other.doubled,
            wrong: self.wrong + other.wrong,
        }
    }

    pub(crate) fn hit_percent(self) -> f64 {
        percent(self.hits, self.keyed)
    }

    pub(crate) fn missed_percent(self) -> f64 {
        percent(self.keyed - self.hits, self.keyed)
    }

    pub(crate) fn doubled_percent(self) -> f64 {
        percent(self.doubled, self.keyed)
    }

    pub(crate) fn is_whole(self) -> bool {
        self.hits == self.keyed
    }
}

/// How many of the runs keyed (each another key than the run before) were heard `times` times in a row.
pub(crate) fn runs_heard(keyed: &[KeyIndex], heard: &[KeyIndex], times: usize) -> usize {
    let runs: Vec<&[KeyIndex]> = heard.chunk_by(|a, b| a == b).collect();
    let firsts: Vec<KeyIndex> = runs.iter().map(|run| run[0]).collect();
    matches(keyed, &firsts)
        .iter()
        .filter(|(_, run)| runs[*run].len() == times)
        .count()
}

/// The longest common subsequence, as places in both.
pub(crate) fn matches(keyed: &[KeyIndex], heard: &[KeyIndex]) -> Vec<(usize, usize)> {
    let width = heard.len() + 1;
    let mut length = vec![0_u32; (keyed.len() + 1) * width];
    for (row, key) in keyed.iter().enumerate().rev() {
        for (column, other) in heard.iter().enumerate().rev() {
            length[row * width + column] = if key == other {
                length[(row + 1) * width + column + 1] + 1
            } else {
                length[(row + 1) * width + column].max(length[row * width + column + 1])
            };
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < keyed.len() && column < heard.len() {
        if keyed[row] == heard[column] {
            pairs.push((row, column));
            row += 1;
            column += 1;
        } else if length[(row + 1) * width + column] >= length[row * width + column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let part = u32::try_from(part).unwrap_or(u32::MAX);
    let whole = u32::try_from(whole).unwrap_or(u32::MAX);
    100.0 * f64::from(part) / f64::from(whole)
}
