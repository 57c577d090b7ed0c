//! A recording as Ogg Opus (RFC 6716, RFC 7845): a tenth of a WAV.
//! Owns: its packets, pages and granule positions.
//! Never: mixes the two tracks, leaves opened audio on a disk.
//!
//! Each track is an Opus stream of its own, so that nothing of one talker can be heard on the other's channel; stereo coding would let a little through.

use std::io;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opus_rs::{Application, OpusEncoder};

use crate::reader::{ReadError, Reader};
use crate::source::Source;

/// Samples of a packet, of each track: 20 ms.
const PACKET_SAMPLES: usize = 160;
/// Packets of a page: a second.
const PAGE_PACKETS: u64 = 50;
/// Packets that are opened at a time: eight segments.
const PACKETS_AT_ONCE: usize = 200;
/// Granule positions count at 48 kHz, whatever the audio has (RFC 7845 section 4).
const GRANULES: u64 = 6;
/// What an encoder holds back, in samples at 8 kHz: 2.5 ms of look-ahead and 4 ms of delay compensation, as libopus has.
const LOOK_AHEAD: u64 = 52;
/// Bits a second of a track, on average. Narrowband speech gains nothing above it.
const BITRATE: i32 = 16_000;
/// Out of ten: a third of the time that ten takes, and nobody hears it in narrowband.
const COMPLEXITY: i32 = 5;
/// Bytes of a packet of one track at most (RFC 6716 section 3.4).
const PACKET_BYTES_MAX: usize = 1_275;
/// Lengths below it have one byte (RFC 6716 section 3.2.1).
const TWO_BYTES_FROM: usize = 252;

/// A recording cannot be had as Ogg Opus.
#[derive(Debug, thiserror::Error)]
pub enum OpusError {
    /// The encoder refused.
    #[error("the audio cannot be encoded: {0}")]
    Encode(&'static str),
    /// The recording could not be read.
    #[error("the recording cannot be read")]
    Read(#[from] ReadError),
    /// What it was exported to took no more.
    #[error("the Ogg file cannot be written")]
    Write(#[source] io::Error),
}

/// Writes all that `reader` has found as Ogg Opus, at 8 kHz and about 32 kbit/s. The left channel is the consumer, the right one the agent; what was not kept
/// is silence, so that times are those of the call. How many segments were changed, and are silence, too.
///
/// # Errors
/// The recording could not be read, or `out` takes no more.
pub fn export_opus<S: Source>(
    reader: &Reader<S>,
    out: &mut impl io::Write,
) -> Result<usize, OpusError> {
    let positions = reader.positions();
    let samples = positions.end.saturating_sub(positions.start);
    // Zeros behind the end push out what the encoder holds back.
    let packets = (samples + LOOK_AHEAD).div_ceil(wide(PACKET_SAMPLES));
    let mut stream = Stream::begin(reader, out)?;
    let mut tracks = [Encoder::new()?, Encoder::new()?];
    let mut moments = vec![0; 2 * PACKET_SAMPLES * PACKETS_AT_ONCE];
    let mut changed = 0;
    let mut done = 0;
    while done < packets {
        let from = positions.start + done * wide(PACKET_SAMPLES);
        changed += reader.read(from, &mut moments)?;
        for packet in moments.chunks_exact(2 * PACKET_SAMPLES) {
            if done == packets {
                break;
            }
            done += 1;
            let granules = (done * wide(PACKET_SAMPLES)).min(samples + LOOK_AHEAD) * GRANULES;
            let bytes = encode(&mut tracks, packet)?;
            stream.put(bytes, granules, place_of(done, packets))?;
        }
    }
    Ok(changed)
}

/// Where a packet stands in its page.
fn place_of(number: u64, packets: u64) -> PacketWriteEndInfo {
    if number == packets {
        PacketWriteEndInfo::EndStream
    } else if number.is_multiple_of(PAGE_PACKETS) {
        PacketWriteEndInfo::EndPage
    } else {
        PacketWriteEndInfo::NormalPacket
    }
}

/// A packet of both tracks: the first says its own length (RFC 6716 appendix B), the second goes to the end.
fn encode(tracks: &mut [Encoder; 2], moments: &[i16]) -> Result<Vec<u8>, OpusError> {
    let mut bytes = Vec::with_capacity(2 * PACKET_BYTES_MAX);
    let [consumer, agent] = tracks;
    let first = consumer.encode(moments.iter().step_by(2))?;
    let Some((kind, frame)) = first.split_first() else {
        return Err(OpusError::Encode("an empty packet"));
    };
    // The two low bits tell how many frames a packet has (RFC 6716 section 3.1); 20 ms are one.
    if kind & 3 != 0 {
        return Err(OpusError::Encode("more than one frame in a packet"));
    }
    bytes.push(*kind);
    bytes.extend(frame_length(frame.len()));
    bytes.extend_from_slice(frame);
    bytes.extend_from_slice(agent.encode(moments.iter().skip(1).step_by(2))?);
    Ok(bytes)
}

/// RFC 6716 section 3.2.1.
fn frame_length(bytes: usize) -> Vec<u8> {
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    if bytes < TWO_BYTES_FROM {
        return vec![byte(bytes)];
    }
    let first = TWO_BYTES_FROM + bytes % 4;
    vec![byte(first), byte((bytes - first) / 4)]
}

/// One track.
struct Encoder {
    opus: OpusEncoder,
    samples: [i16; PACKET_SAMPLES],
    packet: [u8; PACKET_BYTES_MAX],
}

impl Encoder {
    fn new() -> Result<Self, OpusError> {
        let mut opus = OpusEncoder::new(8_000, 1, Application::Voip).map_err(OpusError::Encode)?;
        opus.bitrate_bps = BITRATE;
        opus.complexity = COMPLEXITY;
        Ok(Self {
            opus,
            samples: [0; PACKET_SAMPLES],
            packet: [0; PACKET_BYTES_MAX],
        })
    }

    fn encode<'a>(&mut self, samples: impl Iterator<Item = &'a i16>) -> Result<&[u8], OpusError> {
        for (place, sample) in self.samples.iter_mut().zip(samples) {
            *place = *sample;
        }
        let bytes = self
            .opus
            .encode_i16(&self.samples, PACKET_SAMPLES, &mut self.packet)
            .map_err(OpusError::Encode)?;
        Ok(self.packet.get(..bytes).unwrap_or_default())
    }
}

/// The only logical stream of a file.
struct Stream<'a, W: io::Write> {
    pages: PacketWriter<'a, &'a mut W>,
    serial: u32,
}

impl<'a, W: io::Write> Stream<'a, W> {
    /// With both of its heads, each on a page of its own (RFC 7845 section 3).
    fn begin<S>(reader: &Reader<S>, out: &'a mut W) -> Result<Self, OpusError>
    where
        S: Source,
    {
        let [.., a, b, c, d] = reader.header().began.0.to_be_bytes();
        let mut stream = Self {
            pages: PacketWriter::new(out),
            serial: u32::from_be_bytes([a, b, c, d]),
        };
        stream.put(id_header(), 0, PacketWriteEndInfo::EndPage)?;
        stream.put(comment_header(), 0, PacketWriteEndInfo::EndPage)?;
        Ok(stream)
    }

    fn put(
        &mut self,
        packet: Vec<u8>,
        granules: u64,
        place: PacketWriteEndInfo,
    ) -> Result<(), OpusError> {
        self.pages
            .write_packet(packet, self.serial, place, granules)
            .map_err(OpusError::Write)
    }
}

/// RFC 7845 section 5.1: two channels of two streams, neither of them stereo.
fn id_header() -> Vec<u8> {
    let pre_skip = u16::try_from(LOOK_AHEAD * GRANULES).unwrap_or(0);
    let fields: [&[u8]; 8] = [
        b"OpusHead",
        &[1, 2],
        &pre_skip.to_le_bytes(),
        &8_000_u32.to_le_bytes(),
        // No gain, mapping family 1.
        &[0, 0, 1],
        // Streams, of them stereo.
        &[2, 0],
        &[0],
        &[1],
    ];
    fields.concat()
}

/// RFC 7845 section 5.2: who made it, and no comment.
fn comment_header() -> Vec<u8> {
    const VENDOR: &[u8] = b"Tonewall";
    let length = u32::try_from(VENDOR.len()).unwrap_or(0);
    let fields: [&[u8]; 4] = [
        b"OpusTags",
        &length.to_le_bytes(),
        VENDOR,
        &0_u32.to_le_bytes(),
    ];
    fields.concat()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
