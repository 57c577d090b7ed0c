//! A canary card is keyed, and looked for wherever it must not be (SECURITY-AND-FAULTS 3.3).

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::leak_scan::{Hit, LeakScanner};

use crate::support::{Capture, Client, EventStream, House, TONEWALL, connect, process};

/// A secret may outlive a final state for so long (INV-3).
const WIPED_WITHIN: Duration = Duration::from_secs(2);

/// A number of this run's own.
struct Canary {
    number: String,
    code: String,
}

impl Canary {
    fn new() -> Self {
        let seed = rand::random();
        println!("canary seed {seed}");
        Self {
            number: testkit::canary::card(seed),
            code: testkit::canary::security_code(seed),
        }
    }

    fn scanner(&self) -> LeakScanner {
        LeakScanner::new(&self.number)
    }
}

/// What was looked through, and what was found there.
#[derive(Default)]
struct Search {
    hits: Vec<Hit>,
    bytes: Vec<(&'static str, u64)>,
}

impl Search {
    fn bytes(&mut self, scanner: &LeakScanner, what: &'static str, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "{what} is empty: nothing was looked at");
        scanner.scan(what, 0, bytes, &mut self.hits);
        self.bytes.push((what, u64::try_from(bytes.len()).unwrap()));
    }

    fn memory(&mut self, scanner: &LeakScanner, house: &House) {
        let scanned = scanner
            .scan_process(house.server_pid(), &mut self.hits)
            .unwrap();
        assert!(scanned > 1_000_000, "{scanned} bytes are no server");
        self.bytes.push(("memory", scanned));
    }

    fn files(&mut self, scanner: &LeakScanner, house: &House) {
        self.bytes(scanner, "log", &std::fs::read(house.log()).unwrap());
        let files = scanner.scan_folder(&house.data(), &mut self.hits).unwrap();
        assert!(files >= 4, "{files} files are no data folder");
        self.bytes.push(("data", folder_bytes(&house.data())));
    }

    fn conclude(self) {
        println!("bytes scanned: {:?}", self.bytes);
        let hits: Vec<String> = self.hits.iter().map(ToString::to_string).collect();
        assert!(
            hits.is_empty(),
            "the number was found:\n{}",
            hits.join("\n")
        );
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                folder_bytes(&path)
            } else {
                path.metadata().unwrap().len()
            }
        })
        .sum()
}

/// Everything that was said around a capture.
fn look_everywhere(canary: &Canary, house: &House, page: &Client, events: &EventStream) -> Search {
    let scanner = canary.scanner();
    let mut search = Search::default();
    search.memory(&scanner, house);
    assert!(
        events.is_open(),
        "the event stream is open while memory is looked through"
    );
    let auditor = house.page("auditor");
    auditor.get("/api/v1/audit?limit=500");
    search.bytes(&scanner, "audit", &auditor.heard());
    search.bytes(&scanner, "answers", &page.heard());
    search.bytes(&scanner, "events", &events.text());
    let health = house.health();
    health.get("/metrics");
    search.bytes(&scanner, "metrics", &health.heard());
    search.files(&scanner, house);
    search
}

#[test]
fn canary_leaves_no_trace_advanced() {
    let (canary, house) = (Canary::new(), House::demo(Path::new(TONEWALL), &[]));
    let (page, stage) = (house.page("agent"), house.stage());
    let events = EventStream::open(&page);
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "credit_card_advanced");
    capture.key_card(&canary.number, &canary.code);
    process(&capture, "120.50", "INV-1");
    assert_eq!(capture.ended()["outcome"], "approved");
    std::thread::sleep(WIPED_WITHIN);
    let search = look_everywhere(&canary, &house, &page, &events);
    println!("capture frames: {}", events.count("capture"));
    assert!(events.count("capture") > 10, "the stream told of the keys");
    search.conclude();
}

#[test]
fn canary_leaves_no_trace_basic() {
    let (canary, house) = (Canary::new(), House::demo(Path::new(TONEWALL), &[]));
    let (page, stage) = (house.page("agent"), house.stage());
    let events = EventStream::open(&page);
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "credit_card_basic");
    capture.key_card(&canary.number, &canary.code);
    let shown = page.reveal(&format!("{}/reveal", capture.path), "card_number");
    assert!(shown == canary.number, "the agent is shown what was keyed");
    capture.act("done");
    assert_eq!(capture.act("confirm_gone")["state"], json!("done"));
    std::thread::sleep(WIPED_WITHIN);
    look_everywhere(&canary, &house, &page, &events).conclude();
}
