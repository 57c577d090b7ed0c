//! RTCP, read and written.

use media::rtcp::{self, REPORT_LEN_MAX, ReceptionBlock, Report, SenderInfo};

use crate::Taker;

/// Nothing that is read goes beyond the datagram; whatever we write, we read again.
pub fn run(data: &[u8]) {
    if rtcp::parse(data).is_ok() {
        assert!(rtcp::is_rtcp(data) && data.len() >= 4);
    }
    let mut taker = Taker(data);
    let flags = taker.u8();
    let sender = SenderInfo {
        ntp: (u64::from(taker.u32()) << 32) | u64::from(taker.u32()),
        rtp_timestamp: taker.u32(),
        packets: taker.u32(),
        octets: taker.u32(),
    };
    let reception = ReceptionBlock {
        ssrc: taker.u32(),
        fraction_lost: taker.u8(),
        lost: taker.u32(),
        newest_sequence: taker.u32(),
        jitter: taker.u32(),
        last_sender_report: taker.u32(),
        delay_since: taker.u32(),
    };
    let report = Report {
        ssrc: taker.u32(),
        cname: taker.bytes(32),
        sender: (flags & 1 != 0).then_some(sender),
        reception: (flags & 2 != 0).then_some(reception),
        goodbye: flags & 4 != 0,
    };
    let mut bytes = [0; REPORT_LEN_MAX];
    let len = report.write(&mut bytes);
    let read = rtcp::parse(&bytes[..len]);
    let middle = (sender.ntp >> 16) & u64::from(u32::MAX);
    let expected = report.sender.map(|_| middle);
    let read = read.expect("what we write is RTCP");
    assert_eq!(read.sender_report.map(u64::from), expected);
    assert_eq!(read.goodbye, report.goodbye);
}
