//! "Bad input": every route that takes a body, asked with one field after the other missing, of another type, too long, with control characters,
//! with HTML and with a template token, then with all texts wrong at once. What is refused names the field and leaves everything as it was;
//! what is taken is text and comes back as it went in. The routes are those of the description, so that a new one has to be written down here.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::stage::{Case, Stage};
use crate::support::{Browser, Reply};
use crate::widgets::names_in;

/// Longer than any text of ours may be.
const LONG_CHARS: usize = 20_000;
/// More than any list of ours may have.
const LONG_ITEMS: usize = 600;
/// Lists in which the same twice is the same as once.
const SETS: [&str; 7] = [
    "arrangements",
    "card_types",
    "permissions",
    "roles",
    "add",
    "remove",
    "names",
];
/// Texts of more than one line.
const LINES: [&str; 2] = ["text", "body"];
/// What no answer repeats.
const SECRETS: [&str; 4] = ["password", "phone_password", "gateway_password", "key"];
/// What tells alternatives apart.
const TAGS: [&str; 5] = ["do", "to", "kind", "allow", "state"];
/// Compared with what is stored, at which another one is a conflict, not an error of a form.
const REVISIONS: [&str; 2] = ["revision", "desktop_revision"];

/// One way to be wrong.
#[derive(Debug, Clone)]
struct Wrong {
    what: &'static str,
    /// JSON pointer of the field.
    pointer: String,
    body: Value,
    /// It may be taken, if it comes back as this.
    taken_as: Option<String>,
}

/// Name of the field at the end of a pointer; places in lists have none.
fn name_of(pointer: &str) -> &str {
    let named = |part: &&str| part.parse::<usize>().is_err();
    pointer.rsplit('/').find(named).unwrap_or_default()
}

/// As errors name it: `widgets[0].title`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        if part.parse::<usize>().is_ok() {
            path += &format!("[{part}]");
        } else {
            path += if path.is_empty() { "" } else { "." };
            path += part;
        }
    }
    path
}

/// Every place below a value, itself left out.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(parts) => parts
            .iter()
            .map(|(name, part)| (name.clone(), part))
            .collect(),
        Value::Array(parts) => (0..)
            .map(|place: usize| place.to_string())
            .zip(parts)
            .collect(),
        _ => return,
    };
    for (name, part) in parts {
        let pointer = format!("{at}/{name}");
        found.push(pointer.clone());
        pointers(part, &pointer, found);
    }
}

fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = body.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

fn without(body: &Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let mut changed = body.clone();
    changed.pointer_mut(parent)?.as_object_mut()?.remove(name)?;
    Some(changed)
}

fn texts(pointer: &str) -> Vec<(&'static str, String, bool)> {
    let lines = LINES.contains(&name_of(pointer)) || pointer.contains("/signature/");
    vec![
        ("too long", "x".repeat(LONG_CHARS), false),
        ("a NUL", "a\u{0}b".to_owned(), false),
        ("an escape", "a\u{1b}[2Jb".to_owned(), false),
        ("CRLF", "abc\r\nX-Injected: 1".to_owned(), lines),
        ("HTML", "<img src=x onerror=alert(1)>".to_owned(), true),
        ("a template token", "{card.number}".to_owned(), true),
    ]
}

/// Every way in which the field at a pointer can be wrong.
fn wrongs(body: &Value, pointer: &str) -> Vec<Wrong> {
    let wrong = |what, body, taken_as| Wrong {
        what,
        pointer: pointer.to_owned(),
        body,
        taken_as,
    };
    let name = name_of(pointer);
    let value = body.pointer(pointer).unwrap();
    let other_type = if value.is_number() || value.is_boolean() {
        json!("x")
    } else {
        json!(7)
    };
    let mut found = vec![wrong("another type", with(body, pointer, other_type), None)];
    match value {
        Value::String(_) => {
            for (what, text, may_be_taken) in texts(pointer) {
                let taken_as = may_be_taken.then(|| text.clone());
                found.push(wrong(what, with(body, pointer, json!(text)), taken_as));
            }
        }
        Value::Number(_) if !REVISIONS.contains(&name) => {
            for (what, number) in [
                ("negative", json!(-1)),
                ("huge", json!(1_000_000_000_000_i64)),
                ("a fraction", json!(1.5)),
            ] {
                found.push(wrong(what, with(body, pointer, number), None));
            }
        }
        Value::Array(items) if !items.is_empty() && !SETS.contains(&name) => {
            let many = vec![items[0].clone(); LONG_ITEMS];
            found.push(wrong("too many", with(body, pointer, json!(many)), None));
        }
        // A tag alone is a word in an object's clothes.
        Value::Object(parts)
            if parts.len() > 1 || !TAGS.iter().any(|tag| parts.contains_key(*tag)) =>
        {
            let mut more = value.clone();
            more["no_such_name"] = json!("x");
            found.push(wrong("a name too many", with(body, pointer, more), None));
        }
        _ => {}
    }
    found
}

/// An error's field is the wrong one, or what holds it; a prompt is told by its field instead of its place, a value of a payment by itself.
fn tells(field: &str, pointer: &str) -> bool {
    let path = dotted(pointer);
    let named = field.split('.').zip(path.split('.'));
    let shared = named
        .take_while(|(told, is)| told == is || *told == "?")
        .count();
    let (told, depth) = (field.split('.').count(), path.split('.').count());
    let holds = !field.is_empty() && (shared == told || path.starts_with(field));
    let of_prompt = |part: &str| part.starts_with("prompts[") && field.contains(".prompts.");
    let prompt = path.split('.').nth(shared).is_some_and(of_prompt);
    let below = field.starts_with(&format!("{path}.")) || field.starts_with(&format!("{path}["));
    (holds && told <= depth) || below || prompt || field == name_of(pointer)
}

fn fields_of(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    errors
        .iter()
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect()
}

fn explain(case: &Case, wrong: &Wrong, reply: &Reply) -> String {
    format!(
        "{} {}: {} at {}: {} {}",
        case.method,
        case.route,
        wrong.what,
        wrong.pointer,
        reply.status,
        reply.text().chars().take(300).collect::<String>()
    )
}

/// A secret is no text: it is hashed or sent as it is. Of other texts those that are no more than text are taken, and come back as they went in.
fn may_be_taken(case: &Case, wrong: &Wrong, reply: &Reply) -> bool {
    let name = name_of(&wrong.pointer);
    let is_secret = case.is_secret || SECRETS.contains(&name);
    let Some(text) = &wrong.taken_as else {
        return is_secret && ["CRLF", "a NUL", "an escape"].contains(&wrong.what);
    };
    // Lines may end with one character, however they were sent.
    let as_sent = [text.clone(), text.replace("\r\n", "\n")].map(|text| json!(text).to_string());
    let is_there = as_sent
        .iter()
        .any(|json| reply.text().contains(json.trim_matches('"')));
    let tried_out = case.route.starts_with("/gateway/");
    // Into the trail, and into no answer.
    let is_noted = [
        "/reject",
        "/outcome",
        "/download",
        "/redactions",
        "/recordings/{id}",
    ]
    .iter()
    .any(|end| case.route.ends_with(end));
    let goes_on = wrong.pointer.starts_with("/values/") || is_noted || tried_out;
    is_there || is_secret || goes_on
}

/// What is not as it must be in an answer to something wrong; empty: nothing.
fn fault(case: &Case, wrong: &Wrong, reply: &Reply) -> Option<String> {
    if (200..300).contains(&reply.status) {
        return (!may_be_taken(case, wrong, reply)).then(|| "was taken".to_owned());
    }
    if !(400..500).contains(&reply.status)
        || reply.header("content-type") != "application/problem+json"
    {
        return Some("is no problem of the client".to_owned());
    }
    let fields = fields_of(reply);
    let named = fields.iter().any(|field| tells(field, &wrong.pointer));
    // A name too many is the sender's; no answer repeats it.
    let whole = reply.status == 413 || case.is_secret || wrong.what == "a name too many";
    (!named && !whole).then(|| format!("does not name it: {fields:?}"))
}

/// All that is not as it must be on one route; the fields that were refused for what stands in them.
async fn campaign(place: usize) -> Vec<String> {
    let mut stage = Stage::new().await;
    let mut faults = Vec::new();
    let body = stage.cases().remove(place).body;
    let mut all = vec![String::new()];
    pointers(&body, "", &mut all);
    let mut refused: Vec<(String, String)> = Vec::new();
    for pointer in all {
        for number in 0.. {
            let case = stage.cases().remove(place);
            let mut ways = if pointer.is_empty() {
                whole(&case)
            } else {
                wrongs(&case.body, &pointer)
            };
            if number >= ways.len() {
                break;
            }
            let wrong = ways.swap_remove(number);
            let before = stage.snapshot();
            let reply = ask(&stage.browser, &case, &wrong.body).await;
            if let Some(what) = fault(&case, &wrong, &reply) {
                faults.push(format!("{what}: {}", explain(&case, &wrong, &reply)));
            }
            if (200..300).contains(&reply.status) {
                stage = Stage::new().await;
                continue;
            }
            if !case.is_secret && stage.snapshot() != before {
                faults.push(format!(
                    "something was saved: {}",
                    explain(&case, &wrong, &reply)
                ));
            }
            if wrong.what == "a NUL" && reply.status == 422 {
                refused.extend(
                    fields_of(&reply)
                        .into_iter()
                        .map(|field| (pointer.clone(), field)),
                );
            }
        }
    }
    faults.extend(all_at_once(&stage, place, &refused).await);
    faults
}

/// Each text that was refused by itself is refused together with the others.
async fn all_at_once(stage: &Stage, place: usize, refused: &[(String, String)]) -> Vec<String> {
    let case = stage.cases().remove(place);
    if refused.is_empty() || case.is_secret {
        return Vec::new();
    }
    let mut body = case.body.clone();
    for (pointer, _) in refused {
        body = with(&body, pointer, json!("a\u{0}b"));
    }
    let fields: BTreeSet<String> = fields_of(&ask(&stage.browser, &case, &body).await)
        .into_iter()
        .collect();
    let lost = refused.iter().filter(|(_, field)| !fields.contains(field));
    lost.map(|(_, field)| {
        format!(
            "{} {}: {field} is not told with all the others: {fields:?}",
            case.method, case.route
        )
    })
    .collect()
}

/// Each name missing that the description requires, and one too many.
fn whole(case: &Case) -> Vec<Wrong> {
    let document = serde_json::to_value(web::document()).unwrap();
    let schema = schema_of(&document, case);
    let mut more = case.body.clone();
    more["no_such_name"] = json!("x");
    let mut found = vec![Wrong {
        what: "a name too many",
        pointer: String::new(),
        body: more,
        taken_as: None,
    }];
    let mut all = Vec::new();
    pointers(&case.body, "", &mut all);
    for pointer in all
        .into_iter()
        .filter(|pointer| is_required(&document, schema, &case.body, pointer))
    {
        found.extend(without(&case.body, &pointer).map(|body| Wrong {
            what: "missing",
            pointer,
            body,
            taken_as: None,
        }));
    }
    found
}

fn schema_of<'a>(document: &'a Value, case: &Case) -> &'a Value {
    let operation = &document["paths"][case.route][case.method.to_lowercase()];
    &operation["requestBody"]["content"]["application/json"]["schema"]
}

/// What a schema means for a value: its references followed, of alternatives those that the value's own tag allows.
fn meanings<'a>(document: &'a Value, schema: &'a Value, value: &Value) -> Vec<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return meanings(document, &document["components"]["schemas"][name], value);
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[kind].as_array() {
            return parts
                .iter()
                .flat_map(|part| meanings(document, part, value))
                .collect();
        }
    }
    let other_tag = |(name, property): (&String, &Value)| {
        property["enum"]
            .as_array()
            .is_some_and(|only| only.len() == 1 && only[0] != value[name])
    };
    let is_other = schema["properties"]
        .as_object()
        .is_some_and(|properties| properties.iter().any(other_tag));
    if is_other { Vec::new() } else { vec![schema] }
}

fn is_required(document: &Value, schema: &Value, body: &Value, pointer: &str) -> bool {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return false;
    };
    let mut here = meanings(document, schema, body);
    let mut value = body;
    for part in parent.split('/').skip(1) {
        value = part
            .parse::<usize>()
            .map_or_else(|_| &value[part], |place| &value[place]);
        let below = here.iter().flat_map(|schema| {
            [
                &schema["items"],
                &schema["properties"][part],
                &schema["additionalProperties"],
            ]
        });
        here = below
            .filter(|schema| schema.is_object())
            .flat_map(|schema| meanings(document, schema, value))
            .collect();
    }
    let names = here
        .iter()
        .filter_map(|schema| schema["required"].as_array());
    names.flatten().any(|required| required == name)
}

#[tokio::test]
async fn every_route_that_takes_a_body_is_in_the_campaign_with_every_name() {
    let document = serde_json::to_value(web::document()).unwrap();
    let cases = Stage::new().await.cases();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // A table of banks has tests of its own.
            if operation["requestBody"]["content"]["application/json"].is_null() {
                continue;
            }
            // What excludes each other stands in bodies of its own.
            let of_route: Vec<_> = cases
                .iter()
                .filter(|case| case.route == path && case.method == method.to_uppercase())
                .collect();
            let Some(case) = of_route.first() else {
                panic!("write down a right body for {method} {path} in stage.rs")
            };
            let mut described = BTreeSet::new();
            names_in(&document, schema_of(&document, case), &mut described);
            let mut written = Vec::new();
            for case in of_route {
                pointers(&case.body, "", &mut written);
            }
            let written: BTreeSet<String> = written
                .iter()
                .map(|pointer| name_of(pointer).to_owned())
                .collect();
            let lost: Vec<_> = described.difference(&written).collect();
            assert!(
                lost.is_empty(),
                "{method} {path}: no value for {lost:?} in stage.rs"
            );
        }
    }
}

#[tokio::test]
async fn the_right_bodies_are_taken() {
    let count = Stage::new().await.cases().len();
    for place in 0..count {
        let stage = Stage::new().await;
        let case = stage.cases().remove(place);
        let reply = ask(&stage.browser, &case, &case.body).await;
        // A code is made first (frames.rs), a secret is offered first, and a first administrator needs a house without users: set_up.rs has one.
        let elsewhere = [
            "/frames/login",
            "/second-factor",
            "/set-up/offer",
            "/set-up",
        ]
        .contains(&case.route);
        assert!(
            (200..300).contains(&reply.status) || elsewhere,
            "{case:?} {}",
            reply.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_its_field_and_nothing_is_saved() {
    let count = Stage::new().await.cases().len();
    let cores = std::thread::available_parallelism().unwrap().get();
    let campaigns = stream::iter(0..count).map(|place| tokio::spawn(campaign(place)));
    let found: Vec<Vec<String>> = campaigns
        .buffer_unordered(cores)
        .map(Result::unwrap)
        .collect()
        .await;
    let faults = found.concat();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

async fn ask(browser: &Browser, case: &Case, body: &Value) -> Reply {
    browser
        .send(case.method.parse().unwrap(), &case.path, Some(body.clone()))
        .await
}
