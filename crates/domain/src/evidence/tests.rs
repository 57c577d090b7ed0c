use super::*;

const CAPTURE: &str = "4622vd7bd4gw17pqcd22sxfegt";

fn hash_of(previous: &str, document: &str) -> String {
    let hash = Sha256::digest(format!("{previous}{document}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry as the store keeps it, in the chain `a/1`.
fn line(seq: i64, previous: &str, action: &str) -> ChainedDocument {
    line_of(&format!("capture {CAPTURE}"), seq, previous, action)
}

fn line_of(object: &str, seq: i64, previous: &str, action: &str) -> ChainedDocument {
    line_with("{}", object, seq, previous, action)
}

fn line_with(
    detail: &str,
    object: &str,
    seq: i64,
    previous: &str,
    action: &str,
) -> ChainedDocument {
    let document = format!(
        r#"{{"action":"{action}","actor":"ann","address":"-","at":{seq},"chain":"a/1","detail":{detail},"object":"{object}","seq":{seq},"v":1}}"#
    );
    ChainedDocument {
        position: 100 + seq,
        chain: "a/1".to_owned(),
        seq,
        previous: previous.to_owned(),
        hash: hash_of(previous, &document),
        document,
    }
}

/// Opened, armed, and ended after an entry of something else.
fn whole() -> Evidence {
    let opened = line(4, "00", "capture_opened");
    let armed = line(5, &opened.hash, "capture_armed");
    let ended = line(7, "77", "capture_ended");
    let released = line(8, &ended.hash, "capture_released");
    evidence(vec![opened, armed, ended, released])
}

fn evidence(entries: Vec<ChainedDocument>) -> Evidence {
    Evidence::new(CAPTURE.parse().unwrap(), entries, "ann", UnixMillis(9))
}

#[test]
fn the_entries_of_a_capture_prove_it() {
    let proven = whole().prove().unwrap();
    let actions: Vec<AuditAction> = proven.iter().map(|proven| proven.entry.action).collect();
    assert_eq!(
        actions,
        [
            AuditAction::CaptureOpened,
            AuditAction::CaptureArmed,
            AuditAction::CaptureEnded,
            AuditAction::CaptureReleased,
        ]
    );
    assert!(Evidence::is_complete(&proven));
    for part in 1..4 {
        assert!(!Evidence::is_complete(&proven[..part]), "{part}");
    }
}

#[test]
fn a_capture_that_was_never_protected_is_complete_when_it_ends() {
    let opened = line(4, "00", "capture_opened");
    let blocked = line(5, &opened.hash, "capture_blocked");
    let ended = line(6, &blocked.hash, "capture_ended");
    let proven = evidence(vec![opened, blocked, ended]).prove().unwrap();
    assert!(Evidence::is_complete(&proven));
    assert!(!Evidence::is_complete(&proven[..2]));
}

#[test]
fn it_is_the_same_after_a_way_as_json() {
    let text = serde_json::to_string(&whole()).unwrap();
    assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), whole());
}

#[test]
fn every_changed_character_of_an_entry_is_found() {
    let sound = whole();
    for entry in 0..sound.entries.len() {
        for at in 0..sound.entries[entry].document.len() {
            let mut changed = sound.clone();
            let mut bytes = std::mem::take(&mut changed.entries[entry].document).into_bytes();
            bytes[at] ^= 1;
            changed.entries[entry].document = String::from_utf8(bytes).unwrap();
            assert!(
                matches!(changed.prove(), Err(Flaw::Hash { .. })),
                "{entry} {at}"
            );
        }
    }
}

#[test]
fn an_entry_that_was_made_anew_does_not_fit_its_neighbour() {
    let mut changed = whole();
    changed.entries[0] = line(4, "11", "capture_opened");
    let order = Flaw::Order {
        chain: "a/1".to_owned(),
        seq: 5,
    };
    assert_eq!(changed.prove(), Err(order));
}

#[test]
fn what_is_left_out_doubled_or_swapped_is_found() {
    let sound = whole();
    let [opened, armed, ended, _] = sound.entries.clone().try_into().unwrap();
    assert_eq!(
        evidence(vec![armed.clone(), ended.clone()]).prove(),
        Err(Flaw::Beginning)
    );
    assert_eq!(evidence(Vec::new()).prove(), Err(Flaw::Beginning));
    for wrong in [
        vec![opened.clone(), opened.clone(), armed.clone()],
        vec![opened.clone(), ended, armed],
    ] {
        assert!(matches!(evidence(wrong).prove(), Err(Flaw::Order { .. })));
    }
}

#[test]
fn an_entry_of_another_capture_number_or_chain_is_no_part_of_it() {
    let foreign = |changed: ChainedDocument| {
        let opened = line(4, "00", "capture_opened");
        evidence(vec![opened, changed]).prove()
    };
    let other = line_of(
        "capture 7ap9d1v0fzpxnd1bdmbw0k6ks5",
        9,
        "99",
        "capture_armed",
    );
    let mut moved = line(9, "99", "capture_armed");
    moved.seq = 8;
    let mut elsewhere = line(9, "99", "capture_armed");
    elsewhere.chain = "b/1".to_owned();
    for changed in [other, moved, elsewhere] {
        assert!(matches!(foreign(changed), Err(Flaw::Foreign { .. })));
    }
}

#[test]
fn an_entry_of_a_later_version_is_said_to_be_unreadable() {
    let opened = line(4, "00", "capture_opened");
    let later = line(5, &opened.hash, "capture_foreseen");
    let refused = evidence(vec![opened, later]).prove();
    assert!(
        matches!(&refused, Err(Flaw::Unreadable { seq: 5, why, .. }) if why.contains("capture_foreseen")),
        "{refused:?}"
    );
    let mut later = whole();
    later.v = 2;
    assert_eq!(later.prove(), Err(Flaw::Version(2)));
}

#[test]
fn what_guard_and_the_last_scans_have_seen_is_summed_and_not_told_where_no_entry_says_it() {
    let proven = whole().prove().unwrap();
    assert_eq!(
        (Evidence::egress(&proven), Evidence::scanned(&proven)),
        (None, None)
    );
    let object = format!("capture {CAPTURE}");
    let mut lines = vec![line(4, "00", "capture_opened")];
    for (seq, action, detail) in [
        (
            5,
            "capture_released",
            r#"{"egress_checked_ms":900,"egress_finds":0,"egress_trips":1}"#,
        ),
        (
            6,
            "capture_released",
            r#"{"egress_checked_ms":100,"egress_finds":2,"egress_trips":1}"#,
        ),
        (
            7,
            "recording_scanned",
            r#"{"masked_keys":3,"paused_samples":9,"unprotected_keys":0,"recording":"one"}"#,
        ),
        // A part of it was removed.
        (
            8,
            "recording_scanned",
            r#"{"masked_keys":1,"paused_samples":0,"unprotected_keys":0,"recording":"one"}"#,
        ),
        (
            9,
            "recording_scanned",
            r#"{"masked_keys":0,"paused_samples":0,"unprotected_keys":16,"recording":"two"}"#,
        ),
    ] {
        let previous = lines.last().unwrap().hash.clone();
        lines.push(line_with(detail, &object, seq, &previous, action));
    }
    let proven = evidence(lines).prove().unwrap();
    let seen = EgressSeen {
        checked_ms: 1_000,
        finds: 2,
        trips: 2,
    };
    let found = RecordingFinds {
        masked_keys: 1,
        paused_samples: 0,
        unprotected_keys: 16,
    };
    assert_eq!(
        (Evidence::egress(&proven), Evidence::scanned(&proven)),
        (Some(seen), Some(found))
    );
}
