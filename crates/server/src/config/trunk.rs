//! Trunks: the SIP peers that may bring calls.

use std::net::IpAddr;
use std::time::Duration;

use sip::{Host, Transport, Uri};
use voice::{Cidr, Codec, MediaSource, SrtpRule};

use super::account::{self, Account};
use super::reader::Reader;
use super::trunk_rules::{self, Rules};
use super::value;

/// Keys of a `[[trunk]]` table.
const KEYS: [&str; 23] = [
    "name",
    "addresses",
    "media_source",
    "info",
    "codecs",
    "srtp",
    "srtp_short_tags",
    "sdes_without_tls",
    "tls_name",
    "username",
    "password_file",
    "realm",
    "register",
    "contact",
    "expires",
    "places",
    "probe",
    "trusted",
    "pass",
    "strip",
    "add",
    "called",
    "calling",
];

/// Places of a trunk. A call would not live to see the end of a longer list.
const PLACES_MAX: usize = 8;

/// Networks that a trunk's media may come from: a carrier names its media gateways by a few of them.
const NETWORKS_MAX: usize = 8;

/// Places are probed this often, if nothing else is said.
const PROBE: Duration = Duration::from_secs(30);

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
    /// Who we are there.
    pub(crate) account: Option<Account>,
    /// Where our calls to it go, the first first; empty: where the route says.
    pub(crate) places: Vec<Uri>,
    /// Time between two probes of each.
    pub(crate) probe: Option<Duration>,
    /// What it is told, and how numbers are written there.
    pub(crate) rules: Rules,
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
        let trunk = read_one(reader, index, &table);
        let is_same = |one: &Trunk| trunk.as_ref().is_some_and(|trunk| meets(one, trunk));
        if trunks.iter().any(is_same) {
            let message = "another trunk is registered there under this username";
            reader.problem(format!("trunk[{index}].register"), message);
        }
        let is_named = |one: &Trunk| trunk.as_ref().is_some_and(|trunk| one.name == trunk.name);
        if trunks.iter().any(is_named) {
            let message = "another trunk has this name, which routes and the log tell them by";
            reader.problem(format!("trunk[{index}].name"), message);
        }
        trunks.extend(trunk);
    }
    trunks
}

/// Two registrations of one name at one registrar would take each other's place.
fn meets(one: &Trunk, other: &Trunk) -> bool {
    let name = |trunk: &Trunk| {
        let account = trunk.account.as_ref()?;
        let registrar = &account.registration.as_ref()?.registrar;
        Some((account.user.clone(), registrar.to_string()))
    };
    name(one).is_some() && name(one) == name(other)
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
    let media_source = media_source(table.get("media_source"));
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
    let account = account::read(table, addresses.as_deref().unwrap_or_default());
    let places = places(table, addresses.as_deref().unwrap_or_default());
    let probe = probe(table);
    let rules = trunk_rules::read(table);
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
    let _reported = probe.as_ref().map_err(|message| keep("probe", message));
    let _reported = places.as_ref().map_err(|message| keep("places", message));
    let _reported = rules.as_ref().map_err(|(key, message)| keep(key, message));
    let _reported = (account.as_ref()).map_err(|(key, message)| keep(key, message));
    Some(Trunk {
        name: name.ok()?,
        addresses: addresses.ok()?,
        media_source: media_source.ok()?,
        info_digits: info_digits.ok()?,
        srtp: srtp.ok()?,
        codecs: codecs.ok()?,
        tls_name: tls_name.ok()?,
        account: account.ok()?,
        places: places.ok()?,
        probe: probe.ok()?,
        rules: rules.ok()?,
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

/// From where its media is taken (SETTLED S35).
fn media_source(value: Option<&toml::Value>) -> Result<MediaSource, String> {
    let hint =
        "write signalled, latch, or a list of 1 to 8 networks, for example [\"198.51.100.0/24\"]";
    let Some(value) = value else {
        return Ok(MediaSource::Signalled);
    };
    if let Some(listed) = value.as_array() {
        if !(1..=NETWORKS_MAX).contains(&listed.len()) {
            return Err(hint.to_owned());
        }
        let network = |item: &toml::Value| value::network(item.as_str().unwrap_or_default());
        let networks: Result<Vec<Cidr>, String> = listed.iter().map(network).collect();
        return networks.map(MediaSource::Cidr);
    }
    match value.as_str() {
        Some("signalled") => Ok(MediaSource::Signalled),
        Some("latch") => Ok(MediaSource::Latch),
        _ => Err(hint.to_owned()),
    }
}

/// Where calls to it go. Only places of its own addresses are trusted as it is.
fn places(table: &toml::Table, addresses: &[IpAddr]) -> Result<Vec<Uri>, String> {
    let hint = "list up to 8 places as sip:192.0.2.1 or sip:sbc.example, with a port and ;transport=tcp or tls where they have one";
    let Some(listed) = table.get("places") else {
        return Ok(Vec::new());
    };
    let listed = listed.as_array().ok_or(hint)?;
    if !(1..=PLACES_MAX).contains(&listed.len()) {
        return Err(hint.to_owned());
    }
    let place = |item: &toml::Value| {
        let text = item.as_str().unwrap_or_default();
        let uri = Uri::parse(text.as_bytes()).ok_or(hint)?;
        let known = uri
            .as_sip()
            .filter(|known| known.user.is_none())
            .ok_or(hint)?;
        let transport = known.params.value("transport");
        if transport.is_some_and(|word| Transport::parse(word).is_none()) {
            return Err(hint.to_owned());
        }
        match &known.host {
            Host::Ip(ip) if !addresses.contains(ip) => Err(format!("{ip} is none of addresses")),
            Host::Name(name) if value::host_name(name).is_err() => Err(hint.to_owned()),
            Host::Ip(_) | Host::Name(_) => Ok(uri),
        }
    };
    listed.iter().map(place).collect()
}

impl Trunk {
    /// The name that its certificate has to bear: as it is configured, else the one that its places are asked for by
    /// ([RFC 5922](https://www.rfc-editor.org/rfc/rfc5922)), if that is one.
    pub(crate) fn certificate_name(&self) -> Option<String> {
        let name = |place: &Uri| match place.host() {
            Some(Host::Name(name)) => Some(name.clone()),
            Some(Host::Ip(_)) | None => None,
        };
        let mut names: Vec<_> = self.places.iter().filter_map(name).collect();
        names.dedup();
        let of_places = names.pop().filter(|_| names.is_empty());
        self.tls_name.clone().or(of_places.map(String::from))
    }
}

/// How often places are probed.
fn probe(table: &toml::Table) -> Result<Option<Duration>, String> {
    let Some(value) = table.get("probe") else {
        return Ok(Some(PROBE));
    };
    if !table.contains_key("places") {
        return Err("is of no use without places".to_owned());
    }
    match value.as_str().unwrap_or_default() {
        "off" => Ok(None),
        text => value::duration(5, 600)(text)
            .map(Some)
            .map_err(|message| format!("{message}; or off")),
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use voice::MediaSource;

    use super::super::Config;
    use super::super::tests::{nothing, problems};

    #[test]
    fn account_at_a_trunk_is_read_and_what_is_wrong_with_it_named() {
        let text = |more: &str| {
            format!(
                "[node]\ndata = \"/tmp/x\"\n[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\nusername = \"us\"\npassword_file = \"/p\"\n{more}"
            )
        };
        let config = Config::parse(&text("register = \"sip:carrier.example\"\n"), nothing).unwrap();
        let account = config.trunks[0].account.as_ref().unwrap();
        assert_eq!(
            (account.user.as_str(), account.realm.as_str()),
            ("us", "carrier.example")
        );
        assert!(problems(&text(""))[0].starts_with("trunk[0].realm"));
        let trunk = text("register = \"sip:carrier.example\"\n");
        let (_, second) = trunk.split_at(trunk.find("[[trunk]]").unwrap());
        assert!(problems(&format!("{trunk}{second}"))[0].starts_with("trunk[1].register"));
    }

    #[test]
    fn media_of_a_trunk_comes_from_where_the_file_says() {
        let text = |source: &str| {
            format!(
                "[node]\ndata = \"/tmp/x\"\n[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\nmedia_source = {source}\n"
            )
        };
        let of = |source: &str| {
            let config = Config::parse(&text(source), nothing).unwrap();
            config.trunks[0].media_source.clone()
        };
        assert_eq!(of("\"latch\""), MediaSource::Latch);
        let MediaSource::Cidr(networks) =
            of(r#"["198.51.100.0/24", "2001:db8::/32", "192.0.2.7"]"#)
        else {
            panic!("networks")
        };
        let is_in = |ip: &str| {
            let ip = ip.parse().unwrap();
            networks.iter().any(|network| network.contains(ip))
        };
        assert!(is_in("198.51.100.9") && is_in("2001:db8::1") && is_in("192.0.2.7"));
        assert!(!is_in("198.51.101.9") && !is_in("192.0.2.8"));
        let nine = format!("[{}]", ["\"192.0.2.1\""; 9].join(","));
        for wrong in [
            "[]",
            "[7]",
            "\"all\"",
            "[\"0.0.0.0/0\"]",
            "[\"192.0.2.1/33\"]",
            "[\"x/8\"]",
            "true",
            nine.as_str(),
        ] {
            let problems = problems(&text(wrong));
            assert!(problems[0].starts_with("trunk[0].media_source"), "{wrong}");
        }
    }

    #[test]
    fn places_of_a_trunk_are_of_its_addresses() {
        let text = |places: &str| {
            format!(
                "[node]\ndata = \"/tmp/x\"\n[[trunk]]\nname = \"sbcs\"\naddresses = [\"192.0.2.1\", \"192.0.2.2\"]\nplaces = {places}\n"
            )
        };
        let two = r#"["sip:192.0.2.2:5070;transport=tcp", "sip:192.0.2.1"]"#;
        let config = Config::parse(&text(two), nothing).unwrap();
        let places = &config.trunks[0].places;
        assert_eq!(places.len(), 2);
        assert_eq!(places[0].to_string(), "sip:192.0.2.2:5070;transport=tcp");
        assert_eq!(config.trunks[0].probe, Some(Duration::from_secs(30)));
        assert_eq!(config.trunks[0].certificate_name(), None);
        for (places, name) in [
            (
                r#"["sip:192.0.2.1", "sip:sbc.example;transport=tls"]"#,
                Some("sbc.example"),
            ),
            (r#"["sip:a.example", "sip:b.example:5070"]"#, None),
        ] {
            let config = Config::parse(&text(places), nothing).unwrap();
            assert_eq!(config.trunks[0].certificate_name().as_deref(), name);
        }
        let probe = |value: &str| text(&format!("{two}\nprobe = \"{value}\""));
        let config = Config::parse(&probe("off"), nothing).unwrap();
        assert_eq!(config.trunks[0].probe, None);
        assert!(problems(&probe("1s"))[0].starts_with("trunk[0].probe"));
        let nine = format!("[{}]", ["\"sip:192.0.2.1\""; 9].join(","));
        for wrong in [
            "\"sip:192.0.2.1\"",
            "[]",
            "[7]",
            "[\"192.0.2.1\"]",
            "[\"sip:192.0.2.3\"]",
            "[\"sip:sbc_example\"]",
            "[\"sip:us@192.0.2.1\"]",
            "[\"sip:192.0.2.1;transport=ws\"]",
            nine.as_str(),
        ] {
            let problems = problems(&text(wrong));
            assert!(problems[0].starts_with("trunk[0].places"), "{wrong}");
        }
    }
}
