//! How server and phones of an installation talk: transports, addresses, certificates, secured media.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use serde_json::{Value, json};

/// The name that the carrier's certificate has to have.
const CARRIER: &str = "carrier.example";

/// Settings of the server's file, and what the simulator's phones are told.
#[derive(Clone)]
pub(crate) struct Telephony {
    /// Keys of `[sip]`, and tables below it.
    pub(crate) sip: String,
    /// Keys of `[media]`.
    pub(crate) media: String,
    /// Keys of `[[trunk]]`.
    pub(crate) trunk: String,
    pub(crate) consumer: &'static str,
    pub(crate) agents: &'static str,
    /// `phones` of the simulator's plan.
    pub(crate) phones: Value,
}

impl Telephony {
    /// By UDP over IPv4, in clear.
    pub(crate) fn usual() -> Self {
        Self {
            sip: "listen = \"127.0.0.1:0\"".to_owned(),
            media: String::new(),
            trunk: "addresses = [\"127.0.0.2\"]".to_owned(),
            consumer: "127.0.0.2",
            agents: "127.0.0.3",
            phones: json!({}),
        }
    }

    /// The same by IPv6 alone.
    pub(crate) fn over_ipv6() -> Self {
        Self {
            sip: "listen = \"[::1]:0\"".to_owned(),
            media: "address = \"::1\"".to_owned(),
            trunk: "addresses = [\"::1\"]".to_owned(),
            consumer: "::1",
            agents: "::1",
            ..Self::usual()
        }
    }

    /// SIP over TLS alone, and no media in clear on either leg.
    pub(crate) fn secured(certificates: &Certificates) -> Self {
        let path = |file: &str| certificates.path(file);
        let mut sip =
            "udp = \"off\"\ntcp = \"off\"\n[sip.tls]\nlisten = \"127.0.0.1:0\"\n".to_owned();
        for (key, file) in [
            ("certificate", "server.pem"),
            ("key", "server.key"),
            ("roots", "roots.pem"),
        ] {
            writeln!(sip, "{key} = {:?}", path(file)).unwrap();
        }
        sip.push_str("[phones]\nsrtp = \"require\"");
        let usual = Self::usual();
        Self {
            sip,
            trunk: format!(
                "{}\ntls_name = \"{CARRIER}\"\nsrtp = \"require\"",
                usual.trunk
            ),
            phones: json!({
                "srtp": true,
                "tls": {
                    "roots": path("roots.pem"),
                    "consumer": certificates.shown("carrier"),
                    "agents": certificates.shown("agent"),
                },
            }),
            ..usual
        }
    }

    /// The consumer's phone shows another certificate from the next start on.
    pub(crate) fn consumer_shows(&mut self, certificates: &Certificates, name: &str) {
        self.phones["tls"]["consumer"] = certificates.shown(name);
    }
}

/// A folder with an authority, and what it and another one have issued: `server`, `carrier`, `agent`, and for the carrier `expired`, `foreign`, `remade` and
/// `other_name`, which do not do.
pub(crate) struct Certificates {
    folder: tempfile::TempDir,
    ours: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let all = Self {
            folder: tempfile::tempdir().unwrap(),
            ours: issuer("Ours"),
        };
        std::fs::write(all.path("roots.pem"), all.ours.pem()).unwrap();
        all.renew_server();
        issue(all.path("carrier"), CARRIER, &all.ours, 2_900);
        issue(all.path("agent"), "agent.example", &all.ours, 2_900);
        issue(all.path("expired"), CARRIER, &all.ours, 2_020);
        issue(all.path("foreign"), CARRIER, &issuer("Others"), 2_900);
        issue(all.path("remade"), CARRIER, &issuer("Ours"), 2_900);
        issue(
            all.path("other_name"),
            "elsewhere.example",
            &all.ours,
            2_900,
        );
        all
    }

    /// The server's files are replaced, as a program that renews certificates does.
    pub(crate) fn renew_server(&self) {
        issue(self.path("server"), "127.0.0.1", &self.ours, 2_900);
    }

    /// By one that has ended.
    pub(crate) fn end_server(&self) {
        issue(self.path("server"), "127.0.0.1", &self.ours, 2_020);
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn shown(&self, name: &str) -> Value {
        let file = |end: &str| self.path(&format!("{name}.{end}"));
        json!({ "certificate": file("pem"), "key": file("key") })
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes `at` with the endings `pem` and `key`, each file at once.
fn issue(at: PathBuf, name: &str, by: &CertifiedIssuer<'static, KeyPair>, until: i32) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap().pem();
    replace(&at.with_extension("key"), &key.serialize_pem());
    replace(&at.with_extension("pem"), &certificate);
}

fn replace(path: &Path, text: &str) {
    let fresh = path.with_file_name("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, path).unwrap();
}
