//! The timers of RFC 3261 §17 and RFC 6026, in one table.

use std::time::Duration;

use crate::stack::Transport;

/// Round-trip estimate.
pub(crate) const T1: Duration = Duration::from_millis(500);

/// Longest time between repeats of a request or a 2xx.
pub(crate) const T2: Duration = Duration::from_secs(4);

/// Longest time a message stays in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);

/// How long anything is repeated before the far side counts as gone: 32 s.
const GIVE_UP: Duration = Duration::from_secs(32);

/// What a transaction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Repeat our INVITE.
    A,
    /// Our INVITE was never answered.
    B,
    /// Absorb repeats of the refusal of our INVITE.
    D,
    /// Repeat our other request.
    E,
    /// Our other request was never answered.
    F,
    /// Repeat our refusal of an INVITE.
    G,
    /// Our refusal of an INVITE was never acknowledged.
    H,
    /// Absorb repeats of the ACK.
    I,
    /// Absorb repeats of a request we answered.
    J,
    /// Absorb repeats of the answer to our request.
    K,
    /// Absorb repeats of an INVITE we accepted ([RFC 6026](https://www.rfc-editor.org/rfc/rfc6026)).
    L,
    /// Absorb repeats of the acceptance of our INVITE, and notice forks of it ([RFC 6026](https://www.rfc-editor.org/rfc/rfc6026)).
    M,
}

impl Timer {
    /// First duration over this transport; `None` where a reliable transport needs no repeating.
    pub(crate) fn first(self, transport: Transport) -> Option<Duration> {
        let reliable = transport.is_reliable();
        match self {
            Self::A | Self::E | Self::G => (!reliable).then_some(T1),
            Self::B | Self::F | Self::H | Self::L | Self::M => Some(GIVE_UP),
            Self::D | Self::J => Some(if reliable { Duration::ZERO } else { GIVE_UP }),
            Self::I | Self::K => Some(if reliable { Duration::ZERO } else { T4 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_repeated_over_streams() {
        for timer in [Timer::A, Timer::E, Timer::G] {
            assert_eq!(
                (timer.first(Transport::Tcp), timer.first(Transport::Udp)),
                (None, Some(T1))
            );
        }
        assert_eq!(Timer::K.first(Transport::Tls), Some(Duration::ZERO));
        assert_eq!(Timer::B.first(Transport::Tls), Some(64 * T1));
    }
}
