use domain::gateway::{ContentType, GatewayConfig, KeyFound};

use super::read;

fn config(response_type: ContentType, success_key: &str) -> GatewayConfig {
    let mut config: GatewayConfig = serde_json::from_value(serde_json::json!({
        "service_url": "https://pay.example/",
        "success_key": success_key,
        "success_value": "OK",
        "agent_message_key": "text",
    }))
    .unwrap();
    config.response_type = response_type;
    config
}

/// How the key was found; none if the body could not be read.
fn found(response_type: ContentType, key: &str, body: impl AsRef<[u8]>) -> Option<KeyFound> {
    let evidence = read(200, body.as_ref(), &config(response_type, key)).evidence;
    evidence.parsed.then_some(evidence.key)
}

fn json(key: &str, body: impl AsRef<[u8]>) -> Option<KeyFound> {
    found(ContentType::Json, key, body)
}

fn xml(key: &str, body: impl AsRef<[u8]>) -> Option<KeyFound> {
    found(ContentType::Xml, key, body)
}

#[test]
fn a_bare_name_is_taken_from_the_shallowest_level() {
    for (body, expected) in [
        (r#"{"s":"OK"}"#, KeyFound::Equal),
        (r#"{"s":" OK "}"#, KeyFound::Equal),
        (r#"{"s":"ok"}"#, KeyFound::NotEqual),
        (r#"{"d":{"s":"NO"},"s":"OK"}"#, KeyFound::Equal),
        (r#"{"s":"OK","d":{"s":"NO"}}"#, KeyFound::Equal),
        (r#"{"d":{"s":"OK"}}"#, KeyFound::Equal),
        (r#"[{"s":"OK"}]"#, KeyFound::Equal),
        (r#"{"s":"OK","s":"NO"}"#, KeyFound::Ambiguous),
        (r#"{"s":"OK","s":"OK"}"#, KeyFound::Ambiguous),
        (r#"{"a":{"s":"OK"},"b":{"s":"NO"}}"#, KeyFound::Ambiguous),
        (r#"[{"s":"OK"},{"s":"OK"}]"#, KeyFound::Ambiguous),
        (r#"{"s":{"s":"OK"}}"#, KeyFound::Ambiguous),
        (r#"{"s":["OK"]}"#, KeyFound::Ambiguous),
        (r#"{"S":"OK"}"#, KeyFound::Absent),
        (r#"{"x":"s"}"#, KeyFound::Absent),
        ("{}", KeyFound::Absent),
        ("[]", KeyFound::Absent),
        ("\"OK\"", KeyFound::Absent),
        (r#"{"__proto__":{"s":"OK"}}"#, KeyFound::Equal),
    ] {
        assert_eq!(json("s", body), Some(expected), "{body}");
    }
}

#[test]
fn paths_lead_from_the_top() {
    let body = r#"{"a":{"b":[{"c":"NO"},{"c":"OK"}]},"c":"NO","x.y":"OK"}"#;
    for (key, expected) in [
        ("a.b[1].c", KeyFound::Equal),
        ("a.b[0].c", KeyFound::NotEqual),
        ("/a/b/1/c", KeyFound::Equal),
        ("a.b[2].c", KeyFound::Absent),
        ("b[1].c", KeyFound::Absent),
        ("..b[1].c", KeyFound::Equal),
        ("x\\.y", KeyFound::Equal),
        ("a.b", KeyFound::Ambiguous),
        ("c", KeyFound::NotEqual),
    ] {
        assert_eq!(json(key, body), Some(expected), "{key}");
    }
}

#[test]
fn numbers_and_truth_values_compare_as_text() {
    for (value, expected) in [
        ("1", "1"),
        ("true", "true"),
        ("null", "null"),
        ("-7", "-7"),
        ("1.5", "1.5"),
    ] {
        let mut config = config(ContentType::Json, "s");
        config.success_value = expected.into();
        let reading = read(200, format!("{{\"s\":{value}}}").as_bytes(), &config);
        assert_eq!(reading.evidence.key, KeyFound::Equal, "{value}");
    }
}

#[test]
fn what_is_no_json_is_not_parsed() {
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let long_number = format!("{{\"s\":{}}}", "9".repeat(200_000));
    let utf16: Vec<u8> = r#"{"s":"OK"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "OK",
        "{\"s\":\"OK\"",
        "{\"s\":\"OK\"}}",
        "{\"s\":\"OK\"} x",
        "{'s':'OK'}",
        "{s:\"OK\"}",
        "{\"s\":\"OK\",}",
        "{\"s\":OK}",
        "{\"s\":\"O\nK\"}",
        "{\"s\":\"OK\"}\0",
        "\0{\"s\":\"OK\"}",
        "{\"s\":\"\\ud800\"}",
        "{\"s\":01}",
        "{\"s\":NaN}",
        "{\"s\":1e999}",
        "<s>OK</s>",
        "s=OK",
        "/*x*/{\"s\":\"OK\"}",
        &deep,
        &nested,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        utf16,
        b"{\"s\":\"\xff\"}".to_vec(),
        b"\xfe\xff{}".to_vec(),
        b"\xef\xbb\xbf\xef\xbb\xbf{\"s\":\"OK\"}".to_vec(),
    ])
    .collect();
    for body in bodies {
        assert_eq!(
            json("s", &body),
            None,
            "{}",
            String::from_utf8_lossy(&body[..body.len().min(40)])
        );
    }
    assert_ne!(json("s", long_number), Some(KeyFound::Equal));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(json("s", "\u{feff}{\"s\":\"OK\"}"), Some(KeyFound::Equal));
    assert_eq!(xml("s", "\u{feff}<r><s>OK</s></r>"), Some(KeyFound::Equal));
}

#[test]
fn elements_and_attributes_are_found_by_local_name() {
    for (key, body, expected) in [
        ("s", "<r><s>OK</s></r>", KeyFound::Equal),
        (
            "s",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><r xmlns:p='u'><p:s> OK\n</p:s></r>",
            KeyFound::Equal,
        ),
        ("s", "<r><s><![CDATA[OK]]></s></r>", KeyFound::Equal),
        ("s", "<r><s>&#79;&#x4B;</s></r>", KeyFound::Equal),
        ("s", "<r><s>O<!-- -->K</s></r>", KeyFound::Equal),
        ("s", "<s>OK</s>", KeyFound::Equal),
        ("s", "<r><s/></r>", KeyFound::NotEqual),
        ("s", "<r><s>&lt;OK&gt;</s></r>", KeyFound::NotEqual),
        ("s", "<r><s>OK</s><s>OK</s></r>", KeyFound::Ambiguous),
        ("s", "<r><a><s>NO</s></a><s>OK</s></r>", KeyFound::Equal),
        ("s", "<r><s><t>OK</t></s></r>", KeyFound::Ambiguous),
        ("s", "<r s='OK'/>", KeyFound::Absent),
        ("@s", "<r><a s='OK'/></r>", KeyFound::Equal),
        ("r/a/@s", "<r><a s='OK'/></r>", KeyFound::Equal),
        ("a/@s", "<r><a s=\"O&#75;\"/></r>", KeyFound::Equal),
        ("a.s", "<r><a><s>OK</s></a></r>", KeyFound::Equal),
        ("a/s", "<r><b><a><s>OK</s></a></b></r>", KeyFound::Absent),
        ("//a/s", "<r><b><a><s>OK</s></a></b></r>", KeyFound::Equal),
    ] {
        assert_eq!(xml(key, body), Some(expected), "{body}");
    }
}

#[test]
fn what_is_no_plain_xml_is_not_parsed() {
    let laughs = "<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><r><s>&b;</s></r>";
    let outside = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r><s>&x;</s></r>";
    let external = "<!DOCTYPE r SYSTEM \"http://127.0.0.1/x.dtd\"><r><s>OK</s></r>";
    let deep = "<a>".repeat(80_000);
    let nested = format!("{}{}", "<a>".repeat(70), "</a>".repeat(70));
    let attributes: String = (0..30_000).map(|count| format!(" a{count}=''")).collect();
    let wide = format!("<r{attributes}><s>OK</s></r>");
    let began = std::time::Instant::now();
    for body in [
        "",
        "OK",
        "<r>",
        "<r></s>",
        "</r>",
        "<r><s>OK</s></r><r/>",
        "<r/>x",
        "x<r/>",
        "<r><s>&x;</s></r>",
        "<r a='1' a='2'/>",
        "<r a=1/>",
        "<r><s>OK</r></s>",
        "<r>\u{1}</r>",
        "<r>&#0;</r>",
        "{\"s\":\"OK\"}",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><r><s>OK</s></r>",
        "<r a='&x;'/>",
        laughs,
        outside,
        external,
        &deep,
        &nested,
        &wide,
    ] {
        assert_eq!(xml("s", body), None, "{}", &body[..body.len().min(60)]);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(2));
}

#[test]
fn forms_and_lines_are_pairs() {
    let form = |body: &str| found(ContentType::Form, "s", body);
    let text = |body: &str| found(ContentType::Text, "s", body);
    assert_eq!(form("a=1&s=OK"), Some(KeyFound::Equal));
    assert_eq!(form("s=%4F%4b\r\n"), Some(KeyFound::Equal));
    assert_eq!(form("s=+OK+"), Some(KeyFound::Equal));
    assert_eq!(form("s=OK&s=OK"), Some(KeyFound::Ambiguous));
    assert_eq!(form("a=s%3DOK"), Some(KeyFound::Absent));
    assert_eq!(form("s=100%"), Some(KeyFound::NotEqual));
    assert_eq!(text("a=1\r\ns = OK\r\n"), Some(KeyFound::Equal));
    assert_eq!(text("a=1&s=OK"), Some(KeyFound::Equal));
    assert_eq!(text("s=OK\ns=NO"), Some(KeyFound::Ambiguous));
    assert_eq!(
        found(ContentType::Form, "r[a.b]", "r%5Ba.b%5D=OK"),
        Some(KeyFound::Equal)
    );
    for body in [
        "",
        "OK",
        "<html a=b>",
        "s=OK\0",
        "s=%00",
        "s=%ff",
        "\u{1}s=OK",
        "&&&",
    ] {
        assert_eq!(form(body), None, "{body:?}");
    }
    for body in ["", "OK", "one\ntwo"] {
        assert_eq!(text(body), None, "{body:?}");
    }
}

#[test]
fn the_message_is_found_by_its_key_and_an_ambiguous_one_is_none() {
    let message = |body: &str| {
        let reading = read(200, body.as_bytes(), &config(ContentType::Json, "s"));
        reading.message.map(|text| text.to_string())
    };
    assert_eq!(
        message(r#"{"text":"Hello \u00e9"}"#).as_deref(),
        Some("Hello \u{e9}")
    );
    assert_eq!(message(r#"{"text":51}"#).as_deref(), Some("51"));
    for body in [
        r#"{"text":null}"#,
        r#"{"text":{}}"#,
        r#"{"text":"a","text":"b"}"#,
        "{}",
        "x",
    ] {
        assert_eq!(message(body), None, "{body}");
    }
}
