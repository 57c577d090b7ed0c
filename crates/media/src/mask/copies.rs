//! Whether the consumer's microphone hears the keypad whose keys are signalled by telephone-events.
//! Owns: how long that is believed, and when a copy of a key may come.
//! Never: reads audio; the trigger says what it heard.

/// A copy begins this long before its event's first packet at most: 200 ms of the phone's own delay, its length and a room's answer, 700 ms together.
const BEFORE_SPAN: u64 = 5_600;

/// A copy has begun within 300 ms of its event; with its length and a room's answer it is over 700 ms after the event's end.
const AFTER_SPAN: u64 = 5_600;

/// A room answers for so long, 350 ms. One that takes half a second for 60 dB has sunk by 42 dB then: from -30 dBm0 to where ten thousand of its answers cannot
/// be told from noise by one who knows when they sound.
pub(super) const ANSWER_SPAN: u64 = 2_800;

/// The same before the first event, 160 ms: it comes at most 200 ms after a copy of 40 ms began, and from then on everything is masked. Until then a voice is
/// what sounds.
pub(super) const FIRST_ANSWER_SPAN: u64 = 1_280;

/// Events in a row without a copy after which the microphone is believed to be deaf to keys, so that a voice is listened to no closer than elsewhere. A copy
/// that is heard at any later event undoes it.
const UNHEARD_MAX: u8 = 4;

/// What is known of one leg.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Copies {
    /// Keys are told beside the audio, or may be.
    told: bool,
    /// When the newest event began.
    event: Option<u64>,
    /// One past the last sample at which its copy may be heard.
    expected_until: u64,
    /// Where the newest copy ended.
    heard_end: Option<u64>,
    /// Events in a row of which no copy was heard.
    unheard: u8,
}

impl Copies {
    /// Keys may be told beside the audio; or they will not be.
    pub(super) fn expect(&mut self, told: bool) {
        self.told = told;
    }

    /// An event began at `ts`; one that is told again is the same.
    pub(super) fn event_started(&mut self, ts: u64) {
        if self.event == Some(ts) {
            return;
        }
        self.event = Some(ts);
        let came_before = self
            .heard_end
            .is_some_and(|end| end.saturating_add(BEFORE_SPAN) >= ts);
        self.unheard = if came_before {
            0
        } else {
            self.unheard.saturating_add(1)
        };
        self.event_lasts_to(ts);
    }

    /// The event has lasted to `ts` so far.
    pub(super) fn event_lasts_to(&mut self, ts: u64) {
        self.expected_until = self.expected_until.max(ts.saturating_add(AFTER_SPAN));
    }

    /// What may be a copy was heard; its newest sample is before `end`.
    pub(super) fn hear(&mut self, end: u64) {
        self.heard_end = Some(end);
        if end < self.expected_until {
            self.unheard = 0;
        }
    }

    /// Samples for which the room's answer to a copy is masked.
    pub(super) fn answer_span(&self) -> u64 {
        if self.event.is_none() {
            FIRST_ANSWER_SPAN
        } else {
            ANSWER_SPAN
        }
    }

    /// What sounds before `end` may be a copy.
    pub(super) fn may_come(&self, end: u64) -> bool {
        self.told && (self.unheard <= UNHEARD_MAX || end < self.expected_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signalled() -> Copies {
        let mut copies = Copies::default();
        copies.expect(true);
        copies
    }

    #[test]
    fn where_keys_are_not_told_there_are_no_copies() {
        let mut copies = Copies::default();
        copies.hear(1_000);
        assert!(!copies.may_come(1_000));
        assert!(signalled().may_come(1_000));
    }

    #[test]
    fn a_microphone_that_is_deaf_to_some_keys_is_believed_to_be() {
        let mut copies = signalled();
        for event in 1..=u64::from(UNHEARD_MAX) {
            copies.event_started(event * 20_000);
            copies.event_started(event * 20_000);
            assert!(copies.may_come(event * 20_000 + 19_000));
        }
        copies.event_started(200_000);
        assert!(copies.may_come(200_000 + AFTER_SPAN - 1));
        assert!(!copies.may_come(200_000 + AFTER_SPAN));
    }

    #[test]
    fn one_copy_is_enough_before_or_after_its_event() {
        for heard in [200_000 - BEFORE_SPAN, 200_000 + AFTER_SPAN - 1] {
            let mut copies = signalled();
            (1..9).for_each(|event| copies.event_started(event * 20_000));
            if heard < 200_000 {
                copies.hear(heard);
                copies.event_started(200_000);
            } else {
                copies.event_started(200_000);
                copies.hear(heard);
            }
            assert!(copies.may_come(300_000), "heard at {heard}");
        }
    }
}
