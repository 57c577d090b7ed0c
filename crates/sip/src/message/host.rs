//! Hosts and ports in URIs and `Via`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lex;

/// A host as it was written. Names are never resolved here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address; IPv6 stands in brackets on the wire.
    Ip(IpAddr),
    /// A name in lower case.
    Name(Box<str>),
}

/// Longest host name: the limit of the DNS. Longer: malformed.
const NAME_BYTES_MAX: usize = 255;

impl Host {
    /// Reads a host; `None` if it is no address and no host name.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(inner) = text
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"))
        {
            return str::from_utf8(inner)
                .ok()?
                .parse::<Ipv6Addr>()
                .ok()
                .map(|ip| Self::Ip(ip.into()));
        }
        let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.iter().all(is_name_byte);
        let name = str::from_utf8(text).ok().filter(|_| fits)?;
        Some(name.parse::<Ipv4Addr>().map_or_else(
            |_| Self::Name(name.to_ascii_lowercase().into()),
            |ip| Self::Ip(ip.into()),
        ))
    }

    /// Reads `host[:port]` with optional white space around the colon.
    pub(crate) fn parse_with_port(text: &[u8]) -> Option<(Self, Option<u16>)> {
        let host_end = match text.first()? {
            b'[' => text.iter().position(|&b| b == b']')? + 1,
            _ => text.iter().position(|&b| b == b':').unwrap_or(text.len()),
        };
        let host = Self::parse(lex::trim(&text[..host_end]))?;
        let rest = lex::trim(&text[host_end..]);
        if rest.is_empty() {
            return Some((host, None));
        }
        let port = lex::decimal(lex::trim(rest.strip_prefix(b":")?))?;
        Some((host, Some(port)))
    }

    /// The address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}
