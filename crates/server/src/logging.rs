//! What may be logged.
//! Owns: the list of rooms that may speak below warning. It caps every other target at WARN after any filter of an operator; no setting loosens it.
//! Never: writes a body, a number or a name of a caller: no room hands one to it.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Our rooms, by their module paths. Foreign crates log statements, messages and bodies below WARN.
const ROOMS: [&str; 11] = [
    "tonewall",
    "calls",
    "domain",
    "gateway",
    "media",
    "recording",
    "secret",
    "simulator",
    "sip",
    "store",
    "voice",
];

/// The web's room has the name of a common word; it is listed apart so that nothing else is meant by it.
const WEB: &str = "web";

/// The filter for a level of our own.
fn targets(level: &str) -> Targets {
    let level: LevelFilter = level.parse().unwrap_or(LevelFilter::INFO);
    let rooms = ROOMS.iter().chain([&WEB]).map(|room| (*room, level));
    Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_targets(rooms)
}

/// Starts logging to stderr. A second start changes nothing.
pub(crate) fn start(level: &str, json: bool) {
    let base = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(true);
    let layer = if json {
        base.json().boxed()
    } else {
        base.boxed()
    };
    let _second = tracing_subscriber::registry()
        .with(layer.with_filter(targets(level)))
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn foreign_crates_stay_at_warn_at_any_level() {
        let filter = targets("trace");
        for foreign in [
            "sqlx::query",
            "hyper::proto",
            "rustls",
            "tokio",
            "axum::rejection",
        ] {
            assert!(!filter.would_enable(foreign, &Level::INFO), "{foreign}");
            assert!(filter.would_enable(foreign, &Level::WARN), "{foreign}");
        }
        assert!(filter.would_enable("voice::node", &Level::TRACE));
    }
}
