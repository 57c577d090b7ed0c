use domain::gateway::{ContentType, GatewayConfig, KeyFound, ResponseFormat, ValueMeaning};

use super::{Header, Reading, Whole};

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

fn read(status: u16, body: &[u8], config: &GatewayConfig) -> Reading {
    let headers = &[];
    let reply = Whole {
        status,
        headers,
        body,
    };
    super::read(&reply, config)
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
    let both = "<!DOCTYPE r SYSTEM \"http://127.0.0.1/x.dtd\" [<!ELEMENT r ANY>]><r><s>OK</s></r>";
    let page = "<!DOCTYPE html><html><s>OK</s></html>";
    let twice = "<!DOCTYPE r SYSTEM \"x\"><!DOCTYPE r SYSTEM \"x\"><r><s>OK</s></r>";
    let late = "<r><s>OK</s><!DOCTYPE r SYSTEM \"x\"></r>";
    let used = "<!DOCTYPE r SYSTEM \"http://127.0.0.1/x.dtd\"><r><s>&declared-there;</s></r>";
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
        both,
        page,
        twice,
        late,
        used,
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
        reading.message.map(|text| text.value.to_string())
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

#[test]
fn a_document_type_that_only_names_a_file_is_passed_over_and_nothing_is_opened() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let file = format!("http://{}/x.dtd", listener.local_addr().unwrap());
    for body in [
        format!("<!DOCTYPE r SYSTEM \"{file}\"><r><s>OK</s></r>"),
        format!("<?xml version='1.0'?>\n<!DOCTYPE r PUBLIC '-//A//EN' '{file}'>\n<r><s>OK</s></r>"),
    ] {
        assert_eq!(xml("s", &body), Some(KeyFound::Equal), "{body}");
    }
    let connected = listener.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(connected, Err(std::io::ErrorKind::WouldBlock));
}

/// A configuration with this behind "More".
fn more(response_type: ContentType, more: serde_json::Value) -> GatewayConfig {
    GatewayConfig {
        more: serde_json::from_value(more).unwrap(),
        ..config(response_type, "s")
    }
}

fn outputs(body: &str, config: &GatewayConfig) -> Vec<(String, String)> {
    let outputs = read(200, body.as_bytes(), config).outputs.into_iter();
    outputs
        .map(|output| (output.name, output.text.value.to_string()))
        .collect()
}

fn one_output(response_type: ContentType, keys: &str, body: &str) -> Option<String> {
    let rows = serde_json::json!({ "outputs": [{ "name": "o", "value": keys }] });
    let mut found = outputs(body, &more(response_type, rows));
    found.pop().map(|(_, value)| value)
}

#[test]
fn pairs_may_tell_their_length() {
    let found = |body: &str| {
        let mut config = config(ContentType::Form, "s");
        config.more.response_format = ResponseFormat::NameValue;
        let reading = read(200, body.as_bytes(), &config);
        let message = reading.message.map(|text| text.value.to_string());
        reading
            .evidence
            .parsed
            .then_some((reading.evidence.key, message))
    };
    let equal = |message: &str| Some((KeyFound::Equal, Some(message.to_owned())));
    for (body, expected) in [
        ("s=OK&text=a", equal("a")),
        ("s[2]=OK&text[5]=a & b", equal("a & b")),
        ("text[10]=a&s=NO&x=1&s=OK\r\n", equal("a&s=NO&x=1")),
        ("s=OK&text=100%25+a", equal("100%25+a")),
        ("s=OK&text[2]=\u{e9}", equal("\u{e9}")),
        ("s=OK&text[0]=&", equal("")),
        ("s=OK&flag&text=a", equal("a")),
        ("s=OK&text=Ruff & Johnson", equal("Ruff ")),
        ("s=OK&text[x]=a", Some((KeyFound::Equal, None))),
        ("s=OK&s=OK", Some((KeyFound::Ambiguous, None))),
    ] {
        assert_eq!(found(body), expected, "{body}");
    }
    for body in [
        "",
        "OK",
        "&&",
        "s=OK&text[2]=abc",
        "s[3]=OK&text=a",
        "s=OK&text[9]=abc",
        "s=OK&text[1]=\u{e9}",
        "s=OK&text[99999999999999999999]=a",
        "<html a=b>",
    ] {
        assert_eq!(found(body), None, "{body}");
    }
}

#[test]
fn status_and_headers_are_keys() {
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: Some(zeroize::Zeroizing::new(value.to_owned())),
    };
    let headers = [header("x-a", "OK"), header("x-b", "1"), header("x-b", "2")];
    for (key, expected) in [
        ("http:status", KeyFound::NotEqual),
        ("header:X-A", KeyFound::Equal),
        ("header:X-B", KeyFound::Ambiguous),
        ("header:X-C", KeyFound::Absent),
        ("/http:status", KeyFound::Equal),
    ] {
        let reply = Whole {
            status: 201,
            headers: &headers,
            body: br#"{"http:status":"OK"}"#,
        };
        let reading = super::read(&reply, &config(ContentType::Json, key));
        assert_eq!(reading.evidence.key, expected, "{key}");
    }
    let asked = more(
        ContentType::Json,
        serde_json::json!({ "outputs": [{ "name": "id", "value": "a || header:X-Id" }], "verdict": { "review": ["header:X-Held exists"] } }),
    );
    let mut asked = super::headers_asked(&asked);
    asked.sort();
    assert_eq!(asked, ["x-held", "x-id"]);
}

#[test]
fn an_expression_catches_in_a_text() {
    let found = |key: &str, body: &str| {
        let reading = read(200, body.as_bytes(), &config(ContentType::Text, key));
        reading.evidence.parsed.then_some(reading.evidence.key)
    };
    for (key, body, expected) in [
        (
            r"re:/Status: (\w+)/",
            "Status: OK\nCode: 7",
            Some(KeyFound::Equal),
        ),
        (
            r"re:/Status: (\w+)/",
            "Status: OK, Status: OK",
            Some(KeyFound::Ambiguous),
        ),
        (r"re:/Status: (\w+)/", "nothing", Some(KeyFound::Absent)),
        (r"re:/Status: (\w+)/", " \n", None),
        (r"re:/Status: (\w+)/", "", None),
        (r"re:/^(OK)/", "OK s=NO", Some(KeyFound::Equal)),
        ("s", "OK", None),
    ] {
        assert_eq!(found(key, body), expected, "{key} {body:?}");
    }
    let text = |keys: &str| one_output(ContentType::Text, keys, "a=1\nid 77 done");
    assert_eq!(text(r"re:/id (\d+)/").as_deref(), Some("77"));
    assert_eq!(text(r"b || re:/(\d+) done/ || a").as_deref(), Some("77"));
    assert_eq!(text("a").as_deref(), Some("1"));
    // Answers of another type have no text to look at.
    assert_eq!(one_output(ContentType::Json, "re:/(a)/", "{}"), None);
}

#[test]
fn the_message_is_of_the_first_key_that_says_something() {
    let config = more(
        ContentType::Json,
        serde_json::json!({ "message_keys": ["errors[0].text", "..why"] }),
    );
    let message = |body: &str| {
        let message = read(200, body.as_bytes(), &config).message;
        message.map(|text| (text.path.to_string(), text.value.to_string()))
    };
    for (body, expected) in [
        (r#"{"text":"a","why":"b"}"#, Some(("text", "a"))),
        (
            r#"{"errors":[{"text":"a"}],"d":{"why":"b"}}"#,
            Some(("errors[0].text", "a")),
        ),
        (
            r#"{"text":null,"errors":[{}],"d":{"why":"b"}}"#,
            Some(("d.why", "b")),
        ),
        (r#"{"text":" ","d":{"why":"b"}}"#, Some(("d.why", "b"))),
        (r#"{"text":"","why":null}"#, Some(("text", ""))),
        (r#"{"text":["a"],"why":["b"]}"#, None),
        ("{}", None),
    ] {
        let found = message(body);
        let found = found.as_ref().map(|(path, text)| (&**path, &**text));
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn outputs_are_what_says_something_under_the_first_key_that_does() {
    let json = |keys: &str, body: &str| one_output(ContentType::Json, keys, body);
    for (keys, body, expected) in [
        ("a.id || a", r#"{"a":{"id":"x"}}"#, Some("x")),
        ("a.id || a", r#"{"a":"y"}"#, Some("y")),
        ("a", r#"{"a":7}"#, Some("7")),
        ("a", r#"{"a":null}"#, None),
        ("a", r#"{"a":" "}"#, None),
        ("a || b", r#"{"a":"","b":"z"}"#, Some("z")),
        ("a", r#"{"a":{}}"#, None),
        ("http:status", "{}", Some("200")),
        // A member that an object repeats: the last. A name at two places of a level: the first.
        ("a", r#"{"a":"x","a":"y"}"#, Some("y")),
        ("a", r#"{"b":{"a":"x"},"c":{"a":"y"}}"#, Some("x")),
        ("b.a", r#"{"b":{"a":"x"},"b":{"a":"y"}}"#, Some("y")),
        ("a", r#"{"c":{"a":"w"},"a":"x"}"#, Some("x")),
    ] {
        assert_eq!(json(keys, body).as_deref(), expected, "{keys} {body}");
    }
    let form = one_output(ContentType::Form, "a", "a=x&a=y");
    assert_eq!(form.as_deref(), Some("x"));
    let xml = one_output(ContentType::Xml, "//e/@c", "<r><e c='1'/><e c='2'/></r>");
    assert_eq!(xml.as_deref(), Some("1"));
    // What cannot be read keeps nothing.
    assert!(
        outputs(
            "<html>",
            &more(
                ContentType::Json,
                serde_json::json!({ "outputs": [{ "name": "s", "value": "http:status" }] })
            )
        )
        .is_empty()
    );
}

#[test]
fn one_walk_finds_all_that_is_asked() {
    let config = more(
        ContentType::Json,
        serde_json::json!({
            "message_keys": ["s"],
            "verdict": { "also": ["s = OK", "id exists"], "review": ["s = OK"], "declined": ["not readable"] },
            "outputs": [{ "name": "one", "value": "id" }, { "name": "two", "value": "id || s" }],
        }),
    );
    let reading = read(200, br#"{"s":"OK","id":"x"}"#, &config);
    assert_eq!(reading.evidence.key, KeyFound::Equal);
    assert_eq!(reading.refined.also_broken, None);
    assert_eq!(reading.refined.review, Some(0));
    // A line that cannot be read holds of nothing.
    assert_eq!(
        (reading.refined.declined, reading.refined.lists_declined),
        (None, true)
    );
    assert_eq!(reading.message.unwrap().value.as_str(), "OK");
    assert_eq!(reading.outputs.len(), 2);
    let without = read(200, br#"{"s":"OK"}"#, &config);
    assert_eq!(without.refined.also_broken, Some(1));
}

#[test]
fn a_success_value_is_a_text_unless_it_is_said_to_be_a_test() {
    let found = |value: &str, meaning: ValueMeaning, body: &str| {
        let mut config = config(ContentType::Json, "s");
        config.success_value = value.to_owned();
        config.more.success_value = meaning;
        read(200, body.as_bytes(), &config).evidence.key
    };
    for (value, body, as_text, as_test) in [
        ("A|B", r#"{"s":"B"}"#, KeyFound::NotEqual, KeyFound::Equal),
        ("A|B", r#"{"s":"A|B"}"#, KeyFound::Equal, KeyFound::NotEqual),
        (
            "exists",
            r#"{"s":"no"}"#,
            KeyFound::NotEqual,
            KeyFound::Equal,
        ),
        (
            "exists",
            r#"{"s":{}}"#,
            KeyFound::Ambiguous,
            KeyFound::Equal,
        ),
        (
            "exists",
            r#"{"s":null}"#,
            KeyFound::NotEqual,
            KeyFound::NotEqual,
        ),
        ("~.", r#"{"s":"no"}"#, KeyFound::NotEqual, KeyFound::Equal),
        (
            "~.",
            r#"{"s":"no","s":"no"}"#,
            KeyFound::Ambiguous,
            KeyFound::Ambiguous,
        ),
        ("1..9", r#"{"s":5}"#, KeyFound::NotEqual, KeyFound::Equal),
        ("null", r#"{"s":null}"#, KeyFound::Equal, KeyFound::Equal),
        ("~(", r#"{"s":"~("}"#, KeyFound::Equal, KeyFound::NotEqual),
        ("exists", "{}", KeyFound::Absent, KeyFound::Absent),
    ] {
        assert_eq!(
            found(value, ValueMeaning::Text, body),
            as_text,
            "{value} {body}"
        );
        assert_eq!(
            found(value, ValueMeaning::Test, body),
            as_test,
            "{value} {body}"
        );
    }
}
