//! Recorders beside this server that it can pause.
//! Owns: the tables `[recorders.external.NAME]`.
//! Never: opens a file, or asks a recorder.

use std::path::PathBuf;
use std::time::Duration;

use gateway::{HookCondition, HookHeader, HookRequest, HookSettings};
use media::leg::Leg;

use super::connections::{Row, tables};
use super::reader::Reader;
use super::value;
use crate::recorder::{
    AsteriskSettings, FreeSwitchSettings, InterfaceAddress, SiprecSettings, SiprecTarget,
};

/// Keys of such a table.
const KEYS: [&str; 17] = [
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
    "asterisk",
    "username",
    "leg",
    "freeswitch",
    "password_file",
    "siprec",
    "realm",
];

/// Keys of requests by HTTPS.
const HTTPS_KEYS: [&str; 8] = [
    "pause",
    "resume",
    "state",
    "paused",
    "recording",
    "secret_header",
    "ca_file",
    "secret_file",
];

/// A kind that is reached in another way.
struct Kind {
    /// Says where it is reached.
    key: &'static str,
    further: &'static [&'static str],
    read: fn(&mut Row<'_>, Option<Duration>) -> Option<RecorderKind>,
}

const KINDS: [Kind; 3] = [
    Kind {
        key: "asterisk",
        further: &["username", "secret_file", "ca_file", "leg"],
        read: read_asterisk,
    },
    Kind {
        key: "freeswitch",
        further: &["password_file", "ca_file", "leg"],
        read: read_freeswitch,
    },
    Kind {
        key: "siprec",
        further: &["username", "realm", "secret_file"],
        read: read_siprec,
    },
];

/// Keys of every kind.
const COMMON_KEYS: [&str; 2] = ["timeout", "pause_max"];

/// Keys of a request.
const REQUEST_KEYS: [&str; 3] = ["method", "url", "body"];

/// A request has to be answered within this, if nothing else is said: a pause that takes two of them is within the 3 s of a capture.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A pause may last so long, if nothing else is said: longer than any capture with its questions.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 60);

/// A recorder that can be paused.
#[derive(Debug, Clone)]
pub(crate) struct ExternalRecorder {
    pub(crate) kind: RecorderKind,
    /// Its authorities; none: the system's. A PBX on this machine has none.
    pub(crate) ca_file: Option<PathBuf>,
    /// Longest pause.
    pub(crate) pause_max: Duration,
}

/// How it is asked.
#[derive(Debug, Clone)]
pub(crate) enum RecorderKind {
    Https {
        settings: Box<HookSettings>,
        /// A header, and the file of its value.
        secret: Option<(HookHeader, PathBuf)>,
    },
    Asterisk {
        settings: AsteriskSettings,
        secret_file: PathBuf,
    },
    FreeSwitch {
        settings: FreeSwitchSettings,
        password_file: PathBuf,
    },
    Siprec {
        settings: SiprecSettings,
        /// User name, realm, and the file of the password.
        credentials: Option<(String, String, PathBuf)>,
    },
}

pub(super) fn read(reader: &mut Reader) -> Vec<(String, ExternalRecorder)> {
    tables(reader, ("recorders", "external"), KEYS, read_one)
}

fn read_one(row: &mut Row<'_>) -> Option<ExternalRecorder> {
    let timeout = duration(row, "timeout", (1, 2), TIMEOUT);
    let pause_max = duration(row, "pause_max", (60, 4 * 3_600), PAUSE_MAX);
    let ca_file = row.text("ca_file").map(|_| row.path("ca_file"));
    let named: Vec<_> = KINDS.iter().filter(|kind| row.has(kind.key)).collect();
    let kind = match named[..] {
        [] => {
            refuse_others(row, &HTTPS_KEYS);
            read_https(row, timeout)
        }
        [kind] => {
            refuse_others(row, kind.further);
            (kind.read)(row, timeout)
        }
        [first, .., last] => {
            let why = format!("is another kind than {}: write one of them", first.key);
            row.problem(last.key, why);
            None
        }
    };
    Some(ExternalRecorder {
        kind: kind?,
        ca_file: ca_file.flatten(),
        pause_max: pause_max?,
    })
}

/// Names keys that belong to another kind.
fn refuse_others(row: &mut Row<'_>, own: &[&str]) {
    let is_kind = |key: &str| KINDS.iter().any(|kind| kind.key == key);
    let is_own = |key: &str| own.contains(&key) || COMMON_KEYS.contains(&key) || is_kind(key);
    for key in KEYS.iter().filter(|key| !is_own(key)) {
        if row.has(key) {
            row.problem(key, belongs_to(key));
        }
    }
}

fn belongs_to(key: &str) -> String {
    let kinds = |of_it: bool| {
        let kinds = KINDS
            .iter()
            .filter(|kind| kind.further.contains(&key) == of_it);
        kinds.map(|kind| kind.key).collect::<Vec<_>>()
    };
    match HTTPS_KEYS.contains(&key) {
        true => format!(
            "belongs to a recorder without {}",
            kinds(false).join(" and ")
        ),
        false => format!("belongs to a recorder with {}", kinds(true).join(" or ")),
    }
}

fn read_https(row: &mut Row<'_>, timeout: Option<Duration>) -> Option<RecorderKind> {
    let [pause, resume, state] = ["pause", "resume", "state"].map(|key| request(row, key));
    let [paused, recording] = ["paused", "recording"].map(|key| condition(row, key));
    let secret = secret(row);
    Some(RecorderKind::Https {
        settings: Box::new(HookSettings {
            pause: pause?,
            resume: resume?,
            state: state?,
            paused: paused?,
            recording: recording?,
            timeout: timeout?,
        }),
        secret: secret?,
    })
}

fn read_asterisk(row: &mut Row<'_>, timeout: Option<Duration>) -> Option<RecorderKind> {
    let address = address(row, "asterisk");
    let username = value::word(&row.text("username").unwrap_or_default());
    let username = username.map_err(|why| row.problem("username", why));
    let leg = leg(row);
    let secret_file = row.path("secret_file");
    Some(RecorderKind::Asterisk {
        settings: AsteriskSettings {
            address: address?,
            username: username.ok()?,
            leg: leg?,
            timeout: timeout?,
        },
        secret_file: secret_file?,
    })
}

fn read_freeswitch(row: &mut Row<'_>, timeout: Option<Duration>) -> Option<RecorderKind> {
    let address = address(row, "freeswitch");
    let leg = leg(row);
    let password_file = row.path("password_file");
    Some(RecorderKind::FreeSwitch {
        settings: FreeSwitchSettings {
            address: address?,
            leg: leg?,
            timeout: timeout?,
        },
        password_file: password_file?,
    })
}

/// Where a PBX is reached. With TLS, and then only, it has authorities.
fn address(row: &mut Row<'_>, key: &str) -> Option<InterfaceAddress> {
    let address = InterfaceAddress::parse(&row.text(key).unwrap_or_default());
    let address = address
        .map_err(|why| row.problem(key, why.to_owned()))
        .ok()?;
    match (address.is_tls, row.has("ca_file")) {
        (true, false) => {
            let why = "write the PEM file of the authorities that sign for it";
            row.problem("ca_file", why.to_owned());
        }
        (false, true) => {
            let why = "belongs to tls://: over tcp:// nothing is signed";
            row.problem("ca_file", why.to_owned());
        }
        (true, true) | (false, false) => {}
    }
    Some(address)
}

fn leg(row: &mut Row<'_>) -> Option<Leg> {
    match row.text("leg").as_deref() {
        Some("consumer") => Some(Leg::Consumer),
        Some("agent") => Some(Leg::Agent),
        _ => {
            let why = "write consumer or agent: on which side of this server the PBX is";
            row.problem("leg", why.to_owned());
            None
        }
    }
}

fn read_siprec(row: &mut Row<'_>, timeout: Option<Duration>) -> Option<RecorderKind> {
    let texts = match row.text("siprec") {
        Some(one) => vec![one],
        None => row.texts("siprec").unwrap_or_default(),
    };
    let targets = SiprecTarget::parse_all(&texts);
    let targets = targets.map_err(|why| row.problem("siprec", why.to_owned()));
    let keys = ["username", "realm", "secret_file"];
    let credentials = match keys.map(|key| row.has(key)) {
        [false, false, false] => Some(None),
        has => {
            for (key, _) in keys.iter().zip(has).filter(|(_, has)| !has) {
                let why = "is missing: username, realm and secret_file belong together";
                row.problem(key, why.to_owned());
            }
            let [username, realm] = ["username", "realm"].map(|key| {
                let word = value::word(&row.text(key).unwrap_or_default());
                let present = row.has(key);
                word.map_err(|why| {
                    if present {
                        row.problem(key, why);
                    }
                })
            });
            let file = row.has("secret_file").then(|| row.path("secret_file"));
            match (username, realm, file.flatten()) {
                (Ok(username), Ok(realm), Some(file)) => Some(Some((username, realm, file))),
                _ => None,
            }
        }
    };
    Some(RecorderKind::Siprec {
        settings: SiprecSettings {
            targets: targets.ok()?,
            timeout: timeout?,
        },
        credentials: credentials?,
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
        let RecorderKind::Https { settings, secret } = &floor.kind else {
            panic!("{floor:?}");
        };
        assert_eq!((settings.timeout, floor.pause_max), (TIMEOUT, PAUSE_MAX));
        assert!(secret.is_none() && floor.ca_file.is_none());
        let more = "ca_file = \"ca.pem\"\nsecret_file = \"token\"\ntimeout = \"2s\"\npause_max = \"10m\"\n";
        let config = parsed(&format!("{WHOLE}{more}")).unwrap();
        let floor = &config.external_recorders[0].1;
        let RecorderKind::Https { secret, .. } = &floor.kind else {
            panic!("{floor:?}");
        };
        let expected = (HookHeader::default(), PathBuf::from("token"));
        assert_eq!(secret.as_ref(), Some(&expected));
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

    const PBX: &str = r#"
[recorders.external.pbx]
asterisk = "tls://pbx.example:5039"
username = "tonewall"
secret_file = "/etc/tonewall/ami"
leg = "agent"
ca_file = "/etc/tonewall/pbx-ca.pem"
"#;

    #[test]
    fn an_asterisk_is_an_address_a_login_and_a_leg() {
        let config = parsed(PBX).unwrap();
        let (name, pbx) = &config.external_recorders[0];
        let RecorderKind::Asterisk {
            settings,
            secret_file,
        } = &pbx.kind
        else {
            panic!("{pbx:?}");
        };
        let said = (name.as_str(), settings.username.as_str(), settings.leg);
        assert_eq!(said, ("pbx", "tonewall", Leg::Agent));
        assert!(settings.address.is_tls && settings.timeout == TIMEOUT);
        assert_eq!(secret_file, &PathBuf::from("/etc/tonewall/ami"));
    }

    #[test]
    fn what_is_wrong_with_an_asterisk_is_named() {
        for (from, to, told) in [
            (
                "tls://pbx.example:5039",
                "pbx.example",
                "asterisk: write tls://",
            ),
            (
                "tls://pbx.example",
                "tcp://192.0.2.1",
                "asterisk: write tls://; tcp:// shows",
            ),
            (
                "tls://pbx.example",
                "tcp://127.0.0.1",
                "ca_file: belongs to tls://",
            ),
            (
                "ca_file = \"/etc/tonewall/pbx-ca.pem\"",
                "",
                "ca_file: write the PEM file",
            ),
            ("username = \"tonewall\"", "", "username: write 1-64"),
            (
                "leg = \"agent\"",
                "leg = \"both\"",
                "leg: write consumer or agent",
            ),
            (
                "secret_file = \"/etc/tonewall/ami\"",
                "",
                "secret_file: write a path",
            ),
            (
                "leg = ",
                "paused = \"a = b\"\nleg = ",
                "paused: belongs to a recorder without asterisk and freeswitch and siprec",
            ),
            (
                "asterisk = \"tls://pbx.example:5039\"",
                "",
                "leg: belongs to a recorder with asterisk or freeswitch",
            ),
        ] {
            let problems = parsed(&PBX.replace(from, to)).unwrap_err();
            let told = format!("recorders.external.pbx.{told}");
            assert!(
                problems.iter().any(|one| one.starts_with(&told)),
                "{told}: {problems:?}"
            );
        }
    }

    const SRS: &str = r#"
[recorders.external.srs]
siprec = ["sip:one.example;transport=tcp", "sip:192.0.2.9:5070"]
username = "tonewall"
realm = "recorders"
secret_file = "/etc/tonewall/srs"
timeout = "2s"
"#;

    #[test]
    fn a_recorder_of_sessions_is_a_list_of_uris() {
        let config = parsed(SRS).unwrap();
        let (name, srs) = &config.external_recorders[0];
        let RecorderKind::Siprec {
            settings,
            credentials: Some((username, realm, file)),
        } = &srs.kind
        else {
            panic!("{srs:?}");
        };
        assert_eq!((name.as_str(), settings.targets.len()), ("srs", 2));
        assert_eq!(settings.timeout, Duration::from_secs(2));
        let said = (username.as_str(), realm.as_str(), file.to_str().unwrap());
        assert_eq!(said, ("tonewall", "recorders", "/etc/tonewall/srs"));
        let one = parsed("[recorders.external.srs]\nsiprec = \"sip:192.0.2.9\"\n").unwrap();
        let RecorderKind::Siprec { credentials, .. } = &one.external_recorders[0].1.kind else {
            panic!("{one:?}");
        };
        assert!(credentials.is_none());
    }

    #[test]
    fn what_is_wrong_with_a_recorder_of_sessions_is_named() {
        for (from, to, told) in [
            (
                "sip:192.0.2.9:5070",
                "sips:192.0.2.9",
                "siprec: write transport=udp or transport=tcp",
            ),
            ("sip:192.0.2.9:5070", "192.0.2.9", "siprec: write a SIP URI"),
            ("realm = \"recorders\"", "", "realm: is missing"),
            (
                "realm = \"recorders\"",
                "realm = \"a b\"",
                "realm: write 1-64",
            ),
            (
                "realm = ",
                "leg = \"agent\"\nrealm = ",
                "leg: belongs to a recorder with asterisk or freeswitch",
            ),
            (
                "realm = ",
                "ca_file = \"ca.pem\"\nrealm = ",
                "ca_file: belongs to a recorder without siprec",
            ),
            (
                "realm = ",
                "asterisk = \"tls://a:1\"\nrealm = ",
                "siprec: is another kind",
            ),
        ] {
            let problems = parsed(&SRS.replace(from, to)).unwrap_err();
            let told = format!("recorders.external.srs.{told}");
            assert!(
                problems.iter().any(|one| one.starts_with(&told)),
                "{told}: {problems:?}"
            );
        }
    }

    const SWITCH: &str = r#"
[recorders.external.switch]
freeswitch = "tcp://127.0.0.1:8021"
password_file = "/etc/tonewall/event-socket"
leg = "consumer"
"#;

    #[test]
    fn a_freeswitch_is_an_address_a_password_and_a_leg() {
        let config = parsed(SWITCH).unwrap();
        let (name, switch) = &config.external_recorders[0];
        let RecorderKind::FreeSwitch {
            settings,
            password_file,
        } = &switch.kind
        else {
            panic!("{switch:?}");
        };
        assert_eq!((name.as_str(), settings.leg), ("switch", Leg::Consumer));
        assert!(!settings.address.is_tls && settings.timeout == TIMEOUT);
        let file = PathBuf::from("/etc/tonewall/event-socket");
        assert_eq!((password_file, &switch.ca_file), (&file, &None));
    }

    #[test]
    fn what_is_wrong_with_a_freeswitch_is_named() {
        for (from, to, told) in [
            (
                "leg = ",
                "asterisk = \"tls://pbx.example:5039\"\nleg = ",
                "freeswitch: is another kind than asterisk: write one of them",
            ),
            (
                "127.0.0.1",
                "192.0.2.1",
                "freeswitch: write tls://; tcp:// shows",
            ),
            (
                "tcp://127.0.0.1",
                "tls://pbx.example",
                "ca_file: write the PEM file",
            ),
            (
                "leg = ",
                "ca_file = \"/etc/tonewall/ca.pem\"\nleg = ",
                "ca_file: belongs to tls://",
            ),
            ("leg = \"consumer\"", "", "leg: write consumer or agent"),
            (
                "password_file = \"/etc/tonewall/event-socket\"",
                "",
                "password_file: write a path",
            ),
            (
                "password_file",
                "secret_file",
                "secret_file: belongs to a recorder without freeswitch",
            ),
            (
                "leg = ",
                "state = \"x\"\nleg = ",
                "state: belongs to a recorder without asterisk and freeswitch and siprec",
            ),
            (
                "freeswitch = \"tcp://127.0.0.1:8021\"",
                "",
                "password_file: belongs to a recorder with freeswitch",
            ),
        ] {
            let problems = parsed(&SWITCH.replace(from, to)).unwrap_err();
            let told = format!("recorders.external.switch.{told}");
            assert!(
                problems.iter().any(|one| one.starts_with(&told)),
                "{told}: {problems:?}"
            );
        }
    }
}
