//! What one call shows: clear samples, edges of the mask, speech that was altered, digits, tones.

use std::ops::Range;

use media::dtmf::inband::LooseDetector;
use media::dtmf::inband::keypad::pair_of_event;

use crate::rig::{Filled, Outcome};
use crate::scene::{MS, Press, RINGING, Scene};

/// Samples held back while protected.
pub(crate) const HELD: usize = 96;

/// Equal samples in a row that count as clear, whatever the trace says.
const RUN: usize = 8;

/// A gap's own silence, and its fades, lie this near to it.
const GAP_NEAR: usize = 20 * MS;

/// A press is measured at its edges if the nearest loss is this far away.
const EDGE_FAR: usize = 60 * MS;

/// Speech this near to a key is not judged.
const KEY_NEAR: usize = 300 * MS;

/// The figures of one or more calls.
#[derive(Default, Clone)]
pub(crate) struct Figures {
    pub(crate) digits: usize,
    pub(crate) clear_samples_max: usize,
    pub(crate) presses_clear: usize,
    pub(crate) own: usize,
    /// In samples.
    pub(crate) before: Vec<usize>,
    pub(crate) after: Vec<usize>,
    pub(crate) speech: usize,
    pub(crate) altered: usize,
    pub(crate) gap_silenced: usize,
    pub(crate) piece_max: usize,
    pub(crate) right: usize,
    pub(crate) missed: usize,
    pub(crate) wrong: usize,
    pub(crate) doubled: usize,
    pub(crate) unclear: usize,
    pub(crate) tones_out: usize,
    pub(crate) event_packets: usize,
    /// Broken assumptions of the harness or the call: must be none.
    pub(crate) faults: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        self.digits += other.digits;
        self.clear_samples_max = self.clear_samples_max.max(other.clear_samples_max);
        self.presses_clear += other.presses_clear;
        self.own += other.own;
        self.before.extend(other.before);
        self.after.extend(other.after);
        self.speech += other.speech;
        self.altered += other.altered;
        self.gap_silenced += other.gap_silenced;
        self.piece_max = self.piece_max.max(other.piece_max);
        self.right += other.right;
        self.missed += other.missed;
        self.wrong += other.wrong;
        self.doubled += other.doubled;
        self.unclear += other.unclear;
        self.tones_out += other.tones_out;
        self.event_packets += other.event_packets;
        self.faults += other.faults;
    }
}

/// Measures a call.
pub(crate) fn measure(scene: &Scene, outcome: &Outcome, heard: &[i16]) -> Figures {
    let mut figures = Figures {
        digits: scene.presses.len(),
        unclear: outcome.told.len() - outcome.keys().len(),
        event_packets: outcome.event_packets,
        faults: outcome.untraced + outcome.unprotected,
        own: own_finds(scene, heard),
        tones_out: tones_at_keys(scene, heard),
        ..Figures::default()
    };
    let near_gap = near(&scene.lost, scene.signal.len(), GAP_NEAR);
    count_clear(scene, outcome, &mut figures);
    let intact = intact(scene, outcome);
    measure_edges(scene, &intact, &mut figures);
    judge_speech(scene, outcome, &intact, &near_gap, &mut figures);
    compare_digits(scene, outcome, &mut figures);
    figures
}

/// Marks what lies in or near one of `ranges`.
fn near(ranges: &[Range<usize>], len: usize, margin: usize) -> Vec<bool> {
    let mut marks = vec![false; len];
    for range in ranges {
        let (start, end) = (
            range.start.saturating_sub(margin),
            (range.end + margin).min(len),
        );
        marks[start.min(end)..end].fill(true);
    }
    marks
}

fn count_clear(scene: &Scene, outcome: &Outcome, figures: &mut Figures) {
    let mut of_press = vec![usize::MAX; scene.signal.len()];
    for (index, press) in scene.presses.iter().enumerate() {
        of_press[press.span.clone()].fill(index);
    }
    let mut clear = vec![0; scene.presses.len()];
    let press_at = |source: Option<usize>| {
        source
            .and_then(|at| of_press.get(at))
            .copied()
            .filter(|index| *index != usize::MAX)
    };
    for place in 0..outcome.agent.len() {
        if !outcome.is_protected(place) {
            continue;
        }
        let sources = [outcome.delayed[place], outcome.direct[place]];
        if let Some(index) = sources.into_iter().find_map(press_at) {
            clear[index] += 1;
        }
    }
    for (index, press) in scene.presses.iter().enumerate() {
        clear[index] = clear[index].max(equal_runs(scene, outcome, press));
    }
    figures.presses_clear = clear.iter().filter(|count| **count > 0).count();
    figures.clear_samples_max = clear.into_iter().max().unwrap_or(0);
}

/// Samples of a press in runs of equal values at the agent or in the recording, delayed or not: owes nothing to the trace.
fn equal_runs(scene: &Scene, outcome: &Outcome, press: &Press) -> usize {
    let mut clear = 0;
    for line in [&outcome.agent, &outcome.recorded] {
        for delay in [0, HELD] {
            let (mut run, mut level) = (0, 0);
            for at in press.span.clone() {
                let (source, place) = (scene.signal[at], at + delay);
                let same = line.get(place) == Some(&source)
                    && outcome.is_protected(place)
                    && outcome.filled[place] != Filled::Nothing;
                run = if same { run + 1 } else { 0 };
                level = if same {
                    level + u32::from(source.unsigned_abs())
                } else {
                    0
                };
                // Silence equals silence.
                if run >= RUN && level > 8 * 60 {
                    clear += if run == RUN { RUN } else { 1 };
                }
            }
        }
    }
    clear
}

/// True for each sample of the signal that reached the agent alone and unchanged.
fn intact(scene: &Scene, outcome: &Outcome) -> Vec<bool> {
    let mut intact = vec![false; scene.signal.len()];
    for place in 0..outcome.agent.len() {
        let source = match (outcome.delayed[place], outcome.direct[place]) {
            (Some(source), None) | (None, Some(source)) => source,
            _ => continue,
        };
        if source < intact.len() && outcome.agent[place] == scene.signal[source] {
            intact[source] = true;
        }
    }
    intact
}

/// How far the mask reaches beyond each press that has no loss and no other key near.
fn measure_edges(scene: &Scene, intact: &[bool], figures: &mut Figures) {
    let lost = near(&scene.lost, scene.signal.len(), EDGE_FAR);
    for (index, press) in scene.presses.iter().enumerate() {
        let is_in_a_room = press.watched.end > press.span.end + RINGING;
        if lost[press.span.clone()].contains(&true) || is_in_a_room {
            continue;
        }
        let from = index
            .checked_sub(1)
            .map_or(0, |index| scene.presses[index].span.end);
        let to = scene
            .presses
            .get(index + 1)
            .map_or(scene.signal.len(), |next| next.span.start);
        let before = intact[from..press.span.start]
            .iter()
            .rev()
            .position(|is| *is);
        let after = intact[press.span.end.min(to)..to].iter().position(|is| *is);
        figures.before.extend(before);
        figures.after.extend(after);
    }
}

fn judge_speech(
    scene: &Scene,
    outcome: &Outcome,
    intact: &[bool],
    near_gap: &[bool],
    figures: &mut Figures,
) {
    let spans: Vec<Range<usize>> = scene
        .presses
        .iter()
        .map(|press| press.span.clone())
        .collect();
    let near_key = near(&spans, scene.signal.len(), KEY_NEAR);
    for stretch in &scene.speech {
        let mut piece = 0;
        for at in stretch.clone() {
            if near_key[at] || !outcome.is_protected(at) {
                continue;
            }
            figures.speech += 1;
            if near_gap[at] {
                figures.gap_silenced += 1;
                piece = 0;
            } else if intact[at] {
                piece = 0;
            } else {
                figures.altered += 1;
                piece += 1;
                figures.piece_max = figures.piece_max.max(piece);
            }
        }
    }
}

/// Presses whose own pair our loose detector finds while they sound.
fn own_finds(scene: &Scene, heard: &[i16]) -> usize {
    let finds = LooseDetector::scan(heard);
    let mut next = 0;
    let is_found = |press: &&Press| {
        let (start, end) = (press.span.start as u64, (press.span.end + HELD) as u64);
        while finds.get(next).is_some_and(|find| find.end <= start) {
            next += 1;
        }
        let near = finds[next..].iter().take_while(|find| find.start < end);
        let pair = pair_of_event(press.code);
        near.into_iter().any(|find| Some(find.pair) == pair)
    };
    let mut is_found = is_found;
    scene.presses.iter().filter(|press| is_found(press)).count()
}

/// Bursts of flat tone at keys, and within 50 ms of them; those in speech are altered speech.
fn tones_at_keys(scene: &Scene, heard: &[i16]) -> usize {
    let spans: Vec<Range<usize>> = scene
        .presses
        .iter()
        .map(|press| press.span.start + HELD..press.span.end + HELD)
        .collect();
    let at_key = near(&spans, heard.len(), 50 * MS);
    tones(heard)
        .into_iter()
        .filter(|tone| at_key[tone.clone()].contains(&true))
        .count()
}

/// Bursts of flat tone: windows of 5 ms that a sine of 560 Hz explains, at most 12 ms apart, 10 ms at least.
fn tones(heard: &[i16]) -> Vec<Range<usize>> {
    const WINDOW: usize = 40;
    let step = std::f64::consts::TAU * 560.0 / 8_000.0;
    let is_tone = |window: &[i16]| {
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (at, value) in window.iter().enumerate() {
            let (value, angle) = (f64::from(*value), step * at as f64);
            re += value * angle.cos();
            im += value * angle.sin();
            energy += value * value;
        }
        let explained = (re * re + im * im) * 2.0 / WINDOW as f64;
        energy > 500.0 * 500.0 * WINDOW as f64 && explained > 0.8 * energy
    };
    let mut tones: Vec<Range<usize>> = Vec::new();
    for at in (0..heard.len().saturating_sub(WINDOW)).step_by(MS) {
        if !is_tone(&heard[at..at + WINDOW]) {
            continue;
        }
        match tones.last_mut() {
            Some(tone) if at <= tone.end + 12 * MS => tone.end = at + WINDOW,
            _ => tones.push(at..at + WINDOW),
        }
    }
    tones.retain(|tone| tone.len() >= 10 * MS);
    tones
}

/// Lays what was counted beside what was keyed; the fewest differences.
fn compare_digits(scene: &Scene, outcome: &Outcome, figures: &mut Figures) {
    let keyed: Vec<u8> = scene.presses.iter().map(|press| press.code).collect();
    let counted = outcome.keys();
    let (rows, columns) = (keyed.len() + 1, counted.len() + 1);
    let mut cost = vec![vec![0_usize; columns]; rows];
    for row in 0..rows {
        for column in 0..columns {
            cost[row][column] = match (row, column) {
                (0, column) => column * 2,
                (row, 0) => row * 2,
                (row, column) => {
                    let other = usize::from(keyed[row - 1] != counted[column - 1]) * 3;
                    (cost[row - 1][column - 1] + other)
                        .min(cost[row - 1][column] + 2)
                        .min(cost[row][column - 1] + 2)
                }
            };
        }
    }
    let (mut row, mut column) = (rows - 1, columns - 1);
    while row > 0 || column > 0 {
        let here = cost[row][column];
        let same = row > 0 && column > 0 && keyed[row - 1] == counted[column - 1];
        if same && here == cost[row - 1][column - 1] {
            figures.right += 1;
            (row, column) = (row - 1, column - 1);
        } else if row > 0 && column > 0 && !same && here == cost[row - 1][column - 1] + 3 {
            figures.wrong += 1;
            (row, column) = (row - 1, column - 1);
        } else if row > 0 && here == cost[row - 1][column] + 2 {
            figures.missed += 1;
            row -= 1;
        } else {
            let extra = counted[column - 1];
            let beside = [row.checked_sub(1), Some(row)].into_iter().flatten();
            let doubles = beside
                .filter_map(|index| keyed.get(index))
                .any(|code| *code == extra);
            figures.doubled += usize::from(doubles);
            figures.wrong += usize::from(!doubles);
            column -= 1;
        }
    }
}

/// What the agent heard under protection; silence elsewhere. With `everything`, all of it.
pub(crate) fn heard(outcome: &Outcome, everything: bool) -> Vec<i16> {
    let audible = |place: usize| everything || outcome.is_protected(place);
    let value = |(place, value): (usize, &i16)| if audible(place) { *value } else { 0 };
    let decoded = outcome.decoded.as_ref().unwrap_or(&outcome.agent);
    decoded.iter().enumerate().map(value).collect()
}
