//! `tonewall demo --once`, as other people's tools lean on it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::TONEWALL;

#[test]
fn demo_once_approves_one_payment() {
    let began = Instant::now();
    let output = Command::new(TONEWALL)
        .args(["demo", "--once"])
        .output()
        .unwrap();
    let took = began.elapsed();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = String::from_utf8(output.stdout).unwrap();
    println!("{:.1} s: {}", took.as_secs_f64(), line.trim());
    assert_eq!(output.status.code(), Some(0), "{line}{complaint}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    let mut lines = line.lines();
    let report: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(lines.next(), None, "one line");
    assert_eq!(report["outcome"], "approved");
    assert_eq!(report["recoverable_digits_agent"], 0);
    assert_eq!(report["recoverable_digits_recording"], 0);
    assert_eq!(report["gateway_charges"], 1);
    for field in ["card_number", "expiry", "security_code"] {
        assert_eq!(report["captured"][field], "obtained", "{field}");
    }
}
