//! Recorders beside this server that it can pause.
//! Owns: the tables `[recorders.external.NAME]`.
//! Never: opens a file, or asks a recorder.

use std::path::PathBuf;
use std::time::Duration;

use gateway::{HookCondition, HookHeader, HookRequest, HookSettings};

use super::connections::{Row, tables};
use super::reader::Reader;
use super::value;

/// Keys of such a table.
const KEYS: [&str; 10] = [
    "pause",
    "resume",
    "state",
    "paused",
    "recording",
    "ca_file",
    "secret_header",
    "secret_file",
    "timeout",
    "pause_max",
];

/// Keys of a request.
const REQUEST_KEYS: [&str; 3] = ["method", "url", "body"];

/// A request has to be answered within this, if nothing else is said: a pause that takes two of them is within the 3 s of a capture.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A pause may last so long, if nothing else is said: longer than any capture with its questions.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 60);

/// A recorder that is asked by HTTPS.
#[derive(Debug, Clone)]
pub(crate) struct ExternalRecorder {
    pub(crate) settings: HookSettings,
    /// Its authorities; none: the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// A header, and the file of its value.
    pub(crate) secret: Option<(HookHeader, PathBuf)>,
    /// Longest pause.
    pub(crate) pause_max: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Vec<(String, ExternalRecorder)> {
    tables(reader, ("recorders", "external"), KEYS, read_one)
}

fn read_one(row: &mut Row<'_>) -> Option<ExternalRecorder> {
    let [pause, resume, state] = ["pause", "resume", "state"].map(|key| request(row, key));
    let [paused, recording] = ["paused", "recording"].map(|key| condition(row, key));
    let timeout = duration(row, "timeout", (1, 2), TIMEOUT);
    let pause_max = duration(row, "pause_max", (60, 4 * 3_600), PAUSE_MAX);
    let ca_file = row.text("ca_file").map(|_| row.path("ca_file"));
    let secret = secret(row);
    Some(ExternalRecorder {
        settings: HookSettings {
            pause: pause?,
            resume: resume?,
            state: state?,
            paused: paused?,
            recording: recording?,
            timeout: timeout?,
        },
        ca_file: ca_file.flatten(),
        secret: secret?,
        pause_max: pause_max?,
    })
}

fn request(row: &mut Row<'_>, key: &str) -> Option<HookRequest> {
    let Some(table) = row.table(key) else {
        row.problem(
            key,
            "write { method = \"POST\", url = \"https://..\" }".to_owned(),
        );
        return None;
    };
    for unknown in table
        .keys()
        .filter(|one| !REQUEST_KEYS.contains(&one.as_str()))
    {
        let message = format!("unknown; a request has {}", REQUEST_KEYS.join(", "));
        row.problem(&format!("{key}.{unknown}"), message);
    }
    let text = |name: &str| {
        table
            .get(name)
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
    };
    let request = HookRequest::parse(text("method"), text("url"), text("body"));
    request
        .map_err(|error| row.problem(key, error.to_string()))
        .ok()
}

fn condition(row: &mut Row<'_>, key: &str) -> Option<HookCondition> {
    let condition = HookCondition::parse(&row.text(key).unwrap_or_default());
    let example = |error| format!("{error}; for example \"state = {key}\"");
    condition
        .map_err(|error| row.problem(key, example(error)))
        .ok()
}

fn duration(
    row: &mut Row<'_>,
    key: &str,
    (least_s, most_s): (u64, u64),
    default: Duration,
) -> Option<Duration> {
    let Some(text) = row.text(key) else {
        return Some(default);
    };
    let read = value::duration(least_s, most_s)(&text);
    read.map_err(|message| row.problem(key, message)).ok()
}

/// A header whose value stands in a file; none if no file is named.
fn secret(row: &mut Row<'_>) -> Option<Option<(HookHeader, PathBuf)>> {
    let header = match row.text("secret_header") {
        Some(name) => HookHeader::parse(&name)
            .map_err(|error| row.problem("secret_header", error.to_string()))
            .ok()?,
        None => HookHeader::default(),
    };
    match (row.text("secret_header"), row.text("secret_file")) {
        (_, Some(_)) => Some(Some((header, row.path("secret_file")?))),
        (None, None) => Some(None),
        (Some(_), None) => {
            row.problem("secret_file", "is missing beside secret_header".to_owned());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    const WHOLE: &str = r#"
[recorders.external.floor]
pause = { method = "POST", url = "https://r.example/calls/{call.consumer_call_id}/pause", body = '{"by": "{agent.name}"}' }
resume = { method = "POST", url = "https://r.example/calls/{call.consumer_call_id}/resume" }
state = { method = "GET", url = "https://r.example/calls/{call.consumer_call_id}" }
paused = "state = paused"
recording = "state = recording"
"#;

    fn parsed(text: &str) -> Result<Config, Vec<String>> {
        let text = format!("[node]\ndata = \"/tmp/x\"\n{text}");
        let config = Config::parse(&text, |_| None);
        config.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_recorder_is_three_requests_and_two_conditions() {
        let config = parsed(WHOLE).unwrap();
        let [(name, floor)] = &config.external_recorders[..] else {
            panic!("{:?}", config.external_recorders);
        };
        assert_eq!(name, "floor");
        assert_eq!(
            (floor.settings.timeout, floor.pause_max),
            (TIMEOUT, PAUSE_MAX)
        );
        assert!(floor.secret.is_none() && floor.ca_file.is_none());
        let more = "ca_file = \"ca.pem\"\nsecret_file = \"token\"\ntimeout = \"2s\"\npause_max = \"10m\"\n";
        let config = parsed(&format!("{WHOLE}{more}")).unwrap();
        let floor = &config.external_recorders[0].1;
        let (header, file) = floor.secret.clone().unwrap();
        assert_eq!(
            (header, file),
            (HookHeader::default(), PathBuf::from("token"))
        );
        assert_eq!(floor.pause_max, Duration::from_secs(600));
        assert!(parsed("").unwrap().external_recorders.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, told) in [
            (
                "{call.consumer_call_id}/pause",
                "{card.number}/pause",
                "pause: url: there is no token {card.number}",
            ),
            (
                "method = \"GET\"",
                "methods = \"GET\"",
                "state.methods: unknown; a request has method, url, body",
            ),
            (
                "resume = {",
                "resumes = {",
                "resumes: unknown; it has pause, resume",
            ),
            ("paused = \"state = paused\"", "", "paused: "),
            ("\"state = recording\"", "\"state\"", "recording: "),
            (
                "[recorders.external.floor]",
                "[recorders.external.floor]\nsecret_header = \"X-Key\"",
                "secret_file: is missing beside secret_header",
            ),
            (
                "[recorders.external.floor]",
                "[recorders.external.floor]\ntimeout = \"9s\"",
                "timeout: write a number with its unit",
            ),
        ] {
            let problems = parsed(&WHOLE.replace(from, to)).unwrap_err();
            let told = format!("recorders.external.floor.{told}");
            assert!(
                problems.iter().any(|one| one.starts_with(&told)),
                "{told}: {problems:?}"
            );
        }
    }
}
