//! Bytes from outside, as many kinds of them as can be made.
//! Owns: one target for each parser and one for the relay: what must hold whatever comes.
//! Never: part of the product.
//! Start reading at: `relay`. A target is `run(data)`; it panics if something does not hold. `corpus/` has its seeds.

pub mod answer;
pub mod recording;
pub mod relay;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod siprec;
pub mod sound;
pub mod telephone_event;

#[cfg(test)]
mod tests;

/// Bytes taken from the front of an input; zeroes when it is used up.
pub(crate) struct Taker<'data>(pub(crate) &'data [u8]);

impl<'data> Taker<'data> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    pub(crate) fn u32(&mut self) -> u32 {
        (u32::from(self.u16()) << 16) | u32::from(self.u16())
    }

    /// So many bytes, or as many as are left.
    pub(crate) fn bytes(&mut self, count: usize) -> &'data [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
