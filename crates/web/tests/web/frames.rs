//! The page in a frame of another site: who may show it, and how its user gets in (C25).

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};

use crate::second_factor::code as app_code;
use crate::support::{Browser, House, PASSWORD, Reply, name_of};

const CRM: &str = "https://crm.example";

async fn house() -> House {
    House::with(|config| config.embedding = vec![CRM.to_owned()]).await
}

async fn code_of(browser: &Browser) -> Value {
    let reply = browser.post("/frames/codes", json!({"origin": CRM})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["code"].clone()
}

/// A frame's browser partition: no cookie of its own, and requests of our page.
fn frame(house: &House, site: &str) -> Browser {
    let mut frame = house.browser();
    frame.extra = vec![("sec-fetch-site".to_owned(), site.to_owned())];
    frame
}

async fn enter(frame: &mut Browser, code: &Value) -> Reply {
    let form = json!({"code": code, "origin": CRM});
    frame.send_to_log_in("/frames/login", form).await
}

async fn let_in(house: &House, by: &Browser) -> Browser {
    let mut frame = frame(house, "same-origin");
    let entered = enter(&mut frame, &code_of(by).await).await;
    assert_eq!(entered.status, 200, "{}", entered.text());
    frame
}

#[tokio::test]
async fn c25_a_code_lets_a_frame_in_once_with_a_partitioned_cookie_and_the_trail_says_where() {
    let house = house().await;
    let anna = house.logged_in(Role::Agent).await;
    let mut page = frame(&house, "same-origin");
    let code = code_of(&anna).await;
    let entered = enter(&mut page, &code).await;
    let cookie = entered.header("set-cookie");
    assert!(cookie.starts_with("__Host-tonewall-frame="), "{cookie}");
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=None; Partitioned";
    assert!(cookie.ends_with(attributes), "{cookie}");
    let me = page.get("/login").await;
    assert_eq!(me.json()["user"]["name"], "anna");
    assert!(house.rooms.trail().contains("frame_on"));
    let preferences = json!({"language": "de", "theme": null});
    assert_eq!(page.put("/me/preferences", preferences).await.status, 204);
    assert_eq!(page.get("/calls").await.status, 200);
    let again = enter(&mut frame(&house, "same-origin"), &code).await;
    assert_eq!(
        (again.status, again.code()),
        (401, "login_failed".to_owned())
    );
    let out = page.post("/logout", json!({})).await;
    let gone = out.header("set-cookie");
    assert!(
        gone.starts_with("__Host-tonewall-frame=;") && gone.ends_with("Max-Age=0"),
        "{gone}"
    );
    assert_eq!(page.get("/login").await.status, 401);
    assert_eq!(anna.get("/login").await.status, 200, "its own login stays");
}

#[tokio::test]
async fn c25_a_frames_cookie_counts_for_our_own_page_only_and_under_its_own_name_only() {
    let house = house().await;
    let anna = house.logged_in(Role::Agent).await;
    let mut page = let_in(&house, &anna).await;
    for site in ["cross-site", "same-site", "none", ""] {
        page.extra = vec![("sec-fetch-site".to_owned(), site.to_owned())];
        assert_eq!(page.get("/login").await.status, 401, "{site}");
    }
    page.extra.clear();
    assert_eq!(
        page.get("/login").await.status,
        401,
        "a browser that does not say"
    );
    page.extra = vec![("sec-fetch-site".to_owned(), "same-origin".to_owned())];
    page.origin = Some(CRM.to_owned());
    let foreign = page.post("/activity", json!({})).await;
    assert_eq!(foreign.code(), "foreign_origin");
    page.origin = house.browser().origin;
    let token = page.csrf.take();
    assert_eq!(page.post("/activity", json!({})).await.code(), "csrf");
    page.csrf = token;
    let value = |browser: &Browser| {
        browser
            .cookie
            .clone()
            .unwrap()
            .split_once('=')
            .unwrap()
            .1
            .to_owned()
    };
    let (own, framed) = (value(&anna), value(&page));
    page.cookie = Some(format!("__Host-tonewall={framed}"));
    assert_eq!(page.get("/login").await.status, 401);
    page.cookie = Some(format!("__Host-tonewall-frame={own}"));
    assert_eq!(page.get("/login").await.status, 401);
}

#[tokio::test]
async fn c25_codes_are_for_listed_origins_and_of_a_login_that_holds() {
    let house = house().await;
    let policy = house.browser().get("/frames").await.json();
    assert_eq!(policy, json!({"origins": [CRM]}));
    let anna = house.logged_in(Role::Agent).await;
    for origin in [
        "https://evil.example",
        "https://crm.example.evil",
        "https://crm.example/",
        "",
    ] {
        let refused = anna.post("/frames/codes", json!({"origin": origin})).await;
        assert_eq!(refused.fields(), ["origin"], "{origin}");
    }
    let nobody = house.browser();
    let refused = nobody.post("/frames/codes", json!({"origin": CRM})).await;
    assert_eq!(refused.status, 401);
    let page = let_in(&house, &anna).await;
    let again = page.post("/frames/codes", json!({"origin": CRM})).await;
    assert_eq!(
        again.code(),
        "not_permitted",
        "a frame lets no other one in"
    );
    let code = code_of(&anna).await;
    anna.post("/logout", json!({})).await;
    let late = enter(&mut frame(&house, "same-origin"), &code).await;
    assert_eq!(late.status, 401);
    let elsewhere = house.logged_in(Role::Agent).await;
    let form = json!({"code": code_of(&elsewhere).await, "origin": "https://evil.example"});
    let elsewhere = house.browser().post("/frames/login", form).await;
    assert_eq!(elsewhere.status, 401);
}

#[tokio::test]
async fn c25_a_frame_has_an_agents_rights_at_most_and_locks_like_any_browser() {
    let house = House::with(|config| {
        config.embedding = vec![CRM.to_owned()];
        config.idle_lock = Duration::from_secs(2);
    })
    .await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let page = let_in(&house, &admin).await;
    assert_eq!(page.get("/login").await.json()["permissions"], json!([]));
    assert_eq!(page.get("/users").await.status, 403);
    assert_eq!(admin.get("/users").await.status, 200);
    let code = code_of(&admin).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(
        page.get("/me/desktop").await.status,
        200,
        "a locked page goes on with its call"
    );
    assert_eq!(page.get("/login").await.json()["locked"], true);
    let locked = enter(&mut frame(&house, "same-origin"), &code).await;
    assert_eq!(locked.status, 401, "the login that lets in is locked");
    let unlocked = page.post("/unlock", json!({"password": PASSWORD})).await;
    assert_eq!(unlocked.status, 200, "{}", unlocked.text());
}

#[tokio::test]
async fn c25_s22_a_code_skips_no_second_factor() {
    let house = House::with(|config| {
        config.embedding = vec![CRM.to_owned()];
        config.second_factor = true;
    })
    .await;
    let browser = house.logged_in(Role::Agent).await;
    let early = browser.post("/frames/codes", json!({"origin": CRM})).await;
    assert_eq!(early.code(), "second_factor_needed");
    let offer = browser.post("/second-factor", json!({})).await.json();
    let secret = offer["secret"].as_str().unwrap().to_owned();
    let set = json!({"code": app_code(&house, &secret)});
    assert_eq!(browser.put("/second-factor", set).await.status, 204);
    let page = let_in(&house, &browser).await;
    assert_eq!(page.get("/calls").await.status, 200);
    let mut stranger = house.browser();
    let form = json!({"user": name_of(Role::Agent), "password": PASSWORD});
    assert_eq!(stranger.log_in_with(form).await.status, 401);
}

#[tokio::test]
async fn c25_the_page_names_who_may_show_it_and_nothing_else_may_be_shown() {
    let house = house().await;
    let browser = house.browser();
    let page = browser.get("!/").await;
    let policy = page.header("content-security-policy");
    let around = format!("frame-ancestors 'self' {CRM}");
    assert!(policy.ends_with(&around), "{policy}");
    assert_eq!(page.header("x-frame-options"), "");
    let devices = page.header("permissions-policy");
    for part in ["microphone=(self)", "display-capture=(self)", "camera=()"] {
        assert!(devices.contains(part), "{devices}");
    }
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    let door = browser.get("!/frame-sign-in").await;
    assert_eq!(door.header("cross-origin-opener-policy"), "unsafe-none");
    let policy = door.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    for path in ["/login", "!/assets/app-3f.js", "!/none.txt"] {
        let other = browser.get(path).await;
        assert_eq!(other.header("x-frame-options"), "DENY", "{path}");
        let policy = other.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path} {policy}");
    }
    let closed = House::new().await;
    for path in ["!/", "!/frame-sign-in"] {
        let page = closed.browser().get(path).await;
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    }
}
