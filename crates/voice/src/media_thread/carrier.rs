//! How one leg's packets are carried between its sockets and the relay.
//! Owns: what is done to a packet on its way in and on its way out.
//! Never: looks at what a packet says, knows the other leg, or allocates for a packet.

use media::relay::DropReason;

/// What a leg's packets are carried by, as signalling agreed on it. Travels beside the plan: media has no keys.
#[derive(Debug)]
pub(crate) enum Carriage {
    /// RTP/AVP over UDP, as it is.
    Plain,
}

/// One leg's carrier.
pub(super) enum Carrier {
    /// Packets are what they are.
    Plain,
}

impl Carrier {
    pub(super) fn new(carriage: Carriage) -> Self {
        match carriage {
            Carriage::Plain => Self::Plain,
        }
    }

    /// Something else was agreed on in a running call. What has not changed goes on as it was.
    pub(super) fn change(&mut self, carriage: Carriage) {
        match carriage {
            Carriage::Plain => *self = Self::Plain,
        }
    }

    /// Opens a packet of the far side in its own buffer: what comes back is plain RTP or RTCP. `rtcp`: it came to the RTCP socket; on the RTP socket
    /// RTCP is told by its payload type.
    ///
    /// # Errors
    /// Why the relay must not see it.
    pub(super) fn open<'packet>(
        &mut self,
        packet: &'packet mut [u8],
        _rtcp: bool,
    ) -> Result<&'packet [u8], DropReason> {
        match self {
            Self::Plain => Ok(packet),
        }
    }

    /// Seals a packet of ours; none if it must not leave.
    pub(super) fn seal<'packet>(
        &'packet mut self,
        packet: &'packet [u8],
        _rtcp: bool,
    ) -> Option<&'packet [u8]> {
        match self {
            Self::Plain => Some(packet),
        }
    }
}
