use domain::gateway::{ContentType, RequestFormat};
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use secret::SecretBuffer;

use super::encode::encode;
use super::value::Value;

fn encoded(as_type: ContentType, name: &str, value: &str) -> Option<String> {
    let mut body = SecretBuffer::with_capacity(4_096);
    let parameters = [
        (name.into(), Value::text(value)),
        ("last".into(), Value::text("1")),
    ];
    encode(&parameters, as_type, RequestFormat::RequestType, &mut body).ok()?;
    Some(String::from_utf8(body.expose().to_vec()).unwrap())
}

/// Text of the first parameter of an XML body, as a foreign reader sees it.
fn xml_text(body: &str) -> String {
    let mut reader = Reader::from_str(body);
    let mut text = String::new();
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 2 => return text,
            Event::Text(part) if depth == 2 => text.push_str(&part.into_inner()),
            Event::GeneralRef(reference) if depth == 2 => {
                match reference.resolve_char_ref().unwrap() {
                    Some(c) => text.push(c),
                    None => text.push_str(
                        quick_xml::escape::resolve_predefined_entity(&reference.into_inner())
                            .unwrap(),
                    ),
                }
            }
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn what_is_typed_arrives_as_json(name in "\\PC{1,20}", value in any::<String>()) {
        prop_assume!(!value.is_empty() && name != "last");
        let escaped = name.replace('\\', r"\\").replace('.', r"\.").replace('[', r"\[");
        let body: serde_json::Value = serde_json::from_str(&encoded(ContentType::Json, &escaped, &value).unwrap()).unwrap();
        prop_assert_eq!(body[&name].as_str(), Some(value.as_str()));
        prop_assert_eq!(body["last"].as_str(), Some("1"));
    }

    #[test]
    fn what_is_typed_arrives_as_a_form(name in "\\PC{1,20}", value in any::<String>()) {
        let body = encoded(ContentType::Form, &name, &value).unwrap();
        prop_assert!(body.is_ascii());
        let pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        prop_assert_eq!(pairs, [(name, value), ("last".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_is_typed_arrives_as_xml_or_is_refused(value in any::<String>()) {
        match encoded(ContentType::Xml, "name", &value) {
            Some(body) => prop_assert_eq!(xml_text(&body), value),
            None => {
                let control = |c: char| c.is_control() && !"\t\r\n".contains(c);
                let uncarried = value.contains(|c| control(c) || ['\u{fffe}', '\u{ffff}'].contains(&c));
                prop_assert!(uncarried);
            }
        }
    }

    #[test]
    fn no_reply_makes_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200), text in "[<>/a-z\"'=&;!\\[\\]{}:, %0-9-]{0,80}") {
        let mut config: domain::gateway::GatewayConfig = serde_json::from_value(serde_json::json!({
            "service_url": "https://pay.example/", "success_key": "a", "success_value": "b", "agent_message_key": "a.b",
        })).unwrap();
        for as_type in [ContentType::Json, ContentType::Form, ContentType::Xml, ContentType::Text] {
            config.response_type = as_type;
            for body in [&*body, text.as_bytes()] {
                crate::reply::read(&crate::reply::Whole { status: 200, headers: &[], body }, &config);
            }
        }
    }
}
