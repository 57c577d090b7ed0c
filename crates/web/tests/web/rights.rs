//! Every route, asked by everybody.

use std::collections::BTreeSet;

use domain::access::Role;
use hyper::Method;
use serde_json::json;
use web::{Access, RouteRow, table};

use crate::support::{Browser, House};

fn path_of(row: &RouteRow) -> String {
    row.path
        .replace("{id}", "nothing")
        .replace("{attempt}", "nothing")
        .replace("{revision}", "1")
}

fn method_of(row: &RouteRow) -> Method {
    row.method.parse().unwrap()
}

async fn ask(browser: &Browser, row: &RouteRow) -> (u16, String) {
    let body = (row.method != "GET").then(|| json!({}));
    if row.path == "/events" {
        let stream = browser.events(None).await;
        let code = if stream.status == 200 {
            ""
        } else {
            "not_logged_in"
        };
        return (stream.status, code.to_owned());
    }
    let reply = browser.send(method_of(row), &path_of(row), body).await;
    let problem = reply.header("content-type") == "application/problem+json";
    (
        reply.status,
        if problem { reply.code() } else { String::new() },
    )
}

#[tokio::test]
async fn without_a_login_only_the_public_routes_answer() {
    let house = House::new().await;
    let browser = house.browser();
    let public: Vec<_> = table()
        .into_iter()
        .filter(|row| row.access == Access::Public)
        .map(|row| (row.method, row.path))
        .collect();
    assert_eq!(
        public,
        [
            ("GET", "/openapi.json"),
            ("POST", "/login"),
            ("GET", "/login/policy"),
            ("GET", "/frames"),
            ("POST", "/frames/login"),
            ("POST", "/set-up/offer"),
            ("POST", "/set-up")
        ]
    );
    for row in table() {
        let (status, code) = ask(&browser, &row).await;
        if row.access != Access::Public {
            assert_eq!((status, code.as_str()), (401, "not_logged_in"), "{row:?}");
        }
    }
}

#[tokio::test]
async fn every_role_reaches_exactly_the_routes_of_its_rights() {
    let house = House::new().await;
    for role in Role::ALL {
        for row in table() {
            let may = match row.access {
                Access::Public | Access::LoggedIn => true,
                Access::Any(rights) => rights
                    .iter()
                    .any(|right| role.permissions().contains(right)),
            };
            let browser = house.logged_in(role).await;
            let (_, code) = ask(&browser, &row).await;
            assert_eq!(code != "not_permitted", may, "{role:?} {row:?} {code}");
            assert_ne!(code, "csrf", "{row:?}");
        }
    }
}

#[tokio::test]
async fn nothing_changes_without_the_token() {
    let house = House::new().await;
    for role in Role::ALL {
        let browser = Browser {
            csrf: None,
            ..house.logged_in(role).await
        };
        for row in table() {
            if row.method == "GET" || row.access == Access::Public {
                continue;
            }
            assert_eq!(
                ask(&browser, &row).await,
                (403, "csrf".to_owned()),
                "{row:?}"
            );
        }
    }
}

#[tokio::test]
async fn tricks_with_the_path_reach_nothing() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    for path in [
        "!/api/v1/Users",
        "!/api/v1/users/",
        "!/api/v1//users",
        "!/api/v1/./users",
        "!/api/v1/calls/../users",
        "!/api/v1/%75sers",
        "!/API/v1/users",
        "!/api/v1/users%2f",
        "!/api/v1/users;x=1",
        "!/api/v1/users.json",
        "!/api/v2/users",
    ] {
        let reply = browser.get(path).await;
        assert!(!reply.text().contains("sid"), "{path} {}", reply.text());
        assert_ne!(reply.status, 200, "{path}");
    }
    let reply = browser.send(Method::PATCH, "/calls", None).await;
    assert_eq!(
        (reply.status, reply.code()),
        (405, "method_not_allowed".to_owned())
    );
}

#[tokio::test]
async fn the_description_has_exactly_the_routes_and_is_the_committed_one() {
    let document = web::document();
    let json = serde_json::to_value(&document).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in json["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routes: BTreeSet<_> = table()
        .into_iter()
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    assert_eq!(described, routes);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/openapi.json");
    let text = web::document_text();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        committed == text,
        "run UPDATE=1 cargo test -p tonewall-web to renew docs/api/openapi.json"
    );
    let house = House::new().await;
    let served = house.browser().get("/openapi.json").await;
    assert_eq!(served.text(), text);
}

#[test]
fn no_answer_in_the_description_carries_a_password() {
    let json = serde_json::to_value(web::document()).unwrap();
    let schemas = json["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let Some(properties) = schema["properties"].as_object() else {
            continue;
        };
        for (field, shape) in properties {
            let secret = field.contains("password") || field.contains("ha1");
            let flag = shape["type"] == "boolean" || shape["type"] == "array";
            let request = name.ends_with("Form") || name.ends_with("Draft");
            // A text that may only name computed values: a password itself is refused there.
            let computed = (name.as_str(), field.as_str()) == ("More", "auth_password");
            assert!(!secret || flag || request || computed, "{name}.{field}");
        }
    }
}
