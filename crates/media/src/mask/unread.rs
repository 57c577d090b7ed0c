//! Presses that the mask has heard and the reporter has not read.
//! Owns: where each was, until the reporter must have said which it was; presses of which a gap has left a part.
//! Never: knows which key it was. Without it a field would be accepted with a digit missing.

/// Presses that may wait: the reporter is 60 ms of reordering and 30 ms of reading behind, in which one ends and one begins. When full, the
/// oldest is dropped.
const PRESSES_MAX: usize = 2;

/// Stretches nearer than this are one press: 12 ms, as in the mask.
const BRIDGE_SPAN: u64 = 96;

/// Shortest press that must be a digit (ITU-T Q.24): 40 ms.
const PRESS_SPAN_LEAST: u64 = 320;

/// What is heard this soon after a gap may have begun within it: half a short window, 2.5 ms.
const AT_GAP_SPAN: u64 = 20;

/// The reporter yields a digit at the latest 22 ms after its end; with the mask's own reach beyond a press, 30 ms.
const READ_WITHIN: u64 = 240;

/// What waits for the reporter.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread {
    presses: [Option<Press>; PRESSES_MAX],
    gap_end: u64,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    start: u64,
    end: u64,
    /// A gap took a part of it: what is left may be too short to be read.
    broken: bool,
    /// It is a digit.
    read: bool,
}

impl Unread {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The mask hears a press from `start` to `end`; `sure`: it is no voice. One that goes on is heard again and again.
    pub(super) fn hear(&mut self, start: u64, end: u64, sure: bool) {
        let broken = self.gap_end > 0 && start <= self.gap_end + AT_GAP_SPAN;
        if let Some(newest) = self.newest()
            && start <= newest.end + BRIDGE_SPAN
        {
            newest.end = newest.end.max(end);
            newest.broken |= broken;
        } else if sure || broken {
            self.push(Press {
                start,
                end,
                broken,
                read: false,
            });
        }
    }

    /// Audio is missing from `start` to `end`; a press may be running.
    pub(super) fn note_gap(&mut self, start: u64, end: u64, is_running: bool) {
        self.gap_end = end;
        if is_running {
            self.hear(start, end, false);
        }
    }

    /// A digit was read. The mask is ahead of the reporter: it has heard the press.
    pub(super) fn read(&mut self, start: u64, end: u64) {
        for press in self.presses.iter_mut().flatten() {
            press.read |= start < press.end && press.start < end;
        }
    }

    /// The start of a press that the reporter, at `reported_end` now, has read no digit of; each once.
    pub(super) fn poll(&mut self, reported_end: u64) -> Option<u64> {
        loop {
            let oldest = self.presses[0].filter(|press| press.end + READ_WITHIN <= reported_end)?;
            self.presses.rotate_left(1);
            self.presses[PRESSES_MAX - 1] = None;
            let counts = oldest.broken || oldest.end - oldest.start >= PRESS_SPAN_LEAST;
            if counts && !oldest.read {
                return Some(oldest.start);
            }
        }
    }

    fn newest(&mut self) -> Option<&mut Press> {
        self.presses.iter_mut().flatten().last()
    }

    fn push(&mut self, press: Press) {
        let free = self.presses.iter().position(Option::is_none);
        if free.is_none() {
            self.presses.rotate_left(1);
        }
        self.presses[free.unwrap_or(PRESSES_MAX - 1)] = Some(press);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A press heard hop by hop, sure after 20 ms.
    fn hear(unread: &mut Unread, start: u64, end: u64) {
        for at in (start + 64..=end).step_by(8) {
            unread.hear(start, at, at - start >= 160);
        }
    }

    #[test]
    fn a_press_without_a_digit_is_told_once_when_the_reporter_has_passed_it() {
        let mut unread = Unread::default();
        hear(&mut unread, 1_000, 1_640);
        assert_eq!(unread.poll(1_800), None);
        assert_eq!(unread.poll(1_880), Some(1_000));
        assert_eq!(unread.poll(9_000), None);
    }

    #[test]
    fn a_press_that_was_read_or_is_too_short_is_not_told() {
        let mut unread = Unread::default();
        hear(&mut unread, 1_000, 1_640);
        unread.read(1_010, 1_630);
        hear(&mut unread, 2_000, 2_240);
        hear(&mut unread, 3_000, 3_640);
        unread.read(3_010, 3_630);
        assert_eq!(unread.poll(9_000), None);
    }

    #[test]
    fn a_sound_that_the_mask_was_never_sure_of_is_not_told() {
        let mut unread = Unread::default();
        (1_064..1_500)
            .step_by(8)
            .for_each(|at| unread.hear(1_000, at, false));
        assert_eq!(unread.poll(9_000), None);
    }

    #[test]
    fn what_a_gap_has_left_of_a_press_is_told_however_short() {
        let mut before = Unread::default();
        before.hear(1_000, 1_064, false);
        before.note_gap(1_072, 1_552, true);
        assert_eq!(before.poll(9_000), Some(1_072));
        let mut after = Unread::default();
        after.note_gap(1_072, 1_552, false);
        after.hear(1_556, 1_620, false);
        assert_eq!(after.poll(9_000), Some(1_556));
        let mut read = Unread::default();
        read.note_gap(1_072, 1_552, true);
        read.hear(1_556, 1_900, false);
        read.read(1_000, 1_890);
        assert_eq!(read.poll(9_000), None);
    }
}
