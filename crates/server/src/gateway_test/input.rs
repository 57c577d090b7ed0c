//! What a test of a gateway reads besides its configuration.
//! Owns: files, headers, and where a secret may come from.
//! Never: takes a secret from the text of an argument, or names one's value.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::gateway::trial::TestInstrument;
use domain::gateway::{GatewayConfig, Mapping, OperationKind};
use secret::SecretText;

/// Largest file that is read: far above any configuration and any answer that is taken.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Holds the password of Auth Method Basic.
const PASSWORD: &str = "TONEWALL_GATEWAY_PASSWORD";
/// Before a secret's name in capital letters.
const SECRET: &str = "TONEWALL_SECRET_";

/// What a test sends besides the published card.
pub(super) struct Credentials {
    pub(super) password: Option<SecretText>,
    pub(super) secrets: Vec<(String, SecretText)>,
}

/// A file's text; `-` is stdin.
pub(super) fn text(path: &Path) -> Result<String> {
    let name = path.display();
    let reader: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => {
            Box::new(std::fs::File::open(path).with_context(|| format!("{name} cannot be read"))?)
        }
    };
    let mut text = String::new();
    let read = reader.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let bytes = read.with_context(|| format!("{name} cannot be read as text"))?;
    if u64::try_from(bytes)? > FILE_BYTES_MAX {
        bail!("{name} is larger than any configuration or answer");
    }
    Ok(text)
}

/// "Name: value".
pub(super) fn header(text: &str) -> Result<Mapping> {
    let parts = text
        .split_once(':')
        .filter(|(name, _)| !name.trim().is_empty());
    let (name, value) =
        parts.with_context(|| format!("--header {text:?}: write a name, a colon and a value"))?;
    Ok(Mapping {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

/// A published card by its word.
pub(super) fn card(text: &str) -> Result<TestInstrument, String> {
    let cards = TestInstrument::ALL
        .into_iter()
        .filter(|one| *one != TestInstrument::Account);
    let mut known: Vec<&str> = Vec::new();
    for card in cards {
        if card.code() == text {
            return Ok(card);
        }
        known.push(card.code());
    }
    Err(format!("choose {}", known.join(", ")))
}

/// An operation by its word.
pub(super) fn operation(text: &str) -> Result<OperationKind, String> {
    let all = OperationKind::ALL.into_iter();
    let known: Vec<&str> = all.clone().map(OperationKind::as_str).collect();
    let found = all.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| format!("choose {}", known.join(", ")))
}

/// The password and secrets that a configuration needs.
pub(super) fn credentials(
    gateway: &GatewayConfig,
    given: &[String],
    password: Option<&str>,
) -> Result<Credentials> {
    let mut from_files = Vec::new();
    for argument in given {
        let (name, file) = named_file(argument)?;
        if !gateway.more.secrets.iter().any(|known| known == name) {
            bail!("--secret {name}: the configuration names no such secret");
        }
        from_files.push((name, file));
    }
    let mut secrets = Vec::new();
    for name in &gateway.more.secrets {
        let file = from_files.iter().find(|(known, _)| known == name);
        let variable = format!("{SECRET}{}", name.to_ascii_uppercase());
        let value = secret(file.map(|(_, file)| *file), &variable)?;
        let value = value.with_context(|| {
            format!("the secret {name} has no value: add --secret {name}=@FILE, or set {variable}")
        })?;
        secrets.push((name.clone(), value));
    }
    let password = match gateway.takes_password() {
        true => basic_password(password, gateway.needs_password())?,
        false if password.is_some() => bail!("--password: the configuration needs none"),
        false => None,
    };
    Ok(Credentials { password, secrets })
}

/// An empty password is one, too: some gateways take the key as user name and none.
fn basic_password(argument: Option<&str>, is_needed: bool) -> Result<Option<SecretText>> {
    let file = argument.map(|text| {
        text.strip_prefix('@')
            .context("--password: a password stands in a file, write @FILE; everybody can see what stands in a command")
    });
    let value = secret(file.transpose()?, PASSWORD)?;
    if value.is_none() && !is_needed {
        return Ok(None);
    }
    let value = value.with_context(|| format!("Auth Method Basic needs a password: add --password @FILE, or set {PASSWORD}, which may be empty"))?;
    Ok(Some(value))
}

/// `name=@FILE`. What stands there otherwise may be the secret, so it is not repeated.
fn named_file(argument: &str) -> Result<(&str, &str)> {
    let parts = argument.split_once('=');
    let parts = parts.and_then(|(name, file)| Some((name, file.strip_prefix('@')?)));
    parts.context("--secret: a secret stands in a file, write name=@FILE; everybody can see what stands in a command")
}

/// The text of a file without the end of its line, else of a variable.
fn secret(file: Option<&str>, variable: &str) -> Result<Option<SecretText>> {
    let Some(file) = file else {
        return Ok(std::env::var(variable).ok().map(SecretText::new));
    };
    let mut text = text(Path::new(file))?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(Some(SecretText::new(text)))
}
