//! Logins: cookie, lock-out, lock, foreign pages.

use std::time::Duration;

use domain::access::Role;
use domain::boundary::StoreError;
use hyper::Method;
use serde_json::json;

use crate::support::{Browser, House, PASSWORD};

#[tokio::test]
async fn a_login_yields_a_strict_cookie_and_says_who_it_is() {
    let house = House::new().await;
    let mut browser = house.browser();
    let reply = browser.log_in("Anna", PASSWORD).await;
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-tonewall="), "{cookie}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let me = browser.get("/login").await.json();
    assert_eq!(me["user"]["name"], "anna");
    assert_eq!(me["roles"], json!(["agent"]));
    assert_eq!(
        me["permissions"],
        json!(["capture.start", "capture.view_basic", "call.dial"])
    );
    assert_eq!(me["desktop"], "sales");
    assert_eq!(me["locked"], false);
    assert!(house.rooms.trail().contains("logged_in"));
}

#[tokio::test]
async fn wrong_password_unknown_name_and_disabled_account_get_one_answer() {
    let house = House::new().await;
    house.rooms.users.lock().unwrap()[4].enabled = false;
    let mut browser = house.browser();
    let wrong = browser.log_in("anna", "not the password 1").await;
    let unknown = browser.log_in("4111secret", "not the password 1").await;
    let disabled = browser.log_in("audrey", PASSWORD).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.code(), "login_failed");
    assert_eq!(wrong.text(), unknown.text());
    assert_eq!(wrong.text(), disabled.text());
    assert!(!house.rooms.trail().contains("4111secret"));
    assert!(!house.rooms.trail().contains("not the password"));
}

#[tokio::test]
async fn ten_failures_lock_an_account_for_half_an_hour_as_they_do_a_name_that_nobody_has() {
    let house = House::new().await;
    let mut browser = house.browser();
    for name in ["anna", "nobody"] {
        for _ in 0..10 {
            assert_eq!(browser.log_in(name, "wrong password 1").await.status, 401);
        }
        let locked = browser.log_in(name, PASSWORD).await;
        assert_eq!(
            (locked.status, locked.code()),
            (423, "account_locked".to_owned())
        );
    }
    assert!(house.rooms.user_named("anna").locked_until.is_some());
    assert!(house.rooms.trail().contains("user_locked"));
    house.rooms.advance_ms(30 * 60 * 1_000);
    assert_eq!(browser.log_in("anna", PASSWORD).await.status, 200);
    assert_eq!(house.rooms.user_named("anna").locked_until, None);
}

#[tokio::test]
async fn an_address_that_fails_too_often_has_to_wait() {
    let house = House::new().await;
    let mut browser = house.browser();
    for number in 0..30 {
        let name = format!("guess{number}");
        assert_eq!(browser.log_in(&name, "wrong password 1").await.status, 401);
    }
    let reply = browser.log_in("anna", PASSWORD).await;
    assert_eq!(
        (reply.status, reply.code()),
        (429, "too_many_failures".to_owned())
    );
    assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_failure_counts_even_if_the_user_is_saved_meanwhile() {
    let house = House::new().await;
    house.rooms.fail_next(StoreError::Conflict);
    let reply = house.browser().log_in("anna", "wrong password 1").await;
    assert_eq!(reply.code(), "login_failed");
    assert_eq!(house.rooms.user_named("anna").failed_logins, 1);
}

#[tokio::test]
async fn a_login_that_cannot_be_recorded_does_not_happen() {
    let house = House::new().await;
    house
        .rooms
        .fail_next(StoreError::Unavailable("disk full".to_owned()));
    let mut browser = house.browser();
    let reply = browser.log_in("anna", PASSWORD).await;
    assert_eq!(
        (reply.status, reply.code()),
        (503, "store_unavailable".to_owned())
    );
    assert_eq!(reply.header("set-cookie"), "");
    assert!(!reply.text().contains("disk full"));
}

#[tokio::test]
async fn a_new_login_ends_the_one_of_the_same_browser() {
    let house = House::new().await;
    let mut browser = house.logged_in(Role::Agent).await;
    let old = browser.cookie.clone();
    browser.log_in("sam", PASSWORD).await;
    assert_ne!(browser.cookie, old);
    browser.cookie = old;
    assert_eq!(browser.get("/login").await.status, 401);
}

#[tokio::test]
async fn a_logout_ends_the_login_and_takes_the_cookie_back() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let reply = browser.send(Method::POST, "/logout", None).await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(browser.get("/login").await.code(), "not_logged_in");
}

#[tokio::test]
async fn a_change_without_our_token_or_from_a_foreign_page_is_refused() {
    let house = House::new().await;
    let good = house.logged_in(Role::Agent).await;
    let copy = || Browser {
        cookie: good.cookie.clone(),
        csrf: good.csrf.clone(),
        ..house.browser()
    };
    for (csrf, code) in [(None, "csrf"), (Some("x".repeat(64)), "csrf")] {
        let reply = Browser { csrf, ..copy() }
            .post("/activity", json!({}))
            .await;
        assert_eq!((reply.status, reply.code().as_str()), (403, code));
    }
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("http://127.0.0.1:1"),
    ] {
        let browser = Browser {
            origin: origin.map(str::to_owned),
            ..copy()
        };
        let reply = browser.post("/activity", json!({})).await;
        assert_eq!(reply.code(), "foreign_origin", "{origin:?}");
    }
    let mut foreign = house.browser();
    foreign.origin = Some("https://evil.example".to_owned());
    assert_eq!(
        foreign.log_in("anna", PASSWORD).await.code(),
        "foreign_origin"
    );
    assert_eq!(good.post("/activity", json!({})).await.status, 204);
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_not_served() {
    let house = House::new().await;
    let mut browser = house.browser();
    browser.host = "rebound.example".to_owned();
    for path in ["/login", "!/", "/openapi.json"] {
        assert_eq!(browser.get(path).await.status, 421, "{path}");
    }
}

#[tokio::test]
async fn what_a_page_sends_by_itself_does_not_keep_it_unlocked() {
    let house = House::with(|config| config.idle_lock = Duration::from_millis(300)).await;
    let browser = house.logged_in(Role::Agent).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for path in [
            "/captures/capture-1/reveal",
            "/captures/capture-1/actions",
            "/captures/capture-1/process",
        ] {
            let _refused_or_not = browser.post(path, json!({"field": "card_number"})).await;
        }
    }
    assert_eq!(browser.get("/login").await.json()["locked"], true);
}

#[tokio::test]
async fn an_idle_browser_locks_but_the_call_goes_on() {
    let house = House::with(|config| config.idle_lock = Duration::from_millis(300)).await;
    let browser = house.logged_in(Role::Agent).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(browser.get("/login").await.json()["locked"], true);
    assert_eq!(browser.get("/calls").await.status, 200);
    let end = browser.post("/calls/call-1/hang-up", json!({})).await;
    assert_eq!(end.status, 204);
    for path in [
        "/captures/capture-1/reveal",
        "/captures/capture-1/process",
        "/activity",
    ] {
        let reply = browser.post(path, json!({"field": "card_number"})).await;
        assert_eq!(
            (reply.status, reply.code()),
            (423, "idle_locked".to_owned()),
            "{path}"
        );
    }
    let wrong = browser
        .post("/unlock", json!({"password": "wrong password 1"}))
        .await;
    assert_eq!(wrong.status, 401);
    assert_eq!(house.rooms.user_named("anna").failed_logins, 1);
    let right = browser.post("/unlock", json!({"password": PASSWORD})).await;
    assert_eq!(
        (right.status, &right.json()["locked"]),
        (200, &json!(false))
    );
    assert_eq!(browser.post("/activity", json!({})).await.status, 204);
}

#[tokio::test]
async fn a_first_password_is_changed_before_anything_else() {
    let house = House::new().await;
    house.rooms.users.lock().unwrap()[0].must_change_password = true;
    let browser = house.logged_in(Role::Agent).await;
    let other = house.logged_in(Role::Agent).await;
    assert_eq!(
        browser.get("/login").await.json()["must_change_password"],
        true
    );
    assert_eq!(
        browser.get("/calls").await.code(),
        "password_change_required"
    );
    let change = |current: &str, new: &str| json!({"current": current, "new": new});
    for (new, field) in [
        ("short 1", "new"),
        (PASSWORD, "new"),
        ("no digits at all", "new"),
    ] {
        let reply = browser.post("/password", change(PASSWORD, new)).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec![field.to_owned()]),
            "{new}"
        );
    }
    let wrong = change("wrong password 1", "battery staple 7");
    assert_eq!(browser.post("/password", wrong).await.status, 401);
    let right = change(PASSWORD, "battery staple 7");
    assert_eq!(browser.post("/password", right).await.status, 204);
    assert_eq!(browser.get("/calls").await.status, 200);
    assert_eq!(other.get("/login").await.status, 401);
    assert_eq!(house.browser().log_in("anna", PASSWORD).await.status, 401);
    let again = house.browser().log_in("anna", "battery staple 7").await;
    assert_eq!(again.status, 200);
    assert!(!house.rooms.trail().contains("battery"));
}

#[tokio::test]
async fn language_and_theme_follow_a_user_into_every_browser() {
    let house = House::new().await;
    let mut desk = house.browser();
    desk.log_in("anna", PASSWORD).await;
    assert_eq!(
        desk.get("/login").await.json()["preferences"],
        json!({"language": null, "theme": null})
    );
    let chosen = json!({"language": "de", "theme": "dark"});
    for _ in 0..2 {
        let kept = desk.put("/me/preferences", chosen.clone()).await;
        assert_eq!(kept.status, 204, "{}", kept.text());
    }
    assert_eq!(desk.get("/login").await.json()["preferences"], chosen);
    let mut laptop = house.browser();
    let login = laptop.log_in("anna", PASSWORD).await;
    assert_eq!(login.json()["preferences"], chosen);
    let trail = house.rooms.trail();
    assert_eq!(trail.matches("preferences_saved").count(), 1);
}

#[tokio::test]
async fn a_language_that_is_none_of_ours_is_refused_and_named() {
    let house = House::new().await;
    let mut desk = house.browser();
    desk.log_in("anna", PASSWORD).await;
    for wrong in [
        json!({"language": "xx", "theme": null}),
        json!({"language": "en", "theme": "<b>"}),
        json!({"language": 4, "theme": null}),
        json!({"language": null, "theme": null, "role": "security_admin"}),
    ] {
        let refused = desk.put("/me/preferences", wrong).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "bad_body".to_owned())
        );
        assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 1);
    }
    assert!(!house.rooms.trail().contains("preferences_saved"));
}
