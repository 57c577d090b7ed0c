//! One call on its media thread.
//! Owns: the relay, the sockets of both legs, the sending ends of the key rings.
//! Never: lets consumer audio out when a report about its protection could not be given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::EgressTally;
use domain::id::CallId;
use media::egress_guard::EgressGuardCounters;
use media::leg::Leg;
use media::relay::{Input, Output, Relay, RelayCounters, RelayEvent};
use secret::KeySender;

use super::browsers::Browsers;
use super::carrier::{Carriage, Carrier};
use super::listeners::Listeners;
use super::worker::Outlet;
use super::{Agreed, BrowserId, Line, MediaId, NewCall, Report};
use crate::packet_io::{Outbox, PacketIo, Token};
use crate::recorder::Speaker;
use crate::rtp_socket::{Datagram, RtpSocket};

/// Time between two looks whether anybody is left to take a call's keys: the ring of keys lies elsewhere in memory, and to look for each packet costs
/// a tenth of relaying it. What is keyed meanwhile under protection is masked and goes nowhere.
pub(super) const LISTENER_LOOK: Duration = Duration::from_millis(100);

/// Sockets of a call.
pub(super) const SOCKETS: usize = 4;

/// One of the four sockets of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SocketPlace {
    pub(super) leg: Leg,
    pub(super) rtcp: bool,
}

impl SocketPlace {
    pub(super) const ALL: [Self; SOCKETS] = [
        Self {
            leg: Leg::Consumer,
            rtcp: false,
        },
        Self {
            leg: Leg::Consumer,
            rtcp: true,
        },
        Self {
            leg: Leg::Agent,
            rtcp: false,
        },
        Self {
            leg: Leg::Agent,
            rtcp: true,
        },
    ];
}

/// Whether a mask is wanted, as far as this thread was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    Off,
    Wanted,
}

/// What could not be reported and must be.
#[derive(Debug, Clone, Copy, Default)]
struct Unreported {
    lost: Option<&'static str>,
    timed_out: bool,
}

/// Where a call's outputs go.
pub(super) struct Ways<'thread> {
    pub(super) outbox: &'thread mut Outbox,
    pub(super) outlet: &'thread mut Outlet,
    pub(super) browsers: &'thread mut Browsers,
}

impl Ways<'_> {
    /// Sends a packet of the relay's as its side's packets go.
    fn transmit(
        &mut self,
        now: Instant,
        line: &Line,
        carrier: &mut Carrier,
        (destination, bytes, rtcp): (SocketAddr, &[u8], bool),
    ) {
        let pair = match line {
            Line::Ports(pair) => pair,
            // Its own RTCP, of the stream that the browser knows, is made by its leg.
            Line::Browser(_) if rtcp => return,
            Line::Browser(id) => return self.browsers.send(*id, bytes, now, self.outbox),
        };
        let socket = if rtcp { &pair.rtcp } else { &pair.rtp };
        if let Some(sealed) = carrier.seal(bytes, rtcp) {
            self.outbox.send(socket, sealed, destination);
        }
    }
}

/// How a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Runs,
    /// Nobody is left to take its keys: it ends.
    Abandoned,
}

/// A call.
pub(super) struct RunningCall {
    core: Core,
    sockets: Sockets,
}

struct Sockets {
    consumer: Line,
    agent: Line,
}

impl Sockets {
    fn line(&self, leg: Leg) -> &Line {
        match leg {
            Leg::Consumer => &self.consumer,
            Leg::Agent => &self.agent,
        }
    }

    /// None of a browser: its packets come by its thread's port.
    fn at(&self, place: SocketPlace) -> Option<&RtpSocket> {
        match self.line(place.leg) {
            Line::Ports(pair) if place.rtcp => Some(&pair.rtcp),
            Line::Ports(pair) => Some(&pair.rtp),
            Line::Browser(_) => None,
        }
    }

    fn browsers(&self) -> impl Iterator<Item = (Leg, BrowserId)> {
        let browser = |leg| match self.line(leg) {
            Line::Browser(id) => Some((leg, *id)),
            Line::Ports(_) => None,
        };
        [Leg::Consumer, Leg::Agent].into_iter().filter_map(browser)
    }
}

/// What carries each leg's packets.
struct Carriers {
    consumer: Carrier,
    agent: Carrier,
}

impl Carriers {
    fn of(&mut self, leg: Leg) -> &mut Carrier {
        match leg {
            Leg::Consumer => &mut self.consumer,
            Leg::Agent => &mut self.agent,
        }
    }
}

struct Core {
    id: MediaId,
    call: Arc<CallId>,
    relay: Relay,
    carriers: Carriers,
    listeners: Listeners,
    keys: KeySender,
    /// Where the agent's keys go, while somebody wants them.
    agent_keys: Option<Box<KeySender>>,
    egress: Arc<EgressTally>,
    /// What was noted there last.
    noted: EgressGuardCounters,
    wake_at: Option<Instant>,
    /// When the next look is due whether anybody is left to take keys.
    look_at: Instant,
    protection: Protection,
    muted: bool,
    silenced: bool,
    unreported: Unreported,
}

impl RunningCall {
    pub(super) fn new(new: NewCall, now: Instant) -> Self {
        let NewCall {
            id,
            call,
            plan,
            consumer,
            agent,
            carriages,
            keys,
            egress,
        } = new;
        let relay = Relay::new(plan, now);
        let wake_at = relay.next_timeout();
        let core = Core {
            id,
            call,
            relay,
            carriers: Carriers {
                consumer: Carrier::new(carriages.consumer),
                agent: Carrier::new(carriages.agent),
            },
            listeners: Listeners::default(),
            keys,
            agent_keys: None,
            egress,
            noted: EgressGuardCounters::default(),
            wake_at,
            look_at: now,
            protection: Protection::Off,
            muted: false,
            silenced: false,
            unreported: Unreported::default(),
        };
        Self {
            core,
            sockets: Sockets { consumer, agent },
        }
    }

    pub(super) fn id(&self) -> MediaId {
        self.core.id
    }

    pub(super) fn call(&self) -> &Arc<CallId> {
        &self.core.call
    }

    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.core.wake_at
    }

    pub(super) fn counters(&self) -> RelayCounters {
        self.core.relay.counters()
    }

    pub(super) fn is_watching(&self) -> bool {
        self.core.relay.is_watching()
    }

    /// Silenced because something could not be reported.
    #[cfg(test)]
    pub(super) fn is_silenced(&self) -> bool {
        self.core.silenced
    }

    pub(super) fn owes_a_report(&self) -> bool {
        self.core.unreported.lost.is_some() || self.core.unreported.timed_out
    }

    /// Looks at what a packet needs, as [`Relay::look`] has it.
    pub(super) fn look(&self, place: SocketPlace) -> u64 {
        let Core {
            id,
            relay,
            wake_at,
            look_at,
            ..
        } = &self.core;
        let times = u64::from(*wake_at == Some(*look_at));
        let ports = [Leg::Consumer, Leg::Agent].map(|leg| {
            let socket = self.sockets.at(SocketPlace { leg, rtcp: false });
            socket.map_or(0, |socket| u64::from(socket.local().port()))
        });
        id.0 ^ times ^ ports[0] ^ ports[1] ^ relay.look(place.leg)
    }

    /// Watches the sockets. What came before there was anyone to hear it is thrown away.
    pub(super) fn watch(&self, io: &mut PacketIo, first: u32) -> std::io::Result<()> {
        for (token, place) in (first..).zip(SocketPlace::ALL) {
            if let Some(socket) = self.sockets.at(place) {
                io.watch(socket, Token(token))?;
            }
        }
        Ok(())
    }

    pub(super) fn forget(&self, io: &mut PacketIo, first: u32) {
        for (token, place) in (first..).zip(SocketPlace::ALL) {
            if let Some(socket) = self.sockets.at(place) {
                io.forget(socket, Token(token));
            }
        }
    }

    /// Its sides that are browsers.
    pub(super) fn browsers(&self) -> impl Iterator<Item = (Leg, BrowserId)> {
        self.sockets.browsers()
    }

    /// Another connection of the browser on this side; yields the one before.
    pub(super) fn swap_browser(&mut self, leg: Leg, id: BrowserId) -> Option<BrowserId> {
        let line = match leg {
            Leg::Consumer => &mut self.sockets.consumer,
            Leg::Agent => &mut self.sockets.agent,
        };
        match line {
            Line::Browser(before) => Some(std::mem::replace(before, id)),
            Line::Ports(_) => None,
        }
    }

    /// The agent's packets come and go this way from now on.
    pub(super) fn replace_agent(
        &mut self,
        io: &mut PacketIo,
        first: u32,
        (line, carriage): (Line, Carriage),
    ) -> std::io::Result<()> {
        let places = (first..).zip(SocketPlace::ALL);
        let agents = places.filter(|(_, place)| place.leg == Leg::Agent);
        for (token, place) in agents.clone() {
            if let Some(socket) = self.sockets.at(place) {
                io.forget(socket, Token(token));
            }
        }
        self.sockets.agent = line;
        self.core.carriers.agent = Carrier::new(carriage);
        for (token, place) in agents {
            if let Some(socket) = self.sockets.at(place) {
                io.watch(socket, Token(token))?;
            }
        }
        Ok(())
    }

    /// A datagram came.
    pub(super) fn take(
        &mut self,
        now: Instant,
        place: SocketPlace,
        datagram: Datagram<'_>,
        ways: &mut Ways<'_>,
    ) {
        if datagram.is_cut {
            return self.core.relay.note_cut(place.leg);
        }
        let Self { core, sockets } = self;
        let bytes = match core.carriers.of(place.leg).open(datagram.bytes, place.rtcp) {
            Ok(bytes) => bytes,
            Err(reason) => return core.relay.note_refused(place.leg, reason),
        };
        let input = Input::Packet {
            leg: place.leg,
            source: datagram.source,
            received_at: datagram.received_at,
            bytes,
            rtcp: place.rtcp,
        };
        core.relay.handle_input(now, input);
        core.drain(now, sockets, ways);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, ways: &mut Ways<'_>) {
        self.core.relay.handle_timeout(now);
        self.core.drain(now, &self.sockets, ways);
        self.send_to_listeners(now, ways);
        self.look_again();
    }

    /// Something that is waited for has changed.
    pub(super) fn look_again(&mut self) {
        self.core.wake_at = self.core.soonest();
    }

    pub(super) fn listeners(&mut self) -> &mut Listeners {
        &mut self.core.listeners
    }

    /// Browsers of those who listen.
    pub(super) fn listening(&self) -> impl Iterator<Item = BrowserId> {
        self.core.listeners.browsers()
    }

    pub(super) fn protect(&mut self, now: Instant, ways: &mut Ways<'_>) {
        self.core.protection = Protection::Wanted;
        self.core.listeners.end_barges();
        self.core.handle(now, Input::Protect, &self.sockets, ways);
        // Whoever asks again knows of the loss: the mask holds, and the consumer is heard through it.
        if self.core.unreported.lost.is_none() && std::mem::take(&mut self.core.silenced) {
            let muted = Input::Mute(self.core.muted);
            self.core.handle(now, muted, &self.sockets, ways);
        }
    }

    pub(super) fn unprotect(&mut self, now: Instant, ways: &mut Ways<'_>) {
        let Self { core, sockets } = self;
        core.protection = Protection::Off;
        core.unreported.lost = None;
        core.handle(now, Input::Unprotect, sockets, ways);
        if std::mem::take(&mut core.silenced) {
            core.handle(now, Input::Mute(core.muted), sockets, ways);
        }
    }

    /// The agent's keys go here, or nowhere again; those of a ring that is replaced are wiped with it.
    pub(super) fn hear_agent(
        &mut self,
        keys: Option<Box<KeySender>>,
        now: Instant,
        ways: &mut Ways<'_>,
    ) {
        let is_wanted = keys.is_some();
        self.core.agent_keys = keys;
        self.handle(now, Input::HearAgent(is_wanted), ways);
    }

    pub(super) fn mute(&mut self, on: bool, now: Instant, ways: &mut Ways<'_>) {
        self.core.muted = on;
        let quiet = on || self.core.silenced;
        self.core
            .handle(now, Input::Mute(quiet), &self.sockets, ways);
    }

    /// What was agreed on with a leg's far side has changed, and what carries its packets with it.
    pub(super) fn replan(&mut self, now: Instant, leg: Leg, agreed: Agreed, ways: &mut Ways<'_>) {
        let Agreed { plan, carriage } = agreed;
        self.core.carriers.of(leg).change(carriage);
        self.handle(now, Input::Replan { leg, plan }, ways);
    }

    /// Anything else.
    pub(super) fn handle(&mut self, now: Instant, input: Input<'_>, ways: &mut Ways<'_>) {
        self.core.handle(now, input, &self.sockets, ways);
    }

    /// Gives what could not be reported before.
    pub(super) fn report_again(&mut self, ways: &mut Ways<'_>) {
        let Core { id, unreported, .. } = &mut self.core;
        if let Some(code) = unreported.lost
            && ways.outlet.report(Report::ProtectionLost(*id, code))
        {
            unreported.lost = None;
        }
        if unreported.timed_out && ways.outlet.report(Report::MediaTimeout(*id)) {
            unreported.timed_out = false;
        }
    }

    /// Whether anybody is left to take keys. While protected the consumer falls silent first; the call ends when its mask is let go.
    pub(super) fn fate(&mut self, now: Instant, ways: &mut Ways<'_>) -> Fate {
        if now < self.core.look_at {
            return Fate::Runs;
        }
        self.core.look_at = now + LISTENER_LOOK;
        let agent_keys = self.core.agent_keys.as_deref();
        if agent_keys.is_some_and(KeySender::is_closed) {
            self.hear_agent(None, now, ways);
        }
        if !self.core.keys.is_closed() {
            return Fate::Runs;
        }
        if self.core.protection == Protection::Off {
            return Fate::Abandoned;
        }
        if !self.core.silenced {
            self.core.lose("nobody_listens");
            self.core.silence(now, &self.sockets, ways);
        }
        Fate::Runs
    }
}

impl Core {
    fn handle(&mut self, now: Instant, input: Input<'_>, sockets: &Sockets, ways: &mut Ways<'_>) {
        self.relay.handle_input(now, input);
        self.drain(now, sockets, ways);
    }

    fn drain(&mut self, now: Instant, sockets: &Sockets, ways: &mut Ways<'_>) {
        self.put_out(now, sockets, ways);
        if self.unreported.lost.is_some() && !self.silenced {
            self.silence(now, sockets, ways);
        }
        self.wake_at = self.soonest();
    }

    fn soonest(&self) -> Option<Instant> {
        let listeners = self.listeners.wake_at();
        self.relay.next_timeout().into_iter().chain(listeners).min()
    }

    /// Before anything is told of a step: whoever hears that the mask was lost reads the find, too.
    fn note_egress(&mut self) {
        let seen = self.relay.egress_guard();
        if seen != self.noted {
            self.noted = seen;
            self.egress
                .note(seen.samples_checked, seen.digits_found, seen.trips);
        }
    }

    fn put_out(&mut self, now: Instant, sockets: &Sockets, ways: &mut Ways<'_>) {
        self.note_egress();
        let Self {
            id,
            call,
            relay,
            carriers,
            listeners,
            keys,
            agent_keys,
            protection,
            unreported,
            ..
        } = self;
        let mut mixer = listeners.mixer(relay, *protection == Protection::Wanted);
        let laws = [Leg::Consumer, Leg::Agent].map(|leg| relay.law(leg));
        while let Some(output) = relay.poll_output() {
            let report = match output {
                Output::Transmit {
                    leg,
                    destination,
                    bytes,
                    rtcp,
                } => {
                    let bytes = match &mut mixer {
                        Some(mixer) if !rtcp => mixer.pass(leg, bytes),
                        Some(_) | None => bytes,
                    };
                    let packet = (destination, bytes, rtcp);
                    ways.transmit(now, sockets.line(leg), carriers.of(leg), packet);
                    continue;
                }
                Output::Record {
                    leg,
                    position,
                    samples,
                } => {
                    let is_consumer = leg == Leg::Consumer;
                    let law = if is_consumer { laws[0] } else { laws[1] };
                    let from = Speaker { is_consumer, law };
                    let samples = match &mut mixer {
                        Some(mixer) => mixer.record(leg, samples),
                        None => samples,
                    };
                    ways.outlet.record(call, from, position, samples);
                    continue;
                }
                Output::Key(key) => match keys.push(key) {
                    Ok(()) => Some(Report::KeyPressed(*id)),
                    Err(_) => Some(Report::KeysLost(*id)),
                },
                // A code that is too long for the ring is none: what found no room is lost.
                Output::AgentKey(key) => {
                    let taken = agent_keys.as_mut().map(|keys| keys.push(key));
                    matches!(taken, Some(Ok(()))).then_some(Report::KeyPressed(*id))
                }
                Output::Event(event) => {
                    if let Some((position, holds)) = mask_of(event) {
                        ways.outlet.record_mask(call, position, holds);
                    }
                    report_of(*id, event)
                }
            };
            let Some(report) = report else { continue };
            let is_told = ways.outlet.report(report);
            heed(report, is_told, protection, unreported);
        }
    }

    fn lose(&mut self, code: &'static str) {
        self.unreported.lost = Some(code);
    }

    fn silence(&mut self, now: Instant, sockets: &Sockets, ways: &mut Ways<'_>) {
        self.silenced = true;
        self.relay.handle_input(now, Input::Mute(true));
        self.put_out(now, sockets, ways);
        self.wake_at = self.soonest();
    }
}

/// What follows from a report, and from one that found no room.
fn heed(report: Report, is_told: bool, protection: &mut Protection, unreported: &mut Unreported) {
    if is_told {
        if matches!(report, Report::Refused(..)) {
            *protection = Protection::Off;
        }
        return;
    }
    unreported.timed_out |= matches!(report, Report::MediaTimeout(_));
    if *protection == Protection::Wanted {
        unreported.lost = Some("reports_full");
    }
}

/// From which recording position on the mask holds, or no longer does.
fn mask_of(event: RelayEvent) -> Option<(u64, bool)> {
    match event {
        RelayEvent::Protected { position, .. } => Some((position, true)),
        RelayEvent::Unprotected { position } => Some((position, false)),
        RelayEvent::ProtectionRefused { .. }
        | RelayEvent::ProtectionLost { .. }
        | RelayEvent::MediaTimeout { .. }
        | RelayEvent::LineSilent
        | RelayEvent::LineBack
        | RelayEvent::TonesUnclear
        | RelayEvent::SourceLatched { .. } => None,
    }
}

fn report_of(id: MediaId, event: RelayEvent) -> Option<Report> {
    Some(match event {
        RelayEvent::Protected { timestamp, .. } => Report::Protected(id, timestamp),
        RelayEvent::ProtectionRefused { reason } => Report::Refused(id, reason.code()),
        RelayEvent::ProtectionLost { reason } => Report::ProtectionLost(id, reason.code()),
        RelayEvent::MediaTimeout { .. } => Report::MediaTimeout(id),
        RelayEvent::LineSilent => Report::LineSilent(id),
        RelayEvent::LineBack => Report::LineBack(id),
        RelayEvent::TonesUnclear => Report::TonesUnclear(id),
        RelayEvent::Unprotected { .. } | RelayEvent::SourceLatched { .. } => return None,
    })
}
