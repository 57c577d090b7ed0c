//! Writers that are killed at any moment.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use recording::{Ending, Folder, SpanKind};

use crate::support::{BEGAN, House, differing, id, ring, talk};

const FOLDER: &str = "TONEWALL_TEST_RECORDINGS";
/// How many are killed; a campaign has more.
const TRIALS: &str = "TONEWALL_KILLS";
const TRIALS_HERE: usize = 10;
/// Writers at a time.
const AT_ONCE: usize = 3;
/// Recordings of one writer.
const RECORDINGS: usize = 20;
/// Samples of a second.
const SECOND: u64 = 8_000;
/// Samples of a packet.
const PACKET: u64 = 160;
/// Every so many packets a recording of every third call pauses, from this packet on and to before that one.
const PAUSE_EVERY: u64 = 50;
const PAUSED: Range<u64> = 30..45;

fn has_pauses(number: usize) -> bool {
    number.is_multiple_of(3)
}

/// Where nothing of a recording may be kept, up to a position.
fn paused(number: usize, end: u64) -> Vec<u64> {
    let is_paused = |at: &u64| PAUSED.contains(&(at / PACKET % PAUSE_EVERY));
    (0..end)
        .filter(|at| has_pauses(number) && is_paused(at))
        .collect()
}

#[tokio::test]
#[ignore = "the process that the test below starts and kills"]
async fn records_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let house = House::at(Path::new(&folder));
    let mut feeds = Vec::new();
    for number in 0..RECORDINGS {
        feeds.push(house.begin(number).await);
    }
    let begin = Instant::now();
    let mut late = Duration::ZERO;
    for tick in 0_u32.. {
        let at = u64::from(tick) * PACKET;
        for (number, feed) in feeds.iter_mut().enumerate() {
            if has_pauses(number) {
                pause_or_resume(&house, number, at).await;
            }
            assert_eq!(talk(feed, number, at, at + PACKET), 0);
        }
        println!("said {} {}", at + PACKET, late.as_millis());
        // A call's pace, unless the machine has no time for it.
        let next = begin + Duration::from_millis(20) * (tick + 1);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        late = late.max(next.elapsed());
    }
}

/// Before the packet at a position is said.
async fn pause_or_resume(house: &House, number: usize, at: u64) {
    let packet = at / PACKET % PAUSE_EVERY;
    if packet == PAUSED.start {
        house.writer.pause(&id(number), at).await.unwrap();
    } else if packet == PAUSED.end && at / PACKET > PAUSED.start {
        assert_eq!(house.writer.resume(&id(number), at).await.unwrap(), at);
    }
}

/// Kills a writer after it said so much, and a part of a packet's time more; what it had said, and by how many samples the machine made it late at most.
fn killed(folder: &Path, packets: u64, later: Duration) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::records_until_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut said, mut late) = (0, 0);
    // Open until it is dead: a broken pipe would end it another way.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.by_ref().map_while(Result::ok) {
        // The first words of a test stand before ours.
        let numbers = line.split_once("said ");
        if let Some((samples, ms)) = numbers.and_then(|(_, numbers)| numbers.split_once(' ')) {
            said = samples.parse().unwrap();
            late = SECOND / 1_000 * ms.parse::<u64>().unwrap();
        }
        if said >= packets * PACKET {
            break;
        }
    }
    std::thread::sleep(later);
    child.kill().unwrap();
    child.wait().unwrap();
    (said, late)
}

/// Samples that were said and are not kept, at most, of all recordings of a killed writer.
fn judge(folder: &Path, said: u64) -> u64 {
    let folder = Folder::open(folder).unwrap();
    let mut missing = 0;
    for number in 0..RECORDINGS {
        let reader = folder.read((&id(number), BEGAN), &ring()).unwrap();
        assert_eq!(reader.ending(), Ending::Cut);
        let end = reader.positions().end;
        let pauses = paused(number, end);
        assert!(
            differing(&reader, number, end) == pauses,
            "recording {number}"
        );
        let spans = reader.spans();
        assert!(
            spans.iter().all(|span| span.kind == SpanKind::Paused),
            "recording {number}"
        );
        // One that begins where the file ends holds nothing yet.
        let told = spans.iter().any(|span| span.from < end);
        assert_eq!(told, !pauses.is_empty(), "recording {number}");
        // What is not to be kept is not missing.
        let not_kept = paused(number, said).iter().filter(|at| **at >= end).count();
        let not_kept = u64::try_from(not_kept).unwrap();
        missing = missing.max(said.saturating_sub(end + not_kept));
    }
    missing
}

#[test]
fn a_killed_writer_leaves_all_but_the_last_second_in_order_and_nothing_of_a_pause() {
    let trials = std::env::var(TRIALS).map_or(TRIALS_HERE, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let one = |trial: usize| {
        let folder = dir.path().join(trial.to_string());
        let numbers = u64::try_from(trial).unwrap();
        // From a second on, at moments that no beat of the writer shares.
        let packets = 50 + numbers * 37 % 90;
        let (said, late) = killed(
            &folder,
            packets,
            Duration::from_micros(numbers * 7_919 % 20_000),
        );
        let missing = judge(&folder, said);
        // Where the machine stood still, more than a second's worth was said within a second.
        assert!(
            missing <= SECOND + late,
            "trial {trial}: {missing} samples of {said} are missing, {late} of them late"
        );
        std::fs::remove_dir_all(folder).unwrap();
        missing
    };
    let numbers: Vec<usize> = (0..trials).collect();
    let mut missing = 0;
    for some in numbers.chunks(AT_ONCE) {
        missing = std::thread::scope(|scope| {
            let trials: Vec<_> = some
                .iter()
                .map(|trial| scope.spawn(|| one(*trial)))
                .collect();
            let ends = trials.into_iter().map(|trial| trial.join().unwrap());
            ends.max().unwrap_or(0).max(missing)
        });
    }
    println!(
        "{{\"kills\": {trials}, \"recordings\": {}, \"missing_ms_max\": {}}}",
        trials * RECORDINGS,
        missing / 8
    );
}
