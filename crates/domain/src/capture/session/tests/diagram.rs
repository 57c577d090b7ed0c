//! The page docs/capture-states.md: the table, and a diagram of what sessions really do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::table::{in_state, samples};
use crate::capture::session::Event;
use crate::capture::table::{COLUMNS, EventClass, TABLE, ruling};
use crate::capture::{CaptureState, Ruling, WidgetKind};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/capture-states.md");

/// Time-outs that one session is taken through; more than it has.
const TIME_OUTS_SEEN: usize = 20;

/// What leads from one state to another, by what was seen to happen.
fn edges() -> BTreeMap<(&'static str, &'static str), BTreeSet<String>> {
    let mut edges: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut seen = |from: CaptureState, to: CaptureState, what: String| {
        if from != to {
            edges
                .entry((from.label(), to.label()))
                .or_default()
                .insert(what);
        }
    };
    for kind in WidgetKind::ALL {
        for state in COLUMNS {
            for event in samples() {
                if let Some(mut stage) = in_state(kind, state) {
                    let what = format!("{:?}", EventClass::from(&event));
                    stage.event(event);
                    seen(state, stage.state(), what);
                }
            }
            if let Some(mut stage) = in_state(kind, state) {
                for _ in 0..TIME_OUTS_SEEN {
                    let Some(at) = stage.session.next_timeout() else {
                        break;
                    };
                    let before = stage.state();
                    stage.now = at;
                    stage.event(Event::Timeout);
                    seen(before, stage.state(), "Timeout".to_owned());
                }
            }
        }
        for (from, to) in last_steps(kind) {
            seen(from, to, "Key".to_owned());
        }
    }
    edges
}

/// The states before and after each key of a whole capture.
fn last_steps(kind: WidgetKind) -> Vec<(CaptureState, CaptureState)> {
    let Some(mut stage) = in_state(kind, CaptureState::Armed) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    let fields: &[&str] = match kind.fields().len() {
        3 => &["5555555555554444", "1230", "123"],
        _ => &["021000021", "12345#"],
    };
    stage.event(Event::Listen(kind.fields()[0]));
    for digits in fields {
        for at in 0..digits.len() {
            let before = stage.state();
            stage.keys(&digits[at..=at]);
            steps.push((before, stage.state()));
        }
        stage.wait_ms(600);
    }
    steps
}

fn page() -> String {
    let mut page = String::from(
        "# States of a capture\n\nMade from the table and from running sessions by a test; `UPDATE=1 cargo test -p tonewall-domain` writes it anew.\n\n```mermaid\nstateDiagram-v2\n    [*] --> arming\n",
    );
    for ((from, to), what) in edges() {
        let what = what.into_iter().collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "    {from} --> {to}: {what}");
    }
    page.push_str("```\n\nA widget leaves the screen by Close, or by Cancel. `checking` is reached when an unknown outcome is being looked into.\n\n");
    page.push_str("| Event |");
    for state in COLUMNS {
        let _ = write!(page, " {} |", state.label());
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(COLUMNS.len()));
    for (class, _) in TABLE {
        let _ = write!(page, "\n| {class:?} |");
        for state in COLUMNS {
            page.push_str(match ruling(state, class) {
                Ruling::Allowed => " yes |",
                Ruling::Ignored => "  |",
                Ruling::Refused => " refused |",
            });
        }
    }
    page.push('\n');
    page
}

#[test]
fn the_page_on_states_says_what_sessions_do() {
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/capture-states.md is out of date; run UPDATE=1 cargo test -p tonewall-domain"
    );
}
