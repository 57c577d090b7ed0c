//! How one leg's packets are carried between its sockets and the relay.
//! Owns: what is done to a packet on its way in and on its way out.
//! Never: looks at what a packet says, knows the other leg, or allocates for a packet.

use aws_lc_rs::error::Unspecified;
use media::relay::DropReason;
use media::rtcp::is_rtcp;
use sip::sdp::SrtpKeys;

use crate::srtp::{Opener, Sealer};

/// What a leg's packets are carried by, as signalling agreed on it. Travels beside the plan: media has no keys.
#[derive(Debug)]
pub enum Carriage {
    /// RTP/AVP over UDP, as it is.
    Plain,
    /// SRTP by keys of the descriptions.
    Sdes(Box<Sdes>),
}

impl Carriage {
    /// What these keys make; none: in clear.
    ///
    /// # Errors
    /// The keys are none for their suite.
    pub fn of(keys: Option<SrtpKeys>) -> Result<Self, Unspecified> {
        match keys {
            Some(keys) => Ok(Self::Sdes(Box::new(Sdes::new(keys)?))),
            None => Ok(Self::Plain),
        }
    }
}

/// One leg's carrier.
#[derive(Debug)]
pub struct Carrier(Carriage);

impl Carrier {
    /// A carrier that begins: no packet was sent or has come.
    #[must_use]
    pub fn new(carriage: Carriage) -> Self {
        Self(carriage)
    }

    /// Something else was agreed on in a running call. A key that is the same goes on as it was.
    pub fn change(&mut self, carriage: Carriage) {
        match (&mut self.0, carriage) {
            (Carriage::Sdes(running), Carriage::Sdes(newer)) => running.change(*newer),
            (running, other) => *running = other,
        }
    }

    /// Opens a packet of the far side in its own buffer: what comes back is plain RTP or RTCP. `rtcp`: it came to the RTCP socket; on the RTP socket
    /// RTCP is told by its payload type.
    ///
    /// # Errors
    /// Why the relay must not see it.
    pub fn open<'packet>(
        &mut self,
        packet: &'packet mut [u8],
        rtcp: bool,
    ) -> Result<&'packet [u8], DropReason> {
        match &mut self.0 {
            Carriage::Plain => Ok(packet),
            Carriage::Sdes(sdes) => {
                let rtcp = rtcp || is_rtcp(packet);
                let len = sdes.opener.open(packet, rtcp)?;
                packet.get(..len).ok_or(DropReason::Malformed)
            }
        }
    }

    /// Seals a packet of ours; none if it must not leave.
    pub fn seal<'packet>(
        &'packet mut self,
        packet: &'packet [u8],
        rtcp: bool,
    ) -> Option<&'packet [u8]> {
        match &mut self.0 {
            Carriage::Plain => Some(packet),
            Carriage::Sdes(sdes) => sdes.sealer.seal(packet, rtcp || is_rtcp(packet)),
        }
    }
}

/// SRTP by keys of the descriptions (RFC 4568).
pub struct Sdes {
    keys: SrtpKeys,
    opener: Opener,
    sealer: Sealer,
}

impl Sdes {
    fn new(keys: SrtpKeys) -> Result<Self, Unspecified> {
        Ok(Self {
            opener: Opener::new(&keys.theirs)?,
            sealer: Sealer::new(&keys.ours)?,
            keys,
        })
    }

    /// Goes over to newer keys. A side whose key is the same keeps its counters: they must never begin again under one key.
    fn change(&mut self, newer: Self) {
        if !is_same(&self.keys.theirs, &newer.keys.theirs) {
            self.opener.change(newer.opener);
        }
        if !is_same(&self.keys.ours, &newer.keys.ours) {
            self.sealer = newer.sealer;
        }
        self.keys = newer.keys;
    }
}

impl std::fmt::Debug for Sdes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sdes").field(&self.keys.ours.suite).finish()
    }
}

/// Under whatever tag it came.
fn is_same(one: &sip::sdp::Crypto, other: &sip::sdp::Crypto) -> bool {
    one.suite == other.suite && one.key == other.key && one.mki == other.mki
}
