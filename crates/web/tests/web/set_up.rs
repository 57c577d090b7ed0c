//! The first administrator, and the way to a first working desktop.

use domain::access::{Actor, Role};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Store as _, StoreError};
use domain::time::WallClock as _;
use serde_json::{Value, json};

use crate::configuration::administrator;
use crate::second_factor::code;
use crate::support::{Browser, House};

const PASSWORD: &str = "battery staple 7";

fn form(token: &str, code: Option<&str>) -> Value {
    json!({"token": token, "name": "ada", "display_name": "Ada Lane", "password": PASSWORD, "code": code})
}

/// The secret that the page shows.
async fn offered(browser: &Browser, token: &str) -> String {
    let offer = browser.post("/set-up/offer", json!({"token": token})).await;
    assert_eq!(offer.status, 200, "{}", offer.text());
    assert_eq!(offer.header("cache-control"), "no-store");
    offer.json()["second_factor"]["secret"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn whoever_has_the_link_becomes_the_first_administrator_once_and_is_logged_in() {
    let (house, token) = House::empty(true).await;
    let mut browser = house.browser();
    let policy = browser.get("/login/policy").await.json();
    assert_eq!(
        policy,
        json!({"asks_for_code": true, "awaits_set_up": true})
    );
    let secret = offered(&browser, &token).await;
    let made = browser
        .send_to_log_in("/set-up", form(&token, Some(&code(&house, &secret))))
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let login = made.json();
    assert_eq!(login["roles"], json!(["desktop_admin", "security_admin"]));
    assert_eq!(
        (
            &login["must_change_password"],
            &login["must_set_second_factor"]
        ),
        (&json!(false), &json!(false))
    );
    assert_eq!(browser.get("/users").await.status, 200);
    let again = house.browser().post("/set-up", form(&token, None)).await;
    assert_eq!(again.code(), "wrong_state");
    let policy = browser.get("/login/policy").await.json();
    assert_eq!(policy["awaits_set_up"], false);

    let trail = house.rooms.trail();
    assert!(trail.contains("set_up_link") && trail.contains("logged_in"));
    assert!(!trail.contains(&token) && !trail.contains(&secret) && !trail.contains(PASSWORD));
    house.rooms.advance_ms(30_000);
    let next = json!({"user": "ada", "password": PASSWORD, "code": code(&house, &secret)});
    assert_eq!(house.browser().log_in_with(next).await.status, 200);
}

#[tokio::test]
async fn another_link_opens_nothing_and_guesses_are_slowed_down_and_noted() {
    let (house, first) = House::empty(true).await;
    let token = house.server.open_set_up().unwrap();
    let browser = house.browser();
    for wrong in ["", "0", &first] {
        let offer = browser.post("/set-up/offer", json!({"token": wrong})).await;
        let make = browser.post("/set-up", form(wrong, None)).await;
        assert_eq!(
            (offer.code(), make.code()),
            ("wrong_state".into(), "wrong_state".into())
        );
    }
    assert!(house.rooms.trail().contains("wrong_set_up_link"));
    let mut code = String::new();
    for _ in 0..200 {
        code = browser
            .post("/set-up/offer", json!({"token": "guess"}))
            .await
            .code();
        if code == "too_many_failures" {
            break;
        }
    }
    assert_eq!(code, "too_many_failures");
    let slowed = browser.post("/set-up/offer", json!({"token": token})).await;
    assert_eq!(slowed.code(), "too_many_failures");
    assert!(house.rooms.users.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_form_is_refused_as_a_whole_with_every_wrong_field_and_the_link_still_holds() {
    let (house, token) = House::empty(true).await;
    let browser = house.browser();
    let secret = offered(&browser, &token).await;
    let wrong = json!({"token": token, "name": "Ada!", "display_name": "Ada\u{7}", "password": "short", "code": "000000"});
    let refused = browser.post("/set-up", wrong).await;
    assert_eq!(
        refused.fields(),
        ["name", "display_name", "password", "code"]
    );
    let missing = browser.post("/set-up", form(&token, None)).await;
    assert_eq!(missing.fields(), ["code"]);
    house.rooms.fail_next(StoreError::Busy);
    let right = form(&token, Some(&code(&house, &secret)));
    assert_eq!(browser.post("/set-up", right.clone()).await.status, 503);
    assert_eq!(browser.post("/set-up", right).await.status, 200);
}

#[tokio::test]
async fn the_link_is_void_once_there_is_a_user_and_needs_no_code_where_the_file_says_so() {
    let (house, token) = House::empty(false).await;
    let browser = house.browser();
    let offer = browser
        .post("/set-up/offer", json!({"token": token}))
        .await
        .json();
    assert_eq!(offer, json!({"second_factor": null}));
    assert_eq!(
        browser.post("/set-up", form(&token, None)).await.status,
        200
    );

    let (house, token) = House::empty(false).await;
    house.rooms.add_user(crate::support::user(1, Role::Auditor));
    let late = house.browser().post("/set-up", form(&token, None)).await;
    assert_eq!(late.code(), "wrong_state");
    assert_eq!(house.rooms.users.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_first_steps_are_read_from_what_is_stored() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let done = async || {
        let answer = browser.get("/first-steps").await.json();
        let steps = answer["steps"].as_array().unwrap().clone();
        let done = steps.iter().filter(|step| step["done"] == true);
        let done: Vec<_> = done
            .map(|step| step["step"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((steps.len(), &answer["desktop"]), (7, &json!("sales")));
        done
    };
    for (step, action) in [
        ("test", AuditAction::GatewayTestEnded),
        ("call", AuditAction::FieldObtained),
    ] {
        assert!(!done().await.contains(&step.to_owned()), "{step}");
        let entry = AuditEntry::new(house.rooms.now(), &Actor::system(), action, "it");
        let change = Change::None;
        house.rooms.commit(Audited { change, entry }).await.unwrap();
        assert!(done().await.contains(&step.to_owned()), "{step}");
    }
    house.rooms.settings.lock().unwrap().spc_enabled = true;
    assert!(done().await.contains(&"switch".to_owned()));
    let agent = house.logged_in(Role::Agent).await;
    assert_eq!(agent.get("/first-steps").await.code(), "not_permitted");
}
