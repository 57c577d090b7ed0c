//! Who we are at a trunk.
//! Owns: the keys of a `[[trunk]]` for its challenges and for a registration there.
//! Never: opens the file of a password.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use sip::{Host, Transport, Uri};
use voice::Registration;

use super::value;

/// What belongs to `username`.
const OF_USERNAME: [&str; 5] = ["password_file", "realm", "register", "contact", "expires"];

/// What belongs to `register`.
const OF_REGISTER: [&str; 2] = ["contact", "expires"];

/// A registration is asked for this long, if nothing else is said: NAT on the way and a registrar that has forgotten us are seen to in half of it.
const EXPIRES: Duration = Duration::from_secs(600);

/// Characters of a name or realm: longer ones are no names.
const WORD_CHARS_MAX: usize = 128;

/// An account at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) realm: String,
    pub(crate) password_file: PathBuf,
    pub(crate) registration: Option<Registration>,
}

/// A key that is wrong, and why.
type Wrong = (&'static str, String);

/// None: the trunk takes us without one.
pub(super) fn read(table: &toml::Table, addresses: &[IpAddr]) -> Result<Option<Account>, Wrong> {
    let has = |key: &&str| table.contains_key(*key);
    if !table.contains_key("username") {
        return match OF_USERNAME.iter().find(|key| has(key)) {
            Some(key) => Err((key, "is of no use without username".to_owned())),
            None => Ok(None),
        };
    }
    let registrar = match text(table, "register")? {
        Some(uri) => Some(registrar(&uri, addresses).map_err(|why| ("register", why))?),
        None => None,
    };
    if registrar.is_none()
        && let Some(key) = OF_REGISTER.iter().find(|key| has(key))
    {
        return Err((key, "is of no use without register".to_owned()));
    }
    let user = text(table, "username")?.unwrap_or_default();
    let realm = match (text(table, "realm")?, &registrar) {
        (Some(realm), _) => realm,
        (None, Some(uri)) => uri.host().map(ToString::to_string).unwrap_or_default(),
        (None, None) => {
            let why = "is missing beside username: the trunk names it in its challenges";
            return Err(("realm", why.to_owned()));
        }
    };
    let password_file = text(table, "password_file")?.unwrap_or_default();
    let password_file = value::path(&password_file)
        .map_err(|_| ("password_file", "is missing beside username".to_owned()))?;
    Ok(Some(Account {
        user,
        realm,
        password_file,
        registration: registration(table, registrar)?,
    }))
}

fn registration(
    table: &toml::Table,
    registrar: Option<Uri>,
) -> Result<Option<Registration>, Wrong> {
    let Some(registrar) = registrar else {
        return Ok(None);
    };
    let expires = match text(table, "expires")? {
        Some(text) => value::duration(60, 86_400)(&text).map_err(|why| ("expires", why))?,
        None => EXPIRES,
    };
    let contact = match text(table, "contact")? {
        Some(user) => Some(value::word(&user).map_err(|why| ("contact", why))?),
        None => None,
    };
    Ok(Some(Registration {
        registrar,
        contact,
        expires,
    }))
}

/// What is written there; none: nothing is.
fn text(table: &toml::Table, key: &'static str) -> Result<Option<String>, Wrong> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    let is_plain = !text.chars().any(char::is_control);
    if is_plain && (1..=WORD_CHARS_MAX).contains(&text.chars().count()) {
        return Ok(Some(text.to_owned()));
    }
    let why = format!("write a text of 1 to {WORD_CHARS_MAX} characters");
    Err((key, why))
}

fn registrar(text: &str, addresses: &[IpAddr]) -> Result<Uri, String> {
    let hint = || {
        "write the registrar as sip:sip.carrier.example, with a port and ;transport=tcp or tls where it has one".to_owned()
    };
    let uri = Uri::parse(text.as_bytes()).ok_or_else(hint)?;
    let known = uri.as_sip().ok_or_else(hint)?;
    let transport = known.params.value("transport");
    let is_spoken = transport.is_none_or(|word| Transport::parse(word).is_some());
    if uri.user().is_some() || !is_spoken {
        return Err(hint());
    }
    match &known.host {
        Host::Ip(ip) if !addresses.contains(ip) => {
            Err("has an address that is none of addresses".to_owned())
        }
        Host::Ip(_) | Host::Name(_) => Ok(uri),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(lines: &str) -> Result<Option<Account>, Wrong> {
        let table: toml::Table = lines.parse().expect("toml");
        read(&table, &["192.0.2.1".parse().expect("address")])
    }

    #[test]
    fn realm_is_the_registrars_name_unless_it_is_written() {
        let own = "username = \"us\"\npassword_file = \"/p\"\n";
        let read = |more: &str| account(&format!("{own}{more}")).map(Option::unwrap);
        let only = read("realm = \"the carrier\"\n").unwrap();
        assert_eq!(
            (only.realm.as_str(), &only.registration),
            ("the carrier", &None)
        );
        let registered = read("register = \"sip:carrier.example;transport=tcp\"\n").unwrap();
        assert_eq!(registered.realm, "carrier.example");
        assert_eq!(registered.registration.unwrap().expires, EXPIRES);
        let both = read(
            "register = \"sip:192.0.2.1\"\nrealm = \"r\"\ncontact = \"line1\"\nexpires = \"1h\"\n",
        );
        let both = both.unwrap();
        assert_eq!(both.realm, "r");
        let registration = both.registration.unwrap();
        assert_eq!(registration.contact.as_deref(), Some("line1"));
        assert_eq!(registration.expires, Duration::from_secs(3_600));
        assert_eq!(account(""), Ok(None));
    }

    #[test]
    fn what_is_wrong_with_an_account_is_named() {
        let whole = "username = \"us\"\npassword_file = \"/p\"\nrealm = \"r\"\n";
        for (lines, key) in [
            ("realm = \"r\"\n".to_owned(), "realm"),
            (whole.replace("realm", "#"), "realm"),
            (whole.replace("password_file", "#"), "password_file"),
            (whole.replace("\"us\"", "7"), "username"),
            (
                whole.replace("\"us\"", &format!("{:?}", "u".repeat(WORD_CHARS_MAX + 1))),
                "username",
            ),
            (format!("{whole}contact = \"line1\"\n"), "contact"),
            (
                format!("{whole}register = \"carrier.example\"\n"),
                "register",
            ),
            (
                format!("{whole}register = \"sip:us@carrier.example\"\n"),
                "register",
            ),
            (
                format!("{whole}register = \"sip:carrier.example;transport=sctp\"\n"),
                "register",
            ),
            (format!("{whole}register = \"sip:192.0.2.2\"\n"), "register"),
            (
                format!("{whole}register = \"sip:c.example\"\nexpires = \"5s\"\n"),
                "expires",
            ),
        ] {
            assert_eq!(account(&lines).unwrap_err().0, key, "{lines}");
        }
    }
}
