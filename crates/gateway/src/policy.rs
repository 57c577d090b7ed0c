//! Where charges may go.
//! Owns: the approved hosts (SETTLED S4) and the addresses that they may have.
//! Never: resolves or connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::gateway::UrlTemplate;
use domain::gateway::address::HTTPS_PORT;
use rustls_pki_types::CertificateDer;
use url::{Host, Url};

use crate::named::Connections;

/// First port that is not a system port, which belong to well-known services
/// ([RFC 6335 §6](https://www.rfc-editor.org/rfc/rfc6335#section-6)). Of those, a gateway that somebody approves has [`HTTPS_PORT`] only: what is sent to a
/// mail server or a shell is no charge.
const USER_PORT_MIN: u16 = 1_024;

/// Where a cloud's virtual machines reach their host: a public address by its number, and inside all the same.
const CLOUD_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Last labels of names that are never public: those of RFC 6761, 6762 (with its appendix G), 8375 and 9476, and `internal`, which ICANN has set aside.
const INSIDE: [&str; 12] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localhost",
    "private",
    "test",
];

/// What the server's file and the approvers allow.
#[derive(Debug, Clone, Default)]
pub struct GatewayPolicy {
    /// `gateway.allowed_hosts` of the server's file: "host" (port 443) or "host:port". These hosts
    /// may have private and loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// Certificate authorities to trust besides those of the operating system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// What configurations may name for their connections.
    pub connections: Connections,
}

impl GatewayPolicy {
    /// How far an origin is trusted; none: not approved. `approved` are the hosts that a second person approved, written alike.
    pub(crate) fn trust(&self, origin: &Origin, approved: &[String]) -> Option<Trust> {
        let listed = |hosts: &[String]| hosts.iter().any(|entry| origin.is(entry));
        if listed(&self.allowed_hosts) {
            Some(Trust::Listed)
        } else if listed(approved) {
            Some(Trust::Approved)
        } else {
            None
        }
    }
}

/// How far a host is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// In the server's file.
    Listed,
    /// By a second person.
    Approved,
}

impl Trust {
    /// Whether a host so trusted may have this address.
    pub(crate) fn accepts(self, address: IpAddr) -> bool {
        match self {
            Self::Listed => {
                !address.is_multicast() && !address.is_unspecified() && !is_broadcast(address)
            }
            Self::Approved => is_public(address),
        }
    }

    /// Whether a host so trusted may be asked a proxy for, which finds the address by itself.
    pub(crate) fn accepts_unseen(self, host: &Host<String>) -> bool {
        match (self, host) {
            (_, Host::Ipv4(address)) => self.accepts((*address).into()),
            (_, Host::Ipv6(address)) => self.accepts((*address).into()),
            (Self::Listed, Host::Domain(_)) => true,
            (Self::Approved, Host::Domain(name)) => !is_inside(name),
        }
    }

    /// Whether a host so trusted may be reached at this port.
    pub(crate) fn accepts_port(self, port: u16) -> bool {
        match self {
            Self::Listed => true,
            Self::Approved => port == HTTPS_PORT || port >= USER_PORT_MIN,
        }
    }
}

/// Who a request goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Name or address.
    pub(crate) host: Host<String>,
    /// Port.
    pub(crate) port: u16,
}

impl Origin {
    /// That of a URL of a configuration.
    pub(crate) fn of(url: &UrlTemplate) -> Self {
        Self {
            host: url.host().clone(),
            port: url.port(),
        }
    }

    /// Value of the Host header.
    pub(crate) fn authority(&self) -> String {
        if self.port == HTTPS_PORT {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Name for the certificate, without the brackets of an IPv6 address.
    pub(crate) fn server_name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.trim_end_matches('.').to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    /// Whether an entry of a host list names it. An entry is read as a URL is, so that "EXAMPLE.com"
    /// and "example.com" are one host.
    fn is(&self, entry: &str) -> bool {
        Url::parse(&format!("https://{}", entry.trim())).is_ok_and(|url| {
            let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
            bare && url.host().map(|host| host.to_owned()).as_ref() == Some(&self.host)
                && url.port().unwrap_or(HTTPS_PORT) == self.port
        })
    }
}

/// Whether a name belongs to this machine or this network by its form: one label, or one of [`INSIDE`]. That of a cloud's metadata service is one.
fn is_inside(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    match name.rsplit_once('.') {
        None => true,
        Some((_, last)) => INSIDE.contains(&last),
    }
}

fn is_broadcast(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let protocol = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    !(a == 0
        || a >= 224
        || shared
        || benchmark
        || protocol
        || address == CLOUD_HOST
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast only; an embedded IPv4 address must be public itself.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    // ISATAP, RFC 5214: the way to an IPv4 address in any network.
    if e & 0xfdff == 0 && f == 0x5efe && !embedded(g, h) {
        return false;
    }
    match (a, b) {
        (0, 0) if [c, d, e, f] == [0, 0, 0, 0xffff] => embedded(g, h),
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => embedded(g, h),
        (0x2002, _) => embedded(b, c),
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        (0x3fff, 0..=0xfff) => false,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&UrlTemplate::parse(url).unwrap())
    }

    #[test]
    fn only_listed_hosts_with_their_port_are_approved() {
        let policy = GatewayPolicy {
            allowed_hosts: vec![
                "Pay.Example".into(),
                "localhost:9443".into(),
                "[::1]:8443".into(),
            ],
            ..GatewayPolicy::default()
        };
        let approved = ["two.example:443".to_owned()];
        let trust = |url: &str| policy.trust(&origin(url), &approved);
        assert_eq!(trust("https://pay.example/x"), Some(Trust::Listed));
        assert_eq!(trust("https://localhost:9443/"), Some(Trust::Listed));
        assert_eq!(trust("https://[::1]:8443/"), Some(Trust::Listed));
        assert_eq!(trust("https://two.example/"), Some(Trust::Approved));
        for url in [
            "https://pay.example:444/",
            "https://pay.example.evil.example/",
            "https://evilpay.example/",
            "https://localhost/",
            "https://127.0.0.1:9443/",
        ] {
            assert_eq!(trust(url), None, "{url}");
        }
    }

    #[test]
    fn numeric_hosts_are_compared_as_addresses() {
        let policy = GatewayPolicy {
            allowed_hosts: vec!["127.0.0.1:443".into()],
            ..GatewayPolicy::default()
        };
        for url in [
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
        ] {
            assert_eq!(origin(url).host, origin("https://127.0.0.1/").host, "{url}");
            assert!(policy.trust(&origin(url), &[]).is_some());
        }
    }

    #[test]
    fn an_approved_host_may_have_public_addresses_only() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "168.63.129.16",
            "2606:4700::200:5efe:a00:1",
        ] {
            assert!(!Trust::Approved.accepts(text.parse().unwrap()), "{text}");
        }
        for text in [
            "8.8.8.8",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700::200:5efe:808:808",
        ] {
            assert!(Trust::Approved.accepts(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_host_that_is_not_in_the_file_has_no_port_of_another_service() {
        for port in [443, 1_024, 8_443, 65_535] {
            assert!(Trust::Approved.accepts_port(port), "{port}");
        }
        for port in [0, 22, 25, 80, 1_023] {
            assert!(!Trust::Approved.accepts_port(port), "{port}");
            assert!(Trust::Listed.accepts_port(port), "{port}");
        }
    }

    #[test]
    fn what_a_proxy_is_asked_for_is_no_inside_by_its_form() {
        for url in [
            "https://localhost/",
            "https://intranet/",
            "https://a.localhost./",
            "https://metadata.google.internal/",
            "https://PRINTER.local/",
            "https://nas.home.arpa/",
            "https://169.254.169.254/",
            "https://2130706433/",
            "https://[::ffff:10.0.0.1]/",
        ] {
            let host = origin(url).host;
            assert!(!Trust::Approved.accepts_unseen(&host), "{url}");
        }
        for url in [
            "https://pay.example/",
            "https://8.8.8.8/",
            "https://localhost.example./",
        ] {
            assert!(Trust::Approved.accepts_unseen(&origin(url).host), "{url}");
        }
        for (url, accepted) in [
            ("https://localhost/", true),
            ("https://10.0.0.1/", true),
            ("https://0.0.0.0/", false),
        ] {
            assert_eq!(Trust::Listed.accepts_unseen(&origin(url).host), accepted);
        }
    }

    #[test]
    fn a_listed_host_may_have_private_addresses_but_no_group_address() {
        for text in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "8.8.8.8"] {
            assert!(Trust::Listed.accepts(text.parse().unwrap()), "{text}");
        }
        for text in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert!(!Trust::Listed.accepts(text.parse().unwrap()), "{text}");
        }
    }
}
