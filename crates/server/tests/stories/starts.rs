//! Starts that must not succeed, and what they say (SECURITY-AND-FAULTS A12).

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::TONEWALL;

/// A start that must fail has failed by then.
const FAILS_WITHIN: Duration = Duration::from_secs(20);

/// Options of a demonstration that take a port.
const OPTIONS: [&str; 5] = [
    "--port",
    "--sip-port",
    "--simulator-port",
    "--gateway-port",
    "--health-port",
];

fn tonewall(arguments: &[&str]) -> Output {
    Command::new(TONEWALL)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Someone else's socket on a port that an option would take.
enum Taken {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Taken {
    fn for_option(option: &str) -> Self {
        if option == "--sip-port" {
            Self::Udp(UdpSocket::bind("127.0.0.1:0").unwrap())
        } else {
            Self::Tcp(TcpListener::bind("127.0.0.1:0").unwrap())
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Tcp(listener) => listener.local_addr().unwrap(),
            Self::Udp(socket) => socket.local_addr().unwrap(),
        }
    }
}

/// A port that is free at the moment.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string()
}

fn demo_with_taken(option: &str, taken: SocketAddr) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(TONEWALL);
    command
        .args(["demo", "--json", "--data"])
        .arg(folder.path());
    for other in OPTIONS {
        let port = match other {
            _ if other == option => taken.port().to_string(),
            // The page's port 0 would choose free ones for everything.
            "--port" => free(),
            _ => "0".to_owned(),
        };
        command.args([other, &port]);
    }
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_changes_it() {
    for option in OPTIONS {
        let taken = Taken::for_option(option);
        let began = Instant::now();
        let output = demo_with_taken(option, taken.address());
        let said = complaint(&output);
        println!(
            "{option}: {:.1} s: {}",
            began.elapsed().as_secs_f64(),
            said.trim()
        );
        assert_eq!(output.status.code(), Some(2), "{option}: {said}");
        assert!(began.elapsed() < FAILS_WITHIN, "{option}");
        assert!(
            said.contains(&taken.address().to_string()),
            "{option}: {said}"
        );
        let named: Vec<_> = OPTIONS
            .into_iter()
            .filter(|other| said.contains(&format!("{other},")))
            .collect();
        assert_eq!(named, [option], "{said}");
        assert!(
            output.stdout.is_empty(),
            "{option}: a demonstration that did not start announces nothing"
        );
    }
}

fn check(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tonewall.toml");
    std::fs::write(&file, text).unwrap();
    tonewall(&["check-config", file.to_str().unwrap()])
}

#[test]
fn a_valid_configuration_is_said_to_be_one() {
    let output = check("[node]\ndata = \"/var/lib/tonewall\"\n");
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("valid"));
    assert!(
        !Path::new("/var/lib/tonewall").exists(),
        "checking makes nothing"
    );
}

#[test]
fn everything_wrong_with_a_configuration_is_said_at_once() {
    let output = check(
        r#"
[node]
name = "two words"
[web]
listen = "everywhere"
idle_lock = "15"
[sip]
ring_tim = "5s"
[media]
ports = "20000-10000"
[log]
level = "loud"
[[trunk]]
name = "carrier"
addresses = ["carrier.example"]
colour = "blue"
"#,
    );
    let said = complaint(&output);
    println!("{said}");
    assert_eq!(output.status.code(), Some(2));
    let keys = [
        "node.name",
        "node.data",
        "web.listen",
        "web.idle_lock",
        "sip.ring_tim",
        "sip.ring_time",
        "media.ports",
        "log.level",
        "trunk[0].addresses",
        "trunk[0].colour",
    ];
    for key in keys {
        assert!(said.contains(key), "{key} in\n{said}");
    }
}

#[test]
fn a_server_does_not_start_with_what_check_config_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tonewall.toml");
    std::fs::write(&file, "[node]\ndata = \"data\"\nnane = \"n1\"\n").unwrap();
    let output = tonewall(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        complaint(&output).contains("node.nane"),
        "{}",
        complaint(&output)
    );
}

#[test]
fn usage_errors_exit_with_two() {
    for arguments in [
        &[][..],
        &["serve"],
        &["serve", "--config", "/nowhere/tonewall.toml"],
        &["dmeo"],
        &["demo", "--port", "x"],
    ] {
        let output = tonewall(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            complaint(&output)
        );
        assert!(!complaint(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_used_data_folder_is_refused_by_a_demonstration() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let once = |expected: i32| {
        let output = tonewall(&["demo", "--once", "--data", data]);
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{}",
            complaint(&output)
        );
        complaint(&output)
    };
    once(0);
    assert!(once(2).contains("--data"));
}
