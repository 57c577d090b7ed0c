//! `Via`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use compact_str::CompactString;

use super::host::Host;
use super::lex;
use super::limits::ID_BYTES_MAX;
use super::params::Params;

/// Start of every branch that is unique by itself ([RFC 3261 §8.1.1.7](https://www.rfc-editor.org/rfc/rfc3261#section-8.1.1.7)).
pub const BRANCH_COOKIE: &str = "z9hG4bK";

/// One hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// Transport in upper case, such as `UDP`.
    pub transport: CompactString,
    /// Host the answer is said to go to; never resolved.
    pub host: Host,
    /// Port, if one was given.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params,
}

impl Via {
    /// A hop of our own over `transport`, with `rport` ([RFC 3581](https://www.rfc-editor.org/rfc/rfc3581)).
    #[must_use]
    pub fn new(transport: &str, sent_by: SocketAddr, branch: &str) -> Self {
        let mut params = Params::new();
        params.set("rport", None);
        params.set("branch", Some(branch));
        Self {
            transport: transport.into(),
            host: sent_by.ip().into(),
            port: Some(sent_by.port()),
            params,
        }
    }

    /// Reads one value; `None` if it breaks the grammar or is not SIP/2.0.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (name, rest) = lex::split_once(value, b'/')?;
        let (version, rest) = lex::split_once(rest, b'/')?;
        if !lex::trim(name).eq_ignore_ascii_case(b"SIP") || lex::trim(version) != b"2.0" {
            return None;
        }
        let (transport, rest) = lex::split_space(lex::trim(rest))?;
        let transport = str::from_utf8(transport)
            .ok()
            .filter(|text| lex::is_token(text.as_bytes()))?;
        let (sent_by, params) = match lex::split_once(rest, b';') {
            Some((sent_by, params)) => (sent_by, Params::parse(params)?),
            None => (rest, Params::new()),
        };
        let mut transport = CompactString::from(transport);
        transport.make_ascii_uppercase();
        let (host, port) = Host::parse_with_port(lex::trim(sent_by))?;
        let via = Self {
            transport,
            host,
            port,
            params,
        };
        via.branch()
            .is_none_or(|branch| branch.len() <= ID_BYTES_MAX)
            .then_some(via)
    }

    /// The `branch` parameter as it stands.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// The branch if it identifies a transaction by itself: it starts with the cookie and goes on after it.
    #[must_use]
    pub fn unique_branch(&self) -> Option<&str> {
        self.branch().filter(|branch| {
            let (head, tail) = branch
                .as_bytes()
                .split_at(branch.len().min(BRANCH_COOKIE.len()));
            head.eq_ignore_ascii_case(BRANCH_COOKIE.as_bytes()) && !tail.is_empty()
        })
    }

    /// Host and port the sender names itself by, port 5060 if none was given: part of the transaction's key.
    #[must_use]
    pub fn sent_by(&self) -> (&Host, u16) {
        (&self.host, self.port.unwrap_or(5060))
    }

    /// Writes down where the message came from, as [RFC 3261 §18.2.1](https://www.rfc-editor.org/rfc/rfc3261#section-18.2.1) and
    /// [RFC 3581 §4](https://www.rfc-editor.org/rfc/rfc3581#section-4) ask; what the sender claimed itself is overwritten.
    pub fn stamp(&mut self, source: SocketAddr) {
        let ip = source.ip();
        let asked = self.params.contains("rport");
        self.params.remove("received");
        if asked {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        if asked || self.host.ip() != Some(ip) {
            self.params.set("received", Some(&address_text(ip)));
        }
    }
}

/// `received` carries IPv6 without brackets.
fn address_text(ip: IpAddr) -> String {
    ip.to_string()
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_separators_do_not_matter() {
        let via = Via::parse(
            b"SIP  / 2.0  / TCP     spindle.example.com : 5070  ;  branch  =   z9hG4bK9ikj8  ",
        )
        .expect("valid");
        assert_eq!(
            via.to_string(),
            "SIP/2.0/TCP spindle.example.com:5070;branch=z9hG4bK9ikj8"
        );
    }

    #[test]
    fn source_is_stamped_over_what_the_sender_claims() {
        let mut via = Via::parse(b"SIP/2.0/UDP 10.0.0.1;rport;received=1.1.1.1;branch=z9hG4bKa")
            .expect("valid");
        via.stamp("192.0.2.7:7000".parse().expect("address"));
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP 10.0.0.1;rport=7000;branch=z9hG4bKa;received=192.0.2.7"
        );
    }

    #[test]
    fn a_cookie_alone_is_no_unique_branch() {
        let branch = |text: &str| {
            let value = format!("SIP/2.0/UDP h;branch={text}");
            Via::parse(value.as_bytes())
                .expect("valid")
                .unique_branch()
                .map(str::to_owned)
        };
        assert_eq!(branch("z9hG4bK"), None);
        assert_eq!(branch("390skdjuw"), None);
        assert_eq!(branch("Z9HG4BKab").as_deref(), Some("Z9HG4BKab"));
    }

    #[test]
    fn broken_hops_are_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/3.0/UDP h",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/UDP h:x",
            "HTTP/2.0/UDP h",
        ] {
            assert_eq!(Via::parse(text.as_bytes()), None, "{text}");
        }
    }
}
