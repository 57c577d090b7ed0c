//! One call's media: what comes from each leg, and what the other leg, the recorder and the capture get of it.
//! Owns: both legs' streams, the choke point between consumer and agent, the call's keys.
//! Never: opens a socket, reads a clock, allocates per packet, or relays a consumer's packet while the call is protected.
//!
//! ```text
//! unprotected   packet ─> source filter ─> order ─> re-originated packet (no delay)
//! protected     packet ─> source filter ─> order ─> decode ─> mask ─> frames ─> packet, recording
//!                                            └> events, reporter, INFO ─> tally ─> key
//! ```
//!
//! The law: after every `handle_input` and `handle_timeout`, drain [`Relay::poll_output`] before the next.

mod agent_keys;
mod agent_mask;
mod beside;
mod clock;
mod comfort_noise;
mod egress;
mod event_place;
mod forward;
mod framer;
mod guard;
mod ingress;
mod keys;
mod output;
mod pace;
mod plan;
#[cfg(any(test, feature = "planted"))]
mod planted;
mod protection;
mod reorder;
mod report;
mod scratch;
mod self_check;
mod side;
mod stand_in;
mod timeline;
mod trace;

#[cfg(test)]
#[path = "footprint/tests.rs"]
mod footprint;
#[cfg(test)]
mod tests;

pub use output::{Output, ProtectionLoss, ProtectionRefusal, RelayEvent};
pub use plan::{DropReason, LegCounters, RelayCounters, RelayPlan};
pub use trace::Traced;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use secret::Key;

use crate::egress_guard::{EgressGuard, EgressGuardCounters};
use crate::g711::Law;
use crate::leg::{Leg, LegPlan};
use agent_mask::AgentMask;
use comfort_noise::ComfortNoise;
use guard::Guard;
use keys::Tally;
use output::Outputs;
use protection::Stage;
use scratch::Scratch;
use side::{Arrival, Side};
use stand_in::StandIn;

pub(crate) use side::AUDIO_SAMPLES_MAX;

/// Audio may lie this far behind what was sent in its sender's name, 60 ms, before its clock is taken to have stopped.
const BEHIND_SPAN_MAX: u64 = 480;

/// What happens to a relay.
pub enum Input<'bytes> {
    /// A datagram came.
    Packet {
        /// On this leg's socket.
        leg: Leg,
        /// From where.
        source: SocketAddr,
        /// When the kernel took it; at most the present.
        received_at: Instant,
        /// The datagram.
        bytes: &'bytes [u8],
        /// It came on the RTCP socket. With `rtcp_mux` it may be RTCP all the same.
        rtcp: bool,
    },
    /// Protect the call: answered by [`RelayEvent::Protected`] or [`RelayEvent::ProtectionRefused`] within a second.
    Protect,
    /// Protection is no longer needed: answered by [`RelayEvent::Unprotected`] once the mask has found a clean moment.
    Unprotect,
    /// Silence the consumer towards everyone, or end that (O11, S13).
    Mute(bool),
    /// Silence the agent towards the consumer and the recorder, or end that: packets go on in number, size and time, and hold silence.
    MuteAgent(bool),
    /// Hold the call, or end that: neither side hears the other, the recorder hears neither, and the consumer gets silence with a soft beep
    /// every 10 s. Mask and keys are as without it.
    Hold(bool),
    /// Send the consumer a key that the agent pressed on the page: an event if they were negotiated, else its tones. It never counts (S31).
    SendKey(Key),
    /// A leg was renegotiated.
    Replan {
        /// Which.
        leg: Leg,
        /// What was negotiated.
        plan: LegPlan,
    },
    /// Another agent's phone takes the agent's place. It gets a stream of its own, and nothing of the one before it is believed of it; the consumer's
    /// stream goes on under its name (S34). Mask and hold stay, the agent's mute ends.
    Succeed {
        /// What was negotiated with it.
        plan: LegPlan,
        /// Random bits for its stream, from the operating system.
        seed: u64,
    },
    /// A key came by SIP INFO. The consumer's counts while the call is protected, the agent's never does; neither sounds.
    InfoKey {
        /// Whose.
        leg: Leg,
        /// Which.
        key: Key,
    },
    /// The mask listens while the call is unprotected, or no longer does.
    Watch(bool),
    /// The agent's keys are reported, each once, and none of them reaches the consumer; or no longer are (S31).
    HearAgent(bool),
    /// The call is over: goodbye to both sides. Nothing is done after it.
    End,
}

/// It does not print a datagram, which may be an event.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Packet { .. } => "Packet",
            Self::Protect => "Protect",
            Self::Unprotect => "Unprotect",
            Self::Mute(_) => "Mute",
            Self::MuteAgent(_) => "MuteAgent",
            Self::Hold(_) => "Hold",
            Self::SendKey(_) => "SendKey",
            Self::Replan { .. } => "Replan",
            Self::Succeed { .. } => "Succeed",
            Self::InfoKey { .. } => "InfoKey",
            Self::Watch(_) => "Watch",
            Self::HearAgent(_) => "HearAgent",
            Self::End => "End",
        })
    }
}

/// Both legs.
struct Sides {
    consumer: Side,
    agent: Side,
}

impl Sides {
    fn of(&mut self, leg: Leg) -> &mut Side {
        match leg {
            Leg::Consumer => &mut self.consumer,
            Leg::Agent => &mut self.agent,
        }
    }

    /// The samples of a leg's packets are needed, whoever listens: they go to another codec, or what comes next cannot be decoded without them.
    fn must_decode(&self, from: Leg) -> bool {
        let codecs = [self.consumer.plan.codec, self.agent.plan.codec];
        let source = match from {
            Leg::Consumer => codecs[0],
            Leg::Agent => codecs[1],
        };
        codecs[0] != codecs[1] || source.is_followed()
    }

    /// Where packets of a leg come from and go to.
    fn way(&mut self, from: Leg) -> (&Side, &mut Side) {
        match from {
            Leg::Consumer => (&self.consumer, &mut self.agent),
            Leg::Agent => (&self.agent, &mut self.consumer),
        }
    }
}

/// Whether an input may have brought forward what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timers {
    /// It may have put something off, no more.
    Unchanged,
    Changed,
}

/// Where masked frames of a relay go, beside its guard.
macro_rules! way {
    ($relay:ident) => {
        $crate::relay::guard::Way {
            agent: &mut $relay.sides.agent,
            outputs: &mut $relay.outputs,
            egress_guard: &mut $relay.egress_guard,
            scratch: &mut $relay.scratch.frames,
            record: $relay.records,
            counting: $relay.stage.counting(),
        }
    };
}
use way;

/// The media of one call. All memory is taken at creation (about 31 KiB), when it is protected or the agent's keys are wanted (8 KiB more until it no longer is)
/// and when something stands in for the agent, but for buffers that all relays of a thread share; and for states of Opus, while a leg of it is decoded or encoded
/// (docs/decisions/0018-codecs.md).
pub struct Relay {
    sides: Sides,
    guard: Guard,
    /// While the call is protected or the agent's keys are wanted, and until the agent's next packet.
    agent_mask: Option<Box<AgentMask>>,
    /// While the agent's keys are wanted.
    agent_keys: Option<Box<Tally>>,
    /// Where the newest event of the agent's begins that was swallowed; 0: none was.
    agent_event_swallowed: u64,
    /// The last sample of the agent's audio that was relayed as it came.
    agent_sent: i16,
    comfort_noise: Option<ComfortNoise>,
    /// How far below overload the consumer's phone said that its noise is, in dB, while the call was unprotected.
    noise_level: u8,
    egress_guard: EgressGuard,
    stage: Stage,
    outputs: Outputs,
    media_timeout: Duration,
    held_timeout: Duration,
    records: bool,
    watch: bool,
    /// When the consumer's next packet is protected without being asked for: a call that always is and is not yet.
    always_from: Option<Instant>,
    is_muted: bool,
    is_agent_muted: bool,
    is_held: bool,
    /// What the consumer is sent in the agent's place.
    stand_in: Option<Box<StandIn>>,
    /// Audio and events of the agent's from before this are not relayed: the consumer was sent something else, or silence, in their place.
    agent_from: u64,
    is_line_silent: bool,
    was_consumer_heard: bool,
    has_ended: bool,
    /// Nothing is due before this. What a relayed packet puts off is found late: asking everything that waits costs more than the packet.
    due: Option<Instant>,
    scratch: Scratch,
}

/// It does not print audio or keys.
impl fmt::Debug for Relay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Relay")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// An unprotected call that has heard nothing. Its first timeout is due at once: it opens the way to both sides.
    #[must_use]
    pub fn new(plan: RelayPlan, now: Instant) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed);
        let is_shut = plan.always;
        #[cfg_attr(
            not(any(test, feature = "planted")),
            expect(unused_mut, reason = "planted defects")
        )]
        let mut guard = Guard::new([&plan.consumer, &plan.agent], plan.flat_tone_hz, now);
        #[cfg(any(test, feature = "planted"))]
        if plan.mask_off {
            guard.plant_mask_off();
        }
        let mut relay = Self {
            sides: Sides {
                consumer: Side::new(Leg::Consumer, plan.consumer, now, &mut random),
                agent: Side::new(Leg::Agent, plan.agent, now, &mut random),
            },
            guard,
            agent_mask: None,
            agent_keys: None,
            agent_event_swallowed: 0,
            agent_sent: 0,
            comfort_noise: None,
            noise_level: comfort_noise::LEVEL_UNTOLD,
            egress_guard: EgressGuard::new(),
            stage: Stage::Open,
            outputs: Outputs::new(),
            media_timeout: plan.media_timeout,
            held_timeout: plan.held_timeout,
            records: plan.record,
            watch: plan.watch,
            always_from: plan.always.then_some(now),
            is_muted: false,
            is_agent_muted: false,
            is_held: false,
            stand_in: None,
            agent_from: 0,
            is_line_silent: false,
            was_consumer_heard: false,
            has_ended: false,
            due: None,
            scratch: Scratch::default(),
        };
        relay.sides.agent.shut(is_shut);
        relay.due = relay.soonest();
        relay
    }

    /// Something happened. `now` never runs backwards.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if self.has_ended {
            return;
        }
        if self.obey(now, input) == Timers::Changed {
            self.due = self.soonest();
        }
        self.scratch.give_back();
    }

    fn obey(&mut self, now: Instant, input: Input<'_>) -> Timers {
        let mut timers = Timers::Changed;
        let received_at = if let Input::Packet { received_at, .. } = &input {
            *received_at
        } else {
            now
        };
        self.note_stall(now, received_at);
        match input {
            Input::Packet {
                leg,
                source,
                received_at,
                bytes,
                rtcp,
            } => {
                let protected = self.guard.is_protecting();
                timers = self.handle_packet(
                    leg,
                    &Arrival {
                        now,
                        source,
                        received_at,
                        bytes,
                        rtcp,
                        protected,
                    },
                );
            }
            Input::Protect => self.protect(now),
            Input::Unprotect => self.unprotect(now),
            Input::Mute(on) => {
                self.is_muted = on;
                self.comfort_noise = None;
                self.silence_consumer();
            }
            Input::MuteAgent(on) => self.mute_agent(now, on),
            Input::Hold(on) => self.hold(now, on),
            Input::SendKey(key) => self.send_key(now, key),
            Input::Replan { leg, plan } => self.replan(now, leg, plan),
            Input::Succeed { plan, seed } => self.succeed(now, plan, seed),
            Input::InfoKey {
                leg: Leg::Consumer,
                key,
            } => {
                let present = self.sides.consumer.ingress.resume_ts(now, 0);
                self.guard.note_info(now, key, present, &mut way!(self));
            }
            Input::InfoKey {
                leg: Leg::Agent,
                key,
            } => self.note_agent_info(now, key),
            Input::Watch(on) => self.watch = on,
            Input::HearAgent(on) => self.hear_agent(now, on),
            Input::End => self.end(now),
        }
        self.heed_egress_guard();
        timers
    }

    /// A datagram came to a leg's socket that is longer than any packet, and was cut: counted as malformed.
    pub fn note_cut(&mut self, leg: Leg) {
        self.note_refused(leg, DropReason::Malformed);
    }

    /// A packet of this leg was refused before it came here.
    pub fn note_refused(&mut self, leg: Leg, reason: DropReason) {
        self.sides.of(leg).note_drop(reason);
    }

    /// The law in which the samples are kept that are put out for the recorder of what a leg says.
    #[must_use]
    pub fn law(&self, of: Leg) -> Law {
        match of {
            Leg::Consumer => self.sides.consumer.plan.codec.law(),
            Leg::Agent => self.sides.agent.plan.codec.law(),
        }
    }

    /// Looks at all that a packet from this leg of an unprotected call needs of it, and of a protected one at the lines of that leg's masks and its guard.
    /// Between two packets of a call so many of other calls come that nothing of it is left in the nearer caches; looked at one after the other, while the
    /// packet is worked on, each part would be waited for alone. Yields nothing of use, but something, so that no compiler leaves it out.
    #[must_use]
    pub fn look(&self, from: Leg) -> u64 {
        let sides = self.sides.consumer.look() ^ self.sides.agent.look();
        let flags = [
            self.watch ^ self.has_ended,
            self.egress_guard.is_silencing(),
        ];
        let flags = flags.map(u64::from);
        let is_protecting = self.guard.is_protecting();
        let masks = match (from, &self.agent_mask) {
            (Leg::Consumer, _) if is_protecting => self.guard.look() ^ self.egress_guard.look(),
            (Leg::Consumer, _) => self.guard.look(),
            (Leg::Agent, Some(mask)) => mask.look(),
            (Leg::Agent, None) => u64::from(is_protecting),
        };
        sides ^ masks ^ self.outputs.dropped() ^ flags[0] ^ flags[1]
    }

    /// When [`Relay::handle_timeout`] is due, or a little before; nothing once the call is over.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn soonest(&self) -> Option<Instant> {
        if self.has_ended {
            return None;
        }
        let sides = [&self.sides.consumer, &self.sides.agent];
        let given_up = sides.map(|side| side.given_up_at(self.media_timeout, self.held_timeout));
        let noise = self.comfort_noise.as_ref().map(ComfortNoise::next_timeout);
        let stand_in = self.stand_in.as_deref().map(StandIn::next_timeout);
        let protection = self.protection_timeout();
        let agent_keys = self.agent_keys.as_deref().and_then(Tally::next_timeout);
        let timers = [
            self.guard.next_timeout(),
            protection,
            noise,
            stand_in,
            agent_keys,
        ];
        let reports = sides.map(Side::next_timeout);
        given_up
            .into_iter()
            .chain(timers)
            .flatten()
            .chain(reports)
            .min()
    }

    /// Does what is due at `now`; harmless if nothing is.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.has_ended {
            return;
        }
        self.do_what_is_due(now);
        self.due = self.soonest();
        self.scratch.give_back();
    }

    fn do_what_is_due(&mut self, now: Instant) {
        self.note_stall(now, now);
        self.make_noise(now);
        self.stand_in(now);
        self.guard.handle_timeout(now, &mut way!(self));
        if let Some(keys) = &mut self.agent_keys {
            keys.handle_timeout(now, &mut self.outputs);
        }
        self.heed_egress_guard();
        self.handle_protection_timeout(now);
        for leg in [Leg::Consumer, Leg::Agent] {
            let (media_timeout, held_timeout) = (self.media_timeout, self.held_timeout);
            let present = self.sides.of(leg.other()).ingress.resume_ts(now, 0);
            let side = self.sides.of(leg);
            side.handle_timeout(now, present, &mut self.outputs);
            if side
                .given_up_at(media_timeout, held_timeout)
                .is_some_and(|due| due <= now)
            {
                side.give_up(&mut self.outputs);
            }
        }
    }

    /// The next thing to do; nothing when all is done.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        self.outputs.poll()
    }

    /// Keeps the origin of every masked sample from now on, for proofs. Allocates; drain [`Relay::poll_traced`] after every input.
    pub fn trace(&mut self) {
        self.guard.trace();
    }

    /// The next masked sample with its origin, in the order in which they are sent; nothing if none waits or nobody asked.
    pub fn poll_traced(&mut self) -> Option<Traced> {
        self.guard.poll_traced()
    }

    /// The mask listens while the call is unprotected.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.watch
    }

    /// Only masked audio leaves towards the agent and the recorder.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.guard.is_protecting()
    }

    /// What this relay has met so far.
    #[must_use]
    pub fn counters(&self) -> RelayCounters {
        RelayCounters {
            consumer: self.sides.consumer.counters(),
            agent: self.sides.agent.counters(),
            outputs_dropped: self.outputs.dropped(),
            keys_withheld: self.guard.tally.withheld(),
            egress_guard: self.egress_guard.counters(),
        }
    }

    /// What the last look at what leaves has seen so far.
    #[must_use]
    pub fn egress_guard(&self) -> EgressGuardCounters {
        self.egress_guard.counters()
    }

    fn replan(&mut self, now: Instant, leg: Leg, plan: LegPlan) {
        self.guard.replan(leg, &self.sides.of(leg).plan, &plan);
        if let (Leg::Agent, Some(mask)) = (leg, &mut self.agent_mask) {
            mask.speaks(plan.codec);
        }
        if let (Leg::Agent, Some(keys)) = (leg, &mut self.agent_keys) {
            keys.negotiate(plan.telephone_event_in.is_some());
        }
        self.sides.of(leg).replan(now, plan);
        self.comfort_noise = None;
    }

    fn succeed(&mut self, now: Instant, plan: LegPlan, seed: u64) {
        let present = self.sides.consumer.ingress.resume_ts(now, 0);
        let agent = &mut self.sides.agent;
        agent.report(now, present, true, &mut self.outputs);
        self.guard.replan(Leg::Agent, &agent.plan, &plan);
        self.agent_sent = 0;
        if let Some(mask) = &mut self.agent_mask {
            mask.speaks(plan.codec);
        }
        agent.succeed(now, plan, &mut StdRng::seed_from_u64(seed));
        self.comfort_noise = None;
        self.is_agent_muted = false;
    }

    fn end(&mut self, now: Instant) {
        self.scratch.wipe();
        self.guard.wipe();
        if let Some(mask) = &mut self.agent_mask {
            mask.wipe();
        }
        if let Some(keys) = &mut self.agent_keys {
            keys.clear();
        }
        self.stand_in = None;
        for leg in [Leg::Consumer, Leg::Agent] {
            let present = self.sides.of(leg.other()).ingress.resume_ts(now, 0);
            self.sides
                .of(leg)
                .report(now, present, true, &mut self.outputs);
        }
        self.has_ended = true;
    }
}
