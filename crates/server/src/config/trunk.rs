//! Trunks: the SIP peers that may bring calls.

use std::net::IpAddr;

use super::reader::Reader;
use super::value;

/// Keys of a `[[trunk]]` table.
const KEYS: [&str; 4] = ["name", "addresses", "media_source", "info"];

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
    let listed = table
        .get("addresses")
        .and_then(toml::Value::as_array)
        .cloned()
        .unwrap_or_default();
    let addresses: Result<Vec<IpAddr>, String> = listed
        .iter()
        .map(|item| value::address(item.as_str().unwrap_or_default()))
        .collect();
    let addresses = addresses.and_then(|list| {
        if list.is_empty() {
            Err("name at least one IP address".to_owned())
        } else {
            Ok(list)
        }
    });
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
    Some(Trunk {
        name: name.ok()?,
        addresses: addresses.ok()?,
        media_source: media_source.ok()?,
        info_digits: info_digits.ok()?,
    })
}
