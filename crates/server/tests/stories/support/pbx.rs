//! An Asterisk as its documentation has its manager interface: a login, a list of channels, a recording that is muted, events to every connection, and faults.
//! It knows its one call by where the server notes what it is about to ask, before it asks: a real one by SIP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use rustls::ServerConfig;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use super::recorder::{certified, write_secret};

/// What its user shows.
const SECRET: &str = "ami-word-1";

/// Events that may wait for a connection.
const EVENTS_MAX: usize = 256;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PbxFault {
    /// Nothing.
    #[default]
    None,
    /// Muting fails: there is no recording on the channel.
    SaysNo,
    /// Muting succeeds, changes nothing, and no event says that it did.
    NoEvent,
    /// Only one direction is muted.
    OneDirection,
    /// Muting is not answered.
    NoAnswer,
    /// Muting is answered with a line that does not end.
    Garbage,
    /// Muting ends the connection.
    Disconnects,
    /// No channel has the call's Call-ID.
    NoChannel,
    /// It does not take the login.
    NoLogin,
    /// It says nothing from the first byte on.
    Silent,
    /// Connections are closed at once.
    Unreachable,
}

#[derive(Default)]
struct Book {
    fault: PbxFault,
    data: PathBuf,
    muted: bool,
    /// When it last told every connection that it is muted.
    said_muted: Option<Instant>,
}

/// A running one.
pub(crate) struct Pbx {
    address: SocketAddr,
    folder: PathBuf,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    book: Mutex<Book>,
    events: broadcast::Sender<String>,
    /// Ends every connection.
    restarts: broadcast::Sender<()>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn tell(&self, event: &str, more: &str) {
        // Nobody listens: then nobody hears it.
        let _heard = self.events.send(format!(
            "Event: {event}\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-00000001\r\nUniqueid: 17.1\r\n{more}\r\n"
        ));
    }
}

impl Pbx {
    /// Starts one whose files are put into a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let (tls, authority) = certified();
        std::fs::write(folder.join("pbx.pem"), authority).unwrap();
        write_secret(&folder.join("pbx.word"), SECRET);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            book: Mutex::default(),
            events: broadcast::Sender::new(EVENTS_MAX),
            restarts: broadcast::Sender::new(1),
        });
        let of_connections = shared.clone();
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // One that fails is a client that went away.
                tokio::spawn(serve(tcp, tls.clone(), of_connections.clone()));
            }
        });
        Self {
            address,
            folder: folder.to_owned(),
            shared,
            _runtime: runtime,
        }
    }

    /// Its table of the server's file.
    pub(crate) fn table(&self) -> String {
        format!(
            r#"
[recorders.external.pbx]
asterisk = "tls://{address}"
username = "tonewall"
secret_file = {secret_file:?}
ca_file = {ca_file:?}
leg = "consumer"
"#,
            address = self.address,
            secret_file = self.folder.join("pbx.word"),
            ca_file = self.folder.join("pbx.pem"),
        )
    }

    /// Its call is that of the server with this data folder.
    pub(crate) fn carries_calls_of(&self, data: PathBuf) {
        self.shared.book().data = data;
    }

    /// From now on this is wrong with it.
    pub(crate) fn set(&self, fault: PbxFault) {
        self.shared.book().fault = fault;
    }

    /// Another recording of the channel begins.
    pub(crate) fn begins_another(&self) {
        self.shared.book().muted = false;
        self.shared.tell("MixMonitorStart", "");
    }

    /// Every connection ends; what it does on the call stays.
    pub(crate) fn ends_connections(&self) {
        let _nobody = self.shared.restarts.send(());
    }

    pub(crate) fn is_muted(&self) -> bool {
        self.shared.book().muted
    }

    /// Whether it has told since then that it is muted.
    pub(crate) fn said_muted(&self, since: Instant) -> bool {
        self.shared.book().said_muted.is_some_and(|at| at >= since)
    }
}

async fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, shared: Arc<Shared>) -> std::io::Result<()> {
    let fault = shared.book().fault;
    if fault == PbxFault::Unreachable {
        return Ok(());
    }
    let mut restarts = shared.restarts.subscribe();
    let stream = TlsAcceptor::from(tls).accept(tcp).await?;
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    if fault != PbxFault::Silent {
        writer.write_all(b"Asterisk Call Manager/9.0.0\r\n").await?;
    }
    let mut events = shared.events.subscribe();
    let mut is_in = false;
    let mut action = HashMap::new();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                None => return Ok(()),
                Some(line) if line.is_empty() => {
                    let action = std::mem::take(&mut action);
                    is_in = is_in || action["Action"] == "Login";
                    assert!(is_in, "the login comes first");
                    let Some(answer) = answer(&shared, &action) else {
                        return Ok(());
                    };
                    writer.write_all(answer.as_bytes()).await?;
                }
                Some(line) => {
                    let (name, value) = line.split_once(": ").unwrap();
                    action.insert(name.to_owned(), value.to_owned());
                }
            },
            event = events.recv() => {
                if let (true, Ok(event)) = (is_in, event) {
                    writer.write_all(event.as_bytes()).await?;
                }
            }
            _ = restarts.recv() => return Ok(()),
        }
    }
}

/// What it answers; none: it ends the connection.
fn answer(shared: &Shared, action: &HashMap<String, String>) -> Option<String> {
    let id = &action["ActionID"];
    let said = |response: &str, message: &str| {
        Some(format!(
            "Response: {response}\r\nActionID: {id}\r\nMessage: {message}\r\n\r\n"
        ))
    };
    match action["Action"].as_str() {
        "Login" => {
            let is_known = action["Username"] == "tonewall" && action["Secret"] == SECRET;
            match is_known && shared.book().fault != PbxFault::NoLogin {
                true => said("Success", "Authentication accepted"),
                false => said("Error", "Authentication failed"),
            }
        }
        "Status" => Some(channels(&shared.book(), action)),
        "MixMonitorMute" => mute(shared, action, said),
        _ => said("Error", "Invalid/unknown command"),
    }
}

/// Its list of channels: one of its own that is none of PJSIP, and that of the call.
fn channels(book: &Book, action: &HashMap<String, String>) -> String {
    let id = &action["ActionID"];
    assert_eq!(action["Variables"], "CHANNEL(pjsip,call-id)");
    let noted = std::fs::read(book.data.join("paused-recorders.json")).unwrap_or_default();
    let noted: Value = serde_json::from_slice(&noted).unwrap_or_default();
    let call_id = noted[0]["facts"]["consumer_call_id"].as_str();
    let mut all = vec![("Local/queue@x-1;2", "17.0", "")];
    all.extend(
        call_id
            .filter(|_| book.fault != PbxFault::NoChannel)
            .map(|call_id| ("PJSIP/trunk-00000001", "17.1", call_id)),
    );
    let wanted = action.get("Channel");
    all.retain(|(name, ..)| wanted.is_none_or(|wanted| wanted == name));
    if all.is_empty() {
        return format!("Response: Error\r\nActionID: {id}\r\nMessage: No such channel\r\n\r\n");
    }
    let mut text = format!(
        "Response: Success\r\nActionID: {id}\r\nEventList: start\r\nMessage: Channel status will follow\r\n\r\n"
    );
    for (name, unique, call_id) in &all {
        text.push_str(&format!(
            "Event: Status\r\nPrivilege: Call\r\nChannel: {name}\r\nUniqueid: {unique}\r\nVariable: CHANNEL(pjsip,call-id)={call_id}\r\nActionID: {id}\r\n\r\n"
        ));
    }
    let count = all.len();
    text.push_str(&format!(
        "Event: StatusComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: {count}\r\n\r\n"
    ));
    text
}

fn mute(
    shared: &Shared,
    action: &HashMap<String, String>,
    said: impl Fn(&str, &str) -> Option<String>,
) -> Option<String> {
    let channel = (action["Channel"].as_str(), action["Direction"].as_str());
    assert_eq!(channel, ("PJSIP/trunk-00000001", "both"));
    let state = action["State"].as_str();
    let fault = shared.book().fault;
    match fault {
        PbxFault::SaysNo => return said("Error", "Cannot set mute flag"),
        PbxFault::NoEvent => return said("Success", ""),
        PbxFault::NoAnswer => return Some(String::new()),
        PbxFault::Garbage => return Some("x".repeat(20_000)),
        PbxFault::Disconnects => return None,
        PbxFault::OneDirection => {
            shared.tell("MixMonitorMute", "Direction: read\r\nState: 1\r\n");
            return said("Success", "");
        }
        PbxFault::None
        | PbxFault::NoChannel
        | PbxFault::NoLogin
        | PbxFault::Silent
        | PbxFault::Unreachable => {}
    }
    {
        let mut book = shared.book();
        book.muted = state == "1";
        if book.muted {
            book.said_muted = Some(Instant::now());
        }
    }
    let more = format!("Direction: both\r\nState: {state}\r\n");
    shared.tell("MixMonitorMute", &more);
    said("Success", "")
}
