//! Whether a place answers.
//! Owns: when it is probed (OPTIONS), and what its silence means.
//! Never: sends a probe.
//!
//! A place nobody has heard of yet is called as one that is up. One that is down is called last, for nothing is lost by trying it when there is no other.

use std::time::{Duration, Instant};

/// Probes in a row without an answer that mean *down*: one may be lost.
const SILENT_PROBES_MAX: u8 = 2;

/// How long a place stays down that cannot be probed, or that has not said how long.
const DOWN_FOR: Duration = Duration::from_secs(30);

/// The longest that a place may ask us to stay away.
const DOWN_MAX: Duration = Duration::from_secs(300);

/// What is known of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// Time between two probes; none: it is not probed.
    interval: Option<Duration>,
    standing: Standing,
    silent_probes: u8,
    probe_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Up,
    /// Until then, or until a probe is answered.
    Down(Instant),
}

impl Health {
    /// A place that nobody has heard of.
    pub(crate) fn new(interval: Option<Duration>, now: Instant) -> Self {
        Self {
            interval,
            standing: Standing::Unknown,
            silent_probes: 0,
            probe_at: interval.map(|_| now),
        }
    }

    /// It is called before those that are not.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        match self.standing {
            Standing::Unknown | Standing::Up => true,
            Standing::Down(until) => self.interval.is_none() && now >= until,
        }
    }

    /// When it is next to be probed.
    pub(crate) fn next_probe(&self) -> Option<Instant> {
        self.probe_at
    }

    /// A probe is sent now, if one is due.
    pub(crate) fn probe_if_due(&mut self, now: Instant) -> bool {
        let is_due = self.probe_at.is_some_and(|at| at <= now);
        if is_due {
            self.probe_at = self.interval.map(|interval| now + interval);
        }
        is_due
    }

    /// A probe was answered. Any answer says that somebody is there, but 503, which says that nobody is to be called, and 408, which a proxy says of
    /// somebody who is not. True: that is news.
    pub(crate) fn probe_answered(&mut self, now: Instant, status: u16) -> bool {
        if matches!(status, 408 | 503) {
            return self.probe_silent(now);
        }
        self.silent_probes = 0;
        self.stand(Standing::Up)
    }

    /// Nobody answered a probe. True: that is news.
    pub(crate) fn probe_silent(&mut self, now: Instant) -> bool {
        self.silent_probes = self.silent_probes.saturating_add(1);
        self.silent_probes >= SILENT_PROBES_MAX && self.stand(Standing::Down(now + DOWN_FOR))
    }

    /// A call found nobody, or a 503 that asks for this much peace. True: that is news.
    pub(crate) fn call_failed(&mut self, now: Instant, retry_after: Option<Duration>) -> bool {
        let wait = retry_after.unwrap_or(DOWN_FOR).min(DOWN_MAX);
        self.silent_probes = SILENT_PROBES_MAX;
        self.stand(Standing::Down(now + wait))
    }

    fn stand(&mut self, standing: Standing) -> bool {
        let was_down = matches!(self.standing, Standing::Down(_));
        let is_down = matches!(standing, Standing::Down(_));
        let is_news = was_down != is_down || self.standing == Standing::Unknown;
        self.standing = standing;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Duration = Duration::from_secs(10);

    #[test]
    fn one_lost_probe_is_nothing_and_two_are_down_until_one_is_answered() {
        let start = Instant::now();
        let mut health = Health::new(Some(EACH), start);
        assert!(health.probe_if_due(start) && !health.probe_if_due(start));
        assert!(health.probe_answered(start, 404), "somebody is there");
        assert!(!health.probe_answered(start, 200), "no news");
        assert!(!health.probe_silent(start));
        assert!(health.is_usable(start));
        assert!(health.probe_silent(start));
        assert!(
            !health.is_usable(start + DOWN_FOR * 10),
            "it is probed, so only an answer helps"
        );
        assert!(health.probe_if_due(start + EACH));
        assert!(health.probe_answered(start + EACH, 200));
        assert!(health.is_usable(start + EACH));
    }

    #[test]
    fn a_503_or_408_to_probes_is_silence() {
        let start = Instant::now();
        let mut health = Health::new(Some(EACH), start);
        assert!(!health.probe_answered(start, 503));
        assert!(health.probe_answered(start, 408));
        assert!(!health.is_usable(start));
    }

    #[test]
    fn a_call_that_finds_nobody_means_down_at_once_for_as_long_as_was_asked() {
        let start = Instant::now();
        let mut health = Health::new(None, start);
        assert_eq!(health.next_probe(), None);
        assert!(health.call_failed(start, Some(Duration::from_secs(5))));
        assert!(
            !health.call_failed(start, Some(Duration::from_secs(5))),
            "no news"
        );
        assert!(!health.is_usable(start + Duration::from_secs(4)));
        assert!(health.is_usable(start + Duration::from_secs(5)));
        health.call_failed(start, Some(Duration::from_secs(86_400)));
        assert!(health.is_usable(start + DOWN_MAX));
    }
}
