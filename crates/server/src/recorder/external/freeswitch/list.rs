//! Lists as FreeSWITCH writes them.
//! Owns: which channels there are, and where the recordings of one are written to.
//! Never: leaves out a line that it cannot read: there may be a recording in it.

use std::collections::BTreeSet;

use serde::Deserialize;

/// What listens is a recording by this name.
const RECORDING: &str = "session_record";

/// A list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("its list of channels is not as expected")]
    Channels,
    #[error("its list of what listens to a channel is not as expected")]
    Listeners,
    #[error("it lists a recording of a channel twice, and could be asked for one of them only")]
    Twice,
}

/// Paths of the recordings in a list of `uuid_buglist`. It looks like XML and escapes nothing: a `&` in a path would be an error in XML.
///
/// # Errors
/// A line is not as expected.
pub(super) fn recordings(text: &str) -> Result<BTreeSet<String>, Unreadable> {
    let mut lines = text.lines();
    let mut paths = BTreeSet::new();
    if lines.next() != Some("<media-bugs>") {
        return Err(Unreadable::Listeners);
    }
    loop {
        match lines.next() {
            Some(" <media-bug>") => {}
            Some("</media-bugs>") if lines.next().is_none() => return Ok(paths),
            _ => return Err(Unreadable::Listeners),
        }
        let function = between(lines.next(), "function")?;
        let target = between(lines.next(), "target")?;
        between(lines.next(), "thread-locked")?;
        if lines.next() != Some(" </media-bug>") {
            return Err(Unreadable::Listeners);
        }
        if function == RECORDING && !paths.insert(target.to_owned()) {
            return Err(Unreadable::Twice);
        }
    }
}

fn between<'a>(line: Option<&'a str>, name: &str) -> Result<&'a str, Unreadable> {
    let inner = line.and_then(|line| {
        let after = line
            .strip_prefix("  <")?
            .strip_prefix(name)?
            .strip_prefix('>')?;
        after
            .strip_suffix('>')?
            .strip_suffix(name)?
            .strip_suffix("</")
    });
    inner.ok_or(Unreadable::Listeners)
}

#[derive(Deserialize)]
struct Rows {
    row_count: u64,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    uuid: String,
}

/// How many channels `show channels count as json` says that there are.
///
/// # Errors
/// It says something else.
pub(super) fn count(text: &str) -> Result<u64, Unreadable> {
    let rows: Rows = serde_json::from_str(text).map_err(|_| Unreadable::Channels)?;
    Ok(rows.row_count)
}

/// The channels in a list of `show channels as json`.
///
/// # Errors
/// It is another list.
pub(super) fn channels(text: &str) -> Result<Vec<String>, Unreadable> {
    let rows: Rows = serde_json::from_str(text).map_err(|_| Unreadable::Channels)?;
    Ok(rows.rows.into_iter().map(|row| row.uuid).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed(bugs: &[(&str, &str)]) -> String {
        let bug = |(function, target): &(&str, &str)| {
            format!(
                " <media-bug>\n  <function>{function}</function>\n  <target>{target}</target>\n  <thread-locked>0</thread-locked>\n </media-bug>\n"
            )
        };
        let bugs: String = bugs.iter().map(bug).collect();
        format!("<media-bugs>\n{bugs}</media-bugs>\n")
    }

    #[test]
    fn recordings_are_those_of_the_list_and_nothing_else_that_listens() {
        let text = listed(&[
            ("session_record", "/r/a & <b>.wav"),
            ("eavesdrop", "1-2"),
            ("session_record", "/r/c.wav"),
        ]);
        let paths: Vec<_> = recordings(&text).unwrap().into_iter().collect();
        assert_eq!(paths, ["/r/a & <b>.wav", "/r/c.wav"]);
        assert_eq!(recordings(&listed(&[])).unwrap(), BTreeSet::new());
    }

    #[test]
    fn a_line_that_is_not_as_expected_makes_the_list_unreadable() {
        let one = ("session_record", "/r/a.wav");
        assert_eq!(recordings(&listed(&[one, one])), Err(Unreadable::Twice));
        let whole = listed(&[one]);
        for (from, to) in [
            ("<media-bugs>\n", ""),
            ("</media-bugs>\n", ""),
            ("</media-bugs>\n", "</media-bugs>\n\n"),
            ("/r/a.wav", "/r/\na.wav"),
            ("  <target>/r/a.wav</target>\n", ""),
            (" </media-bug>\n", ""),
            ("function", "functions"),
        ] {
            let other = recordings(&whole.replacen(from, to, 1));
            assert_eq!(other, Err(Unreadable::Listeners), "{from:?} -> {to:?}");
        }
        for text in ["", "-ERR no reply\n", "-USAGE: <uuid>\n"] {
            assert_eq!(recordings(text), Err(Unreadable::Listeners), "{text:?}");
        }
    }

    #[test]
    fn channels_are_counted_and_named() {
        let text = r#"{"row_count":2,"rows":[{"uuid":"a-1","name":"x"},{"uuid":"b-2"}]}"#;
        assert_eq!(channels(text).unwrap(), ["a-1", "b-2"]);
        assert_eq!(
            channels("{\"row_count\": 0}\n").unwrap(),
            Vec::<String>::new()
        );
        assert_eq!(count("{\"row_count\": 17}\n"), Ok(17));
        for text in [
            "",
            "\n2 total.\n",
            "{}",
            "[]",
            r#"{"row_count":1,"rows":[{}]}"#,
        ] {
            assert_eq!(channels(text), Err(Unreadable::Channels), "{text}");
        }
        assert_eq!(
            count("-ERR SQL disabled, no data available!\n"),
            Err(Unreadable::Channels)
        );
    }

    proptest! {
        /// What cannot be quoted in XML is read as it was written.
        #[test]
        fn any_paths_are_read_as_they_were_written(paths in proptest::collection::btree_set("[^\r\n]{1,20}", 0..5)) {
            let bugs: Vec<_> = paths.iter().map(|path| ("session_record", path.as_str())).collect();
            prop_assert_eq!(recordings(&listed(&bugs)), Ok(paths));
        }

        /// However its lines are mixed up: a recording is named, or the list is refused.
        #[test]
        fn no_recording_is_left_out(
            lines in proptest::collection::vec(prop::sample::select(vec![
                "<media-bugs>", " <media-bug>", "  <function>session_record</function>", "  <target>/r/c</target>",
                "  <thread-locked>0</thread-locked>", " </media-bug>", "</media-bugs>", "",
            ]), 0..8),
            spoilt in any::<prop::sample::Index>(),
        ) {
            let mut whole: Vec<_> = listed(&[("session_record", "/r/a"), ("x", "y"), ("session_record", "/r/b")]).lines().map(str::to_owned).collect();
            let at = spoilt.index(whole.len());
            whole.splice(at..at, lines.into_iter().map(str::to_owned));
            let marks = whole.iter().filter(|line| line.contains(RECORDING)).count();
            if let Ok(paths) = recordings(&whole.join("\n")) {
                prop_assert_eq!(paths.len(), marks);
            }
        }
    }
}
