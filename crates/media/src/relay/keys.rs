//! Which presses count, each once (S30, S31).
//! Owns: whose a count is; the choice between events, audio and SIP INFO for one and the same press; echoes of the agent's keys.
//! Never: remembers a key for longer than its twin may be late; shows one.
//!
//! A press may be seen up to three times: as an event, in the audio and in an INFO. The first sighting counts, later ones of the
//! same key near it are its twins, one for each channel. Where events are negotiated a press seen in the audio alone waits for its
//! event, until two of them have waited in vain.

use std::time::{Duration, Instant};

use secret::Key;

use super::output::{Outputs, RelayEvent};
use crate::dtmf::inband::InbandDigit;
use crate::leg::Leg;
use crate::sample::duration_of;

/// An event may begin this far from its tone and still be the same press: 250 ms.
const TWIN_SPAN: u64 = 2_000;

/// An INFO may come this far from its event or tone, be it sent when the key goes down or when it goes up: SIP takes another way, and may be sent again
/// after 0.5 s.
const INFO_TWIN_SPAN: u64 = 8_000;

/// How long a press in the audio waits for its event.
const EVENT_WAIT: Duration = Duration::from_millis(250);

/// Presses in the audio without an event after which the audio is believed at once.
const UNCONFIRMED_MAX: u8 = 2;

/// A consumer's tone less than this after the same key of the agent is its echo.
const ECHO_SPAN: Duration = Duration::from_millis(500);

/// Keys of the agent whose echo may be to come: at the fastest keying (80 ms a key) seven in that time. When full, the oldest is forgotten.
const ECHOES_MAX: usize = 8;

/// Presses that may wait: at the fastest keying (80 ms a key) three are heard in the 250 ms of waiting. When full, the oldest counts.
const WAITING_MAX: usize = 4;

/// Presses remembered: more than are keyed in the second that a twin may be late. When full, the oldest is forgotten.
const REMEMBERED_MAX: usize = 16;

/// Where a press was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Event,
    Audio,
    Info,
}

impl Channel {
    fn bit(self) -> u8 {
        match self {
            Self::Event => 1,
            Self::Audio => 2,
            Self::Info => 4,
        }
    }
}

/// Which sighting is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Undecided {
        unconfirmed: u8,
    },
    /// Events or INFO; tones are masked and no more.
    Signalled,
    Audio,
}

/// A press that counted.
#[derive(Clone, Copy)]
struct Counted {
    key: Key,
    start: u64,
    /// As far as is known: a press that goes on has not ended.
    end: u64,
    /// Channels it was seen on; none: the place is free.
    seen: u8,
    forget_at: Option<Instant>,
}

/// A free place holds no digit.
const FREE: Counted = Counted {
    key: Key::Star,
    start: 0,
    end: 0,
    seen: 0,
    forget_at: None,
};

/// A press in the audio that waits for its event.
#[derive(Clone, Copy)]
struct Waiting {
    key: Key,
    start: u64,
    end: u64,
    ambiguous: bool,
    due: Instant,
}

/// The count of a call's keys.
pub(super) struct Tally {
    /// Whose keys it counts.
    of: Leg,
    negotiated: bool,
    source: Source,
    waiting: [Option<Waiting>; WAITING_MAX],
    counted: [Counted; REMEMBERED_MAX],
    oldest: usize,
    /// Where the newest event stands among them, if it does.
    newest_event: usize,
    agent: [Option<(Key, Instant)>; ECHOES_MAX],
    oldest_of_agent: usize,
    /// Nothing waits and nothing is remembered: most of a call, in which the places need not be looked at.
    is_idle: bool,
    withheld: u64,
}

impl Tally {
    /// `negotiated`: the consumer may send telephone-events.
    pub(super) fn new(negotiated: bool) -> Self {
        Self {
            of: Leg::Consumer,
            negotiated,
            source: Source::Undecided { unconfirmed: 0 },
            waiting: [None; WAITING_MAX],
            counted: [FREE; REMEMBERED_MAX],
            oldest: 0,
            newest_event: 0,
            agent: [None; ECHOES_MAX],
            oldest_of_agent: 0,
            is_idle: true,
            withheld: 0,
        }
    }

    /// The same of the agent's keys: they are put out as the agent's, and one that cannot be read is none.
    pub(super) fn of_agent(negotiated: bool) -> Self {
        Self {
            of: Leg::Agent,
            ..Self::new(negotiated)
        }
    }

    fn put_out(&self, key: Key, outputs: &mut Outputs) {
        match self.of {
            Leg::Consumer => outputs.key(key),
            Leg::Agent => outputs.agent_key(key),
        }
    }

    /// The leg was renegotiated.
    pub(super) fn negotiate(&mut self, negotiated: bool) {
        self.negotiated = negotiated;
        self.new_stream();
    }

    /// Another SSRC: its habits are not known.
    pub(super) fn new_stream(&mut self) {
        self.source = Source::Undecided { unconfirmed: 0 };
    }

    /// Forgets every key.
    pub(super) fn clear(&mut self) {
        for waiting in self.waiting.iter_mut().flatten() {
            waiting.key.wipe();
        }
        for counted in &mut self.counted {
            counted.key.wipe();
        }
        for (key, _) in self.agent.iter_mut().flatten() {
            key.wipe();
        }
        self.waiting = [None; WAITING_MAX];
        self.counted = [FREE; REMEMBERED_MAX];
        self.agent = [None; ECHOES_MAX];
        self.is_idle = true;
    }

    /// Keys heard in the audio may count.
    pub(super) fn reads_audio(&self) -> bool {
        self.source != Source::Signalled
    }

    /// Keys are told beside the audio, or may be.
    pub(super) fn expects_told_keys(&self) -> bool {
        self.source == Source::Signalled || self.negotiated && self.source != Source::Audio
    }

    /// Presses that were not counted.
    pub(super) fn withheld(&self) -> u64 {
        self.withheld
    }

    /// A press that must not count.
    pub(super) fn withhold(&mut self) {
        self.withheld += 1;
    }

    /// The agent's side sounded a key.
    pub(super) fn note_agent_key(&mut self, key: Key, at: Instant) {
        self.is_idle = false;
        self.agent[self.oldest_of_agent] = Some((key, at));
        self.oldest_of_agent = (self.oldest_of_agent + 1) % ECHOES_MAX;
        self.withheld += 1;
    }

    /// The consumer's phone sent an event that began at `start`.
    pub(super) fn note_event(&mut self, now: Instant, key: Key, start: u64, outputs: &mut Outputs) {
        self.newest_event = self.note_signalled(now, Channel::Event, key, start, outputs);
    }

    /// The press of the event noted last has lasted until `end`, and may go on: its INFO may come until a second after that.
    pub(super) fn note_event_end(&mut self, now: Instant, end: u64) {
        let newest = &mut self.counted[self.newest_event];
        if newest.seen & Channel::Event.bit() != 0 {
            newest.end = newest.end.max(end);
            newest.forget_at = Some(now + duration_of(INFO_TWIN_SPAN));
        }
    }

    /// The consumer's phone sent an INFO; `present`: where the timeline is now.
    pub(super) fn note_info(
        &mut self,
        now: Instant,
        key: Key,
        present: u64,
        outputs: &mut Outputs,
    ) {
        self.note_signalled(now, Channel::Info, key, present, outputs);
    }

    /// A press was heard in the consumer's audio that nobody can read. It counts where digits come from the audio alone.
    pub(super) fn note_unread(&mut self, now: Instant, outputs: &mut Outputs) {
        let echoes = self.echoing(now).next().is_some();
        if echoes || self.expects_told_keys() {
            self.withheld += 1;
            return;
        }
        outputs.event(RelayEvent::TonesUnclear);
    }

    /// A key was heard in the consumer's audio.
    pub(super) fn note_audio(&mut self, now: Instant, digit: &InbandDigit, outputs: &mut Outputs) {
        let echoes = self.echoing(now).any(|key| key == digit.key);
        if echoes || self.source == Source::Signalled {
            self.withheld += 1;
            return;
        }
        let span = (digit.start, digit.end);
        if self.twin_of(Channel::Audio, digit.key, span).is_some() {
            self.source = Source::Signalled;
            self.withheld += 1;
            return;
        }
        let waiting = Waiting {
            key: digit.key,
            start: digit.start,
            end: digit.end,
            ambiguous: digit.ambiguous,
            due: now + EVENT_WAIT,
        };
        if !self.negotiated || self.source == Source::Audio {
            self.count_audio(now, waiting, outputs);
            return;
        }
        if self.waiting[WAITING_MAX - 1].is_some() {
            self.count_oldest_waiting(now, outputs);
        }
        self.is_idle = false;
        if let Some(place) = self.waiting.iter_mut().find(|place| place.is_none()) {
            *place = Some(waiting);
        }
    }

    /// Keys of the agent that may come back in the consumer's audio.
    fn echoing(&self, now: Instant) -> impl Iterator<Item = Key> {
        let agent = self.agent.iter().flatten();
        let recent = agent.filter(move |(_, at)| now.saturating_duration_since(*at) < ECHO_SPAN);
        recent.map(|(key, _)| *key)
    }

    /// When [`Tally::handle_timeout`] is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.is_idle {
            return None;
        }
        let waiting = self.waiting[0].map(|waiting| waiting.due);
        let forget = self
            .counted
            .iter()
            .filter_map(|counted| counted.forget_at)
            .min();
        let echoes = self.agent.iter().flatten().map(|(_, at)| *at + ECHO_SPAN);
        waiting.into_iter().chain(forget).chain(echoes).min()
    }

    /// Counts what waited in vain, forgets what has no twin to come.
    pub(super) fn handle_timeout(&mut self, now: Instant, outputs: &mut Outputs) {
        if self.is_idle {
            return;
        }
        while self.waiting[0].is_some_and(|waiting| waiting.due <= now) {
            self.count_oldest_waiting(now, outputs);
        }
        for counted in &mut self.counted {
            if counted.forget_at.is_some_and(|due| due <= now) {
                counted.key.wipe();
                *counted = FREE;
            }
        }
        for place in &mut self.agent {
            if let Some((key, at)) = place
                && *at + ECHO_SPAN <= now
            {
                key.wipe();
                *place = None;
            }
        }
        self.is_idle = self.next_timeout().is_none();
    }

    /// Yields where the press is remembered.
    fn note_signalled(
        &mut self,
        now: Instant,
        channel: Channel,
        key: Key,
        start: u64,
        outputs: &mut Outputs,
    ) -> usize {
        let twin = self.twin_of(channel, key, (start, start));
        let before = self.settle_waiting(now, channel, key, start, outputs);
        self.source = Source::Signalled;
        if let Some(twin) = twin {
            self.withheld += 1;
            return twin;
        }
        self.put_out(key, outputs);
        let seen = before.map_or(0, |_| Channel::Audio.bit()) | channel.bit();
        let end = before.map_or(start, |tone| tone.end);
        self.remember(
            now,
            Counted {
                key,
                start,
                end,
                seen,
                forget_at: None,
            },
        )
    }

    /// A signalled press decides about those that wait: its own tone is its twin, those before it count, for their signal was lost; what
    /// is later will be signalled too. Yields its tone.
    fn settle_waiting(
        &mut self,
        now: Instant,
        channel: Channel,
        key: Key,
        start: u64,
        outputs: &mut Outputs,
    ) -> Option<Waiting> {
        let is_twin = |waiting: &&Waiting| {
            let tone = (waiting.start, waiting.end);
            waiting.key == key && are_near([channel, Channel::Audio], tone, (start, start))
        };
        let twin = self.waiting.iter().flatten().find(is_twin).copied();
        let until = twin.map_or(start, |twin| twin.start);
        while let Some(waiting) = self.take_oldest_waiting() {
            if waiting.start < until {
                self.count_audio(now, waiting, outputs);
            } else {
                self.withheld += 1;
            }
        }
        twin
    }

    /// Where the press stands that was counted already from another channel; each channel has one twin.
    fn twin_of(&mut self, channel: Channel, key: Key, span: (u64, u64)) -> Option<usize> {
        let twin = self.counted.iter().position(|counted| {
            let channels = [channel, Channel::of(counted.seen)];
            counted.seen != 0
                && counted.seen & channel.bit() == 0
                && counted.key == key
                && are_near(channels, (counted.start, counted.end), span)
        })?;
        self.counted[twin].seen |= channel.bit();
        Some(twin)
    }

    fn count_oldest_waiting(&mut self, now: Instant, outputs: &mut Outputs) {
        let Some(waiting) = self.take_oldest_waiting() else {
            return;
        };
        self.count_audio(now, waiting, outputs);
        let Source::Undecided { unconfirmed } = self.source else {
            return;
        };
        self.source = Source::Undecided {
            unconfirmed: unconfirmed + 1,
        };
        if unconfirmed + 1 < UNCONFIRMED_MAX {
            return;
        }
        self.source = Source::Audio;
        while let Some(waiting) = self.take_oldest_waiting() {
            self.count_audio(now, waiting, outputs);
        }
    }

    fn take_oldest_waiting(&mut self) -> Option<Waiting> {
        let oldest = self.waiting[0].as_mut().map(|waiting| Waiting {
            key: waiting.key.take(),
            ..*waiting
        });
        self.waiting[0] = None;
        self.waiting.rotate_left(1);
        oldest
    }

    fn count_audio(&mut self, now: Instant, waiting: Waiting, outputs: &mut Outputs) {
        match (waiting.ambiguous, self.of) {
            (true, Leg::Consumer) => outputs.event(RelayEvent::TonesUnclear),
            (true, Leg::Agent) => self.withheld += 1,
            (false, _) => self.put_out(waiting.key, outputs),
        }
        let seen = Channel::Audio.bit();
        self.remember(
            now,
            Counted {
                key: waiting.key,
                start: waiting.start,
                end: waiting.end,
                seen,
                forget_at: None,
            },
        );
    }

    fn remember(&mut self, now: Instant, counted: Counted) -> usize {
        let forget_at = Some(now + duration_of(INFO_TWIN_SPAN));
        let place = self.oldest;
        self.is_idle = false;
        self.counted[place] = Counted {
            forget_at,
            ..counted
        };
        self.oldest = (place + 1) % REMEMBERED_MAX;
        place
    }
}

impl Channel {
    /// INFO if a press was seen there: its times are the least exact.
    fn of(seen: u8) -> Self {
        if seen & Self::Info.bit() != 0 {
            Self::Info
        } else if seen & Self::Event.bit() != 0 {
            Self::Event
        } else {
            Self::Audio
        }
    }
}

/// True if two sightings, each from its start to its end, may be of one press. An INFO may be of any moment of it; events and tones have starts.
fn are_near(channels: [Channel; 2], one: (u64, u64), other: (u64, u64)) -> bool {
    if channels.contains(&Channel::Info) {
        one.0.max(other.0).saturating_sub(one.1.min(other.1)) <= INFO_TWIN_SPAN
    } else {
        one.0.abs_diff(other.0) <= TWIN_SPAN
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::Output;
    use super::*;

    struct Scene {
        tally: Tally,
        outputs: Outputs,
        now: Instant,
    }

    impl Scene {
        fn new(negotiated: bool) -> Self {
            Self {
                tally: Tally::new(negotiated),
                outputs: Outputs::new(),
                now: Instant::now(),
            }
        }

        fn hear(&mut self, code: u8, start: u64) {
            let key = Key::from_event(code).unwrap();
            let digit = InbandDigit {
                key,
                start,
                end: start + 800,
                ambiguous: false,
            };
            self.tally.note_audio(self.now, &digit, &mut self.outputs);
        }

        fn signal(&mut self, code: u8, start: u64) {
            self.tally.note_event(
                self.now,
                Key::from_event(code).unwrap(),
                start,
                &mut self.outputs,
            );
        }

        fn inform(&mut self, code: u8, start: u64) {
            self.tally.note_info(
                self.now,
                Key::from_event(code).unwrap(),
                start,
                &mut self.outputs,
            );
        }

        fn wait(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
            self.tally.handle_timeout(self.now, &mut self.outputs);
        }

        fn keys(&mut self) -> Vec<Key> {
            let mut keys = Vec::new();
            while let Some(output) = self.outputs.poll() {
                if let Output::Key(key) = output {
                    keys.push(key);
                }
            }
            keys
        }
    }

    fn keys(codes: &[u8]) -> Vec<Key> {
        codes
            .iter()
            .filter_map(|code| Key::from_event(*code))
            .collect()
    }

    #[test]
    fn an_event_and_its_tone_are_one_key_whichever_comes_first() {
        let mut scene = Scene::new(true);
        scene.signal(4, 1_000);
        scene.hear(4, 1_400);
        scene.wait(300);
        scene.signal(4, 5_000);
        assert_eq!(scene.keys(), keys(&[4, 4]));
        let mut scene = Scene::new(true);
        scene.hear(4, 1_000);
        scene.signal(4, 2_600);
        scene.wait(300);
        assert_eq!(scene.keys(), keys(&[4]));
    }

    #[test]
    fn two_tones_without_events_make_the_audio_the_source() {
        let mut scene = Scene::new(true);
        scene.hear(1, 0);
        assert!(scene.keys().is_empty());
        scene.wait(250);
        scene.hear(2, 2_400);
        scene.wait(250);
        scene.hear(3, 4_800);
        assert_eq!(scene.keys(), keys(&[1, 2, 3]));
    }

    #[test]
    fn a_tone_before_an_event_of_another_key_counts_first() {
        let mut scene = Scene::new(true);
        scene.hear(1, 0);
        scene.signal(2, 1_600);
        scene.hear(2, 1_600);
        assert_eq!(scene.keys(), keys(&[1, 2]));
    }

    #[test]
    fn the_same_digit_keyed_fast_is_counted_each_time() {
        let mut scene = Scene::new(true);
        for press in 0..4 {
            scene.signal(4, press * 640);
            scene.hear(4, press * 640 + 80);
        }
        assert_eq!(scene.keys(), keys(&[4, 4, 4, 4]));
    }

    #[test]
    fn an_info_beside_events_is_their_twin_one_for_one() {
        let mut scene = Scene::new(true);
        scene.inform(7, 100);
        scene.signal(7, 0);
        scene.signal(7, 2_000);
        scene.inform(7, 2_600);
        scene.inform(7, 3_500);
        assert_eq!(scene.keys(), keys(&[7, 7, 7]));
    }

    #[test]
    fn an_echo_of_the_agents_key_does_not_count() {
        let mut scene = Scene::new(false);
        scene
            .tally
            .note_agent_key(Key::from_event(4).unwrap(), scene.now);
        scene.wait(200);
        scene.hear(4, 0);
        scene.hear(5, 1_000);
        scene.wait(400);
        scene.hear(4, 5_000);
        assert_eq!(scene.keys(), keys(&[5, 4]));
    }

    #[test]
    fn echoes_of_keys_that_the_agent_keys_fast_do_not_count() {
        let mut scene = Scene::new(false);
        for code in [4, 1, 4, 1, 7, 8] {
            scene
                .tally
                .note_agent_key(Key::from_event(code).unwrap(), scene.now);
            scene.wait(80);
        }
        for (place, code) in [4, 1, 7, 8, 9].into_iter().enumerate() {
            scene.hear(code, 10_000 + place as u64 * 1_000);
        }
        assert_eq!(scene.keys(), keys(&[9]));
        scene.wait(500);
        assert!(scene.tally.agent.iter().all(Option::is_none));
    }

    #[test]
    fn no_key_is_remembered_for_more_than_a_second() {
        let mut scene = Scene::new(false);
        scene.signal(9, 0);
        assert!(scene.tally.next_timeout().is_some());
        scene.wait(1_000);
        assert_eq!(scene.tally.next_timeout(), None);
        assert!(
            scene
                .tally
                .counted
                .iter()
                .all(|counted| counted.seen == 0 && counted.key == Key::Star)
        );
    }

    #[test]
    fn an_unclear_tone_is_an_event_and_no_key() {
        let mut scene = Scene::new(false);
        let digit = InbandDigit {
            key: Key::Star,
            start: 0,
            end: 800,
            ambiguous: true,
        };
        scene
            .tally
            .note_audio(scene.now, &digit, &mut scene.outputs);
        assert!(matches!(
            scene.outputs.poll(),
            Some(Output::Event(RelayEvent::TonesUnclear))
        ));
    }
}
