//! S22: second factors, former passwords, accounts that nobody uses.

use domain::access::{IDLE_DAYS_MAX, Role};
use domain::boundary::StoreError;
use domain::time::WallClock as _;
use serde_json::{Value, json};

use crate::support::{Browser, House, PASSWORD, Reply, name_of};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The code that an app shows now.
pub(crate) fn code(house: &House, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let seconds = u64::try_from(house.rooms.now().0 / 1_000).unwrap();
    totp.generate(seconds).to_string()
}

/// Logs in for the first time and sets up the second factor; the browser and the secret.
async fn set_up(house: &House, role: Role) -> (Browser, String) {
    let browser = house.logged_in(role).await;
    let offer = browser.post("/second-factor", json!({})).await.json();
    let secret = offer["secret"].as_str().unwrap().to_owned();
    let set = browser
        .put("/second-factor", json!({"code": code(house, &secret)}))
        .await;
    assert_eq!(set.status, 204, "{}", set.text());
    (browser, secret)
}

async fn log_in(house: &House, role: Role, code: Option<&str>) -> (Browser, Reply) {
    let mut browser = house.browser();
    let form = json!({"user": name_of(role), "password": PASSWORD, "code": code});
    let reply = browser.log_in_with(form).await;
    (browser, reply)
}

#[tokio::test]
async fn s22_administrators_and_who_sees_card_numbers_do_nothing_before_they_set_up_a_second_factor()
 {
    let house = House::with_second_factor().await;
    for role in Role::ALL {
        let browser = house.logged_in(role).await;
        let must = browser.get("/login").await.json()["must_set_second_factor"].clone();
        let needs = !matches!(role, Role::Supervisor | Role::Auditor);
        assert_eq!(must, json!(needs), "{role:?}");
        let refused = browser
            .get("/me/desktop")
            .await
            .text()
            .contains("\"second_factor_needed\"");
        assert_eq!(refused, needs, "{role:?}");
        if !needs {
            let offer = browser.post("/second-factor", json!({})).await;
            assert_eq!(offer.code(), "wrong_state");
        }
    }
    let asked = house.browser().get("/login/policy").await.json();
    assert_eq!(asked["asks_for_code"], true);
}

#[tokio::test]
async fn s22_a_second_factor_is_set_up_with_a_code_of_the_secret_that_was_shown() {
    let house = House::with_second_factor().await;
    let other = house.logged_in(Role::Agent).await;
    let browser = house.logged_in(Role::Agent).await;
    let early = browser
        .put("/second-factor", json!({"code": "123456"}))
        .await;
    assert_eq!(early.code(), "wrong_state");
    let offer = browser.post("/second-factor", json!({})).await;
    assert_eq!(offer.header("cache-control"), "no-store");
    let offer = offer.json();
    let secret = offer["secret"].as_str().unwrap();
    let link = format!("otpauth://totp/Tonewall:anna?secret={secret}&issuer=Tonewall");
    assert_eq!(offer["link"], link);
    let wrong = browser.put("/second-factor", json!({"code": "abc"})).await;
    assert_eq!(wrong.fields(), ["code"]);
    assert!(house.rooms.user_named("anna").second_factor.is_none());
    let right = json!({"code": code(&house, secret)});
    assert_eq!(
        browser.put("/second-factor", right.clone()).await.status,
        204
    );
    assert_eq!(browser.get("/calls").await.status, 200);
    assert_eq!(other.get("/login").await.status, 401);
    assert_eq!(
        browser.put("/second-factor", right).await.code(),
        "wrong_state"
    );
    let trail = house.rooms.trail();
    assert!(trail.contains("second_factor_set") && !trail.contains(secret));
}

#[tokio::test]
async fn s22_a_login_needs_the_code_takes_it_once_and_does_not_say_what_was_wrong() {
    let house = House::with_second_factor().await;
    let (_, secret) = set_up(&house, Role::Agent).await;
    house.rooms.advance_ms(60_000);
    let right = code(&house, &secret);
    let (_, no_code) = log_in(&house, Role::Agent, None).await;
    let (_, wrong_code) = log_in(&house, Role::Agent, Some("000000")).await;
    let wrong_password = house.browser().log_in("anna", "not the password 1").await;
    for reply in [&no_code, &wrong_code] {
        assert_eq!((reply.status, reply.text()), (401, wrong_password.text()));
    }
    assert_eq!(house.rooms.user_named("anna").failed_logins, 3);
    let (browser, reply) = log_in(&house, Role::Agent, Some(&right)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(browser.get("/calls").await.status, 200);
    assert_eq!(house.rooms.user_named("anna").failed_logins, 0);
    let (_, again) = log_in(&house, Role::Agent, Some(&right)).await;
    assert_eq!(again.code(), "login_failed", "a code is taken once");
    house.rooms.advance_ms(30_000);
    let (_, older) = log_in(&house, Role::Agent, Some(&right)).await;
    assert_eq!(older.code(), "login_failed", "in its next step too");
    let (_, next) = log_in(&house, Role::Agent, Some(&code(&house, &secret))).await;
    assert_eq!(next.status, 200);
}

#[tokio::test]
async fn s22_of_two_logins_with_one_code_at_once_one_gets_in() {
    let house = House::with_second_factor().await;
    let (_, secret) = set_up(&house, Role::Agent).await;
    house.rooms.advance_ms(60_000);
    house.rooms.fail_next(StoreError::Conflict);
    let (browser, reply) = log_in(&house, Role::Agent, Some(&code(&house, &secret))).await;
    assert_eq!(reply.code(), "conflict");
    assert_eq!(browser.get("/login").await.status, 401);
}

#[tokio::test]
async fn s22_wrong_codes_lock_the_account_like_wrong_passwords() {
    let house = House::with_second_factor().await;
    let (_, secret) = set_up(&house, Role::Agent).await;
    house.rooms.advance_ms(60_000);
    for _ in 0..10 {
        log_in(&house, Role::Agent, Some("000000")).await;
    }
    let (_, reply) = log_in(&house, Role::Agent, Some(&code(&house, &secret))).await;
    assert_eq!(reply.code(), "account_locked");
    assert!(house.rooms.trail().contains("wrong_code"));
}

#[tokio::test]
async fn s22_an_administrator_resets_a_lost_second_factor_but_nobody_their_own() {
    let house = House::with_second_factor().await;
    let (agent, _) = set_up(&house, Role::Agent).await;
    let (admin, _) = set_up(&house, Role::SecurityAdmin).await;
    let reset = async |name: &str| {
        let user = house.rooms.user_named(name);
        let form = json!({
            "name": user.name, "display_name": user.display_name, "roles": user.roles,
            "desktop": user.desktop, "enabled": true, "revision": user.revision,
            "reset_second_factor": true,
        });
        admin.put(&format!("/users/{}", user.id), form).await
    };
    assert_eq!(reset("sid").await.fields(), ["reset_second_factor"]);
    let done = reset("anna").await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["second_factor_since"], Value::Null);
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.detail["changed"], json!(["second_factor"]));
    assert_eq!(agent.get("/login").await.status, 401);
    assert!(house.rooms.second_factors.lock().unwrap().len() == 1);
    let again = house.logged_in(Role::Agent).await;
    assert_eq!(again.get("/calls").await.code(), "second_factor_needed");
}

#[tokio::test]
async fn s22_switched_off_nobody_is_asked_for_a_code() {
    let house = House::new().await;
    let asked = house.browser().get("/login/policy").await.json();
    assert_eq!(asked["asks_for_code"], false);
    let browser = house.logged_in(Role::SecurityAdmin).await;
    assert_eq!(browser.get("/users").await.status, 200);
}

#[tokio::test]
async fn s22_the_last_four_passwords_are_not_taken_again() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut current = PASSWORD.to_owned();
    for number in 1..=3 {
        let new = format!("battery staple {number}");
        let form = json!({"current": current, "new": new});
        assert_eq!(browser.post("/password", form).await.status, 204);
        current = new;
    }
    for known in [PASSWORD, "battery staple 1", "battery staple 3"] {
        let form = json!({"current": current, "new": known});
        assert_eq!(
            browser.post("/password", form).await.fields(),
            ["new"],
            "{known}"
        );
    }
    let form = json!({"current": current, "new": "battery staple 4"});
    assert_eq!(browser.post("/password", form).await.status, 204);
    let form = json!({"current": "battery staple 4", "new": PASSWORD});
    assert_eq!(
        browser.post("/password", form).await.status,
        204,
        "it is the fifth"
    );
}

#[tokio::test]
async fn s22_an_account_that_nobody_uses_for_ninety_days_lets_nobody_in_but_the_last_security_admin()
 {
    let house = House::new().await;
    house.rooms.advance_ms(IDLE_DAYS_MAX * DAY_MS);
    let refused = house.browser().log_in("anna", PASSWORD).await;
    assert_eq!(refused.code(), "login_failed");
    assert!(house.rooms.trail().contains("\"idle\""));
    let admin = house.logged_in(Role::SecurityAdmin).await;
    assert_eq!(
        house.rooms.user_named("sid").active_at,
        Some(house.rooms.now())
    );
    // Another server finds the others at its start.
    let second = house.beside().await;
    let users = || house.rooms.users.lock().unwrap().clone();
    for _ in 0..100 {
        if users().iter().filter(|user| user.enabled).count() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let enabled: Vec<_> = users().into_iter().filter(|user| user.enabled).collect();
    assert_eq!(enabled.len(), 1);
    assert_eq!(enabled[0].name, "sid");
    assert!(house.rooms.trail().contains("user_disabled"));
    second.shutdown().await;
    let anna = house.rooms.user_named("anna");
    let form = json!({
        "name": anna.name, "display_name": anna.display_name, "roles": anna.roles,
        "desktop": anna.desktop, "enabled": true, "revision": anna.revision,
    });
    let revived = admin.put(&format!("/users/{}", anna.id), form).await;
    assert_eq!(revived.status, 200, "{}", revived.text());
    assert_eq!(house.browser().log_in("anna", PASSWORD).await.status, 200);
}
