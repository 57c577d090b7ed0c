//! RTCP: read with tolerance, written anew for each leg ([RFC 3550](https://www.rfc-editor.org/rfc/rfc3550) section 6).
//! Owns: compound packets on the wire.
//! Never: forwards anything of one leg to the other; lets a report decide more than that the far side lives.

use thiserror::Error;

/// Longest compound packet that we write: SR with one block (52), SDES (8 + 2 + 16 + padding), BYE (8).
pub const REPORT_LEN_MAX: usize = 96;

/// Length of our random CNAME in bytes (96 bits in hexadecimal, [RFC 7022](https://www.rfc-editor.org/rfc/rfc7022)).
pub const CNAME_LEN: usize = 24;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Why a datagram is no RTCP.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum RtcpError {
    /// Shorter than a header, or than the header says.
    #[error("the peer sent a truncated report")]
    PeerTruncated,
    /// Not version 2, or no RTCP packet type.
    #[error("the peer sent something else than a report")]
    PeerNotRtcp,
}

/// What a compound packet says that concerns us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControlReport {
    /// Middle 32 bits of the NTP time of a sender report.
    pub sender_report: Option<u32>,
    /// The far side said goodbye. Noted only: SIP ends calls.
    pub goodbye: bool,
}

/// True if a datagram on a shared port is RTCP: second byte 192-223 ([RFC 5761](https://www.rfc-editor.org/rfc/rfc5761)).
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Reads a compound packet. What follows the first unreadable part is ignored.
///
/// # Errors
/// Says why not even the first part is RTCP.
pub fn parse(bytes: &[u8]) -> Result<ControlReport, RtcpError> {
    let mut report = ControlReport::default();
    let mut rest = read_part(bytes, &mut report)?;
    while !rest.is_empty() {
        match read_part(rest, &mut report) {
            Ok(next) => rest = next,
            Err(RtcpError::PeerTruncated | RtcpError::PeerNotRtcp) => break,
        }
    }
    Ok(report)
}

fn read_part<'bytes>(
    bytes: &'bytes [u8],
    report: &mut ControlReport,
) -> Result<&'bytes [u8], RtcpError> {
    let (head, _) = bytes
        .split_first_chunk::<4>()
        .ok_or(RtcpError::PeerTruncated)?;
    if head[0] >> 6 != 2 || !is_rtcp(bytes) {
        return Err(RtcpError::PeerNotRtcp);
    }
    let len = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
    let (part, rest) = bytes
        .split_at_checked(len)
        .ok_or(RtcpError::PeerTruncated)?;
    match head[1] {
        SENDER_REPORT => {
            report.sender_report = part
                .get(10..14)
                .and_then(|middle| middle.try_into().ok())
                .map(u32::from_be_bytes);
        }
        GOODBYE => report.goodbye = true,
        _ => {}
    }
    Ok(rest)
}

/// A sender's part of a report.
#[derive(Debug, Clone, Copy)]
pub struct SenderInfo {
    /// NTP time, 32.32 fixed point, of a clock of our own.
    pub ntp: u64,
    /// RTP timestamp of the same moment.
    pub rtp_timestamp: u32,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent, modulo 2^32.
    pub octets: u32,
}

/// What we received, as a report block.
#[derive(Debug, Clone, Copy)]
pub struct ReceptionBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost in all, at most 2^23 - 1.
    pub lost: u32,
    /// Extended highest sequence number.
    pub newest_sequence: u32,
    /// Jitter in timestamp units.
    pub jitter: u32,
    /// Middle bits of the last sender report, else 0.
    pub last_sender_report: u32,
    /// Time since it, in 65,536ths of a second.
    pub delay_since: u32,
}

/// One compound packet to write.
#[derive(Debug, Clone, Copy)]
pub struct Report<'name> {
    /// Our stream.
    pub ssrc: u32,
    /// Our canonical name; at most [`CNAME_LEN`] bytes are used.
    pub cname: &'name [u8],
    /// Present if we sent since the last report.
    pub sender: Option<SenderInfo>,
    /// Present if we received anything.
    pub reception: Option<ReceptionBlock>,
    /// Say goodbye.
    pub goodbye: bool,
}

impl Report<'_> {
    /// Writes the packet to the front of `bytes` and yields its length: SR or RR, SDES, perhaps BYE.
    pub fn write(&self, bytes: &mut [u8; REPORT_LEN_MAX]) -> usize {
        let mut writer = Writer { bytes, len: 0 };
        let kind = if self.sender.is_some() {
            SENDER_REPORT
        } else {
            RECEIVER_REPORT
        };
        let part = writer.begin(kind, u8::from(self.reception.is_some()));
        writer.word(self.ssrc);
        if let Some(sender) = self.sender {
            writer.put(&sender.ntp.to_be_bytes());
            writer.word(sender.rtp_timestamp);
            writer.word(sender.packets);
            writer.word(sender.octets);
        }
        if let Some(block) = self.reception {
            write_block(&mut writer, block);
        }
        writer.end(part);
        self.write_name(&mut writer);
        if self.goodbye {
            let part = writer.begin(GOODBYE, 1);
            writer.word(self.ssrc);
            writer.end(part);
        }
        writer.len
    }

    fn write_name(&self, writer: &mut Writer<'_>) {
        let cname = &self.cname[..self.cname.len().min(CNAME_LEN)];
        let part = writer.begin(SOURCE_DESCRIPTION, 1);
        writer.word(self.ssrc);
        writer.put(&[1, u8::try_from(cname.len()).unwrap_or(0)]);
        writer.put(cname);
        writer.put(&[0]);
        while !writer.len.is_multiple_of(4) {
            writer.put(&[0]);
        }
        writer.end(part);
    }
}

fn write_block(writer: &mut Writer<'_>, block: ReceptionBlock) {
    writer.word(block.ssrc);
    writer.word((u32::from(block.fraction_lost) << 24) | block.lost.min(0x7F_FFFF));
    writer.word(block.newest_sequence);
    writer.word(block.jitter);
    writer.word(block.last_sender_report);
    writer.word(block.delay_since);
}

struct Writer<'bytes> {
    bytes: &'bytes mut [u8; REPORT_LEN_MAX],
    len: usize,
}

impl Writer<'_> {
    fn begin(&mut self, kind: u8, count: u8) -> usize {
        let part = self.len;
        self.put(&[(2 << 6) | count, kind, 0, 0]);
        part
    }

    fn end(&mut self, part: usize) {
        let words = u16::try_from((self.len - part) / 4 - 1).unwrap_or(0);
        self.bytes[part + 2..part + 4].copy_from_slice(&words.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.put(&word.to_be_bytes());
    }

    fn put(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Report<'static> {
        Report {
            ssrc: 1,
            cname: b"0123456789abcdef01234567",
            sender: Some(SenderInfo {
                ntp: 0x1122_3344_5566_7788,
                rtp_timestamp: 2,
                packets: 3,
                octets: 4,
            }),
            reception: Some(ReceptionBlock {
                ssrc: 9,
                fraction_lost: 1,
                lost: u32::MAX,
                newest_sequence: 3,
                jitter: 4,
                last_sender_report: 5,
                delay_since: 6,
            }),
            goodbye: true,
        }
    }

    #[test]
    fn the_longest_report_fits_and_reads_back() {
        let mut bytes = [0; REPORT_LEN_MAX];
        let len = full().write(&mut bytes);
        let report = parse(&bytes[..len]).unwrap();
        assert_eq!(
            report,
            ControlReport {
                sender_report: Some(0x3344_5566),
                goodbye: true
            }
        );
        assert_eq!(len % 4, 0);
    }

    #[test]
    fn a_receiver_that_heard_nothing_still_names_itself() {
        let mut bytes = [0; REPORT_LEN_MAX];
        let report = Report {
            sender: None,
            reception: None,
            goodbye: false,
            ..full()
        };
        let len = report.write(&mut bytes);
        assert_eq!(
            (bytes[0], bytes[1], bytes[9]),
            (0x80, RECEIVER_REPORT, SOURCE_DESCRIPTION)
        );
        assert_eq!(parse(&bytes[..len]), Ok(ControlReport::default()));
    }

    #[test]
    fn rubbish_behind_a_report_is_ignored() {
        let mut bytes = [0; REPORT_LEN_MAX];
        let len = full().write(&mut bytes);
        let mut tail = bytes[..len].to_vec();
        tail.extend([0x80, 204, 0xFF, 0xFF, 0]);
        assert!(parse(&tail).is_ok());
        assert_eq!(parse(&[0x80, 0, 0, 0]), Err(RtcpError::PeerNotRtcp));
        assert_eq!(parse(&[0x80, 201, 0, 1]), Err(RtcpError::PeerTruncated));
        assert_eq!(parse(&[0x80]), Err(RtcpError::PeerTruncated));
    }
}
