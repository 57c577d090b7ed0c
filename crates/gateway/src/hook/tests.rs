//! What a hook sends and what it reads; the recorder itself stands in the server's stories.

use super::*;

fn call() -> HookCall {
    HookCall {
        id: "c-1".to_owned(),
        called: "4000".to_owned(),
        consumer_call_id: "a/b?c\"@192.0.2.1".to_owned(),
        agent_call_id: "..".to_owned(),
        agent: String::new(),
        recorder: "Floor \"2\"".to_owned(),
    }
}

fn post(url: &str, body: &str) -> Result<HookRequest, HookError> {
    HookRequest::parse("POST", url, body)
}

#[test]
fn values_are_written_for_their_place() {
    let request = post(
        "https://r.example:8443/calls/{call.consumer_call_id}/pause?by={call.id}",
        r#"{"recorder": "{recorder.name}", "call": "{call.consumer_call_id}", "x": {"y": 1.5}}"#,
    );
    let request = request.unwrap();
    assert_eq!(request.origin.authority(), "r.example:8443");
    assert_eq!(
        request.url.path(&call()).unwrap(),
        "/calls/a%2Fb%3Fc%22%40192.0.2.1/pause?by=c-1"
    );
    let body = request.body.unwrap().written(&call(), Place::Json);
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read["recorder"], "Floor \"2\"");
    assert_eq!(read["call"], "a/b?c\"@192.0.2.1");
}

#[test]
fn a_url_whose_fact_is_unknown_or_climbs_names_no_call() {
    for token in ["agent.name", "call.agent_call_id"] {
        let request = post(&format!("https://r.example/{{{token}}}/pause"), "").unwrap();
        let why = request.url.path(&call()).unwrap_err();
        assert!(why.contains(token), "{why}");
    }
}

#[test]
fn what_is_no_request_is_refused_with_what_may_stand_there() {
    for (method, url, body, told) in [
        ("TRACE", "https://r.example/", "", "method: write GET"),
        ("GET", "http://r.example/", "", "url: write https://"),
        (
            "GET",
            "https://{call.id}.example/",
            "",
            "url: write https://",
        ),
        ("GET", "https://r.example", "", "url: write https://"),
        ("GET", "https://a:b@r.example/", "", "url: write it without"),
        ("GET", "https://r.example/#x", "", "url: write it without"),
        (
            "GET",
            "https://r.example/{card.number}",
            "",
            "url: there is no token {card.number}",
        ),
        (
            "GET",
            "https://r.example/",
            "{call.x}",
            "body: there is no token {call.x}",
        ),
    ] {
        let error = HookRequest::parse(method, url, body).unwrap_err();
        assert!(error.to_string().starts_with(told), "{error}");
    }
    for name in ["", "a b", "Host", "content-length"] {
        assert!(HookHeader::parse(name).is_err(), "{name}");
    }
    assert!(HookCondition::parse("state").is_err());
}

fn hook() -> RecorderHook {
    let request = post("https://r.example/", "").unwrap();
    let condition = |line| HookCondition::parse(line).unwrap();
    let settings = HookSettings {
        pause: request.clone(),
        resume: request.clone(),
        state: request,
        paused: condition("state = paused"),
        recording: condition("state = recording"),
        timeout: Duration::from_secs(2),
    };
    RecorderHook::new(settings, None, None).unwrap()
}

fn word(request: RecorderRequest, status: u16, text: &str) -> RecorderWord {
    let mut body = secret::SecretBuffer::with_capacity(100);
    body.push_bytes(text.as_bytes()).unwrap();
    let reply = Reply {
        status,
        content_type: None,
        headers: Vec::new(),
        body,
    };
    hook().word(request, &reply)
}

#[test]
fn a_status_is_no_word_about_the_state() {
    for (text, expected) in [
        (r#"{"state": "paused"}"#, RecorderWord::Paused),
        (
            r#"{"recording": {"state": "paused"}}"#,
            RecorderWord::Paused,
        ),
        (r#"{"state": "recording"}"#, RecorderWord::Recording),
        (r#"{"state": "stopped"}"#, RecorderWord::Refused),
        (
            r#"{"state": "paused", "state": "recording"}"#,
            RecorderWord::Refused,
        ),
        (r#"{"state": "paused"} "#, RecorderWord::Paused),
        (r#"{"state": "paused""#, RecorderWord::Refused),
        ("", RecorderWord::Refused),
        ("<html>", RecorderWord::Refused),
    ] {
        assert_eq!(word(RecorderRequest::State, 200, text), expected, "{text}");
    }
    let paused = r#"{"state": "paused"}"#;
    for (status, expected) in [
        (202, RecorderWord::Taken),
        (302, RecorderWord::Refused),
        (404, RecorderWord::Unknown),
        (410, RecorderWord::Unknown),
        (409, RecorderWord::Refused),
        (500, RecorderWord::Refused),
    ] {
        assert_eq!(word(RecorderRequest::Pause, status, paused), expected);
    }
    assert_eq!(
        word(RecorderRequest::State, 500, paused),
        RecorderWord::Refused
    );
}
