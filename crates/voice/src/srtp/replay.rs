//! Which packets of a stream have come.
//! Owns: the newest index and the window behind it.
//! Never: believes an index whose tag was not checked.

/// Packets behind the newest that are remembered: 2.5 s of 20 ms packets. [RFC 3711 §3.3.2](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2) asks
/// for 64 at least. What is older counts as having come.
const WINDOW: u64 = 128;

/// The window of one stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Replay {
    newest: Option<u64>,
    /// Bit 0: the newest.
    seen: u128,
}

impl Replay {
    /// The newest index; none before the first packet.
    pub(super) fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Notes a packet; false if it has come before, or may have.
    pub(super) fn take(&mut self, index: u64) -> bool {
        let Some(newest) = self.newest else {
            (self.newest, self.seen) = (Some(index), 1);
            return true;
        };
        if index > newest {
            let ahead = index - newest;
            let shifted = u32::try_from(ahead)
                .ok()
                .and_then(|by| self.seen.checked_shl(by));
            (self.newest, self.seen) = (Some(index), shifted.unwrap_or(0) | 1);
            return true;
        }
        let behind = newest - index;
        if behind >= WINDOW {
            return false;
        }
        let bit = 1_u128 << behind;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_taken_once_in_whatever_order_it_comes() {
        let mut replay = Replay::default();
        for index in [10, 12, 11, 9, 500, 499, 373] {
            assert!(replay.take(index), "{index}");
            assert!(!replay.take(index), "{index} again");
        }
        assert!(!replay.take(372), "before the window");
        assert!(replay.take(500 + 128) && !replay.take(500));
        assert!(replay.take(u64::MAX >> 16));
    }
}
