//! Both directions of the two laws, as tables that the compiler makes.
//! Owns: the laws' arithmetic.
//! Never: is built while the program runs.

use crate::Law;

/// Decoding is one look-up, so is encoding: 33 kB of a law.
pub(crate) struct Tables {
    decode: [i16; 256],
    encode: [u8; ENCODE_PLACES],
}

pub(crate) static MU: Tables = Tables::of(Law::Mu);
pub(crate) static A: Tables = Tables::of(Law::A);

/// Linear values of one place in the encoder's table. Decoded values are multiples of 4, so the middle between two is one of 2, and what lies
/// between two such middles has one nearest code.
const LINEAR_OF_PLACE: u16 = 2;
const ENCODE_PLACES: usize = 32_768;

impl Tables {
    #[inline]
    pub(crate) fn decode(&self, byte: u8) -> i16 {
        self.decode[usize::from(byte)]
    }

    #[inline]
    pub(crate) fn encode(&self, linear: i16) -> u8 {
        self.encode[place(linear)]
    }

    const fn of(law: Law) -> Self {
        let mut decode = [0; 256];
        let mut byte = 0_u8;
        loop {
            decode[byte as usize] = decoded(law, byte);
            if byte == u8::MAX {
                break;
            }
            byte += 1;
        }
        Self {
            decode,
            encode: nearest(law),
        }
    }
}

/// Where the code of a linear value stands.
#[inline]
const fn place(linear: i16) -> usize {
    (linear.cast_unsigned() / LINEAR_OF_PLACE) as usize
}

/// The nearest code of every place, the higher of two as near.
const fn nearest(law: Law) -> [u8; ENCODE_PLACES] {
    let mut encode = [0; ENCODE_PLACES];
    let (mut rank, mut linear) = (0, i16::MIN);
    let mut middle = middle_above(law, rank);
    loop {
        while rank < u8::MAX && linear >= middle {
            rank += 1;
            middle = middle_above(law, rank);
        }
        encode[place(linear)] = code(law, rank);
        if linear == i16::MAX - 1 {
            return encode;
        }
        linear += 2;
    }
}

/// The middle between the value of a rank and that of the next one; above the last there is none. Of two codes with one value, the zeroes of the
/// mu-law, no sample is nearest to the first.
const fn middle_above(law: Law, rank: u8) -> i16 {
    if rank == u8::MAX {
        return i16::MAX;
    }
    let value = decoded(law, code(law, rank));
    let next = decoded(law, code(law, rank + 1));
    if value == next {
        return i16::MIN;
    }
    value / 2 + next / 2
}

/// The codes in the order of their values, the lowest first, -0 before +0.
const fn code(law: Law, rank: u8) -> u8 {
    let is_negative = rank < 128;
    let magnitude = if is_negative { 127 - rank } else { rank - 128 };
    match (law, is_negative) {
        (Law::Mu, true) => !(0x80 | magnitude),
        (Law::Mu, false) => !magnitude,
        (Law::A, true) => magnitude ^ 0x55,
        (Law::A, false) => (0x80 | magnitude) ^ 0x55,
    }
}

const fn decoded(law: Law, byte: u8) -> i16 {
    match law {
        Law::Mu => decoded_mu(byte),
        Law::A => decoded_a(byte),
    }
}

/// What mu-law adds before it takes the logarithm, at 16 bits.
const MU_BIAS: i16 = 132;

/// ITU-T G.711 table 2a: sign, three bits of segment, four of step, all inverted.
const fn decoded_mu(byte: u8) -> i16 {
    let code = !byte;
    let segment = (code >> 4) & 0x07;
    let step = (code & 0x0F) as i16;
    let magnitude = (((step << 3) + MU_BIAS) << segment) - MU_BIAS;
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// ITU-T G.711 table 1a: even bits inverted; the first two segments share one step size.
const fn decoded_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let step = (((code & 0x0F) as i16) << 4) + 8;
    let magnitude = if segment == 0 {
        step
    } else {
        (step + 256) << (segment - 1)
    };
    if code & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_their_values_and_name_every_code_once() {
        for law in [Law::Mu, Law::A] {
            let mut codes: Vec<u8> = (u8::MIN..=u8::MAX).map(|rank| code(law, rank)).collect();
            let values: Vec<i16> = codes.iter().map(|byte| decoded(law, *byte)).collect();
            assert!(values.is_sorted(), "{law:?}");
            assert!(values.iter().all(|value| value % 4 == 0), "{law:?}");
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), 256, "{law:?}");
        }
    }
}
