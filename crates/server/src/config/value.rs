//! Parsers of setting values. Each error says what would be right.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use voice::{Cidr, Codec, Srtp};

type Parsed<T> = Result<T, String>;

/// Empty text means none.
pub(super) fn optional<T>(parse: impl Fn(&str) -> Parsed<T>) -> impl Fn(&str) -> Parsed<Option<T>> {
    move |text| {
        if text.is_empty() {
            Ok(None)
        } else {
            parse(text).map(Some)
        }
    }
}

pub(super) fn node_name(text: &str) -> Parsed<String> {
    let clean = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if clean && (1..=16).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("write 1-16 letters, digits or '-'".to_owned())
    }
}

pub(super) fn word(text: &str) -> Parsed<String> {
    let clean = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if clean && (1..=64).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("write 1-64 printable characters without blanks or quotes".to_owned())
    }
}

pub(super) fn path(text: &str) -> Parsed<PathBuf> {
    if text.is_empty() {
        Err("write a path".to_owned())
    } else {
        Ok(PathBuf::from(text))
    }
}

pub(super) fn flag(text: &str) -> Parsed<bool> {
    text.parse().map_err(|_| "write true or false".to_owned())
}

/// How a far side's media is secured.
pub(super) fn srtp(text: &str) -> Parsed<Srtp> {
    match text {
        "refuse" => Ok(Srtp::Refuse),
        "prefer" => Ok(Srtp::Prefer),
        "require" => Ok(Srtp::Require),
        _ => Err("write refuse, prefer or require".to_owned()),
    }
}

pub(super) fn socket(text: &str) -> Parsed<SocketAddr> {
    text.parse()
        .map_err(|_| "write an address and a port, for example 127.0.0.1:8080".to_owned())
}

/// Up to four of them, separated by commas; empty: none.
pub(super) fn sockets(text: &str) -> Parsed<Vec<SocketAddr>> {
    let parts = text.split(',').map(str::trim);
    let sockets: Vec<SocketAddr> = parts
        .filter(|part| !part.is_empty())
        .map(socket)
        .collect::<Result<_, _>>()?;
    if sockets.len() > SOCKETS_MAX {
        return Err(format!("list {SOCKETS_MAX} at most"));
    }
    Ok(sockets)
}

/// Servers that are asked in turn: a fifth would be asked after everybody has given up.
const SOCKETS_MAX: usize = 4;

pub(super) fn address(text: &str) -> Parsed<IpAddr> {
    text.parse()
        .map_err(|_| "write an IP address, for example 192.0.2.10".to_owned())
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Parsed<Cidr> {
    let hint = || {
        format!(
            "\"{}\" is no network; write for example 198.51.100.0/24, never /0: that is everybody",
            text.escape_debug()
        )
    };
    let (ip, bits) = text.split_once('/').unwrap_or((text, ""));
    let ip: IpAddr = ip.parse().map_err(|_| hint())?;
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        "" if !text.contains('/') => whole,
        bits => bits.parse().map_err(|_| hint())?,
    };
    let network = Cidr::new(ip, bits).filter(|_| bits > 0);
    network.ok_or_else(hint)
}

/// Codecs, separated by commas.
pub(super) fn codec_list(text: &str) -> Parsed<Vec<Codec>> {
    codecs(text.split(',').map(str::trim))
}

/// Codecs by their names, each once.
pub(super) fn codecs<'names>(names: impl Iterator<Item = &'names str>) -> Parsed<Vec<Codec>> {
    let of = |name: &str| {
        let mut all = Codec::ALL.into_iter();
        all.find(|codec| codec.name().eq_ignore_ascii_case(name))
    };
    let mut codecs = Vec::new();
    for name in names {
        match of(name).filter(|codec| !codecs.contains(codec)) {
            Some(codec) => codecs.push(codec),
            None => return Err(CODECS.to_owned()),
        }
    }
    if codecs.is_empty() {
        return Err(CODECS.to_owned());
    }
    Ok(codecs)
}

const CODECS: &str =
    "name at least one of PCMU, PCMA, G722 and opus, each once, the most wanted first";

/// A name as certificates have it.
pub(super) fn host_name(text: &str) -> Parsed<String> {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if (1..=253).contains(&text.len()) && text.bytes().all(is_name_byte) {
        Ok(text.to_owned())
    } else {
        Err("write a name as the certificate has it, for example sbc.carrier.example".to_owned())
    }
}

pub(super) fn origin(text: &str) -> Parsed<String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '@']) => Ok(text.to_owned()),
        _ => Err("write an origin without a path, for example https://pay.example".to_owned()),
    }
}

/// Origins of pages around ours: https, or anything on loopback.
pub(super) fn embedding(text: &str) -> Parsed<Vec<String>> {
    let texts = text
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let parse = |text: &str| {
        web::embedding_origin(text).ok_or_else(|| {
            format!(
                "\"{text}\" cannot show the page; write https, host and port only, without path or wildcard, for example https://crm.example; http is for loopback"
            )
        })
    };
    texts.map(parse).collect()
}

/// A duration with its unit, within whole seconds.
pub(super) fn duration(least_s: u64, most_s: u64) -> impl Fn(&str) -> Parsed<Duration> {
    move |text| {
        let hint = || {
            format!(
                "write a number with its unit (ms, s, m, h), {least_s}s to {most_s}s, for example \"{least_s}s\""
            )
        };
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| hint())?;
        let factor_ms = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(hint()),
        };
        let value = Duration::from_millis(number.saturating_mul(factor_ms));
        let fits = (Duration::from_secs(least_s)..=Duration::from_secs(most_s)).contains(&value);
        if fits { Ok(value) } else { Err(hint()) }
    }
}

pub(super) fn number(least: u32, most: u32) -> impl Fn(&str) -> Parsed<u32> {
    move |text| match text.parse() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("write a whole number from {least} to {most}")),
    }
}

pub(super) fn port_range(text: &str) -> Parsed<RangeInclusive<u16>> {
    let hint = || {
        "write two ports, the first even, with room for one call at least, for example 10000-19999"
            .to_owned()
    };
    let (first, last) = text.split_once('-').ok_or_else(hint)?;
    let first: u16 = first.trim().parse().map_err(|_| hint())?;
    let last: u16 = last.trim().parse().map_err(|_| hint())?;
    if first >= 1_024 && first.is_multiple_of(2) && last >= first.saturating_add(3) {
        Ok(first..=last)
    } else {
        Err(hint())
    }
}

pub(super) fn digest(text: &str) -> Parsed<voice::DigestPolicy> {
    match text {
        "both" => Ok(voice::DigestPolicy::Both),
        "sha-256" => Ok(voice::DigestPolicy::Sha256),
        "md5" => Ok(voice::DigestPolicy::Md5),
        _ => Err("write both, sha-256 or md5".to_owned()),
    }
}

pub(super) fn store_url(text: &str) -> Parsed<String> {
    if ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        Ok(text.to_owned())
    } else {
        Err("write sqlite:PATH or postgres://USER@HOST/DATABASE".to_owned())
    }
}

pub(super) fn hosts(text: &str) -> Parsed<Vec<String>> {
    let hosts: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
        .collect();
    match hosts
        .iter()
        .find(|host| host.contains(['/', ' ', '@', '*', ';', '\'', '"']))
    {
        Some(wrong) => Err(format!(
            "\"{wrong}\" is no host; write pay.example or pay.example:8443, without scheme, path or wildcard"
        )),
        None => Ok(hosts),
    }
}

pub(super) fn one_of(words: &'static [&'static str]) -> impl Fn(&str) -> Parsed<String> {
    move |text| {
        if words.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("write one of: {}", words.join(", ")))
        }
    }
}
