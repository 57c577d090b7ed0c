//! A recorder beside the server: three requests over TLS, a tape for each call, and the faults that real ones have.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What every request has to show.
const WORD: &str = "Bearer recorder-word-1";
/// A request that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that is not answered is closed after this: longer than anybody waits.
const SILENT: Duration = Duration::from_secs(4);

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// A pause is neither carried out nor answered.
    NoAnswer,
    /// A pause is refused.
    SaysNo,
    /// A pause is carried out and answered so much later.
    Late(Duration),
    /// A pause is confirmed and not carried out; its state says so.
    ConfirmsOnly,
    /// A pause is not carried out; answer and state say that it was.
    Lies,
    /// Connections are closed at once.
    Unreachable,
    /// So many resumes are refused.
    ResumeFails(u32),
}

/// What it does on one call.
struct Tape {
    paused: bool,
    /// From when on it recorded, or did not, the oldest first.
    timeline: Vec<(Instant, bool)>,
    /// When it last said that it was paused.
    said_paused: Option<Instant>,
}

impl Tape {
    fn set_recording(&mut self, records: bool) {
        self.timeline.push((Instant::now(), records));
    }
}

#[derive(Default)]
struct Book {
    fault: Fault,
    tapes: HashMap<String, Tape>,
    /// Pauses that will be carried out later.
    late: usize,
}

/// A running recorder.
pub(crate) struct Recorder {
    address: SocketAddr,
    folder: PathBuf,
    name: &'static str,
    book: Arc<Mutex<Book>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts one whose files are put into a folder.
    pub(crate) fn start(name: &'static str, folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tls, authority) = certified();
        std::fs::write(folder.join(format!("{name}.pem")), authority).unwrap();
        write_secret(&folder.join(format!("{name}.word")), WORD);
        let (book, ends) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicBool>::default());
        let (at, until) = (book.clone(), ends.clone());
        let thread = std::thread::spawn(move || {
            for tcp in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let (tls, book) = (tls.clone(), at.clone());
                // One that fails is a client that went away.
                std::thread::spawn(move || tcp.ok().and_then(|tcp| serve(tcp, tls, &book)));
            }
        });
        Self {
            address,
            folder: folder.to_owned(),
            name,
            book,
            ends,
            thread: Some(thread),
        }
    }

    /// Its table of the server's file. It knows calls by the consumer's leg.
    pub(crate) fn table(&self) -> String {
        self.table_by("call.consumer_call_id")
    }

    /// Its table, if it knows calls by this token.
    pub(crate) fn table_by(&self, token: &str) -> String {
        let file = |end: &str| self.folder.join(format!("{}.{end}", self.name));
        let calls = format!("https://{}/calls/{{{token}}}", self.address);
        format!(
            r#"
[recorders.external.{name}]
pause = {{ method = "POST", url = "{calls}/pause", body = '{{"reason": "payment on {{call.id}}"}}' }}
resume = {{ method = "POST", url = "{calls}/resume" }}
state = {{ method = "GET", url = "{calls}" }}
paused = "state = paused"
recording = "state = recording"
ca_file = {ca_file:?}
secret_file = {secret_file:?}
timeout = "2s"
"#,
            name = self.name,
            ca_file = file("pem"),
            secret_file = file("word"),
        )
    }

    /// From now on this is wrong with it.
    pub(crate) fn set(&self, fault: Fault) {
        self.book().fault = fault;
    }

    /// It forgets every pause, as one that was started anew.
    pub(crate) fn restart(&self) {
        for tape in self.book().tapes.values_mut() {
            tape.paused = false;
            tape.set_recording(true);
        }
    }

    /// Whether it is paused on any call.
    pub(crate) fn is_paused(&self) -> bool {
        self.book().tapes.values().any(|tape| tape.paused)
    }

    /// Whether it has said since then that it is paused.
    pub(crate) fn said_paused(&self, since: Instant) -> bool {
        let said = |tape: &Tape| tape.said_paused.is_some_and(|at| at >= since);
        self.book().tapes.values().any(said)
    }

    /// How long it recorded on any call between two moments.
    pub(crate) fn recorded(&self, from: Instant, until: Instant) -> Duration {
        let book = self.book();
        let of = |tape: &Tape| {
            let ends = tape.timeline.iter().skip(1).map(|(at, _)| *at);
            let ends = ends.chain([until]);
            let spans = tape.timeline.iter().zip(ends);
            let spans = spans.filter(|((_, records), _)| *records);
            spans
                .map(|((begin, _), end)| {
                    end.min(until).saturating_duration_since((*begin).max(from))
                })
                .sum::<Duration>()
        };
        book.tapes.values().map(of).sum()
    }

    /// Whether it will carry out a pause that was asked for a while ago.
    pub(crate) fn has_late_pauses(&self) -> bool {
        self.book().late > 0
    }

    /// The calls that it is paused on, by the names that it has for them.
    pub(crate) fn paused_on(&self) -> Vec<String> {
        let book = self.book();
        let paused = book.tapes.iter().filter(|(_, tape)| tape.paused);
        paused.map(|(call, _)| call.clone()).collect()
    }

    /// How many calls it was asked about.
    pub(crate) fn calls(&self) -> usize {
        self.book().tapes.len()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Answers one request.
fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, book: &Mutex<Book>) -> Option<()> {
    if book.lock().unwrap().fault == Fault::Unreachable {
        return None;
    }
    tcp.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut stream = StreamOwned::new(ServerConnection::new(tls).ok()?, tcp);
    let (method, path) = read_request(&mut stream)?;
    let mut levels = path.trim_start_matches('/').split('/').skip(1);
    let call = levels.next()?.to_owned();
    let (status, state) = match (method.as_str(), levels.next()) {
        ("POST", Some("pause")) => pause(book, &call)?,
        ("POST", Some("resume")) => resume(book, &call),
        ("GET", None) => state(book, &call),
        _ => (405, "unknown"),
    };
    let body = format!("{{\"call\": {{\"state\": \"{state}\"}}}}");
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// Method and path of a request that shows the word.
fn read_request(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut some = [0; 4_096];
        let count = stream.read(&mut some).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                if !body.is_empty() {
                    let read: serde_json::Value = serde_json::from_str(body).unwrap();
                    assert!(read["reason"].as_str().unwrap().starts_with("payment on "));
                }
                break head.to_owned();
            }
        }
    };
    let shown = head.lines().any(|line| {
        line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("authorization") && value == WORD
        })
    });
    assert!(shown, "the request shows the recorder's word: {head}");
    let mut words = head.split(' ');
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

fn tape<'a>(book: &'a mut Book, call: &str) -> &'a mut Tape {
    book.tapes.entry(call.to_owned()).or_insert_with(|| Tape {
        paused: false,
        timeline: vec![(Instant::now(), true)],
        said_paused: None,
    })
}

/// None: it says nothing.
fn pause(book: &Mutex<Book>, call: &str) -> Option<(u16, &'static str)> {
    let fault = book.lock().unwrap().fault;
    match fault {
        Fault::NoAnswer => {
            std::thread::sleep(SILENT);
            return None;
        }
        Fault::SaysNo => return Some((409, "recording")),
        Fault::Late(after) => {
            book.lock().unwrap().late += 1;
            std::thread::sleep(after);
        }
        Fault::ConfirmsOnly | Fault::None | Fault::Lies | Fault::ResumeFails(_) => {}
        Fault::Unreachable => return None,
    }
    let mut book = book.lock().unwrap();
    if matches!(fault, Fault::Late(_)) {
        book.late -= 1;
    }
    let tape = tape(&mut book, call);
    match fault {
        Fault::ConfirmsOnly => {}
        Fault::Lies => tape.paused = true,
        _ => {
            tape.paused = true;
            tape.set_recording(false);
        }
    }
    Some((200, "paused"))
}

fn resume(book: &Mutex<Book>, call: &str) -> (u16, &'static str) {
    let mut book = book.lock().unwrap();
    if let Fault::ResumeFails(left) = book.fault
        && left > 0
    {
        book.fault = Fault::ResumeFails(left - 1);
        return (503, "paused");
    }
    let tape = tape(&mut book, call);
    if std::mem::take(&mut tape.paused) {
        tape.set_recording(true);
    }
    (200, "recording")
}

fn state(book: &Mutex<Book>, call: &str) -> (u16, &'static str) {
    let mut book = book.lock().unwrap();
    let tape = tape(&mut book, call);
    if tape.paused {
        tape.said_paused = Some(Instant::now());
        (200, "paused")
    } else {
        (200, "recording")
    }
}

/// A file that only its owner may read.
pub(super) fn write_secret(path: &Path, secret: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new();
    let mut file = file
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    writeln!(file, "{secret}").unwrap();
}

/// A certificate for this machine, and the authority that signed it.
pub(super) fn certified() -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(leaf.der().to_vec())], key)
        .unwrap();
    (Arc::new(tls), authority.pem())
}
