//! What recorders hear: both sides of calls, from the threads that carry masked audio.
//! Owns: for each recording session its sockets, its streams, and the gate before them.
//! Never: sends a sample while the gate is closed, nor one that came while it was; hears audio before the mask (I3); waits.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::id::CallId;
use media::g711::Law;
use media::rtcp::{CNAME_LEN, REPORT_LEN_MAX, Report, SenderInfo};
use sip::sdp::Codec;
use sip::siprec::RecordedStream;
use tokio::sync::watch;
use voice::rtp_socket::{RtpPair, RtpSocket, advertised};
use voice::{AudioSink, Speaker};

use super::packets::{Format, Packets};

/// Time between two reports of a stream.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What is in the media threads' rings is handed over within 20 ms; a thread that is so late does not run.
const CAUGHT_UP_MAX: Duration = Duration::from_millis(500);

/// All sessions' gates.
#[derive(Debug)]
pub(super) struct Gates {
    calls: Mutex<HashMap<CallId, Heard>>,
    /// How often the ear had caught up.
    passes: watch::Sender<u64>,
    /// Packets that found no room in the kernel.
    pub(super) dropped: AtomicU64,
    began: Instant,
}

/// A call with recording sessions, by the names of their recorders.
#[derive(Debug, Default)]
struct Heard {
    /// Position behind the last sample of either side.
    end: u64,
    senders: Vec<(String, Sender)>,
}

/// The streams of one session: the consumer's, then the agent's.
#[derive(Debug)]
pub(super) struct Sender {
    pairs: [RtpPair; 2],
    packets: [Packets; 2],
    cname: [u8; CNAME_LEN],
    /// Where the recorder wants them; none: it has not said yet.
    wanted: Option<[RecordedStream; 2]>,
    is_open: bool,
    report_at: Option<Instant>,
}

impl Sender {
    /// Closed streams from these ports, under numbers that are random.
    pub(super) fn new(pairs: [RtpPair; 2]) -> Self {
        let stream = || Packets::new(rand::random(), rand::random(), rand::random());
        let mut cname = [0; CNAME_LEN];
        for (to, digit) in cname
            .iter_mut()
            .zip(format!("{:024x}", rand::random::<u128>() >> 32).bytes())
        {
            *to = digit;
        }
        Self {
            pairs,
            packets: [stream(), stream()],
            cname,
            wanted: None,
            is_open: false,
            report_at: None,
        }
    }

    /// Where its streams come from.
    pub(super) fn advertised(&self, address: IpAddr) -> [SocketAddr; 2] {
        let [consumer, agent] = &self.pairs;
        [consumer, agent].map(|pair| advertised(&pair.rtp, address))
    }

    fn open(&mut self, wanted: [RecordedStream; 2]) {
        self.wanted = Some(wanted);
        self.is_open = true;
    }

    fn close(&mut self) {
        self.is_open = false;
        self.packets.iter_mut().for_each(Packets::discard);
    }

    /// Sends what makes whole packets; how many found no room.
    fn frames(&mut self, side: usize, position: u64, samples: &[i16]) -> u64 {
        let (Some(wanted), true) = (&self.wanted, self.is_open) else {
            return 0;
        };
        let (Some(stream), Some(packets), Some(pair)) = (
            wanted.get(side).filter(|stream| stream.is_taken),
            self.packets.get_mut(side),
            self.pairs.get(side),
        ) else {
            return 0;
        };
        let format = Format {
            law: match stream.codec {
                Codec::Pcmu => Law::Mu,
                Codec::Pcma => Law::A,
                // Not offered to recorders, so not taken by any.
                Codec::G722 | Codec::Opus => return 0,
            },
            payload_type: stream.payload_type,
        };
        let mut dropped = 0;
        packets.push(format, (position, samples), |packet| {
            dropped += u64::from(!sent(&pair.rtp, packet, stream.rtp));
        });
        dropped
    }

    /// Reports of both streams, if they are due. A stream that has sent nothing yet only says its name.
    fn report(&mut self, now: Instant, end: u64, began: Instant) {
        let Some(wanted) = &self.wanted else {
            return;
        };
        let due = *self.report_at.get_or_insert(now);
        if now < due {
            return;
        }
        self.report_at = Some(now + REPORT_EVERY);
        let sides = self.pairs.iter().zip(&self.packets).zip(wanted);
        for ((pair, packets), stream) in sides {
            let sender = SenderInfo {
                ntp: fixed_point(now.saturating_duration_since(began)),
                rtp_timestamp: packets.time(end),
                packets: packets.packets,
                octets: packets.octets,
            };
            let report = Report {
                ssrc: packets.ssrc,
                cname: &self.cname,
                sender: (self.is_open && packets.packets > 0).then_some(sender),
                reception: None,
                goodbye: false,
            };
            let mut bytes = [0; REPORT_LEN_MAX];
            let len = report.write(&mut bytes);
            let _lost_as_on_a_network = sent(
                &pair.rtcp,
                bytes.get(..len).unwrap_or_default(),
                stream.rtcp,
            );
        }
    }
}

fn sent(socket: &RtpSocket, bytes: &[u8], to: SocketAddr) -> bool {
    // A stream that was put on hold the old way has no address.
    to.ip().is_unspecified() || socket.send(bytes, to).unwrap_or(false)
}

/// Seconds and 2^-32 of a second.
fn fixed_point(time: Duration) -> u64 {
    let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    (time.as_secs() << 32) | fraction
}

impl Gates {
    pub(super) fn new() -> Self {
        Self {
            calls: Mutex::default(),
            passes: watch::Sender::new(0),
            dropped: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Heard>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session's streams, closed.
    pub(super) fn add(&self, call: &CallId, recorder: &str, sender: Sender) {
        let mut calls = self.calls();
        let heard = calls.entry(call.clone()).or_default();
        heard.senders.push((recorder.to_owned(), sender));
    }

    pub(super) fn open(&self, call: &CallId, recorder: &str, wanted: [RecordedStream; 2]) {
        self.with(call, recorder, |sender| sender.open(wanted));
    }

    /// Once this returns nothing is sent, and nothing waits to be.
    pub(super) fn close(&self, call: &CallId, recorder: &str) {
        self.with(call, recorder, Sender::close);
    }

    /// Its ports are free again.
    pub(super) fn remove(&self, call: &CallId, recorder: &str) {
        let mut calls = self.calls();
        if let Some(heard) = calls.get_mut(call) {
            heard.senders.retain(|(name, _)| name != recorder);
            if heard.senders.is_empty() {
                calls.remove(call);
            }
        }
    }

    fn with(&self, call: &CallId, recorder: &str, change: impl FnOnce(&mut Sender)) {
        let mut calls = self.calls();
        let senders = calls.get_mut(call).map(|heard| &mut heard.senders);
        let mut senders = senders.into_iter().flatten();
        if let Some((_, sender)) = senders.find(|(name, _)| name == recorder) {
            change(sender);
        }
    }

    /// Waits until all is heard that the media threads had put out when this was asked. False: they hand nothing over.
    pub(super) async fn caught_up(&self) -> bool {
        let mut passes = self.passes.subscribe();
        let wanted = passes.borrow_and_update().saturating_add(2);
        let caught_up = passes.wait_for(|passes| *passes >= wanted);
        matches!(
            tokio::time::timeout(CAUGHT_UP_MAX, caught_up).await,
            Ok(Ok(_))
        )
    }
}

/// The ear of these recorders, on the thread that empties the media threads' rings.
pub(crate) struct SiprecEar(pub(super) std::sync::Arc<Gates>);

impl AudioSink for SiprecEar {
    fn frames(&mut self, call: &CallId, from: Speaker, position: u64, samples: &[i16]) {
        let mut calls = self.0.calls();
        let Some(heard) = calls.get_mut(call) else {
            return;
        };
        let end = position.saturating_add(u64::try_from(samples.len()).unwrap_or(u64::MAX));
        heard.end = heard.end.max(end);
        let side = usize::from(!from.is_consumer);
        let senders = heard.senders.iter_mut();
        let dropped = senders.map(|(_, sender)| sender.frames(side, position, samples));
        self.0.dropped.fetch_add(dropped.sum(), Ordering::Relaxed);
    }

    /// Whoever tells the end of the call ends its sessions, too.
    fn ended(&mut self, _: &CallId) {}

    fn caught_up(&mut self) {
        let now = Instant::now();
        for heard in self.0.calls().values_mut() {
            for (_, sender) in &mut heard.senders {
                sender.report(now, heard.end, self.0.began);
            }
        }
        self.0.passes.send_modify(|passes| *passes += 1);
    }
}
