//! The server killed between the click and the stored outcome, again and again (SECURITY-AND-FAULTS A1-A4). The judge is the sandbox's own ledger.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::house::wait_for;
use super::site::{Running, Site};
use super::walk::{Capture, connect, form, new_key};

/// Installations that are killed at a time: most of a trial is waited for keys.
const LANES: usize = 8;

/// Steps of a charge, with a point before, during and after each (docs/planted.md).
const STEPS: [&str; 5] = ["intent", "connect", "sent", "exchange", "outcome"];
const MOMENTS: [&str; 3] = ["before", "during", "after"];

/// What the sandbox does while the server waits for it, and is killed.
const HELD: [&str; 6] = [
    "mute_handshake",
    "never_read",
    "never_answer",
    "charge_then_never_answer",
    "charge_then_stall_in_head",
    "charge_then_stall_in_body",
];

/// The latest kill at a random moment after the press. The sandbox answers in the middle of that time.
const KILL_WITHIN_MS: u64 = 500;
const ANSWER_AFTER_MS: u64 = 100;

/// Starts for one trial. A busy machine needs a second one now and then.
const TRIES_MAX: u32 = 5;

/// A point that is not passed by then is never passed.
const POINT_MAX: Duration = Duration::from_secs(15);

/// As long as what is held takes to be where it is held, from when it is seen to be on its way.
const HELD_AFTER: Duration = Duration::from_millis(50);

/// An attempt that is open for longer after the restart is stuck.
const SETTLED_MAX: Duration = Duration::from_secs(10);

/// Latest a server serves again.
const READY_MAX: Duration = Duration::from_secs(3);

/// How a server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// It ends itself at a point.
    At(&'static str, &'static str),
    /// While the sandbox does this.
    While(&'static str),
    /// So long after the press.
    After(Duration),
    /// While the consumer keys, before anything is pressed.
    Keying,
}

/// Kills for so many trials: every point and everything that is held, then random moments and these in turn.
pub(crate) fn kills(trials: usize) -> Vec<Kill> {
    let points = STEPS
        .iter()
        .flat_map(|step| MOMENTS.map(|moment| Kill::At(step, moment)));
    let held = HELD.iter().map(|behaviour| Kill::While(behaviour));
    let named: Vec<Kill> = points.chain(held).chain([Kill::Keying]).collect();
    let mut again = named.iter().cycle().copied();
    let later = std::iter::from_fn(|| {
        let after = rand::random_range(0..=KILL_WITHIN_MS);
        let random = Kill::After(Duration::from_millis(after));
        Some([Some(random), again.next()])
    });
    let later = later.flatten().flatten();
    named.iter().copied().chain(later).take(trials).collect()
}

/// What a trial came to.
#[derive(Debug)]
struct Trial {
    kill: Kill,
    /// State and detail; none: the attempt was never recorded.
    state: Option<String>,
    charges: usize,
    /// From the start of the server's process until the attempt read unknown.
    unknown_in: Option<Duration>,
    /// From there until it served.
    ready_in: Duration,
}

impl Trial {
    fn is_stuck(&self) -> bool {
        let state = self.state.as_deref().unwrap_or_default();
        state.starts_with("intent") || state.starts_with("sent")
    }

    /// What we say is not what the sandbox says, or not what can be known at this point.
    fn is_lost(&self) -> bool {
        let state = self.state.as_deref().unwrap_or("none");
        let charged = self.charges > 0;
        let agrees = match state {
            "final approved" => charged,
            "final unknown" => true,
            _ => !charged,
        };
        !agrees || !self.may_be().iter().any(|may| state.starts_with(may))
    }

    /// States after a kill: what was recorded as sent is never called unsent, and what was not sent is never called unknown.
    fn may_be(&self) -> &'static [&'static str] {
        match self.kill {
            Kill::Keying | Kill::At("intent", "before") => &["none"],
            Kill::At("intent", "during") => &["none", "not_sent"],
            Kill::At("intent", "after") | Kill::At("connect", _) | Kill::At("sent", "before") => {
                &["not_sent"]
            }
            Kill::While("mute_handshake") => &["not_sent"],
            Kill::At("sent", "during") => &["not_sent", "final unknown"],
            Kill::At("outcome", "during") => &["final unknown", "final approved"],
            Kill::At("outcome", "after") => &["final approved"],
            Kill::At(..) | Kill::While(_) => &["final unknown"],
            Kill::After(_) => &["none", "not_sent", "final unknown", "final approved"],
        }
    }
}

/// The sum of a campaign.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) trials: usize,
    /// Attempts with more than one charge.
    pub(crate) double: usize,
    pub(crate) lost: usize,
    pub(crate) stuck: usize,
    unknown_late_ms_p99: u128,
    ready_ms_p99: u128,
}

impl Report {
    fn of(trials: &[Trial]) -> Self {
        let count = |is: fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count();
        let unknown = trials.iter().filter_map(|trial| trial.unknown_in);
        Self {
            trials: trials.len(),
            double: count(|trial| trial.charges > 1),
            lost: count(Trial::is_lost),
            stuck: count(Trial::is_stuck),
            unknown_late_ms_p99: p99_ms(unknown.collect()),
            ready_ms_p99: p99_ms(trials.iter().map(|trial| trial.ready_in).collect()),
        }
    }

    /// Nothing is wrong, and all in time.
    pub(crate) fn is_good(&self) -> bool {
        (self.double, self.lost, self.stuck) == (0, 0, 0)
            && self.unknown_late_ms_p99 <= SETTLED_MAX.as_millis()
            && self.ready_ms_p99 <= READY_MAX.as_millis()
    }

    /// One line of JSON.
    pub(crate) fn line(&self) -> String {
        json!({
            "trials": self.trials,
            "double": self.double,
            "lost": self.lost,
            "stuck": self.stuck,
            "unknown_late_ms_p99": u64::try_from(self.unknown_late_ms_p99).unwrap(),
            "ready_ms_p99": u64::try_from(self.ready_ms_p99).unwrap(),
        })
        .to_string()
    }
}

fn p99_ms(mut times: Vec<Duration>) -> u128 {
    times.sort_unstable();
    let place = (times.len() * 99).div_ceil(100).saturating_sub(1);
    times.get(place).map_or(0, Duration::as_millis)
}

/// Kills a program, as often as there are kills, and sums up.
pub(crate) fn campaign(
    program: &Path,
    environment: &[(&'static str, &str)],
    kills: &[Kill],
) -> Report {
    let lanes = LANES.min(kills.len());
    let trials: Vec<Trial> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| {
                let own: Vec<Kill> = kills.iter().skip(lane).step_by(lanes).copied().collect();
                scope.spawn(move || work(program, environment, &own))
            })
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap())
            .collect()
    });
    Report::of(&trials)
}

/// One installation, killed again and again. Each start judges the trial before and carries the next.
fn work(program: &Path, environment: &[(&'static str, &str)], kills: &[Kill]) -> Vec<Trial> {
    let mut site = Site::set_up(program, environment);
    let mut running = site.start();
    let mut trials = Vec::new();
    for (place, kill) in kills.iter().enumerate() {
        let amount = u32::try_from(place).unwrap() + 10;
        let mut tries = 0;
        let capture = loop {
            tries += 1;
            match ready(&running, *kill) {
                Ok(capture) => break capture,
                // A machine that is too busy to protect the line refuses to: nothing was pressed, so nothing is judged.
                Err(why) if tries < TRIES_MAX => println!("{kill:?} tried again: {why:?}"),
                Err(why) => std::panic::resume_unwind(why),
            }
            drop(running);
            running = site.start();
        };
        match *kill {
            Kill::Keying => running.kill_server(),
            kill => press(&site, &mut running, kill, amount, &capture),
        }
        drop(running);
        std::fs::write(site.kill_at(), "").unwrap();
        running = site.start();
        let trial = judged(&site, &running, *kill, amount);
        println!("{trial:?}");
        trials.push(trial);
    }
    trials
}

fn of_amount(amount: u32) -> String {
    format!("{amount}.00")
}

/// A call with a capture up to the press, or up to the middle of its keys. Yields its agent's page and its path.
fn ready(running: &Running, kill: Kill) -> std::thread::Result<(Client, String)> {
    std::panic::catch_unwind(|| {
        let (page, stage) = (running.page("agent"), running.stage.clone());
        let call = connect(&page, &stage);
        let capture = Capture::open(&page, &stage, &call, "check_advanced");
        if kill == Kill::Keying {
            capture.key("routing_number", "021000021");
            stage.post("/control/keys", &json!({ "keys": "70" }));
        } else {
            capture.key_check();
        }
        let path = capture.path.clone();
        (page, path)
    })
}

/// A press of Process Payment for an amount, and the kill.
fn press(
    site: &Site,
    running: &mut Running,
    kill: Kill,
    amount: u32,
    (page, capture): &(Client, String),
) {
    let script = match kill {
        Kill::At(step, moment) => {
            std::fs::write(site.kill_at(), format!("{step}.{moment}")).unwrap();
            json!("approve")
        }
        Kill::While(behaviour) => json!(behaviour),
        Kill::After(_) | Kill::Keying => {
            json!({ "approve_after": { "delay_ms": ANSWER_AFTER_MS } })
        }
    };
    let script = json!({ "next": [script] });
    running.stage.post("/control/script", &script);
    let ledger = running.page("supervisor");
    let form = form("check", &of_amount(amount), "KILL");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let path = format!("{capture}/process");
            // The answer may never come, but the press is not refused.
            if let Err(refused) = page.send("POST", &path, Some(&form), &new_key()) {
                assert!(!refused.was_said(), "{kill:?}: {refused:?}");
            }
        });
        wait_to_kill(site, running, kill, amount, &ledger);
        running.kill_server();
    });
}

fn wait_to_kill(site: &Site, running: &mut Running, kill: Kill, amount: u32, ledger: &Client) {
    match kill {
        Kill::At(step, moment) => wait_for(&format!("{step}.{moment}"), POINT_MAX, || {
            running.is_gone().then_some(())
        }),
        Kill::After(after) => std::thread::sleep(after),
        Kill::While(behaviour) => {
            wait_for(behaviour, POINT_MAX, || {
                let state = recorded(ledger, amount);
                let state = state.as_deref().unwrap_or_default();
                // An approval is no behaviour of these: whoever sent twice got it, and the trial is judged as lost.
                let there = match behaviour {
                    _ if state == "final approved" => true,
                    "mute_handshake" => state.starts_with("intent"),
                    "never_read" | "never_answer" => state.starts_with("sent"),
                    _ => site.charges(&of_amount(amount)) > 0,
                };
                there.then_some(())
            });
            std::thread::sleep(HELD_AFTER);
        }
        Kill::Keying => {}
    }
}

/// State and detail of the payment of an amount.
fn recorded(ledger: &Client, amount: u32) -> Option<String> {
    let payments = ledger.get("/api/v1/payments");
    let rows = payments["payments"].as_array().unwrap().iter();
    let mut payments = rows.map(|row| &row["payment"]);
    let payment = payments.find(|payment| payment["amount"]["minor"] == amount * 100)?;
    let state = &payment["state"];
    let detail = state["detail"].as_str().unwrap_or_default();
    Some(format!("{} {detail}", state["state"].as_str().unwrap()))
}

/// What both ledgers say after the restart. The audit chains must fit.
fn judged(site: &Site, running: &Running, kill: Kill, amount: u32) -> Trial {
    let ledger = running.page("supervisor");
    let audit = running.page("auditor").get("/api/v1/audit/verification");
    assert_eq!(audit["intact"], true, "{audit}");
    let mut trial = Trial {
        kill,
        state: recorded(&ledger, amount),
        charges: site.charges(&of_amount(amount)),
        unknown_in: None,
        ready_in: running.served_in,
    };
    while trial.is_stuck() && running.began.elapsed() < SETTLED_MAX {
        std::thread::sleep(HELD_AFTER);
        trial.state = recorded(&ledger, amount);
    }
    if trial.state.as_deref() == Some("final unknown") {
        trial.unknown_in = Some(running.began.elapsed());
    }
    trial
}
