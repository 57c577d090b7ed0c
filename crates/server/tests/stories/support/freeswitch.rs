//! A FreeSWITCH as its sources have its event socket: a password, commands that are answered in their order, recordings of channels with a flag that cannot be asked for, events, and faults.
//! It knows its one call by where the server notes what it is about to ask, before it asks: a real one by SIP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use super::recorder::{certified, write_secret};

/// What has to be shown to it.
const PASSWORD: &str = "ClueCon: 1";

/// Its recordings from the start: one with what XML would escape in its path.
const RECORDINGS: [&str; 2] = ["/recordings/Jane & Roe 1.wav", "/recordings/queue.wav"];

/// The call's channel, where it is not named after its Call-ID.
const CHANNEL: &str = "5f1d7a3e-0001";

/// Other channels of it.
const OTHERS: usize = 40;

/// What a recording holds back: 25 packets of 20 ms.
const HELD_BACK: Duration = Duration::from_millis(500);

/// Events that may wait for a connection.
const EVENTS_MAX: usize = 256;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SwitchFault {
    /// Nothing.
    #[default]
    None,
    /// Masking the second recording fails.
    SaysNo,
    /// The channel is not recorded.
    NoRecording,
    /// No channel has the call's Call-ID.
    NoChannel,
    /// It has more channels than are asked.
    ManyChannels,
    /// Masking is not answered.
    NoAnswer,
    /// Masking is carried out and answered so much later.
    Late(Duration),
    /// Masking is answered with a head that does not end.
    Garbage,
    /// Masking ends the connection.
    Disconnects,
    /// It says that it is done, and records.
    Lies,
    /// It has another password.
    OtherPassword,
    /// It takes no connection from here.
    NoAccess,
    /// It says nothing from the first byte on.
    Silent,
    /// Connections are closed at once.
    Unreachable,
}

/// A recording of the call's channel.
#[derive(Debug)]
struct Taken {
    is_masked: bool,
    /// From when on it takes what is heard, or does not, the oldest first.
    timeline: Vec<(Instant, bool)>,
}

impl Taken {
    fn begun() -> Self {
        Self {
            is_masked: false,
            timeline: vec![(Instant::now(), true)],
        }
    }

    /// What it held back it treats as what comes.
    fn set_masked(&mut self, is_masked: bool) {
        let at = Instant::now().checked_sub(HELD_BACK).unwrap();
        self.is_masked = is_masked;
        self.timeline.push((at, !is_masked));
    }

    fn took(&self, from: Instant, until: Instant) -> Duration {
        let ends = self.timeline.iter().skip(1).map(|(at, _)| *at);
        let spans = self.timeline.iter().zip(ends.chain([until]));
        let clear = spans.filter(|((_, is_clear), _)| *is_clear);
        clear
            .map(|((begin, _), end)| end.min(until).saturating_duration_since((*begin).max(from)))
            .sum()
    }
}

#[derive(Default)]
struct Book {
    fault: SwitchFault,
    data: PathBuf,
    is_named_by_call_id: bool,
    recordings: BTreeMap<String, Taken>,
    said_masked: Vec<Instant>,
    /// Requests to mask that will be carried out.
    late: usize,
    /// How often all channels were asked for.
    listed: usize,
}

impl Book {
    /// The call's Call-ID, as the server noted it.
    fn call_id(&self) -> Option<String> {
        let noted = std::fs::read(self.data.join("paused-recorders.json")).unwrap_or_default();
        let noted: Value = serde_json::from_slice(&noted).unwrap_or_default();
        let call_id = noted[0]["facts"]["consumer_call_id"].as_str()?;
        (self.fault != SwitchFault::NoChannel).then(|| call_id.to_owned())
    }

    /// The name of the call's channel.
    fn channel(&self) -> Option<String> {
        let call_id = self.call_id()?;
        let is_named = self.is_named_by_call_id;
        Some(if is_named {
            call_id
        } else {
            CHANNEL.to_owned()
        })
    }
}

/// A running one.
pub(crate) struct Switch {
    address: SocketAddr,
    folder: PathBuf,
    is_tls: bool,
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

    fn tell(&self, event: &str, path: &str) {
        let channel = self.book().channel().unwrap();
        let encoded = |text: &str| {
            text.replace('%', "%25")
                .replace('@', "%40")
                .replace(' ', "%20")
        };
        let body = format!(
            "Event-Name: {event}\nUnique-ID: {}\nRecord-File-Path: {}\n\n",
            encoded(&channel),
            encoded(path)
        );
        // Nobody listens: then nobody hears it.
        let _heard = self.events.send(body);
    }
}

impl Switch {
    /// Starts one whose files are put into a folder: behind a proxy for TLS, or on this machine without.
    pub(crate) fn start(folder: &Path, is_tls: bool) -> Self {
        let (tls, authority) = certified();
        std::fs::write(folder.join("switch.pem"), authority).unwrap();
        write_secret(&folder.join("switch.word"), PASSWORD);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let recordings = RECORDINGS.map(|path| (path.to_owned(), Taken::begun()));
        let shared = Arc::new(Shared {
            book: Mutex::new(Book {
                recordings: BTreeMap::from(recordings),
                ..Book::default()
            }),
            events: broadcast::Sender::new(EVENTS_MAX),
            restarts: broadcast::Sender::new(1),
        });
        let of_connections = shared.clone();
        let acceptor = is_tls.then(|| TlsAcceptor::from(tls));
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // One that fails is a client that went away.
                tokio::spawn(accept(tcp, acceptor.clone(), of_connections.clone()));
            }
        });
        Self {
            address,
            folder: folder.to_owned(),
            is_tls,
            shared,
            _runtime: runtime,
        }
    }

    /// Its table of the server's file.
    pub(crate) fn table(&self) -> String {
        let file = |name: &str| self.folder.join(name);
        let (scheme, authority) = match self.is_tls {
            true => ("tls", format!("ca_file = {:?}", file("switch.pem"))),
            false => ("tcp", String::new()),
        };
        format!(
            r#"
[recorders.external.switch]
freeswitch = "{scheme}://{address}"
password_file = {password_file:?}
leg = "consumer"
{authority}
"#,
            address = self.address,
            password_file = file("switch.word"),
        )
    }

    /// Its call is that of the server with this data folder.
    pub(crate) fn carries_calls_of(&self, data: PathBuf) {
        self.shared.book().data = data;
    }

    /// Channels are named after their Call-IDs (`inbound-use-callid-as-uuid`).
    pub(crate) fn names_channels_by_call_id(&self) {
        self.shared.book().is_named_by_call_id = true;
    }

    /// From now on this is wrong with it.
    pub(crate) fn set(&self, fault: SwitchFault) {
        self.shared.book().fault = fault;
    }

    /// Another recording of the call's channel begins.
    pub(crate) fn begins(&self, path: &str) {
        let mut book = self.shared.book();
        book.recordings.insert(path.to_owned(), Taken::begun());
        drop(book);
        self.shared.tell("RECORD_START", path);
    }

    /// A recording of the call's channel ends.
    pub(crate) fn ends(&self, path: &str) {
        self.shared.book().recordings.remove(path).unwrap();
        self.shared.tell("RECORD_STOP", path);
    }

    /// Every connection ends; what it does on the call stays.
    pub(crate) fn ends_connections(&self) {
        let _nobody = self.shared.restarts.send(());
    }

    /// Whether all of its recordings are masked, or none: any other state is waited for in vain.
    pub(crate) fn is_masked(&self) -> Option<bool> {
        let book = self.shared.book();
        let mut flags = book.recordings.values().map(|taken| taken.is_masked);
        let first = flags.next()?;
        flags.all(|flag| flag == first).then_some(first)
    }

    /// How many recordings said since then that they are masked.
    pub(crate) fn said_masked(&self, since: Instant) -> usize {
        let book = self.shared.book();
        book.said_masked.iter().filter(|at| **at >= since).count()
    }

    /// How long any of its recordings took what was heard between two moments.
    pub(crate) fn took(&self, from: Instant, until: Instant) -> Duration {
        let book = self.shared.book();
        book.recordings
            .values()
            .map(|taken| taken.took(from, until))
            .sum()
    }

    /// Whether it will mask what it was asked to mask a while ago.
    pub(crate) fn is_late(&self) -> bool {
        self.shared.book().late > 0
    }

    /// How often it was asked for all of its channels.
    pub(crate) fn listed(&self) -> usize {
        self.shared.book().listed
    }
}

async fn accept(
    tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) -> std::io::Result<()> {
    if shared.book().fault == SwitchFault::Unreachable {
        return Ok(());
    }
    match acceptor {
        Some(acceptor) => serve(acceptor.accept(tcp).await?, shared).await,
        None => serve(tcp, shared).await,
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite, shared: Arc<Shared>) -> std::io::Result<()> {
    let mut restarts = shared.restarts.subscribe();
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    let fault = shared.book().fault;
    if fault == SwitchFault::NoAccess {
        return writer.write_all(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n").await;
    }
    if fault != SwitchFault::Silent {
        writer.write_all(b"Content-Type: auth/request\n\n").await?;
    }
    let mut events = shared.events.subscribe();
    let (mut is_in, mut hears, mut command) = (false, false, String::new());
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                None => return Ok(()),
                Some(line) if !line.is_empty() => command = line,
                Some(_) => {
                    let command = std::mem::take(&mut command);
                    assert_ne!(command, "", "one blank line ends a command");
                    assert!(is_in || command.starts_with("auth "), "the password comes first");
                    hears |= command == "event plain RECORD_START";
                    let Some(answer) = answer(&shared, &command).await else {
                        return Ok(());
                    };
                    is_in |= answer.contains("+OK accepted");
                    writer.write_all(answer.as_bytes()).await?;
                }
            },
            event = events.recv(), if hears => {
                let body = event.unwrap();
                if body.starts_with("Event-Name: RECORD_START\n") {
                    let length = body.len();
                    let event = format!("Content-Length: {length}\nContent-Type: text/event-plain\n\n{body}");
                    writer.write_all(event.as_bytes()).await?;
                }
            }
            _ = restarts.recv() => {
                let notice = b"Content-Type: text/disconnect-notice\nContent-Length: 8\n\nGoodbye.";
                return writer.write_all(notice).await;
            }
        }
    }
}

/// What it answers; none: it ends the connection.
async fn answer(shared: &Shared, command: &str) -> Option<String> {
    let reply = |text: &str| {
        Some(format!(
            "Content-Type: command/reply\nReply-Text: {text}\n\n"
        ))
    };
    if let Some(password) = command.strip_prefix("auth ") {
        let is_it = password == PASSWORD && shared.book().fault != SwitchFault::OtherPassword;
        return reply(if is_it {
            "+OK accepted"
        } else {
            "-ERR invalid"
        });
    }
    if command.starts_with("event ") {
        return reply("+OK event listener enabled plain");
    }
    let words: Vec<_> = command.split(' ').collect();
    let body = match words[..] {
        ["api", "uuid_getvar", channel, "sip_call_id"] => variable(&shared.book(), channel),
        ["api", "show", "channels", "count", "as", "json"] => {
            let is_full = shared.book().fault == SwitchFault::ManyChannels;
            json!({ "row_count": if is_full { 501 } else { OTHERS + 1 }, "rows": [] }).to_string()
        }
        ["api", "show", "channels", "as", "json"] => channels(&mut shared.book()),
        ["api", "uuid_buglist", channel] => listeners(&shared.book(), channel),
        ["api", "uuid_record", channel, "mask", ..] => mask(shared, channel, path(command)).await?,
        ["api", "uuid_record", channel, "unmask", ..] => {
            let mut book = shared.book();
            assert_eq!(book.channel().unwrap(), channel);
            match book.recordings.get_mut(path(command)) {
                Some(taken) => {
                    taken.set_masked(false);
                    "+OK Success\n".to_owned()
                }
                None => "-ERR Cannot unmask recording session!\n".to_owned(),
            }
        }
        _ => panic!("{command}"),
    };
    if body == ENDLESS {
        return Some("X: y\n".repeat(4_000));
    }
    let body = if body.is_empty() {
        "-ERR no reply\n"
    } else {
        &body
    };
    let length = body.len();
    Some(format!(
        "Content-Type: api/response\nContent-Length: {length}\n\n{body}"
    ))
}

/// In place of a body: a head that does not end.
const ENDLESS: &str = "endless";

/// The argument between quotes.
fn path(command: &str) -> &str {
    let (_, quoted) = command.split_once('\'').unwrap();
    quoted.strip_suffix('\'').unwrap()
}

fn variable(book: &Book, channel: &str) -> String {
    match (book.channel(), book.call_id()) {
        (Some(known), Some(call_id)) if known == channel => call_id,
        _ if channel.starts_with("other-") => "_undef_".to_owned(),
        _ => "-ERR No such channel!\n".to_owned(),
    }
}

/// All of them; that of the call is the last.
fn channels(book: &mut Book) -> String {
    book.listed += 1;
    let others = (0..OTHERS).map(|number| format!("other-{number}"));
    let all = others.chain(book.channel());
    let rows: Vec<_> = all
        .map(|uuid| json!({ "uuid": uuid, "state": "CS_EXECUTE" }))
        .collect();
    json!({ "row_count": rows.len(), "rows": rows }).to_string()
}

fn listeners(book: &Book, channel: &str) -> String {
    if book.channel().as_deref() != Some(channel) {
        return String::new();
    }
    let recordings = book
        .recordings
        .keys()
        .map(|path| ("session_record", path.as_str()));
    let recordings = recordings.filter(|_| book.fault != SwitchFault::NoRecording);
    let all = recordings.chain([("eavesdrop", "5f1d7a3e-0009")]);
    let bugs = all.map(|(function, target)| {
        format!(
            " <media-bug>\n  <function>{function}</function>\n  <target>{target}</target>\n  <thread-locked>0</thread-locked>\n </media-bug>\n"
        )
    });
    format!("<media-bugs>\n{}</media-bugs>\n", bugs.collect::<String>())
}

/// None: it ends the connection.
async fn mask(shared: &Shared, channel: &str, path: &str) -> Option<String> {
    let fault = {
        let book = shared.book();
        assert_eq!(book.channel().unwrap(), channel);
        book.fault
    };
    match fault {
        SwitchFault::SaysNo if path == RECORDINGS[1] => {
            return Some("-ERR Cannot mask recording session!\n".to_owned());
        }
        SwitchFault::NoAnswer => std::future::pending().await,
        SwitchFault::Garbage => return Some(ENDLESS.to_owned()),
        SwitchFault::Disconnects => return None,
        SwitchFault::Late(after) => {
            shared.book().late += 1;
            tokio::time::sleep(after).await;
            shared.book().late -= 1;
        }
        _ => {}
    }
    let mut book = shared.book();
    let taken = book.recordings.get_mut(path).unwrap();
    match fault {
        SwitchFault::Lies => taken.is_masked = true,
        _ => taken.set_masked(true),
    }
    book.said_masked.push(Instant::now());
    Some("+OK Success\n".to_owned())
}
