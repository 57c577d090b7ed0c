//! The server is killed while it charges (SECURITY-AND-FAULTS A1-A4): what the ledger says afterwards, and that nobody is charged twice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Capture, House, Running, Site, connect, form, new_key, planted, wait_for};

/// Rounds with a kill at a random moment; `TONEWALL_KILL_N` asks for more.
const ROUNDS: u32 = 5;

/// The sandbox answers after so long: kills fall before, into and after the exchange.
const ANSWER_AFTER_MS: u64 = 100;

/// The latest kill after Process Payment was pressed. Rounds share the time before it, each has a stretch of its own.
const KILL_WITHIN_MS: u64 = 500;

/// What an attempt looked like after the next start.
#[derive(Debug)]
struct Found {
    /// None: the attempt was never recorded.
    state: Option<String>,
    charges: usize,
}

/// A call with a keyed check, up to Process Payment.
fn keyed(running: &Running, work: impl FnOnce(&Capture<'_>)) {
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let capture = Capture::open(&page, &running.stage, &call, "check_advanced");
    capture.key_check();
    work(&capture);
}

/// Presses Process Payment beside the test: the answer may never come.
fn press<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    capture: &Capture<'_>,
    amount: &str,
) {
    let (page, path, form) = (
        capture.page().clone(),
        capture.path.clone(),
        form("check", amount, amount),
    );
    scope.spawn(move || {
        let _killed = page.send("POST", &format!("{path}/process"), Some(&form), &new_key());
    });
}

/// Starts again, reads the payment of an amount, and checks that the audit chains fit.
fn after_restart(site: &mut Site, amount_minor: u32) -> Found {
    let running = site.start();
    let payments = running.page("supervisor").get("/api/v1/payments");
    let mut rows = payments["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["payment"]);
    let row = rows.find(|payment| payment["amount"]["minor"] == amount_minor);
    let audit = running.page("auditor").get("/api/v1/audit/verification");
    assert_eq!(audit["intact"], true, "{audit}");
    let charges = site.charges(&format!("{}.00", amount_minor / 100));
    Found {
        state: row.map(state),
        charges,
    }
}

fn state(payment: &Value) -> String {
    let detail = payment["state"]["detail"].as_str().unwrap_or_default();
    format!("{} {detail}", payment["state"]["state"].as_str().unwrap())
}

/// INV-1 and INV-2: at most one charge, and our word for it is never wrong.
fn judge(found: &Found) {
    assert!(found.charges <= 1, "charged twice: {found:?}");
    match found.state.as_deref() {
        None => assert_eq!(found.charges, 0, "charged without a record"),
        Some("final approved") => assert_eq!(found.charges, 1, "{found:?}"),
        Some("final unknown") => {}
        Some(state) if state.starts_with("not_sent") => assert_eq!(found.charges, 0, "{found:?}"),
        Some(state) => panic!("the attempt was left {state}"),
    }
}

#[test]
fn killed_between_sent_and_answer_reads_unknown_and_charges_once() {
    let mut site = Site::set_up();
    let mut running = site.start();
    running.stage.post(
        "/control/script",
        &json!({ "next": ["charge_then_never_answer"] }),
    );
    keyed(&running, |capture| {
        capture.process("10.00", "KILL");
        wait_for("the sandbox has charged", Duration::from_secs(10), || {
            (site.charges("10.00") > 0).then_some(())
        });
    });
    running.kill_server();
    drop(running);
    let found = after_restart(&mut site, 1_000);
    println!("killed after the charge: {found:?}");
    assert_eq!(
        (found.state.as_deref(), found.charges),
        (Some("final unknown"), 1)
    );
}

#[test]
fn killed_while_keying_leaves_no_attempt_and_no_charge() {
    let mut site = Site::set_up();
    let mut running = site.start();
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let capture = Capture::open(&page, &running.stage, &call, "check_advanced");
    capture.key("routing_number", "021000021");
    running
        .stage
        .post("/control/keys", &json!({ "keys": "70" }));
    running.kill_server();
    drop(running);
    let found = after_restart(&mut site, 1_000);
    println!("killed while keying: {found:?}");
    assert_eq!((found.state, found.charges), (None, 0));
}

#[test]
fn killed_at_a_random_moment_never_charges_twice() {
    let rounds = std::env::var("TONEWALL_KILL_N")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let mut site = Site::set_up();
    let mut seen = BTreeSet::new();
    for round in 1..=rounds {
        let place = u64::from(round - 1) * KILL_WITHIN_MS / u64::from(rounds);
        let stretch = KILL_WITHIN_MS / u64::from(rounds);
        let kill_after = place + rand::random_range(0..=stretch);
        let amount = 10 + round;
        let mut running = site.start();
        let slow = json!({ "approve_after": { "delay_ms": ANSWER_AFTER_MS } });
        running
            .stage
            .post("/control/script", &json!({ "next": [slow] }));
        std::thread::scope(|scope| {
            keyed(&running, |capture| {
                press(scope, capture, &format!("{amount}.00"))
            });
            std::thread::sleep(Duration::from_millis(kill_after));
            running.kill_server();
        });
        drop(running);
        let found = after_restart(&mut site, amount * 100);
        println!("killed {kill_after} ms after the press: {found:?}");
        judge(&found);
        seen.insert(found.state);
    }
    println!("states found: {seen:?}");
}

#[test]
fn twenty_presses_at_once_charge_once() {
    let house = House::demo(std::path::Path::new(crate::support::TONEWALL), &[]);
    println!(
        "charges after twenty presses: {}",
        press_twenty_times(&house)
    );
    assert_eq!(charges(&house), 1);
}

#[test]
fn the_ledger_shows_a_charge_that_was_sent_twice() {
    let house = House::demo(planted(), &[("TONEWALL_PLANT", "retry")]);
    press_twenty_times(&house);
    assert_eq!(charges(&house), 2, "the planted defect is seen");
}

/// Ten presses with one key, ten with keys of their own, all at once. Yields the charges.
fn press_twenty_times(house: &House) -> usize {
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
    charges(house)
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
