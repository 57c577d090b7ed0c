//! What configurations of gateways may name for their connections.
//! Owns: the tables `[gateway.trust.NAME]`, `[gateway.client_certificates.NAME]` and `[gateway.proxies.NAME]`, and which proxy is for all.
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
    pub(crate) proxies: Vec<(String, Proxy)>,
    /// The proxy of whoever names none.
    pub(crate) proxy: Option<String>,
}

/// A proxy, and where its password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    /// User name and the file of the password.
    pub(crate) credentials: Option<(String, PathBuf)>,
}

/// Where a client certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

pub(super) fn read(reader: &mut Reader) -> Connections {
    let mut connections = Connections {
        trust: tables(reader, ("gateway", "trust"), ["ca_file"], |row| {
            row.path("ca_file")
        }),
        client_certificates: tables(
            reader,
            ("gateway", "client_certificates"),
            ["certificate_file", "key_file"],
            |row| {
                let [certificate, key] = ["certificate_file", "key_file"].map(|key| row.path(key));
                Some(CertificateFiles {
                    certificate: certificate?,
                    key: key?,
                })
            },
        ),
        proxies: tables(
            reader,
            ("gateway", "proxies"),
            ["url", "user", "password_file"],
            read_proxy,
        ),
        proxy: None,
    };
    let name = reader.read("gateway.proxy", value::optional(value::word));
    connections.proxy = name.flatten();
    let known = |name: &String| connections.proxies.iter().any(|(one, _)| one == name);
    if let Some(name) = connections.proxy.as_ref().filter(|name| !known(name)) {
        let message = format!("there is no [gateway.proxies.{name}]");
        reader.problem("gateway.proxy", message);
    }
    connections
}

fn read_proxy(row: &mut Row<'_>) -> Option<Proxy> {
    let url = row.text("url").unwrap_or_default();
    if let Err(error) = gateway::Proxy::at(&url) {
        row.problem("url", error.to_string());
    }
    let credentials = match (row.text("user"), row.text("password_file")) {
        (None, None) => None,
        (Some(user), Some(_)) => Some((user, row.path("password_file")?)),
        (Some(_), None) => {
            row.problem("password_file", "is missing beside user".to_owned());
            None
        }
        (None, Some(_)) => {
            row.problem("user", "is missing beside password_file".to_owned());
            None
        }
    };
    Some(Proxy { url, credentials })
}

/// The tables below `OUTER.TABLE`, each with its name.
pub(super) fn tables<const N: usize, T>(
    reader: &mut Reader,
    (outer, table): (&str, &str),
    keys: [&str; N],
    read: impl Fn(&mut Row<'_>) -> Option<T>,
) -> Vec<(String, T)> {
    let mut all = Vec::new();
    for (name, values) in reader.take_named(outer, table) {
        let at = format!("{outer}.{table}.{name}");
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
pub(super) struct Row<'a> {
    reader: &'a mut Reader,
    at: String,
    values: toml::Table,
}

impl Row<'_> {
    /// A table within it; none: it is not there, or none.
    pub(super) fn table(&self, key: &str) -> Option<toml::Table> {
        let table = self.values.get(key).and_then(toml::Value::as_table);
        table.cloned()
    }

    /// Whether anything stands there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let text = self.values.get(key).and_then(toml::Value::as_str);
        text.map(str::to_owned)
    }

    /// A list of texts; none: it is not there, or holds something else.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let list = self.values.get(key)?.as_array()?.iter();
        list.map(|one| one.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = value::path(&self.text(key).unwrap_or_default());
        path.map_err(|message| self.problem(key, message)).ok()
    }

    pub(super) fn problem(&mut self, key: &str, message: String) {
        self.reader.problem(format!("{}.{key}", self.at), message);
    }
}
