//! An agent's page for the tests: a full ICE agent with DTLS and SRTP over a socket of its own, which hums.

use std::f32::consts::TAU;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use media::g711::Law;
use media::rtp::RtpHeader;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::Mid;
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::scene::eventually;
use crate::talker::{Heard, keys_in, share_in, sound_of};

const PACKET: Duration = Duration::from_millis(20);

enum Do {
    /// Goes on at another port; the offer for that is sent here.
    Move(SyncSender<String>),
    Moved(String),
    /// Sends all its sealed audio again, from where it came.
    Replay,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    /// Datagrams that left, sealed.
    sent: Mutex<Vec<Vec<u8>>>,
    is_connected: AtomicBool,
    stop: AtomicBool,
}

pub(crate) struct Page {
    shared: Arc<Shared>,
    commands: SyncSender<Do>,
    join: Option<JoinHandle<()>>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.join.take().unwrap().join().unwrap();
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn candidate(socket: &UdpSocket) -> Candidate {
    Candidate::host(socket.local_addr().unwrap(), "udp").unwrap()
}

impl Page {
    /// Answers an offer, and hums at this pitch once it is connected.
    pub(crate) fn answer(offer: &str, hum_hz: f32) -> (Self, String) {
        let socket = socket();
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_pcmu(true, false)
            .enable_pcma(true, false)
            .build(Instant::now());
        rtc.add_local_candidate(candidate(&socket));
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        let answer = rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string();
        let shared = Arc::new(Shared::default());
        let (commands, orders) = sync_channel(1);
        let browser = Browser {
            rtc,
            socket,
            mid: None,
            pending: None,
            said: 0,
            hum_hz,
            shared: Arc::clone(&shared),
            to: None,
        };
        let join = std::thread::spawn(move || browser.run(&orders));
        let page = Self {
            shared,
            commands,
            join: Some(join),
        };
        (page, answer)
    }

    pub(crate) async fn connected(&self) {
        let shared = &self.shared;
        eventually("a connection of the page", || {
            shared.is_connected.load(Ordering::SeqCst)
        })
        .await;
    }

    /// Its offer for going on at another port.
    pub(crate) fn moves(&self) -> String {
        let (to, offer) = sync_channel(1);
        self.commands.send(Do::Move(to)).unwrap();
        offer.recv().unwrap()
    }

    pub(crate) fn moved(&self, answer: String) {
        self.commands.send(Do::Moved(answer)).unwrap();
    }

    pub(crate) fn replay(&self) {
        self.commands.send(Do::Replay).unwrap();
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.heard.lock().unwrap().clear();
    }

    pub(crate) fn sound(&self) -> Vec<i16> {
        sound_of(&self.heard())
    }

    pub(crate) fn share_of(&self, pitch_hz: f32) -> f32 {
        share_in(&self.sound(), pitch_hz)
    }

    pub(crate) fn keys_heard(&self) -> usize {
        keys_in(&self.sound())
    }

    /// What has left it, as on the wire.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        self.shared.sent.lock().unwrap().clone()
    }
}

struct Browser {
    rtc: Rtc,
    socket: UdpSocket,
    mid: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    said: u64,
    hum_hz: f32,
    shared: Arc<Shared>,
    to: Option<SocketAddr>,
}

impl Browser {
    fn replay(&mut self) {
        let sent = self.shared.sent.lock().unwrap().clone();
        let is_audio = |bytes: &&Vec<u8>| bytes[0] >> 6 == 2 && bytes[1] & 0x7F == 0;
        let audio: Vec<&Vec<u8>> = sent.iter().filter(is_audio).collect();
        assert!(audio.len() > 20, "{} packets to send again", audio.len());
        for bytes in audio {
            self.socket.send_to(bytes, self.to.unwrap()).unwrap();
        }
    }

    fn run(mut self, orders: &Receiver<Do>) {
        let mut due = Instant::now();
        while !self.shared.stop.load(Ordering::SeqCst) {
            match orders.try_recv() {
                Ok(Do::Move(to)) => to.send(self.move_away()).unwrap(),
                Ok(Do::Moved(answer)) => self.take_answer(&answer),
                Ok(Do::Replay) => self.replay(),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
            self.listen();
            let now = Instant::now();
            if now >= due {
                due += PACKET;
                self.speak(now);
            }
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
            self.put_out();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn move_away(&mut self) -> String {
        self.socket = socket();
        self.rtc.add_local_candidate(candidate(&self.socket));
        let mut change = self.rtc.sdp_api();
        change.ice_restart(true);
        let (offer, pending) = change.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    fn take_answer(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    fn listen(&mut self) {
        let mut bytes = [0; 2_048];
        let local = self.socket.local_addr().unwrap();
        loop {
            let (length, source) = match self.socket.recv_from(&mut bytes) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => continue,
            };
            let receive = Receive::new(Protocol::Udp, source, local, &bytes[..length]).unwrap();
            let input = Input::Receive(Instant::now(), receive);
            self.rtc.handle_input(input).unwrap();
            self.put_out();
        }
    }

    fn speak(&mut self, now: Instant) {
        if !self.shared.is_connected.load(Ordering::SeqCst) {
            return;
        }
        let mut samples = [0; 160];
        for (sample, at) in samples.iter_mut().zip(self.said * 160..) {
            let at = f32::from(u16::try_from(at % 8_000).unwrap());
            *sample = media::sample::from_f32(3_000.0 * (TAU * self.hum_hz * at / 8_000.0).sin());
        }
        let mut payload = [0; 160];
        Law::Mu.encode(&samples, &mut payload);
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid.unwrap(), None).unwrap();
        let time = u32::try_from(self.said * 160).unwrap();
        let payload: Arc<[u8]> = payload.as_slice().into();
        stream.write_rtp(RtpWrite::new(
            0.into(),
            self.said.into(),
            time,
            now,
            payload,
        ));
        self.said += 1;
    }

    fn put_out(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(transmit) => {
                    let to = transmit.destination;
                    self.to = Some(to);
                    let _may_be_gone = self.socket.send_to(&transmit.contents, to);
                    let mut sent = self.shared.sent.lock().unwrap();
                    sent.push(transmit.contents.to_vec());
                }
                Output::Event(Event::Connected) => {
                    self.shared.is_connected.store(true, Ordering::SeqCst);
                }
                Output::Event(Event::MediaAdded(media)) => self.mid = Some(media.mid),
                Output::Event(Event::RtpPacket(packet)) => {
                    let header = RtpHeader {
                        marker: packet.header.marker,
                        payload_type: *packet.header.payload_type,
                        sequence: packet.header.sequence_number,
                        timestamp: packet.header.timestamp,
                        ssrc: *packet.header.ssrc,
                    };
                    let payload = packet.payload.to_vec();
                    let mut heard = self.shared.heard.lock().unwrap();
                    heard.push(Heard { header, payload });
                }
                Output::Event(_) => {}
            }
        }
    }
}
