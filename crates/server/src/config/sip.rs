//! Where SIP is spoken.
//! Owns: the keys of addresses and of `sip.tls`, and what trunks that are known by name need of them.
//! Never: reads a certificate.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::reader::Reader;
use super::trunk::Trunk;
use super::value;

/// Our addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sip {
    pub(crate) listen: SocketAddr,
    /// There by TCP, too.
    pub(crate) tcp: bool,
    pub(crate) advertised: Option<SocketAddr>,
    pub(crate) tls: Option<SipTls>,
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
    let tcp = reader.read("sip.tcp", value::one_of(&["on", "off"]));
    let advertised = reader.read("sip.advertised", value::optional(value::socket));
    let tls = read_tls(reader);
    Some(Sip {
        listen: listen?,
        tcp: tcp? == "on",
        advertised: advertised?,
        tls,
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
