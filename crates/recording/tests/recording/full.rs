//! A disk that takes no more, and takes more again.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use recording::{Ending, RedactError, RedactFileError, Report, SpanKind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{BEGAN, House, differing, id, ring, talk};

const FOLDER: &str = "TONEWALL_TEST_RECORDINGS";
/// Bytes of a file that this process may write at first: the head and a second and a half of audio, the last of it in part.
const LIMIT: u64 = 40_000;

fn limit(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let current = bytes.or(maximum);
    setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
}

/// The limit is the whole process's, so it has one of its own.
#[tokio::test]
#[ignore = "the process that the test below starts"]
async fn a_process_whose_files_may_not_grow() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let house = House::at(Path::new(&folder));
    limit(Some(LIMIT));
    let (mut feed, mut other) = (house.begin(1).await, house.begin(2).await);
    assert_eq!(talk(&mut feed, 1, 0, 16_000), 0);
    talk(&mut other, 2, 0, 1_000);
    let Report::StorageRefuses { why, .. } = house.next_report() else {
        panic!("another report");
    };
    assert!(why.contains(".twrec") && why.contains("too large"), "{why}");
    // The call goes on, and fills its queue.
    let mut end = 16_000;
    while talk(&mut feed, 1, end, end + 160) == 0 {
        end += 160;
    }
    end += 160;
    limit(None);
    let takes = house.next_report();
    assert!(
        matches!(takes, Report::StorageTakes { after } if after > Duration::ZERO),
        "{takes:?}"
    );
    talk(&mut feed, 1, end, end + 8_000);
    drop((feed, other));
    let mut lost = 0;
    for _ in 0..2 {
        loop {
            match house.next_report() {
                Report::Ended { ended, .. } => {
                    assert!(ended.final_segment.is_some());
                    lost += ended.lost_samples;
                    break;
                }
                Report::Lost { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let reader = house.read(1);
    assert_eq!(reader.ending(), Ending::Whole);
    let spans = reader.spans();
    let gaps: u64 = spans.iter().map(|span| span.until - span.from).sum();
    assert!(lost > 0 && lost == gaps && spans.iter().all(|span| span.kind == SpanKind::Gap));
    let differs = differing(&reader, 1, end + 8_000);
    let is_gap = |at: &u64| {
        spans
            .iter()
            .any(|span| (span.from..span.until).contains(at))
    };
    assert!(differs.iter().all(is_gap));
    assert_eq!(house.read(2).ending(), Ending::Whole);
    redact_on_a_full_disk(&house);
    println!("held");
}

/// A part is not removed where there is no room for the new file; the recording is as it was, nothing is left of the try, and the next one succeeds.
fn redact_on_a_full_disk(house: &House) {
    let number = id(1);
    let named = (&number, BEGAN);
    let part = house.read(1).positions();
    let part = part.start..part.start + 8_000;
    limit(Some(LIMIT));
    let refused = house.folder.redact(named, &ring(), part.clone());
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            &refused,
            RedactFileError::Redact {
                cause: RedactError::Write(_),
                ..
            }
        ),
        "{refused:?}"
    );
    let left = || std::fs::read_dir(house.folder.root().join("redacting")).unwrap();
    assert_eq!(left().count(), 0);
    let is_removed = || {
        let reader = house.read(1);
        assert_eq!(reader.ending(), Ending::Whole);
        let mut spans = reader.spans().into_iter();
        spans.any(|span| span.kind == SpanKind::Removed)
    };
    assert!(!is_removed());
    limit(None);
    house.folder.redact(named, &ring(), part).unwrap();
    assert!(is_removed());
}

#[test]
fn a_full_disk_is_an_alarm_and_a_gap_and_the_recording_goes_on_when_it_takes_more() {
    let dir = tempfile::tempdir().unwrap();
    // Ignored signals stay ignored in what is started: a limit that is met is then an error of the write.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "full::a_process_whose_files_may_not_grow",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("held"),
        "{said}{told}"
    );
}
