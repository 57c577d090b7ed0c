//! Whatever a person or another system puts into a value, the receiver reads the same: 100,000 random values through every type of body, over the socket, read
//! by parsers that others wrote. Name-value has none; its reader here goes by the lengths alone.

use std::collections::BTreeMap;

use domain::boundary::PaymentGateway;
use domain::gateway::{ContentType, GatewayConfig, Mapping, RequestFormat};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use secret::SecretText;

use crate::charges::{card_charge, card_number, client, config};
use crate::server::{Server, reply};

/// Values of a request: as many constants, and as many secrets.
const OF_A_KIND: usize = 64;
const VALUES: usize = 2 * OF_A_KIND;
const REQUESTS: usize = 100_000usize.div_ceil(VALUES);
const CHARS_MAX: usize = 40;

/// Characters that mean something in some type of body.
const MEANING: [char; 24] = [
    '"', '\\', '\'', '<', '>', '&', '=', '+', '%', ';', '/', '{', '}', '[', ']', '|', ':', ',',
    '#', '\r', '\n', '\t', ' ', '\u{2028}',
];
/// Texts that are more than their characters.
const TEXTS: [&str; 8] = [
    "]]>",
    "<!--",
    "&amp;",
    "%00",
    "{card.number}",
    "\\u0041",
    "</v0>",
    "\r\n\r\n",
];

/// A type of body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Json,
    JsonText,
    Form,
    Xml,
    XmlAttributes,
    XmlText,
    XmlInForm,
    NameValue,
}

const BODIES: [Body; 8] = [
    Body::Json,
    Body::JsonText,
    Body::Form,
    Body::Xml,
    Body::XmlAttributes,
    Body::XmlText,
    Body::XmlInForm,
    Body::NameValue,
];

impl Body {
    fn is_xml(self) -> bool {
        matches!(
            self,
            Self::Xml | Self::XmlAttributes | Self::XmlText | Self::XmlInForm
        )
    }
}

fn character(random: &mut StdRng) -> char {
    match random.random_range(0..8) {
        0..3 => random.random_range(' '..='~'),
        3..5 => *MEANING.choose(random).unwrap(),
        5 => random.random_range('\u{80}'..='\u{d7ff}'),
        6 => random.random(),
        _ => random.random_range('\0'..' '),
    }
}

fn value(random: &mut StdRng) -> String {
    if random.random_bool(0.05) {
        return (*TEXTS.choose(random).unwrap()).to_owned();
    }
    let chars = random.random_range(1..=CHARS_MAX);
    (0..chars).map(|_| character(random)).collect()
}

/// What XML can carry of it; a value that it cannot carry is refused, which is another test's.
fn carried(value: &str) -> String {
    let kept = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let value: String = value.chars().filter(kept).collect();
    if value.is_empty() {
        "-".to_owned()
    } else {
        value
    }
}

/// Names of the values of a request, and their tokens.
fn names() -> Vec<(String, String)> {
    let constants = (0..OF_A_KIND).map(|n| (format!("v{n}"), format!("{{cfg.v{n}}}")));
    let secrets = (0..OF_A_KIND).map(|n| (format!("s{n}"), format!("{{secret.s{n}}}")));
    constants.chain(secrets).collect()
}

fn joined(each: impl Fn(&str, &str) -> String, between: &str) -> String {
    let all: Vec<String> = names()
        .iter()
        .map(|(name, token)| each(name, token))
        .collect();
    all.join(between)
}

fn gateway(body: Body, url: &str) -> GatewayConfig {
    let mut gateway = config(url);
    gateway.send_standard_parameters = false;
    gateway.request_type = match body {
        Body::Json | Body::JsonText => ContentType::Json,
        Body::Form | Body::NameValue | Body::XmlInForm => ContentType::Form,
        Body::Xml | Body::XmlAttributes | Body::XmlText => ContentType::Xml,
    };
    if body == Body::NameValue {
        gateway.more.request_format = RequestFormat::NameValue;
    }
    let more = &mut gateway.more;
    match body {
        Body::JsonText => {
            let members = joined(|name, token| format!("\"{name}\":\"{token}\""), ",");
            more.body = format!("{{{members}}}");
        }
        Body::XmlText | Body::XmlInForm => {
            let elements = joined(|name, token| format!("<{name}>{token}</{name}>"), "");
            more.body = format!("<payment>{elements}</payment>");
        }
        Body::Json | Body::Form | Body::Xml | Body::XmlAttributes | Body::NameValue => {
            let at = if body == Body::XmlAttributes {
                "row.@"
            } else {
                ""
            };
            gateway.request_params = names()
                .into_iter()
                .map(|(name, value)| Mapping {
                    name: format!("{at}{name}"),
                    value,
                })
                .collect();
        }
    }
    if body == Body::XmlInForm {
        gateway.more.body_form_field = "xmldata".to_owned();
    }
    gateway
}

/// What a receiver reads.
fn read(body: Body, sent: &str) -> BTreeMap<String, String> {
    match body {
        Body::Json | Body::JsonText => serde_json::from_str(sent).unwrap(),
        Body::Form => form(sent),
        Body::Xml | Body::XmlText => elements(sent),
        Body::XmlAttributes => attributes(sent),
        Body::XmlInForm => elements(&form(sent)["xmldata"]),
        Body::NameValue => pairs(sent),
    }
}

fn form(sent: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(sent.as_bytes())
        .into_owned()
        .collect()
}

fn elements(sent: &str) -> BTreeMap<String, String> {
    let document = roxmltree::Document::parse(sent).unwrap();
    let elements = document.root_element().children();
    elements
        .map(|element| {
            let text = element.text().unwrap_or_default();
            (element.tag_name().name().to_owned(), text.to_owned())
        })
        .collect()
}

fn attributes(sent: &str) -> BTreeMap<String, String> {
    let document = roxmltree::Document::parse(sent).unwrap();
    let row = document.root_element().first_element_child().unwrap();
    row.attributes()
        .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
        .collect()
}

/// `NAME[bytes]=value`, joined by `&`.
fn pairs(mut sent: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    while !sent.is_empty() {
        let (name, rest) = sent.split_once('[').unwrap();
        let (bytes, rest) = rest.split_once("]=").unwrap();
        let (value, rest) = rest.split_at(bytes.parse().unwrap());
        read.insert(name.to_owned(), value.to_owned());
        sent = rest.strip_prefix('&').unwrap_or(rest);
    }
    read
}

#[tokio::test]
async fn a_hundred_thousand_values_arrive_in_every_type_of_body() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let server = Server::start(reply(200, "", b"{}")).await;
    let client = client(&[server.host()]);
    for _ in 0..REQUESTS {
        let values: Vec<String> = (0..VALUES).map(|_| value(&mut random)).collect();
        let mut expected = Vec::new();
        for body in BODIES {
            let values = values.iter().map(|value| match body.is_xml() {
                true => carried(value),
                false => value.clone(),
            });
            let named: BTreeMap<String, String> = names()
                .into_iter()
                .map(|(name, _)| name)
                .zip(values)
                .collect();
            let mut charge = card_charge(gateway(body, &server.url()), &card_number());
            for (name, value) in &named {
                let value = value.clone();
                if name.starts_with('s') {
                    charge.gateway.more.secrets.push(name.clone());
                    charge.secrets.push((name.clone(), SecretText::new(value)));
                } else {
                    let name = name.clone();
                    charge.gateway.more.constants.push(Mapping { name, value });
                }
            }
            let sent = match client.connect(charge).await {
                Ok(ready) => ready.send().await,
                Err(refused) => Err(refused),
            };
            if let Err(refused) = sent {
                panic!("{body:?}, seed {seed}: {}", refused.detail);
            }
            expected.push((body, named));
        }
        let sent = server.taken();
        assert_eq!(sent.len(), expected.len());
        for ((body, expected), sent) in expected.iter().zip(sent) {
            let (_, sent) = sent.split_once("\r\n\r\n").unwrap();
            assert_eq!(read(*body, sent), *expected, "{body:?}, seed {seed}");
        }
    }
}
