//! A canary card is keyed, and looked for wherever it must not be (SECURITY-AND-FAULTS 3.3).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::leak_scan::{Hit, LeakScanner};

use crate::support::{Capture, Client, EventStream, House, TONEWALL, connect, plain, planted};

/// A secret may outlive a final state for so long (INV-3).
const WIPED_WITHIN: Duration = Duration::from_secs(2);

/// An amount that the sandbox approves.
const PLAIN: &str = "120.50";

/// An amount for which the sandbox approves and repeats the card number in its text.
const ECHO: &str = "120.97";

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

    /// An account number.
    fn account() -> Self {
        let seed = rand::random();
        println!("canary seed {seed}");
        Self {
            number: testkit::canary::account(seed),
            code: String::new(),
        }
    }

    fn scanner(&self) -> LeakScanner {
        LeakScanner::new(&self.number)
    }
}

/// What was looked through, and what was found there.
#[derive(Default)]
struct Search {
    found: Vec<(&'static str, Vec<Hit>)>,
    bytes: Vec<(&'static str, u64)>,
}

impl Search {
    fn bytes(&mut self, scanner: &LeakScanner, what: &'static str, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "{what} is empty: nothing was looked at");
        let mut hits = Vec::new();
        scanner.scan(what, 0, bytes, &mut hits);
        self.add(what, u64::try_from(bytes.len()).unwrap(), hits);
    }

    fn memory(&mut self, scanner: &LeakScanner, house: &House) {
        let mut hits = Vec::new();
        let scanned = scanner.scan_process(house.server_pid(), &mut hits).unwrap();
        assert!(scanned > 1_000_000, "{scanned} bytes are no server");
        self.add("memory", scanned, hits);
    }

    fn files(&mut self, scanner: &LeakScanner, house: &House) {
        self.bytes(scanner, "log", &std::fs::read(house.log()).unwrap());
        let mut hits = Vec::new();
        let files = scanner.scan_folder(&house.data(), &mut hits).unwrap();
        assert!(files >= 4, "{files} files are no data folder");
        self.add("data", folder_bytes(&house.data()), hits);
    }

    fn add(&mut self, what: &'static str, bytes: u64, hits: Vec<Hit>) {
        self.found.push((what, hits));
        self.bytes.push((what, bytes));
    }

    fn print(&self) {
        println!("bytes scanned: {:?}", self.bytes);
        for hit in self.found.iter().flat_map(|(_, hits)| hits) {
            println!("found: {hit}");
        }
    }

    /// Where the number was found.
    fn places(self) -> BTreeSet<&'static str> {
        self.print();
        self.found
            .iter()
            .filter(|(_, hits)| !hits.is_empty())
            .map(|(what, _)| *what)
            .collect()
    }

    fn conclude(self) {
        assert_eq!(self.places(), BTreeSet::new(), "the number was found");
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

/// An Advanced card payment up to its end, and a look everywhere.
fn advanced(program: &Path, environment: &[(&str, &str)], amount: &str) -> Search {
    advanced_keyed(program, environment, amount, "rfc4733")
}

/// The same with keys that travel in this way.
fn advanced_keyed(
    program: &Path,
    environment: &[(&str, &str)],
    amount: &str,
    mode: &str,
) -> Search {
    let (canary, house) = (Canary::new(), House::demo(program, environment));
    let (page, stage) = (house.page("agent"), house.stage());
    stage.post("/control/mode", &json!({ "mode": mode }));
    let events = EventStream::open(&page);
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "credit_card_advanced");
    capture.key_card(&canary.number, &canary.code);
    capture.process(amount, "INV-1");
    assert_eq!(capture.ended()["outcome"], "approved");
    std::thread::sleep(WIPED_WITHIN);
    let search = look_everywhere(&canary, &house, &page, &events);
    println!("capture frames: {}", events.count("capture"));
    assert!(events.count("capture") > 10, "the stream told of the keys");
    search
}

/// A Basic capture whose number was shown once, up to its end, and a look everywhere.
fn basic(program: &Path) -> Search {
    let (canary, house) = (Canary::new(), House::demo(program, &[]));
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
    look_everywhere(&canary, &house, &page, &events)
}

#[test]
fn canary_leaves_no_trace_advanced() {
    advanced(Path::new(TONEWALL), &[], PLAIN).conclude();
}

#[test]
fn canary_leaves_no_trace_keyed_as_info() {
    advanced_keyed(Path::new(TONEWALL), &[], PLAIN, "info").conclude();
}

#[test]
fn canary_leaves_no_trace_keyed_in_band() {
    advanced_keyed(Path::new(TONEWALL), &[], PLAIN, "inband").conclude();
}

#[test]
fn canary_leaves_no_trace_in_a_form() {
    let (canary, house) = (Canary::account(), House::demo(Path::new(TONEWALL), &[]));
    let (page, stage) = (house.page("agent"), house.stage());
    let events = EventStream::open(&page);
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "check_advanced");
    capture.key("routing_number", "021000021");
    capture.key("account_number", &format!("{}#", canary.number));
    capture.process(PLAIN, "INV-2");
    assert_eq!(capture.ended()["outcome"], "approved");
    std::thread::sleep(WIPED_WITHIN);
    look_everywhere(&canary, &house, &page, &events).conclude();
}

#[test]
fn canary_leaves_no_trace_basic() {
    basic(Path::new(TONEWALL)).conclude();
}

#[test]
fn a_number_in_a_leaked_buffer_is_found_in_memory() {
    let found = advanced(planted(), &[("TONEWALL_PLANT", "leak-buffer")], PLAIN).places();
    assert_eq!(found, BTreeSet::from(["memory"]));
}

#[test]
fn a_number_in_the_log_is_found_there() {
    let found = advanced(planted(), &[("TONEWALL_PLANT", "leak-log")], PLAIN).places();
    assert!(found.contains("log"), "{found:?}");
}

#[test]
fn a_number_in_an_event_is_found_there() {
    let found = advanced(planted(), &[("TONEWALL_PLANT", "leak-event")], PLAIN).places();
    assert!(found.contains("events"), "{found:?}");
}

#[test]
fn canary_leaves_no_trace_when_the_gateway_repeats_it() {
    advanced(Path::new(TONEWALL), &[], ECHO).conclude();
}

#[test]
fn what_a_careless_library_copies_and_frees_is_wiped() {
    advanced(planted(), &[("TONEWALL_PLANT", "careless-copy")], PLAIN).conclude();
}

#[test]
fn without_the_zeroing_allocator_what_a_careless_library_copied_stays() {
    let found = advanced(plain(), &[("TONEWALL_PLANT", "careless-copy")], PLAIN).places();
    assert_eq!(found, BTreeSet::from(["memory"]));
}
