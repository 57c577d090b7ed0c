//! The torture messages of RFC 4475, judged by a committed table.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use sip::message::{Parsed, parse};
use sip::{Command, Event, Flow, Peer, Stack, StackConfig};

/// From the crate's folder, in which cargo runs its tests; where they were compiled does not matter.
pub(super) const FOLDER: &str = "tests/rfc4475";

const TABLE: &str = include_str!("../rfc4475/table.txt");

/// Name and verdict of every row.
fn table() -> BTreeMap<&'static str, String> {
    let rows = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |line: &'static str| {
        let mut words = line.split_ascii_whitespace();
        let (name, verdict) = (words.next().unwrap(), words.next().unwrap());
        let verdict = if verdict == "answer" {
            format!("answer {}", words.next().unwrap())
        } else {
            verdict.to_owned()
        };
        (name, verdict)
    };
    rows.map(row).collect()
}

/// What a fresh stack does with one message from a peer.
fn judge(bytes: &[u8]) -> String {
    let now = Instant::now();
    let mut stack = Stack::new(
        StackConfig::new("n1", 1, [3; 32], "192.0.2.200:5060".parse().unwrap()),
        now,
    );
    let source = "198.51.100.7:5060".parse().unwrap();
    let peer = Peer {
        name: "peer".to_owned(),
        addresses: vec![Flow::udp(source).remote.ip()],
        is_trusted: false,
        credentials: None,
    };
    stack
        .command(now, Command::SetPeers { peers: vec![peer] })
        .unwrap();
    stack.handle_datagram(now, Flow::udp(source), bytes);
    let answers: Vec<u16> = std::iter::from_fn(|| stack.poll_transmit())
        .map(|transmit| match parse(transmit.wire.as_bytes()) {
            Parsed::Response(response) => response.status.code(),
            other => panic!("{other:?}"),
        })
        .collect();
    let events: Vec<Event> = std::iter::from_fn(|| stack.poll_event()).collect();
    match (answers.as_slice(), events.as_slice()) {
        ([], []) => "dropped".to_owned(),
        ([100], [Event::Incoming(_)]) => "accepted".to_owned(),
        ([code], []) => format!("answer {code}"),
        other => format!("{other:?}"),
    }
}

fn message(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FOLDER).join(format!("{name}.dat"))).unwrap()
}

#[test]
fn all_49_messages_are_judged_as_the_table_says() {
    let table = table();
    assert_eq!(table.len(), 49);
    let wrong: Vec<String> = table
        .iter()
        .map(|(name, verdict)| (name, verdict, judge(&message(name))))
        .filter(|(_, verdict, judged)| *verdict != judged)
        .map(|(name, verdict, judged)| format!("{name}: {verdict} expected, {judged} found"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_message_file_has_a_row() {
    let files = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files
        .filter_map(|name| name.strip_suffix(".dat").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(
        names,
        table()
            .keys()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_tortuous_invite_is_a_call_once_it_names_no_dialog() {
    let text = String::from_utf8(message("wsinv")).unwrap();
    let tag = ";   tag    = 1918181833n";
    assert!(text.contains(tag));
    assert_eq!(judge(text.replace(tag, "").as_bytes()), "accepted");
}
