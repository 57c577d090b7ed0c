//! When a service takes calls.
//! Owns: the setting; whether it is open at a moment, and when that changes.
//! Never: asks a clock, or a file for the rules of a time zone: they are built in.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::service::Route;
use crate::time::UnixMillis;
use crate::widget::DraftProblem;

/// Spans of a week: four a day.
pub const SPANS_MAX: usize = 28;

/// Dates on which a service is closed: the holidays of some years.
pub const CLOSED_DATES_MAX: usize = 100;

/// Characters of a time zone's name: the longest of the database has 30.
const ZONE_CHARS_MAX: usize = 40;

/// Minutes of a day by its clock.
const DAY_MINUTES: u16 = 24 * 60;

/// Days that are looked at for the next change: every closed date may follow the last, and behind them is a whole week.
const DAYS_AHEAD: i64 = 109;

/// When a service takes new calls. Calls that are up go on, and neither transfers nor calls out ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Name of a time zone of the IANA database: "Europe/Berlin".
    pub zone: String,
    /// 0-28 spans of the week; none: it is never open. They may touch and overlap.
    pub open: Vec<OpenSpan>,
    /// 0-100 dates as "2026-12-25" on which it is closed all the same.
    #[serde(default)]
    pub closed_dates: Vec<String>,
    /// Where new calls go while it is closed: a SIP URI or a trunk, without an agent; none: they are refused with 480.
    #[serde(default)]
    pub closed: Option<Route>,
}

/// A span of the week by the zone's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSpan {
    /// Its day.
    pub day: DayOfWeek,
    /// "08:00".
    pub from: String,
    /// The same, later; "24:00" is the end of the day.
    pub until: String,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say it")]
pub enum DayOfWeek {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// How a service stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HoursNow {
    /// It takes new calls.
    pub is_open: bool,
    /// Until when that stays so; none: as long as can be seen.
    pub until: Option<UnixMillis>,
}

impl DayOfWeek {
    fn is(self, day: Weekday) -> bool {
        day == match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

impl OpenSpan {
    /// In minutes of the day; none: it is no span.
    fn minutes(&self) -> Option<(u16, u16)> {
        let (from, until) = (minutes(&self.from)?, minutes(&self.until)?);
        (from < until).then_some((from, until))
    }
}

/// "08:30" as minutes of the day, up to "24:00".
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let part = |text: &str| {
        let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_two_digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (part(hour)?, part(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// The moment at which clocks show so many minutes of a day. A time that they skip is the moment at which they do; of one that they show twice it is the first for
/// an opening and the second for a close.
fn moment(zone: &TimeZone, day: Date, minutes: u16, is_open: bool) -> Option<Timestamp> {
    let day = match minutes {
        DAY_MINUTES => day.tomorrow().ok()?,
        _ => day,
    };
    let minutes = minutes % DAY_MINUTES;
    let (hour, minute) = (
        i8::try_from(minutes / 60).ok()?,
        i8::try_from(minutes % 60).ok()?,
    );
    let shown: DateTime = day.at(hour, minute, 0, 0);
    let found = zone.to_ambiguous_timestamp(shown);
    match found.offset() {
        AmbiguousOffset::Unambiguous { .. } => found.compatible().ok(),
        AmbiguousOffset::Gap { .. } => {
            let before = found.earlier().ok()?;
            zone.following(before)
                .next()
                .map(|change| change.timestamp())
        }
        AmbiguousOffset::Fold { .. } if is_open => found.earlier().ok(),
        AmbiguousOffset::Fold { .. } => found.later().ok(),
    }
}

impl Hours {
    fn zone(&self) -> Option<TimeZone> {
        (self.zone.len() <= ZONE_CHARS_MAX).then(|| TimeZone::get(&self.zone).ok())?
    }

    /// Whether it is open. A zone that is no longer known closes nothing.
    #[must_use]
    pub fn is_open(&self, at: UnixMillis) -> bool {
        self.zone().is_none_or(|zone| {
            let at = at.stamp();
            let spans = self.spans(&zone, at, 1);
            spans.iter().any(|(from, until)| *from <= at && at < *until)
        })
    }

    /// Whether it is open, and until when that stays so.
    #[must_use]
    pub fn at(&self, at: UnixMillis) -> HoursNow {
        let Some(zone) = self.zone() else {
            return HoursNow {
                is_open: true,
                until: None,
            };
        };
        let at = at.stamp();
        let horizon = at.to_zoned(zone.clone()).date() + DAYS_AHEAD.days();
        let spans = self.spans(&zone, at, DAYS_AHEAD);
        let open = spans
            .iter()
            .find(|(from, until)| *from <= at && at < *until);
        let until = match open {
            Some((_, until)) => Some(*until),
            None => spans.iter().map(|(from, _)| *from).find(|from| at < *from),
        };
        let is_seen = |until: &Timestamp| until.to_zoned(zone.clone()).date() <= horizon;
        HoursNow {
            is_open: open.is_some(),
            until: until
                .filter(is_seen)
                .map(|until| UnixMillis(until.as_millisecond())),
        }
    }

    /// Spans of so many days from the day before on, merged where they touch.
    fn spans(&self, zone: &TimeZone, at: Timestamp, days: i64) -> Vec<(Timestamp, Timestamp)> {
        let closed: Vec<Date> = self
            .closed_dates
            .iter()
            .filter_map(|text| date(text))
            .collect();
        let today = at.to_zoned(zone.clone()).date();
        let mut spans: Vec<(Timestamp, Timestamp)> = (-1..=days)
            .filter_map(|ahead| today.checked_add(ahead.days()).ok())
            .filter(|day| !closed.contains(day))
            .flat_map(|day| self.spans_of(zone, day))
            .collect();
        spans.sort_unstable();
        let mut merged: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(spans.len());
        for (from, until) in spans {
            match merged.last_mut() {
                Some((_, last)) if from <= *last => *last = until.max(*last),
                Some(_) | None => merged.push((from, until)),
            }
        }
        merged
    }

    fn spans_of(&self, zone: &TimeZone, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let of_day = self
            .open
            .iter()
            .filter(move |span| span.day.is(day.weekday()));
        of_day.filter_map(move |span| {
            let (from, until) = span.minutes()?;
            let from = moment(zone, day, from, true)?;
            let until = moment(zone, day, until, false)?;
            (from < until).then_some((from, until))
        })
    }

    /// All that is wrong with it but the route, by the names of its fields.
    #[must_use]
    pub fn problems(&self) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        let mut wrong = |field: String, message: &str| {
            problems.push(DraftProblem::new(format!("hours.{field}"), message));
        };
        if self.zone().is_none() {
            wrong(
                "zone".to_owned(),
                "choose a time zone, for example Europe/Berlin",
            );
        }
        if self.open.len() > SPANS_MAX {
            wrong("open".to_owned(), "enter 28 spans at most");
        }
        let spans = self.open.iter().enumerate().take(SPANS_MAX);
        for (index, _) in spans.filter(|(_, span)| span.minutes().is_none()) {
            let message =
                "write a time and a later one, for example 08:00-17:30; a day ends at 24:00";
            wrong(format!("open[{index}]"), message);
        }
        if self.closed_dates.len() > CLOSED_DATES_MAX {
            wrong("closed_dates".to_owned(), "enter 100 dates at most");
        }
        let dates = self.closed_dates.iter().enumerate().take(CLOSED_DATES_MAX);
        for (index, _) in dates.filter(|(_, text)| date(text).is_none()) {
            wrong(
                format!("closed_dates[{index}]"),
                "write a date as 2026-12-25",
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(day: DayOfWeek, from: &str, until: &str) -> OpenSpan {
        OpenSpan {
            day,
            from: from.to_owned(),
            until: until.to_owned(),
        }
    }

    fn hours(zone: &str, open: Vec<OpenSpan>) -> Hours {
        Hours {
            zone: zone.to_owned(),
            open,
            closed_dates: Vec::new(),
            closed: None,
        }
    }

    /// Monday to Friday, with a pause at noon.
    fn office() -> Hours {
        use DayOfWeek::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let days = [Monday, Tuesday, Wednesday, Thursday, Friday];
        let spans = days
            .into_iter()
            .flat_map(|day| [span(day, "08:00", "12:00"), span(day, "13:00", "17:30")]);
        hours("Europe/Berlin", spans.collect())
    }

    fn utc(text: &str) -> UnixMillis {
        UnixMillis(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn standing(hours: &Hours, at: &str) -> (bool, Option<String>) {
        let now = hours.at(utc(at));
        assert_eq!(now.is_open, hours.is_open(utc(at)), "{at}");
        (now.is_open, now.until.map(UnixMillis::utc_text))
    }

    fn until(is_open: bool, text: &str) -> (bool, Option<String>) {
        (is_open, Some(text.to_owned()))
    }

    #[test]
    fn a_week_is_open_in_its_spans_and_says_when_that_changes() {
        let office = office();
        for (at, is_open, changes) in [
            ("2026-11-27T06:59:59Z", false, "2026-11-27T07:00:00Z"),
            ("2026-11-27T07:00:00Z", true, "2026-11-27T11:00:00Z"),
            ("2026-11-27T11:00:00Z", false, "2026-11-27T12:00:00Z"),
            ("2026-11-27T16:29:59.999Z", true, "2026-11-27T16:30:00Z"),
            // A Friday's evening, and the Saturday.
            ("2026-11-27T16:30:00Z", false, "2026-11-30T07:00:00Z"),
            ("2026-11-28T10:00:00Z", false, "2026-11-30T07:00:00Z"),
        ] {
            assert_eq!(standing(&office, at), until(is_open, changes), "{at}");
        }
    }

    #[test]
    fn a_closed_date_is_closed_and_the_next_opening_is_behind_all_of_them() {
        let mut office = office();
        office.closed_dates = vec!["2026-11-27".to_owned(), "2026-11-30".to_owned()];
        let closed = standing(&office, "2026-11-27T09:00:00Z");
        assert_eq!(closed, until(false, "2026-12-01T07:00:00Z"));
        let mut day: Date = "2026-11-27".parse().unwrap();
        office.closed_dates.clear();
        for _ in 0..CLOSED_DATES_MAX {
            office.closed_dates.push(day.to_string());
            day = day.tomorrow().unwrap();
        }
        let closed = standing(&office, "2026-11-27T09:00:00Z");
        assert_eq!(closed, until(false, "2027-03-08T07:00:00Z"));
    }

    #[test]
    fn clocks_that_go_forward_open_by_the_new_time() {
        // 29 March 2026 in Berlin: 02:00 is 03:00.
        let sunday =
            |from, until| hours("Europe/Berlin", vec![span(DayOfWeek::Sunday, from, until)]);
        let early = sunday("01:00", "04:00");
        assert_eq!(
            standing(&early, "2026-03-29T00:00:00Z"),
            until(true, "2026-03-29T02:00:00Z")
        );
        // What is skipped begins, and ends, as the clocks go.
        let skipped = sunday("02:30", "04:00");
        assert_eq!(
            standing(&skipped, "2026-03-29T00:59:59Z"),
            until(false, "2026-03-29T01:00:00Z")
        );
        assert_eq!(
            standing(&skipped, "2026-03-29T01:00:00Z"),
            until(true, "2026-03-29T02:00:00Z")
        );
        let ends = sunday("01:00", "02:30");
        assert_eq!(
            standing(&ends, "2026-03-29T00:30:00Z"),
            until(true, "2026-03-29T01:00:00Z")
        );
        let nothing = sunday("02:10", "02:50");
        assert_eq!(
            standing(&nothing, "2026-03-29T00:30:00Z"),
            until(false, "2026-04-05T00:10:00Z")
        );
        // The Monday before is an hour later by UTC than the one after.
        let office = office();
        assert_eq!(
            standing(&office, "2026-03-28T12:00:00Z"),
            until(false, "2026-03-30T06:00:00Z")
        );
    }

    #[test]
    fn clocks_that_go_back_keep_open_what_they_show_twice() {
        // 25 October 2026 in Berlin: 03:00 is 02:00 once more.
        let sunday =
            |from, until| hours("Europe/Berlin", vec![span(DayOfWeek::Sunday, from, until)]);
        let twice = sunday("02:30", "02:45");
        assert_eq!(
            standing(&twice, "2026-10-25T00:29:59Z"),
            until(false, "2026-10-25T00:30:00Z")
        );
        assert_eq!(
            standing(&twice, "2026-10-25T00:50:00Z"),
            until(true, "2026-10-25T01:45:00Z")
        );
        let whole = sunday("00:00", "24:00");
        assert_eq!(
            standing(&whole, "2026-10-25T12:00:00Z"),
            until(true, "2026-10-25T23:00:00Z")
        );
        assert_eq!(
            standing(&office(), "2026-10-24T12:00:00Z"),
            until(false, "2026-10-26T07:00:00Z")
        );
    }

    #[test]
    fn the_other_half_of_the_world_changes_the_other_way_round() {
        let sunday = hours(
            "Australia/Sydney",
            vec![span(DayOfWeek::Sunday, "02:30", "05:00")],
        );
        // 4 October 2026: 02:00 is 03:00, which is 16:00 on Saturday by UTC.
        assert_eq!(
            standing(&sunday, "2026-10-03T15:59:59Z"),
            until(false, "2026-10-03T16:00:00Z")
        );
        assert_eq!(
            standing(&sunday, "2026-10-03T16:00:00Z"),
            until(true, "2026-10-03T18:00:00Z")
        );
    }

    #[test]
    fn a_service_that_is_always_or_never_open_has_no_change() {
        use DayOfWeek::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
        let days = [
            Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday,
        ];
        let always = days.map(|day| span(day, "00:00", "24:00"));
        let always = hours("America/New_York", always.into());
        assert_eq!(standing(&always, "2026-11-27T09:00:00Z"), (true, None));
        assert_eq!(
            standing(&hours("UTC", Vec::new()), "2026-11-27T09:00:00Z"),
            (false, None)
        );
        let gone = hours("Europe/Atlantis", Vec::new());
        assert_eq!(standing(&gone, "2026-11-27T09:00:00Z"), (true, None));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        assert!(office().problems().is_empty());
        let mut wrong = hours("Berlin", Vec::new());
        for (from, until) in [
            ("8:00", "17:00"),
            ("08:00", "24:01"),
            ("09:00", "09:00"),
            ("08:60", "10:00"),
            ("00:00", "24:00"),
            ("", "+1:00"),
        ] {
            wrong.open.push(span(DayOfWeek::Monday, from, until));
        }
        wrong.closed_dates = ["2026-02-29", "2026-12-25", "25.12.2026"]
            .map(str::to_owned)
            .into();
        let fields: Vec<String> = wrong.problems().into_iter().map(|one| one.field).collect();
        let all = [
            "hours.zone",
            "hours.open[0]",
            "hours.open[1]",
            "hours.open[2]",
            "hours.open[3]",
            "hours.open[5]",
            "hours.closed_dates[0]",
            "hours.closed_dates[2]",
        ];
        assert_eq!(fields, all);
        wrong.open = vec![span(DayOfWeek::Monday, "08:00", "09:00"); SPANS_MAX + 1];
        wrong.closed_dates = vec!["2026-12-25".to_owned(); CLOSED_DATES_MAX + 1];
        let fields: Vec<String> = wrong.problems().into_iter().map(|one| one.field).collect();
        assert_eq!(fields, ["hours.zone", "hours.open", "hours.closed_dates"]);
    }
}
