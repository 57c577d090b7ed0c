//! The text of a session description (RFC 8866).

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use compact_str::{CompactString, format_compact};
use secret::SecretText;
use thiserror::Error;
use zeroize::Zeroizing;

use super::crypto::Crypto;
use crate::message::{Body, Host};

/// Bytes of one description. Real ones are under 4 kB, those of browsers under 10. Longer: refused.
pub const SDP_BYTES_MAX: usize = 16_384;

/// Media lines of one description. A video phone has 4. More: refused.
pub const MEDIA_MAX: usize = 32;

/// Attributes of one description, all media together. Browsers send about 200. More: refused.
pub const ATTRIBUTES_MAX: usize = 512;

/// Formats of one media line: there are 128 payload types. More: refused.
pub const FORMATS_MAX: usize = 128;

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `o=`: who made it, and which version of it this is.
    pub origin: Origin,
    /// `s=`.
    pub name: CompactString,
    /// `c=` of the whole session.
    pub connection: Option<Connection>,
    /// `t=`, as it was written.
    pub timing: CompactString,
    /// `a=` before the first media line.
    pub attributes: Vec<Attribute>,
    /// `m=` and what belongs to each.
    pub media: Vec<Media>,
}

/// `o=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// User name, `-` if none.
    pub username: CompactString,
    /// Session id; a decimal number that may be longer than any integer.
    pub session_id: CompactString,
    /// Version: a change of it with the same id is a change of the session.
    pub version: CompactString,
    /// Address the description was made at.
    pub address: Connection,
}

/// `c=`, or the address of `o=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The address, or a name that nobody resolves.
    pub host: Host,
    /// Whether `IP6` was written.
    pub is_ip6: bool,
}

/// `a=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Name.
    pub name: CompactString,
    /// Text after the colon, if there is one.
    pub value: Option<CompactString>,
}

/// `m=` and the lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, `text` and so on.
    pub kind: CompactString,
    /// Port; zero: not wanted.
    pub port: u16,
    /// Profile, such as `RTP/AVP`.
    pub protocol: CompactString,
    /// Payload types or other formats, in the order of preference.
    pub formats: Vec<CompactString>,
    /// `c=` of this media.
    pub connection: Option<Connection>,
    /// Its attributes but `crypto`.
    pub attributes: Vec<Attribute>,
    /// What its `a=crypto` lines say, keys and all. They stand behind the attributes when it is written.
    pub crypto: Vec<Arc<SecretText>>,
}

/// Why a description was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SdpError {
    /// Longer than a limit, or more lines of a kind than a limit.
    #[error("peer sent a session description over a limit")]
    PeerTooLarge,
    /// It does not begin with `v=0`, or lacks `o=`.
    #[error("peer sent a body that is no session description")]
    PeerNotSdp,
    /// A line cannot be read.
    #[error("peer sent a malformed {0}= line in a session description")]
    PeerMalformed(char),
}

impl Session {
    /// The description as a message's body. Nothing of it is left elsewhere.
    #[must_use]
    pub fn to_body(&self) -> Body {
        // Room for all of it, so that it does not move while it is written.
        let mut length = Length(0);
        let _never = write!(length, "{self}");
        let mut text = Zeroizing::new(String::with_capacity(length.0));
        // A string takes all that is written.
        let _never = write!(text, "{self}");
        Body::from(text.as_str())
    }

    /// Reads a description. Lines may end in LF; unknown line types and bytes that are no UTF-8 are passed over.
    ///
    /// # Errors
    /// See [`SdpError`].
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        if body.len() > SDP_BYTES_MAX {
            return Err(SdpError::PeerTooLarge);
        }
        let text = match String::from_utf8_lossy(body) {
            Cow::Borrowed(text) => Readable::Lent(text),
            Cow::Owned(text) => Readable::Mended(Zeroizing::new(text)),
        };
        let mut lines = text
            .as_str()
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        if lines.next() != Some("v=0") {
            return Err(SdpError::PeerNotSdp);
        }
        let mut draft = Draft::default();
        for line in lines {
            let (kind, value) = line.split_once('=').ok_or(SdpError::PeerNotSdp)?;
            draft.line(kind, value)?;
        }
        draft.finish()
    }

    /// The value of an attribute of a media, or of the whole session if the media has none. An attribute without value is an empty text.
    #[must_use]
    pub fn attribute<'a>(&'a self, media: &'a Media, name: &str) -> Option<&'a str> {
        let all = media.attributes.iter().chain(&self.attributes);
        let hit = all.into_iter().find(|attribute| attribute.name == name)?;
        Some(hit.value.as_deref().unwrap_or_default())
    }

    /// The connection that holds for a media.
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }
}

/// Counts the bytes that are written.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl Media {
    /// Values of every attribute of this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(move |a| a.name == name)
            .filter_map(|a| a.value.as_deref())
    }

    /// The crypto lines that can be read, in their order.
    pub fn cryptos(&self) -> impl Iterator<Item = Crypto> {
        let lines = self.crypto.iter();
        lines.filter_map(|line| Crypto::parse(line.expose()).ok())
    }

    /// Appends a crypto line.
    pub(super) fn push_crypto(&mut self, crypto: &Crypto) {
        self.crypto.push(Arc::new(crypto.to_text()));
    }

    /// Appends an attribute with a value.
    pub fn push(&mut self, name: &str, value: impl fmt::Display) {
        self.attributes.push(Attribute {
            name: name.into(),
            value: Some(format_compact!("{value}")),
        });
    }

    /// Appends an attribute without value.
    pub fn push_flag(&mut self, name: &str) {
        self.attributes.push(Attribute {
            name: name.into(),
            value: None,
        });
    }
}

impl Connection {
    /// An address.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self {
            host: Host::Ip(address),
            is_ip6: address.is_ipv6(),
        }
    }

    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split_ascii_whitespace();
        if parts.next()? != "IN" {
            return None;
        }
        let is_ip6 = match parts.next()? {
            "IP4" => false,
            "IP6" => true,
            _ => return None,
        };
        let text = parts.next()?;
        let address = text.split_once('/').map_or(text, |(address, _)| address);
        let host = match address.parse::<IpAddr>() {
            Ok(ip) => Host::Ip(ip),
            Err(_) => Host::parse(address.as_bytes())?,
        };
        Some(Self { host, is_ip6 })
    }
}

impl Origin {
    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(4, ' ');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (username, session_id, version) = (next()?, next()?, next()?);
        let address = Connection::parse(next()?)?;
        Some(Self {
            username: username.into(),
            session_id: session_id.into(),
            version: version.into(),
            address,
        })
    }
}

impl Media {
    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split_ascii_whitespace();
        let kind = parts.next()?.into();
        let port = parts.next()?;
        let port = port
            .split_once('/')
            .map_or(port, |(port, _)| port)
            .parse()
            .ok()?;
        let protocol = parts.next()?.into();
        let formats: Vec<CompactString> = parts
            .take(FORMATS_MAX + 1)
            .map(CompactString::from)
            .collect();
        let fits = !formats.is_empty() && formats.len() <= FORMATS_MAX;
        fits.then(|| Self {
            kind,
            port,
            protocol,
            formats,
            connection: None,
            attributes: Vec::new(),
            crypto: Vec::new(),
        })
    }
}

/// A body as text. One that had to be mended is a copy with all its keys, and is wiped.
enum Readable<'body> {
    Lent(&'body str),
    Mended(Zeroizing<String>),
}

impl Readable<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Mended(text) => text,
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Draft {
    origin: Option<Origin>,
    name: Option<CompactString>,
    connection: Option<Connection>,
    timing: Option<CompactString>,
    attributes: Vec<Attribute>,
    media: Vec<Media>,
    attribute_count: usize,
}

impl Draft {
    fn line(&mut self, kind: &str, value: &str) -> Result<(), SdpError> {
        match kind {
            "o" => self.origin = Some(Origin::parse(value).ok_or(SdpError::PeerMalformed('o'))?),
            "s" => self.name = Some(value.into()),
            "t" if self.timing.is_none() => self.timing = Some(value.into()),
            "c" => self.connection(Connection::parse(value).ok_or(SdpError::PeerMalformed('c'))?),
            "a" => self.attribute(value)?,
            "m" => self.media(Media::parse(value).ok_or(SdpError::PeerMalformed('m'))?)?,
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, connection: Connection) {
        match self.media.last_mut() {
            Some(media) => media.connection = Some(connection),
            None => self.connection = Some(connection),
        }
    }

    fn attribute(&mut self, value: &str) -> Result<(), SdpError> {
        self.attribute_count += 1;
        if self.attribute_count > ATTRIBUTES_MAX {
            return Err(SdpError::PeerTooLarge);
        }
        let (name, value) = match value.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (value.trim(), None),
        };
        if name == "crypto" {
            self.crypto(SecretText::new(value.unwrap_or_default().to_owned()));
            return Ok(());
        }
        let (name, value) = (name.into(), value.map(CompactString::from));
        let attribute = Attribute { name, value };
        self.media
            .last_mut()
            .map_or(&mut self.attributes, |media| &mut media.attributes)
            .push(attribute);
        Ok(())
    }

    /// Keys belong to a media; before the first they belong to nothing.
    fn crypto(&mut self, line: SecretText) {
        if let Some(media) = self.media.last_mut() {
            media.crypto.push(Arc::new(line));
        }
    }

    fn media(&mut self, media: Media) -> Result<(), SdpError> {
        if self.media.len() == MEDIA_MAX {
            return Err(SdpError::PeerTooLarge);
        }
        self.media.push(media);
        Ok(())
    }

    fn finish(self) -> Result<Session, SdpError> {
        Ok(Session {
            origin: self.origin.ok_or(SdpError::PeerNotSdp)?,
            name: self.name.unwrap_or(CompactString::const_new("-")),
            connection: self.connection,
            timing: self.timing.unwrap_or(CompactString::const_new("0 0")),
            attributes: self.attributes,
            media: self.media,
        })
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_ip6 { "IN IP6 " } else { "IN IP4 " })?;
        match &self.host {
            Host::Ip(ip) => write!(f, "{ip}"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "a={}:{value}\r\n", self.name),
            None => write!(f, "a={}\r\n", self.name),
        }
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        self.attributes
            .iter()
            .try_for_each(|attribute| attribute.fmt(f))?;
        self.crypto
            .iter()
            .try_for_each(|line| write!(f, "a=crypto:{}\r\n", line.expose()))
    }
}

/// The text on the wire, with its keys: for a message's body and nothing else.
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin {
            username,
            session_id,
            version,
            address,
        } = &self.origin;
        write!(
            f,
            "v=0\r\no={username} {session_id} {version} {address}\r\ns={}\r\n",
            self.name
        )?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        write!(f, "t={}\r\n", self.timing)?;
        self.attributes
            .iter()
            .try_for_each(|attribute| attribute.fmt(f))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl FromStr for Session {
    type Err = SdpError;

    fn from_str(text: &str) -> Result<Self, SdpError> {
        Self::parse(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "v=0\r\no=alice 2890844526 2890844527 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
        a=tool:x\r\nm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\nm=video 0 RTP/AVP 31\r\n\
        c=IN IP6 2001:db8::1\r\n";

    #[test]
    fn descriptions_come_back_as_they_were() {
        assert_eq!(
            Session::parse(PLAIN.as_bytes())
                .map(|session| session.to_string())
                .as_deref(),
            Ok(PLAIN)
        );
    }

    #[test]
    fn bare_line_feeds_and_unknown_lines_are_read() {
        let text = PLAIN
            .replace("\r\n", "\n")
            .replace("t=0 0", "b=AS:64\nt=0 0\nk=prompt\nz=0 0");
        assert_eq!(
            Session::parse(text.as_bytes())
                .map(|session| session.to_string())
                .as_deref(),
            Ok(PLAIN)
        );
    }

    #[test]
    fn floods_and_broken_lines_are_refused() {
        let many_media = format!("{PLAIN}{}", "m=audio 1 RTP/AVP 0\r\n".repeat(1_000));
        assert_eq!(
            Session::parse(many_media.as_bytes()),
            Err(SdpError::PeerTooLarge)
        );
        let many_attributes = format!("{PLAIN}{}", "a=x\r\n".repeat(600));
        assert_eq!(
            Session::parse(many_attributes.as_bytes()),
            Err(SdpError::PeerTooLarge)
        );
        assert_eq!(Session::parse(b"hello"), Err(SdpError::PeerNotSdp));
        for (line, kind) in [
            ("m=audio 70000 RTP/AVP 0", 'm'),
            ("m=audio 1 RTP/AVP", 'm'),
            ("c=IN IP5 1", 'c'),
            ("o=a b", 'o'),
        ] {
            let text = format!("{PLAIN}{line}\r\n");
            assert_eq!(
                Session::parse(text.as_bytes()),
                Err(SdpError::PeerMalformed(kind)),
                "{line}"
            );
        }
    }
}
