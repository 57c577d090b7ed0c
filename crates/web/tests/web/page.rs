//! The page and the headers of everything.

use domain::access::Role;
use hyper::Method;

use crate::support::House;

#[tokio::test]
async fn the_page_gets_a_new_nonce_each_time_and_its_policy_names_it() {
    let house = House::new().await;
    let browser = house.browser();
    let mut nonces = Vec::new();
    for path in ["!/", "!/agent", "!/configure/agents/desktop"] {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(reply.header("cache-control"), "no-store");
        let text = reply.text();
        let nonce = text.split('"').nth(3).unwrap().to_owned();
        assert_eq!(nonce.len(), 32);
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains(&format!("style-src 'self' 'nonce-{nonce}'")),
            "{policy}"
        );
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self';",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        nonces.push(nonce);
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_others_are_asked_for_again() {
    let house = House::new().await;
    let mut browser = house.browser();
    let script = browser.get("!/assets/app-3f.js").await;
    assert_eq!(
        script.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(
        script.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(script.text(), "export {}");
    let icon = browser.get("!/favicon.svg").await;
    assert_eq!(icon.header("cache-control"), "no-cache");
    browser.extra = vec![("if-none-match".to_owned(), icon.header("etag").to_owned())];
    let again = browser.get("!/favicon.svg").await;
    assert_eq!((again.status, again.text()), (304, String::new()));
}

#[tokio::test]
async fn what_is_no_view_is_not_answered_by_the_page() {
    let house = House::new().await;
    let browser = house.browser();
    for path in [
        "!/assets/gone.js",
        "!/simulator.html",
        "!/.env",
        "!/a/../../etc/passwd.txt",
        "!/api",
        "!/api/v1/x",
        "!/api/other",
    ] {
        let reply = browser.get(path).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "not_found".to_owned()),
            "{path}"
        );
    }
    assert_eq!(
        browser.send(Method::POST, "!/agent", None).await.status,
        405
    );
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_strict() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    for path in [
        "!/",
        "!/assets/app-3f.js",
        "!/none.txt",
        "/login",
        "/users",
        "/openapi.json",
    ] {
        let reply = browser.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            reply.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert_eq!(
            reply.header("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
        assert!(
            reply.header("permissions-policy").contains("camera=()"),
            "{path}"
        );
        assert!(
            reply
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{path}"
        );
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(reply.header("server"), "", "{path}");
        if !path.starts_with("!/assets") {
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_a_path_that_says_what_to_do() {
    let house = House::new().await;
    let browser = house.browser();
    let problem = browser.get("/calls").await.json();
    assert_eq!(problem["type"], "/problems/not-logged-in");
    assert_eq!(problem["advice"], "Log in and repeat the request.");
    let about = browser.get("!/problems/not-logged-in").await;
    assert!(about.text().contains("Log in and repeat the request."));
    assert_eq!(browser.get("!/problems/none").await.status, 404);
}
