//! Every fault of a recorder, each so many times over the real server (SECURITY-AND-FAULTS E1-E4): nobody captures beside a recorder that has not said that it is paused, and none stays paused.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::external_recorders::Floor;
use crate::support::{Capture, Client, Fault, Recorder, connect, wait_for};

/// Trials of the short campaign, of each fault. `TONEWALL_RECORDER_N` asks for more.
const TRIALS: usize = 2;

/// A capture has decided within this whether it is protected.
const DECIDED_MAX: Duration = Duration::from_secs(10);

/// A pause that is not kept is seen within this: a look every 2 s, and what a look takes.
const SEEN_MAX: Duration = Duration::from_secs(8);

/// After a trial a recorder that can be reached records again within this: a late pause, a look every 2 s, and retries.
const LEFT_MAX: Duration = Duration::from_secs(30);

/// An acknowledgement that comes too late for any capture.
const LATE: Duration = Duration::from_secs(5);

/// Samples in a second.
const RATE_HZ: u128 = 8_000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    NoAnswer,
    SaysNo,
    Late,
    ConfirmsOnly,
    DiesWhilePaused,
    Restarts,
    Unreachable,
    ResumeFails,
    OneOfTwo,
    /// Another instance of it joins while it is paused, and records.
    LateJoiner,
    /// It says that it is paused and is not: no server can know, the judge must.
    Lies,
}

/// All but the planted one.
const MODES: [Mode; 10] = [
    Mode::NoAnswer,
    Mode::SaysNo,
    Mode::Late,
    Mode::ConfirmsOnly,
    Mode::DiesWhilePaused,
    Mode::Restarts,
    Mode::Unreachable,
    Mode::ResumeFails,
    Mode::OneOfTwo,
    Mode::LateJoiner,
];

impl Mode {
    /// What is wrong when the pause is asked for.
    fn at_pause(self) -> Fault {
        match self {
            Self::NoAnswer | Self::OneOfTwo => Fault::NoAnswer,
            Self::SaysNo => Fault::SaysNo,
            Self::Late => Fault::Late(LATE),
            Self::ConfirmsOnly => Fault::ConfirmsOnly,
            Self::Unreachable => Fault::Unreachable,
            Self::Lies => Fault::Lies,
            Self::DiesWhilePaused | Self::Restarts | Self::ResumeFails | Self::LateJoiner => {
                Fault::None
            }
        }
    }

    /// A capture must not begin.
    fn is_to_block(self) -> bool {
        !matches!(self.at_pause(), Fault::None | Fault::Lies)
    }

    /// A pause that held is not kept.
    fn breaks(self) -> bool {
        matches!(self, Self::Restarts | Self::LateJoiner)
    }
}

/// What came of the trials.
#[derive(Debug, Default)]
struct Report {
    trials: usize,
    begun_without_ack: usize,
    left_paused: usize,
    liars_missed: usize,
    clear_samples: u128,
}

impl Report {
    fn line(&self) -> String {
        json!({
            "trials": self.trials,
            "begun_without_ack": self.begun_without_ack,
            "left_paused": self.left_paused,
            "liars_missed": self.liars_missed,
            "clear_samples_in_protected_span": u64::try_from(self.clear_samples).unwrap(),
        })
        .to_string()
    }

    fn is_good(&self) -> bool {
        self.begun_without_ack + self.left_paused + self.liars_missed == 0
            && self.clear_samples == 0
    }
}

/// Two recorders, one call, a capture after the other.
struct Trials {
    floor: Floor,
    page: Client,
    call: Value,
    report: Report,
}

impl Trials {
    fn new() -> Self {
        let floor = Floor::with(&["floor", "other"]);
        let page = floor.running.page("agent");
        let call = connect(&page, &floor.running.stage);
        Self {
            floor,
            page,
            call,
            report: Report::default(),
        }
    }

    fn faulty(&self) -> &Recorder {
        &self.floor.recorders[0]
    }

    fn run(&mut self, mode: Mode) {
        self.report.trials += 1;
        self.faulty().set(mode.at_pause());
        let stage = &self.floor.running.stage;
        let began = Instant::now();
        let capture = Capture::begin(&self.page, stage, &self.call, "check_basic");
        let view = decided(&capture);
        let armed = Instant::now();
        let has_begun = matches!(view["state"].as_str(), Some("armed" | "collecting"));
        let mut recorders = self.floor.recorders.iter();
        let all_said = recorders.all(|recorder| recorder.said_paused(began));
        let mut found = Report::default();
        if has_begun && !all_said {
            found.begun_without_ack += 1;
        }
        if has_begun == mode.is_to_block() {
            found.liars_missed += 1;
        }
        if has_begun {
            found.liars_missed += usize::from(!self.keeps_or_ends(mode, &capture));
            if !mode.breaks() {
                let recorders = self.floor.recorders.iter();
                let until = Instant::now();
                let clear = recorders.map(|recorder| recorder.recorded(armed, until).as_millis());
                found.clear_samples += clear.sum::<u128>() * RATE_HZ / 1_000;
            }
        }
        self.let_go(mode, &capture);
        found.left_paused += self.left_paused();
        self.add(mode, &found);
    }

    /// What happens while a capture is open. False: a pause was not kept, and the capture goes on.
    fn keeps_or_ends(&self, mode: Mode, capture: &Capture<'_>) -> bool {
        let ended = |capture: &Capture<'_>| capture.view()["state"] == "protection_lost";
        match mode {
            Mode::Restarts | Mode::LateJoiner => {
                self.faulty().restart();
                let began = Instant::now();
                while began.elapsed() < SEEN_MAX {
                    if ended(capture) {
                        return true;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                false
            }
            Mode::DiesWhilePaused => {
                self.faulty().set(Fault::Unreachable);
                std::thread::sleep(Duration::from_secs(3));
                !ended(capture)
            }
            Mode::ResumeFails => {
                self.faulty().set(Fault::ResumeFails(2));
                true
            }
            // Long enough for the judge to hear it.
            _ => {
                std::thread::sleep(Duration::from_millis(300));
                true
            }
        }
    }

    /// The agent gives up; what was dead lives again.
    fn let_go(&self, mode: Mode, capture: &Capture<'_>) {
        let state = capture.view()["state"].clone();
        let act = match state.as_str() {
            Some("armed" | "collecting" | "arming") => "cancel",
            _ => "close",
        };
        capture.act(act);
        if mode != Mode::ResumeFails {
            self.faulty().set(Fault::None);
        }
    }

    /// Recorders that are still paused when they should not be any more.
    fn left_paused(&self) -> usize {
        let began = Instant::now();
        loop {
            let recorders = self.floor.recorders.iter();
            let paused = recorders.filter(|recorder| recorder.is_paused()).count();
            let all_came = !self.faulty().has_late_pauses();
            if (paused == 0 && all_came) || began.elapsed() >= LEFT_MAX {
                return paused;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn add(&mut self, mode: Mode, found: &Report) {
        if !found.is_good() {
            println!("{mode:?}: {}", found.line());
        }
        self.report.begun_without_ack += found.begun_without_ack;
        self.report.left_paused += found.left_paused;
        self.report.liars_missed += found.liars_missed;
        self.report.clear_samples += found.clear_samples;
    }
}

/// Armed or blocked; a machine that stalls is tried again.
pub(crate) fn decided(capture: &Capture<'_>) -> Value {
    wait_for("the capture has begun or is blocked", DECIDED_MAX, || {
        let view = capture.view();
        match (view["state"].as_str(), view["reason"].as_str()) {
            (Some("arming"), _) => None,
            (Some("blocked"), Some("heartbeat")) => {
                capture.act("try_again");
                None
            }
            _ => Some(view),
        }
    })
}

#[test]
fn no_fault_of_a_recorder_lets_a_capture_begin_or_stays_paused() {
    let wanted = std::env::var("TONEWALL_RECORDER_N").ok();
    let trials = wanted.and_then(|text| text.parse().ok()).unwrap_or(TRIALS);
    let mut all = Trials::new();
    for _ in 0..trials {
        // A page that nobody touches is locked after a quarter of an hour.
        all.page = all.floor.running.page("agent");
        for mode in MODES {
            all.run(mode);
        }
    }
    println!("{}", all.report.line());
    assert_eq!(all.report.trials, trials * MODES.len());
    assert!(all.report.is_good(), "{:?}", all.report);
}

#[test]
fn the_campaign_hears_a_recorder_that_lies() {
    let mut all = Trials::new();
    all.run(Mode::Lies);
    println!("{}", all.report.line());
    assert!(all.report.clear_samples > 0, "the planted defect is heard");
    assert!(!all.report.is_good());
}
