//! Trunks: the SIP peers that may bring calls.

use std::net::IpAddr;

use voice::{Codec, SrtpRule};

use super::reader::Reader;
use super::value;

/// Keys of a `[[trunk]]` table.
const KEYS: [&str; 9] = [
    "name",
    "addresses",
    "media_source",
    "info",
    "codecs",
    "srtp",
    "srtp_short_tags",
    "sdes_without_tls",
    "tls_name",
];

/// From where a trunk's media comes (SETTLED S35).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaSource {
    /// From the signalled address only.
    Signalled,
    /// From wherever three packets in a row come with the trunk's signalling address.
    Latch,
}

/// A trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trunk {
    pub(crate) name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) media_source: MediaSource,
    /// INFO bodies carry digits.
    pub(crate) info_digits: bool,
    /// How its media is secured.
    pub(crate) srtp: SrtpRule,
    /// What may be spoken with it, the most wanted first.
    pub(crate) codecs: Vec<Codec>,
    /// The name in its certificate, which its connections over TLS have to show.
    pub(crate) tls_name: Option<String>,
}

pub(super) fn read(reader: &mut Reader) -> Vec<Trunk> {
    let tables = reader.take_tables("trunk");
    let mut trunks = Vec::with_capacity(tables.len());
    for (index, table) in tables.into_iter().enumerate() {
        for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            reader.problem(
                format!("trunk[{index}].{key}"),
                format!("unknown; a trunk has {}", KEYS.join(", ")),
            );
        }
        trunks.extend(read_one(reader, index, &table));
    }
    trunks
}

fn read_one(reader: &mut Reader, index: usize, table: &toml::Table) -> Option<Trunk> {
    let text = |key: &str| {
        table
            .get(key)
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
    };
    let name = value::word(text("name"));
    let addresses = addresses(table);
    let media_source = match text("media_source") {
        "" | "signalled" => Ok(MediaSource::Signalled),
        "latch" => Ok(MediaSource::Latch),
        _ => Err("write signalled or latch".to_owned()),
    };
    let info_digits = match text("info") {
        "" | "digits" => Ok(true),
        "ignore" => Ok(false),
        _ => Err("write digits or ignore".to_owned()),
    };
    let srtp = srtp_rule(table);
    let codecs = match table.get("codecs") {
        None => Ok(Codec::USUAL.to_vec()),
        Some(listed) => codecs(listed),
    };
    let tls_name = match table.get("tls_name") {
        None => Ok(None),
        Some(_) => value::host_name(text("tls_name")).map(Some),
    };
    let mut keep = |key: &str, message: &String| {
        reader.problem(format!("trunk[{index}].{key}"), message.clone())
    };
    let _reported = name.as_ref().map_err(|message| keep("name", message));
    let _reported = addresses
        .as_ref()
        .map_err(|message| keep("addresses", message));
    let _reported = media_source
        .as_ref()
        .map_err(|message| keep("media_source", message));
    let _reported = info_digits
        .as_ref()
        .map_err(|message| keep("info", message));
    let _reported = srtp.as_ref().map_err(|(key, message)| keep(key, message));
    let _reported = codecs.as_ref().map_err(|message| keep("codecs", message));
    let _reported = tls_name
        .as_ref()
        .map_err(|message| keep("tls_name", message));
    Some(Trunk {
        name: name.ok()?,
        addresses: addresses.ok()?,
        media_source: media_source.ok()?,
        info_digits: info_digits.ok()?,
        srtp: srtp.ok()?,
        codecs: codecs.ok()?,
        tls_name: tls_name.ok()?,
    })
}

fn addresses(table: &toml::Table) -> Result<Vec<IpAddr>, String> {
    let listed = table.get("addresses").and_then(toml::Value::as_array);
    let address = |item: &toml::Value| value::address(item.as_str().unwrap_or_default());
    let addresses: Vec<IpAddr> = listed
        .into_iter()
        .flatten()
        .map(address)
        .collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Err("name at least one IP address".to_owned());
    }
    Ok(addresses)
}

/// How a trunk's media is secured; else the key that is wrong, and why.
fn srtp_rule(table: &toml::Table) -> Result<SrtpRule, (&'static str, String)> {
    let flag = |key: &'static str| match table.get(key).map(toml::Value::as_bool) {
        None => Ok(false),
        Some(Some(on)) => Ok(on),
        Some(None) => Err((key, "write true or false".to_owned())),
    };
    let word = match table.get("srtp") {
        None => "refuse",
        Some(value) => value.as_str().unwrap_or_default(),
    };
    Ok(SrtpRule {
        wanted: value::srtp(word).map_err(|message| ("srtp", message))?,
        short_tags: flag("srtp_short_tags")?,
        without_tls: flag("sdes_without_tls")?,
    })
}

fn codecs(listed: &toml::Value) -> Result<Vec<Codec>, String> {
    let names = listed.as_array().into_iter().flatten();
    value::codecs(names.map(|name| name.as_str().unwrap_or_default()))
}
