//! What a node is told at its start.
//! Owns: addresses, peers and bounds.
//! Never: reads a file.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use media::source::{Cidr, SourcePolicy};
use secret::Arena;
use sip::digest::DigestPolicy;
use sip::sdp::Codec;
use sip::{Credentials, Transport, Uri};

use crate::packet_io::Backend;
use crate::recorder::AudioSink;
use crate::rtp_socket::RtpPorts;
use crate::transport::{InterfaceConfig, StreamBounds, TlsConfig};
use crate::trunk::{HeaderRules, NumberRules};

/// A node's configuration.
pub struct NodeConfig {
    /// Name of this node: letters, digits and `-`.
    pub node: String,
    /// Number of this start of the node.
    pub epoch: u32,
    /// Digest realm of our phones.
    pub realm: String,
    /// Hash functions for that digest.
    pub digest: DigestPolicy,
    /// Where SIP is bound, the first interface first.
    pub interfaces: Vec<InterfaceConfig>,
    /// Certificates of those that speak TLS.
    pub tls: Option<TlsConfig>,
    /// Bounds of SIP's connections.
    pub streams: StreamBounds,
    /// Where media is bound.
    pub media_address: IpAddr,
    /// Address that far sides reach media by; none: as bound.
    pub media_advertised: Option<IpAddr>,
    /// Ports for media: an even one and the next for each leg.
    pub rtp_ports: RangeInclusive<u16>,
    /// The pool of these ports, where others take from it, too; none: the node has one of its own.
    pub shared_ports: Option<RtpPorts>,
    /// Where browsers that are phones send media.
    pub browser_ports: BrowserPorts,
    /// Threads that carry media, 1 to 64.
    pub media_threads: usize,
    /// How they reach their packets; none: the fastest way that the kernel allows.
    pub packet_io: Option<Backend>,
    /// Servers that are asked for the names of places; empty: the system's.
    pub dns: Vec<SocketAddr>,
    /// Far sides that may call without digest.
    pub peers: Vec<Peer>,
    /// How the media of phones that register here is secured.
    pub phones_srtp: SrtpRule,
    /// What may be spoken with our phones, the most wanted first; not empty.
    pub phone_codecs: Vec<Codec>,
    /// Memory for keys: one ring for each call and each media thread.
    pub arena: Arc<Arena>,
    /// Bounds.
    pub limits: NodeLimits,
    /// Frequency of the tone that stands for a key, 300-620 Hz.
    pub flat_tone_hz: f32,
    /// Where masked audio goes, if anywhere.
    pub audio_sink: Option<Box<dyn AudioSink>>,
    /// A deliberate defect: the mask does nothing.
    #[cfg(feature = "planted")]
    pub mask_off: bool,
}

impl NodeConfig {
    /// A node on one address for everything, with defaults: SIP over UDP, one media thread, no peers, no browsers, tone of 560 Hz, no recorder.
    #[must_use]
    pub fn new(sip_listen: SocketAddr, rtp_ports: RangeInclusive<u16>, arena: Arc<Arena>) -> Self {
        Self {
            node: "n1".to_owned(),
            epoch: 0,
            realm: "tonewall".to_owned(),
            digest: DigestPolicy::default(),
            interfaces: vec![InterfaceConfig::new(Transport::Udp, sip_listen)],
            tls: None,
            streams: StreamBounds::default(),
            media_address: sip_listen.ip(),
            media_advertised: None,
            rtp_ports,
            shared_ports: None,
            browser_ports: BrowserPorts::Off,
            media_threads: 1,
            packet_io: None,
            dns: Vec::new(),
            peers: Vec::new(),
            phones_srtp: SrtpRule::default(),
            phone_codecs: Codec::USUAL.to_vec(),
            arena,
            limits: NodeLimits::default(),
            flat_tone_hz: media::tone::FLAT_TONE_HZ,
            audio_sink: None,
            #[cfg(feature = "planted")]
            mask_off: false,
        }
    }
}

/// Where browsers that are phones send media: one UDP port for each media thread, which all its browsers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserPorts {
    /// Nowhere: browsers are no phones.
    Off,
    /// To ports out of those for media, which are taken from them at the start.
    OfMedia,
    /// To this port and those after it.
    From(u16),
}

/// A far side that may call: a trunk, an SBC, a PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Addresses its SIP comes from, any port.
    pub addresses: Vec<IpAddr>,
    /// It is in our trust domain (RFC 3325): its `X-Tonewall-Call` (S40) and the identities that it asserts are believed, and it is told those that we know,
    /// with what callers want withheld.
    pub is_trusted: bool,
    /// Where our calls to it go, in this order, the next where one is not there: SIP URIs with an address or a name, and with a port and a transport where
    /// they have one. Of what a name leads to only `addresses` are called. Empty: to where each call's target says.
    pub places: Vec<Uri>,
    /// Time between two probes (OPTIONS) of each of its places; none: they are not probed.
    pub probe: Option<Duration>,
    /// Who we are there; none: it takes our calls by our address alone.
    pub account: Option<Account>,
    /// From where its media is taken (S35).
    pub media_source: MediaSource,
    /// Which header fields go to it and come from it.
    pub headers: HeaderRules,
    /// How it writes numbers.
    pub numbers: NumberRules,
    /// Keys in SIP INFO count (S38).
    pub info_digits: bool,
    /// How its media is secured.
    pub srtp: SrtpRule,
    /// What may be spoken with it, the most wanted first; not empty. Wideband only where the other side speaks it, too.
    pub codecs: Vec<Codec>,
}

/// Who we are at a far side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What its challenges are answered with, in its calls and in ours.
    pub credentials: Credentials,
    /// That we are registered there; none: it knows our address.
    pub registration: Option<Registration>,
}

/// A registration of ours, kept up from the start of a node to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The registrar. With an address, it is asked there; with a name, which is our domain, at each of the far side's addresses until one answers.
    pub registrar: Uri,
    /// User part of our `Contact`, which it calls us by; none: the user name of the credentials.
    pub contact: Option<String>,
    /// How long a binding shall hold, in whole seconds; it is refreshed after half of what the registrar grants.
    pub expires: Duration,
}

/// How a far side's media is secured by SRTP with keys of the descriptions (RFC 4568).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SrtpRule {
    /// Whether it is.
    pub wanted: Srtp,
    /// Keys are exchanged over signalling without TLS, too, where everybody on the way can read them.
    pub without_tls: bool,
    /// Tags of 32 bits are accepted, after all others.
    pub short_tags: bool,
}

/// Whether a far side's media is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Srtp {
    /// In clear. A far side that insists on keys gets 488.
    #[default]
    Refuse,
    /// Where the far side can. We offer keys with the plain profile, and take what is answered; of an offer we take the secured stream.
    Prefer,
    /// Nothing in clear is offered or accepted: 488.
    Require,
}

/// From where a far side's media is taken (S35).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// From the signalled address and port alone.
    Signalled,
    /// From any port of the address that its SIP comes from.
    Latch,
    /// From any address of these ranges.
    Cidr(Vec<Cidr>),
}

impl MediaSource {
    /// The same for a leg whose SIP comes from this address.
    pub(crate) fn policy(&self, sip_source: IpAddr) -> SourcePolicy {
        match self {
            Self::Signalled => SourcePolicy::Signalled,
            Self::Latch => SourcePolicy::Latch { sip_source },
            Self::Cidr(ranges) => SourcePolicy::Cidr(ranges.clone()),
        }
    }
}

/// Bounds of a node (invariant I8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLimits {
    /// Calls at a time. More: 503.
    pub calls_max: usize,
    /// Time a call may wait for a route. Longer: 480.
    pub route_wait: Duration,
    /// Time the target may ring. Longer: 480.
    pub answer_wait: Duration,
    /// Time that a place of a far side which has several may be silent before the next is called, shorter than 32 s, after which signalling gives up.
    pub silence_max: Duration,
    /// Time without any media on a leg that should send (S36). Longer: both legs are ended.
    pub media_timeout: Duration,
    /// The same for a leg that is held.
    pub held_timeout: Duration,
    /// Bounds of signalling.
    pub sip: sip::Limits,
}

impl Default for NodeLimits {
    /// 2,000 calls, 10 s for a route, 30 s of ringing, 4 s of silence, 60 s and 30 min without media.
    fn default() -> Self {
        Self {
            calls_max: 2_000,
            route_wait: Duration::from_secs(10),
            answer_wait: Duration::from_secs(30),
            silence_max: Duration::from_secs(4),
            media_timeout: Duration::from_secs(60),
            held_timeout: Duration::from_secs(30 * 60),
            sip: sip::Limits::default(),
        }
    }
}
