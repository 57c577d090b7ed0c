//! A recorder that takes recording sessions (SIPREC): it answers as RFC 7866 says, keeps what it hears in memory, and has the faults that real ones have.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use media::g711::Law;
use media::rtp::RtpPacket;
use sip::message::{Framing, HeaderName, Parsed, Request, parse};
use sip::{Body, Method};

/// A look whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SrsFault {
    /// Nothing.
    #[default]
    None,
    /// It says nothing at all.
    Silent,
    /// It refuses each invitation.
    Refuses(u16),
    /// It takes one stream of the two.
    OneStream,
    /// It refuses a pause.
    RefusesPause(u16),
    /// It says nothing to a pause.
    SilentToPause,
    /// It answers a pause as if it had not heard of it.
    IgnoresPause,
    /// Its first answer to a pause is that a change of its own is on the way.
    Met,
}

/// A packet that it heard.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) at: Instant,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) samples: Vec<i16>,
}

/// One recording session.
#[derive(Debug, Default)]
struct Session {
    /// Headers of its first INVITE, to write requests of its own with.
    from: String,
    to: String,
    contact: String,
    flow: Option<SocketAddr>,
    /// What was offered last, and when it was agreed to.
    is_paused: bool,
    changes: Vec<(Instant, bool)>,
    documents: Vec<String>,
    ports: [u16; 2],
    packets: [Vec<Packet>; 2],
    reports: usize,
    is_ended: bool,
    /// Requests of its own so far.
    own: u32,
}

#[derive(Default)]
struct Book {
    fault: SrsFault,
    sessions: BTreeMap<String, Session>,
    invitations: usize,
    /// The order in which sessions began.
    order: Vec<String>,
}

/// A running recorder.
pub(crate) struct Srs {
    name: &'static str,
    address: SocketAddr,
    socket: UdpSocket,
    book: Arc<Mutex<Book>>,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Srs {
    pub(crate) fn start(name: &'static str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let listener = TcpListener::bind(address).unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let (book, ends) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicBool>::default());
        let (mine, at, until) = (socket.try_clone().unwrap(), book.clone(), ends.clone());
        let datagrams = std::thread::spawn(move || {
            let mut bytes = vec![0; 65_535];
            while !until.load(Ordering::SeqCst) {
                let Ok((len, from)) = mine.recv_from(&mut bytes) else {
                    continue;
                };
                if let Some(reply) = answer(&at, address, &bytes[..len], &until) {
                    mine.send_to(reply.as_bytes(), from).unwrap();
                }
            }
        });
        let (at, until) = (book.clone(), ends.clone());
        let streams = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let (at, until) = (at.clone(), until.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &at, address, &until));
            }
        });
        Self {
            name,
            address,
            socket,
            book,
            ends,
            threads: vec![datagrams, streams],
        }
    }

    pub(crate) fn uri(&self, transport: &str) -> String {
        format!("sip:rec@{};transport={transport}", self.address)
    }

    /// The table of the server's file of these, under the name of the first.
    pub(crate) fn table(all: &[&Self], transport: &str) -> String {
        let uris: Vec<String> = all.iter().map(|one| one.uri(transport)).collect();
        format!("[recorders.external.{}]\nsiprec = {uris:?}\n", all[0].name)
    }

    pub(crate) fn set(&self, fault: SrsFault) {
        self.book().fault = fault;
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn last<T>(&self, read: impl FnOnce(&Session) -> T) -> Option<T> {
        let book = self.book();
        Some(read(book.sessions.get(book.order.last()?)?))
    }

    /// Sessions that were accepted so far.
    pub(crate) fn sessions(&self) -> usize {
        self.book().order.len()
    }

    pub(crate) fn invitations(&self) -> usize {
        self.book().invitations
    }

    /// Whether its newest session runs, and is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.last(|session| session.is_paused && !session.is_ended) == Some(true)
    }

    /// Whether its newest session runs, and is not paused.
    pub(crate) fn records(&self) -> bool {
        self.last(|session| !session.is_paused && !session.is_ended) == Some(true)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.last(|session| session.is_ended) == Some(true)
    }

    /// Changes that it agreed to in its newest session: when, and whether that was a pause.
    pub(crate) fn changes(&self) -> Vec<(Instant, bool)> {
        self.last(|session| session.changes.clone())
            .unwrap_or_default()
    }

    /// Metadata of its newest session, the oldest first.
    pub(crate) fn documents(&self) -> Vec<String> {
        self.last(|session| session.documents.clone())
            .unwrap_or_default()
    }

    /// What it heard of the consumer and of the agent in its newest session.
    pub(crate) fn heard(&self) -> [Vec<Packet>; 2] {
        self.last(|session| session.packets.clone())
            .unwrap_or_default()
    }

    /// Reports that came with that.
    pub(crate) fn reports(&self) -> usize {
        self.last(|session| session.reports).unwrap_or_default()
    }

    /// It ends its newest session, as one that is shut down.
    pub(crate) fn leaves(&self) {
        let mut book = self.book();
        let id = book.order.last().unwrap().clone();
        let session = book.sessions.get_mut(&id).unwrap();
        session.own += 1;
        let bye = format!(
            "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKsrs{}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\n\
             Call-ID: {id}\r\nCSeq: {} BYE\r\nContent-Length: 0\r\n\r\n",
            session.contact, self.address, session.own, session.to, session.from, session.own
        );
        session.is_ended = true;
        let to = session.flow.unwrap();
        self.socket.send_to(bye.as_bytes(), to).unwrap();
    }
}

impl Drop for Srs {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            let _ended = thread.join();
        }
    }
}

/// Answers what comes over one connection.
fn serve(mut stream: TcpStream, book: &Arc<Mutex<Book>>, own: SocketAddr, ends: &Arc<AtomicBool>) {
    stream.set_read_timeout(Some(LOOK)).unwrap();
    let (mut framing, mut some) = (Framing::default(), [0; 4_096]);
    while !ends.load(Ordering::SeqCst) {
        match stream.read(&mut some) {
            Ok(0) => return,
            Ok(count) => framing.push(&some[..count]),
            Err(_) => continue,
        }
        while let Some(message) = framing.message().unwrap() {
            if let Some(reply) = answer(book, own, message.as_bytes(), ends) {
                stream.write_all(reply.as_bytes()).unwrap();
            }
        }
    }
}

/// What it says to a message; none: nothing.
fn answer(
    book: &Arc<Mutex<Book>>,
    own: SocketAddr,
    bytes: &[u8],
    ends: &Arc<AtomicBool>,
) -> Option<String> {
    let Parsed::Request(request) = parse(bytes) else {
        return None;
    };
    let id = request.headers.call_id().unwrap().to_owned();
    let fault = book.lock().unwrap().fault;
    if fault == SrsFault::Silent {
        return None;
    }
    match request.method {
        Method::Invite => {}
        Method::Bye => {
            if let Some(session) = book.lock().unwrap().sessions.get_mut(&id) {
                session.is_ended = true;
            }
            return Some(reply(&request, 200, ""));
        }
        Method::Ack => return None,
        _ => return Some(reply(&request, 200, "")),
    }
    let (is_pause, document) = offered(&request);
    let is_first = request.headers.to().unwrap().tag().is_none();
    match fault {
        SrsFault::Refuses(code) if is_first => {
            book.lock().unwrap().invitations += 1;
            return Some(reply(&request, code, ""));
        }
        SrsFault::SilentToPause if is_pause => return None,
        SrsFault::RefusesPause(code) if is_pause => return Some(reply(&request, code, "")),
        SrsFault::Met if is_pause => {
            book.lock().unwrap().fault = SrsFault::None;
            return Some(reply(&request, 491, ""));
        }
        _ => {}
    }
    let mut book_now = book.lock().unwrap();
    if is_first && !book_now.sessions.contains_key(&id) {
        let ports = [0, 1].map(|side| listen(book, &id, side, ends));
        book_now.invitations += 1;
        book_now.order.push(id.clone());
        book_now.sessions.insert(id.clone(), begun(&request, ports));
    }
    let session = book_now.sessions.get_mut(&id).unwrap();
    session.documents.push(document);
    let hears = fault == SrsFault::IgnoresPause || !is_pause;
    if !(hears && is_pause) {
        session.is_paused = is_pause;
        session.changes.push((Instant::now(), is_pause));
    }
    let lines = format!(
        "Contact: <sip:rec@{own}>;+sip.srs\r\nContent-Type: application/sdp\r\n\r\n{}",
        description(session, fault, hears)
    );
    Some(reply(&request, 200, &lines))
}

/// Whether an INVITE offers a pause, and its metadata.
fn offered(request: &Request) -> (bool, String) {
    assert!(request.headers.has_token(&HeaderName::REQUIRE, "siprec"));
    let contact = request.headers.text(&HeaderName::CONTACT).unwrap();
    assert!(contact.ends_with(";+sip.src"), "{contact}");
    let (sdp, document) = parts(request);
    assert!(
        sdp.contains("a=label:1\r\n") && sdp.contains("a=label:2\r\n"),
        "{sdp}"
    );
    let is_pause = sdp.matches("a=inactive\r\n").count() == 2;
    assert!(
        is_pause || sdp.matches("a=sendonly\r\n").count() == 2,
        "{sdp}"
    );
    (is_pause, document)
}

fn begun(request: &Request, ports: [u16; 2]) -> Session {
    let contact = request.headers.text(&HeaderName::CONTACT).unwrap();
    Session {
        from: request.headers.text(&HeaderName::FROM).unwrap().to_owned(),
        to: to_of(request),
        contact: contact.split(['<', '>']).nth(1).unwrap().to_owned(),
        flow: Some(sip_address(contact)),
        ports,
        ..Session::default()
    }
}

fn description(session: &Session, fault: SrsFault, hears: bool) -> String {
    let mut text = format!(
        "v=0\r\no=srs 1 {} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
        session.documents.len()
    );
    let direction = if hears { "recvonly" } else { "inactive" };
    for (port, label) in session.ports.iter().zip(["1", "2"]) {
        let port = match (fault, label) {
            (SrsFault::OneStream, "2") => 0,
            _ => *port,
        };
        text.push_str(&format!(
            "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=label:{label}\r\na={direction}\r\n"
        ));
    }
    text
}

/// Where a contact is.
fn sip_address(contact: &str) -> SocketAddr {
    let host = contact.split(['@', ';', '>']).nth(1).unwrap();
    host.parse().unwrap()
}

/// Listens to one stream until the recorder ends.
fn listen(book: &Arc<Mutex<Book>>, id: &str, side: usize, ends: &Arc<AtomicBool>) -> u16 {
    let (rtp, rtcp) = loop {
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let next = rtp.local_addr().unwrap().port().wrapping_add(1);
        if let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", next)) {
            break (rtp, rtcp);
        }
    };
    let port = rtp.local_addr().unwrap().port();
    rtp.set_read_timeout(Some(LOOK)).unwrap();
    rtcp.set_nonblocking(true).unwrap();
    let (book, id, ends) = (book.clone(), id.to_owned(), ends.clone());
    std::thread::spawn(move || {
        let mut bytes = [0; 2_048];
        while !ends.load(Ordering::SeqCst) {
            if let Ok(len) = rtcp.recv(&mut bytes) {
                media::rtcp::parse(&bytes[..len]).unwrap();
                book.lock().unwrap().sessions.get_mut(&id).unwrap().reports += 1;
            }
            let Ok(len) = rtp.recv(&mut bytes) else {
                continue;
            };
            let at = Instant::now();
            let packet = RtpPacket::parse(&bytes[..len]).unwrap();
            assert_eq!(packet.header.payload_type, 8);
            let samples = packet.payload.iter().map(|code| Law::A.decode_byte(*code));
            let packet = Packet {
                at,
                sequence: packet.header.sequence,
                timestamp: packet.header.timestamp,
                ssrc: packet.header.ssrc,
                samples: samples.collect(),
            };
            let mut book = book.lock().unwrap();
            book.sessions.get_mut(&id).unwrap().packets[side].push(packet);
        }
    });
    port
}

/// Both parts of its body.
fn parts(request: &Request) -> (String, String) {
    let content_type = request.headers.text(&HeaderName::CONTENT_TYPE).unwrap();
    let boundary = content_type
        .strip_prefix("multipart/mixed;boundary=")
        .unwrap();
    let text = text(&request.body);
    let mark = format!("--{boundary}");
    let all: Vec<&str> = text.split(&mark).collect();
    assert_eq!((all.len(), all[3]), (4, "--\r\n"), "{text}");
    let part = |at: usize, kind: &str, disposition: &str| {
        let (head, content) = all[at].split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Type: {kind}")), "{head}");
        assert!(
            head.contains(&format!("Content-Disposition: {disposition}")),
            "{head}"
        );
        content.to_owned()
    };
    (
        part(1, "application/sdp", "session"),
        part(2, "application/rs-metadata+xml", "recording-session"),
    )
}

fn text(body: &Body) -> String {
    String::from_utf8(body.as_bytes().to_vec()).unwrap()
}

/// `To` with the tag of this recorder.
fn to_of(request: &Request) -> String {
    let to = request.headers.to().unwrap();
    match to.tag() {
        Some(_) => to.to_string(),
        None => to.with_tag("srs").to_string(),
    }
}

fn reply(request: &Request, code: u16, lines: &str) -> String {
    let field = |name: HeaderName| {
        let value = request.headers.text(&name).unwrap();
        format!("{name}: {value}\r\n")
    };
    let (lines, body) = lines.split_once("\r\n\r\n").unwrap_or((lines, ""));
    let lines = match lines {
        "" => String::new(),
        lines => format!("{lines}\r\n"),
    };
    format!(
        "SIP/2.0 {code} X\r\n{}{}{}{}To: {}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        field(HeaderName::VIA),
        field(HeaderName::FROM),
        field(HeaderName::CALL_ID),
        field(HeaderName::CSEQ),
        to_of(request),
        body.len()
    )
}
