//! The server killed while it charges (SECURITY-AND-FAULTS A1-A4), and pressed as often as an impatient agent can: nobody is charged twice.

use crate::support::{Capture, House, Kill, campaign, connect, form, kills, new_key, planted};

/// Kills of the short campaign: each point once, and a random moment. `TONEWALL_KILL_N` asks for more.
const TRIALS: usize = 24;

#[test]
fn killed_at_every_point_and_at_random_nothing_is_charged_twice_lost_or_stuck() {
    let wanted = std::env::var("TONEWALL_KILL_N").ok();
    let trials = wanted.and_then(|text| text.parse().ok()).unwrap_or(TRIALS);
    let plant = std::env::var("TONEWALL_KILL_PLANT").unwrap_or_default();
    let environment = [("TONEWALL_PLANT", plant.as_str())];
    let chosen = usize::from(!plant.is_empty());
    let report = campaign(planted(), &environment[..chosen], &kills(trials));
    println!("{}", report.line());
    assert_eq!(report.trials, trials);
    assert!(report.is_good(), "{report:?}");
}

#[test]
fn the_campaign_sees_a_charge_that_was_sent_twice() {
    let retry = [("TONEWALL_PLANT", "retry")];
    let report = campaign(planted(), &retry, &[Kill::At("outcome", "after")]);
    println!("{}", report.line());
    assert_eq!(report.double, 1, "the planted defect is seen");
    assert!(!report.is_good());
}

#[test]
fn twenty_presses_at_once_charge_once() {
    let house = House::demo(std::path::Path::new(crate::support::TONEWALL), &[]);
    press_twenty_times(&house);
    assert_eq!(charges(&house), 1);
}

/// Ten presses with one key, ten with keys of their own, all at once.
fn press_twenty_times(house: &House) {
    let (page, stage) = (house.page("agent"), house.stage());
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "check_advanced");
    capture.key_check();
    let (form, shared) = (form("check", "12.00", "TWENTY"), new_key());
    let taken = std::thread::scope(|scope| {
        let presses: Vec<_> = (0..20)
            .map(|press| {
                let key = if press % 2 == 0 {
                    shared.clone()
                } else {
                    new_key()
                };
                let (capture, form) = (&capture, &form);
                scope.spawn(move || capture.press(form, &key))
            })
            .collect();
        let answers = presses.into_iter().map(|press| press.join().unwrap());
        answers.filter(Result::is_ok).count()
    });
    assert!(taken >= 1, "no press was taken");
    assert_eq!(capture.ended()["outcome"], "approved");
}

fn charges(house: &House) -> usize {
    let ledger = house.stage().get("/control/ledger");
    ledger["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["status"] == "charged")
        .count()
}
