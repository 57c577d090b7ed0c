//! Callers who wait, by their routes: how many, who, how a service has them wait, and what they hear.

use domain::access::Role;
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Browser, House, Reply};

fn service(queue: Value, revision: i64) -> Value {
    json!({
        "name": "Billing", "numbers": ["200"], "route": {"to": "agents"}, "desktop": "sales",
        "protection": "capture", "queue": queue, "revision": revision,
    })
}

/// A second of a WAV at 8 kHz, with so many channels.
fn wav(channels: u8) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    file.extend([channels, 0]);
    file.extend(8_000_u32.to_le_bytes());
    file.extend([0, 0, 0, 0, 2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(15_990_u32.to_le_bytes());
    file.extend([0; 15_990]);
    file
}

async fn upload(browser: &mut Browser, name: &str, file: Vec<u8>) -> Reply {
    let kind = "application/octet-stream".to_owned();
    browser.extra = vec![("content-type".to_owned(), kind)];
    let text = String::from_utf8(file).unwrap();
    let path = format!("/sounds?name={name}");
    let reply = browser.send_text(Method::POST, &path, Some(text)).await;
    browser.extra.clear();
    reply
}

#[tokio::test]
async fn an_agent_sees_how_many_wait_and_a_supervisor_who() {
    let house = House::new().await;
    let agent = house.logged_in(Role::Agent).await;
    let queue = agent.get("/queue").await;
    assert_eq!(queue.status, 200);
    assert_eq!(
        queue.json(),
        json!({"has_queue": true, "waiting": 2, "since": 5})
    );
    assert_eq!(agent.get("/waiting-calls").await.status, 403);
    let supervisor = house.logged_in(Role::Supervisor).await;
    let waiting = supervisor.get("/waiting-calls").await.json();
    assert_eq!(waiting["calls"][0]["service_name"], "Sales");
    for role in [Role::Auditor, Role::DesktopAdmin, Role::SecurityAdmin] {
        let browser = house.logged_in(role).await;
        for path in ["/queue", "/waiting-calls"] {
            assert_eq!(browser.get(path).await.status, 403, "{role:?} {path}");
        }
    }
    let stranger = house.browser();
    for path in ["/queue", "/waiting-calls", "/sounds"] {
        assert_eq!(stranger.get(path).await.status, 401);
    }
}

#[tokio::test]
async fn a_service_says_how_its_callers_wait() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let queue = json!({
        "waiting_max": 20, "wait_s_max": 600, "music": null, "announcement": null,
        "announce_every_s": 0, "overflow": {"to": "trunk", "trunk": "carrier", "number": null},
    });
    let made = browser.post("/services", service(queue.clone(), 0)).await;
    assert_eq!((made.status, &made.json()["queue"]), (201, &queue));
    let wrong = json!({
        "waiting_max": 0, "wait_s_max": 5, "music": "nothing", "announce_every_s": 5,
        "overflow": {"to": "trunk", "trunk": "carier"},
    });
    let mut form = service(wrong, 0);
    form["route"] = json!({"to": "registered"});
    let refused = browser.post("/services", form).await;
    assert_eq!(refused.status, 422);
    for field in [
        "queue",
        "queue.waiting_max",
        "queue.wait_s_max",
        "queue.announce_every_s",
        "queue.music",
        "queue.overflow.trunk",
    ] {
        assert!(refused.fields().contains(&field.to_owned()), "{field}");
    }
    let path = format!("/services/{}", made.json()["id"].as_str().unwrap());
    let mut unsaid = service(json!(null), made.json()["revision"].as_i64().unwrap());
    unsaid.as_object_mut().unwrap().remove("queue");
    let kept = browser.put(&path, unsaid).await;
    assert_eq!((kept.status, &kept.json()["queue"]), (200, &queue));
    let revision = kept.json()["revision"].as_i64().unwrap();
    let off = browser.put(&path, service(json!(null), revision)).await;
    assert_eq!((off.status, &off.json()["queue"]), (200, &json!(null)));
}

#[tokio::test]
async fn a_sound_is_kept_named_by_a_service_and_deleted_once_none_names_it() {
    let house = House::new().await;
    let mut browser = house.logged_in(Role::SecurityAdmin).await;
    for (name, file, field) in [
        ("Hold", b"ID3".to_vec(), "file"),
        ("Hold", wav(2), "file"),
        ("", wav(1), "name"),
    ] {
        let refused = upload(&mut browser, name, file).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field.to_owned()])
        );
    }
    let made = upload(&mut browser, "Hold", wav(1)).await;
    assert_eq!((made.status, &made.json()["seconds"]), (201, &json!(1)));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(upload(&mut browser, "Hold", wav(1)).await.status, 409);
    let listed = browser.get("/sounds").await.json();
    assert_eq!(listed["sounds"], json!([made.json()]));
    let queue = json!({
        "waiting_max": 1, "wait_s_max": 10, "music": id, "overflow": {"to": "busy"},
    });
    let named = browser.post("/services", service(queue, 0)).await;
    assert_eq!(named.status, 201);
    let path = format!("/sounds/{id}");
    let delete = || browser.send(Method::DELETE, &path, None);
    let refused = delete().await;
    assert_eq!(refused.status, 409);
    let place = format!("/services/{}", named.json()["id"].as_str().unwrap());
    let revision = named.json()["revision"].as_i64().unwrap();
    let off = browser.put(&place, service(json!(null), revision)).await;
    assert_eq!(off.status, 200);
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 404);
    let trail = house.rooms.trail();
    for action in ["sound_saved", "sound_deleted"] {
        assert_eq!(trail.matches(action).count(), 1, "{action}");
    }
    let mut agent = house.logged_in(Role::Agent).await;
    assert_eq!(upload(&mut agent, "Hold", wav(1)).await.status, 403);
    assert_eq!(agent.send(Method::DELETE, &path, None).await.status, 403);
    assert_eq!(agent.get("/sounds").await.status, 403);
}
