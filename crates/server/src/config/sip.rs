//! Where SIP is spoken.
//! Owns: the keys of addresses and of `sip.tls`, and what trunks that are known by name need of them.
//! Never: reads a certificate.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use sip::Transport;
use voice::transport::InterfaceConfig;

use super::reader::Reader;
use super::trunk::Trunk;
use super::value;

/// Our addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sip {
    pub(crate) listen: SocketAddr,
    /// There by UDP.
    pub(crate) udp: bool,
    /// There by TCP.
    pub(crate) tcp: bool,
    pub(crate) advertised: Option<SocketAddr>,
    pub(crate) tls: Option<SipTls>,
    /// Who is asked for names among places; empty: whom the system asks.
    pub(crate) dns: Vec<SocketAddr>,
}

impl Sip {
    /// What is bound: not empty. The first is what calls go out by where nothing says more.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceConfig> {
        let in_clear = [(self.udp, Transport::Udp), (self.tcp, Transport::Tcp)];
        let spoken = in_clear.into_iter().filter(|(is_spoken, _)| *is_spoken);
        let interface = |transport| InterfaceConfig {
            advertised: self.advertised,
            ..InterfaceConfig::new(transport, self.listen)
        };
        let mut all: Vec<_> = spoken.map(|(_, transport)| interface(transport)).collect();
        all.extend(self.tls.as_ref().map(|tls| InterfaceConfig {
            // The same address; the port is the bound one.
            advertised: self.advertised.map(|at| (at.ip(), 0).into()),
            ..InterfaceConfig::new(Transport::Tls, tls.listen)
        }));
        all
    }

    /// The address of the first of them.
    pub(crate) fn address(&self) -> IpAddr {
        let first = self.interfaces().first().map(|first| first.listen);
        first.unwrap_or(self.listen).ip()
    }
}

/// Where TLS is spoken, and with which files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SipTls {
    pub(crate) listen: SocketAddr,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) roots: Option<PathBuf>,
}

pub(super) fn read(reader: &mut Reader) -> Option<Sip> {
    let listen = reader.read("sip.listen", value::socket);
    let [udp, tcp] = ["sip.udp", "sip.tcp"].map(|key| {
        reader
            .read(key, value::one_of(&["on", "off"]))
            .map(|word| word == "on")
    });
    let advertised = reader.read("sip.advertised", value::optional(value::socket));
    let tls = read_tls(reader);
    let dns = reader.read("sip.dns", value::sockets);
    if (udp, tcp) == (Some(false), Some(false)) && tls.is_none() {
        let message = "is off, as sip.tcp is, and no TLS is set up in sip.tls: nobody could call";
        reader.problem("sip.udp", message);
    }
    Some(Sip {
        listen: listen?,
        udp: udp?,
        tcp: tcp?,
        advertised: advertised?,
        tls,
        dns: dns?,
    })
}

fn read_tls(reader: &mut Reader) -> Option<SipTls> {
    let listen = reader.read("sip.tls.listen", value::optional(value::socket));
    let mut path = |key| reader.read(key, value::optional(value::path));
    let certificate = path("sip.tls.certificate")?;
    let key = path("sip.tls.key")?;
    let roots = path("sip.tls.roots")?;
    let Some(listen) = listen? else {
        if certificate.is_some() || key.is_some() || roots.is_some() {
            reader.problem("sip.tls.listen", "is missing beside the files of sip.tls");
        }
        return None;
    };
    for (setting, file) in [("sip.tls.certificate", &certificate), ("sip.tls.key", &key)] {
        if file.is_none() {
            reader.problem(setting, "is missing beside sip.tls.listen");
        }
    }
    Some(SipTls {
        listen,
        certificate: certificate?,
        key: key?,
        roots,
    })
}

/// A name in a certificate says nothing if nobody can check who signed it.
pub(super) fn check_names(reader: &mut Reader, sip: Option<&Sip>, trunks: &[Trunk]) {
    let tls = sip.and_then(|sip| sip.tls.as_ref());
    let is_checked = tls.is_some_and(|tls| tls.roots.is_some());
    if !is_checked && trunks.iter().any(|trunk| trunk.tls_name.is_some()) {
        reader.problem("sip.tls.roots", "is missing beside tls_name of a trunk");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::tests::{nothing, problems};

    #[test]
    fn sip_is_spoken_where_the_file_says_and_somewhere() {
        let text = |rest: &str| {
            format!(
                "[node]\ndata = \"/tmp/x\"\n[sip]\nlisten = \"127.0.0.1:5060\"\nadvertised = \"192.0.2.1:5070\"\n{rest}"
            )
        };
        let tls =
            "[sip.tls]\nlisten = \"127.0.0.2:5061\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
        let all = |rest: &str| {
            let sip = Config::parse(&text(rest), nothing).unwrap().sip;
            let all = sip.interfaces().into_iter();
            let all: Vec<_> = all
                .map(|one| (one.transport.as_str(), one.advertised.map(|at| at.port())))
                .collect();
            (all, sip.address().to_string())
        };
        let ours = "127.0.0.1".to_owned();
        let (udp, tcp) = (("UDP", Some(5_070)), ("TCP", Some(5_070)));
        let inside = ("TLS", Some(0));
        assert_eq!(all(""), (vec![udp, tcp], ours.clone()));
        assert_eq!(all("udp = \"off\"\n"), (vec![tcp], ours.clone()));
        assert_eq!(all(tls), (vec![udp, tcp, inside], ours));
        let only = format!("udp = \"off\"\ntcp = \"off\"\n{tls}");
        assert_eq!(all(&only), (vec![inside], "127.0.0.2".to_owned()));
        let none = problems(&text("udp = \"off\"\ntcp = \"off\"\n"));
        assert!(none[0].starts_with("sip.udp: is off"), "{none:?}");
    }
}
