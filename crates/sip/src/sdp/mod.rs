//! Session descriptions: reading, writing, and the pure part of offer/answer.
//! Owns: RFC 8866 text, the first audio stream, what both sides agreed on, keys of secured media as RFC 4568 writes them.
//! Never: chooses an address or a port; opens a stream; makes or prints a key.
//! Start reading at: `audio`.
//!
//! ```
//! use sip::sdp::{Answerer, LocalAudio, Negotiated, RemoteAudio, Session};
//!
//! let offer = Session::parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n\
//!     a=rtpmap:101 telephone-event/8000\r\n")?;
//! let theirs = RemoteAudio::read(&offer, "192.0.2.9".parse().unwrap())?;
//! let ours = LocalAudio::new("192.0.2.1:10000".parse().unwrap(), 1);
//! let answer = ours.answer(&offer)?; // travels in Command::Answer
//! let agreed = Negotiated::new(&answer, &theirs, Answerer::Us)?; // becomes a media::LegPlan
//! assert_eq!((agreed.payload_type_out, agreed.telephone_event_out), (8, Some(101)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audio;
mod base64;
mod crypto;
mod format;
mod remote;
mod session;

pub use audio::{Answerer, AudioError, LocalAudio, Negotiated};
pub use crypto::{Crypto, CryptoError, LocalSrtp, Mki, SrtpKeys, Suite};
pub use format::{Codec, Direction, EventClock};
pub use remote::RemoteAudio;
pub use session::{
    ATTRIBUTES_MAX, Attribute, Connection, FORMATS_MAX, MEDIA_MAX, Media, Origin, SDP_BYTES_MAX,
    SdpError, Session,
};
