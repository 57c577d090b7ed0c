//! What configurations of gateways may name for their connections.
//! Owns: the tables `[gateway.trust.NAME]` and `[gateway.client_certificates.NAME]`.
//! Never: opens a file.

use std::path::PathBuf;

use domain::gateway::variable::is_word;

use super::reader::Reader;
use super::value;

/// Files of certificates and keys, by the names that configurations use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    /// Authorities.
    pub(crate) trust: Vec<(String, PathBuf)>,
    pub(crate) client_certificates: Vec<(String, CertificateFiles)>,
}

/// Where a client certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

pub(super) fn read(reader: &mut Reader) -> Connections {
    Connections {
        trust: tables(reader, "trust", ["ca_file"], |row| row.path("ca_file")),
        client_certificates: tables(
            reader,
            "client_certificates",
            ["certificate_file", "key_file"],
            |row| {
                let [certificate, key] = ["certificate_file", "key_file"].map(|key| row.path(key));
                Some(CertificateFiles {
                    certificate: certificate?,
                    key: key?,
                })
            },
        ),
    }
}

/// The tables below `gateway.TABLE`, each with its name.
fn tables<const N: usize, T>(
    reader: &mut Reader,
    table: &str,
    keys: [&str; N],
    read: impl Fn(&mut Row<'_>) -> Option<T>,
) -> Vec<(String, T)> {
    let mut all = Vec::new();
    for (name, values) in reader.take_named("gateway", table) {
        let at = format!("gateway.{table}.{name}");
        if !is_word(&name) {
            let message =
                "a name begins with a small letter; small letters, digits and _ follow, 40 at most";
            reader.problem(at.as_str(), message);
        }
        for key in values.keys().filter(|key| !keys.contains(&key.as_str())) {
            let message = format!("unknown; it has {}", keys.join(", "));
            reader.problem(format!("{at}.{key}"), message);
        }
        let mut row = Row { reader, at, values };
        all.extend(read(&mut row).map(|value| (name, value)));
    }
    all
}

/// One of these tables.
struct Row<'a> {
    reader: &'a mut Reader,
    at: String,
    values: toml::Table,
}

impl Row<'_> {
    fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.values.get(key).and_then(toml::Value::as_str);
        let path = value::path(text.unwrap_or_default());
        path.map_err(|message| self.reader.problem(format!("{}.{key}", self.at), message))
            .ok()
    }
}
