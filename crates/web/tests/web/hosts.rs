//! A second person approves the hosts that captured values go to (SETTLED S4).

use domain::access::Role;
use domain::audit::AuditAction;
use domain::capture::WidgetKind;
use serde_json::{Value, json};

use crate::configuration::administrator;
use crate::support::{Browser, House, PASSWORD};
use crate::widgets::{save, widget};

const HOST: &str = "gateway.example:443";

fn decision(password: &str) -> Value {
    json!({"authority": HOST, "reason": " checked with the bank ", "password": password})
}

/// A desktop that sends to a host which the server's file does not list, saved by an administrator.
async fn waiting() -> (House, Browser) {
    let house = House::new().await;
    let editor = administrator(&house).await;
    house.rooms.refuse_host("gateway.example");
    save(
        &editor,
        vec![widget(WidgetKind::CreditCardAdvanced, "Payment")],
    )
    .await;
    (house, editor)
}

/// A Security admin who entered nothing.
async fn second(house: &House) -> Browser {
    let supervisor = house.rooms.user_named("sam").id;
    for user in house.rooms.users.lock().unwrap().iter_mut() {
        if user.id == supervisor {
            user.roles = [Role::SecurityAdmin.into()].into();
        }
    }
    house.logged_in(Role::Supervisor).await
}

async fn standing(browser: &Browser) -> Value {
    let hosts = browser.get("/gateway-hosts").await.json();
    let hosts = hosts["hosts"].as_array().unwrap().clone();
    hosts
        .into_iter()
        .find(|host| host["authority"] == HOST)
        .unwrap()
}

async fn state(browser: &Browser) -> Value {
    let view = browser.get("/desktops/sales").await.json();
    view["standing"]["reasons"].clone()
}

#[tokio::test]
async fn s4_a_second_person_approves_a_host_and_takes_that_back() {
    let (house, editor) = waiting().await;
    let second = second(&house).await;
    let found = standing(&second).await;
    assert_eq!(
        (&found["standing"], &found["is_editor"]),
        (&json!("waiting"), &json!(false))
    );
    assert_eq!(found["widgets"][0]["title"], "Payment");
    assert!(
        state(&editor)
            .await
            .to_string()
            .contains("host_not_approved")
    );

    let approved = second
        .post("/gateway-hosts/approve", decision(PASSWORD))
        .await;
    assert_eq!(approved.status, 200, "{}", approved.text());
    let found = standing(&editor).await;
    assert_eq!(found["standing"], "approved");
    assert_eq!(found["approval"]["reason"], "checked with the bank");
    assert!(
        !state(&editor)
            .await
            .to_string()
            .contains("host_not_approved")
    );
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.action, &*entry.object, &entry.detail["reason"]),
        (
            AuditAction::HostApproved,
            "host gateway.example:443",
            &json!("checked with the bank")
        )
    );
    let again = second
        .post("/gateway-hosts/approve", decision(PASSWORD))
        .await;
    assert_eq!(again.status, 409);

    let withdrawn = second
        .post("/gateway-hosts/withdraw", decision(PASSWORD))
        .await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.text());
    assert_eq!(standing(&editor).await["standing"], "waiting");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.action, entry.detail["approved_by"].is_string()),
        (AuditAction::HostWithdrawn, true)
    );
    let again = second
        .post("/gateway-hosts/withdraw", decision(PASSWORD))
        .await;
    assert_eq!(
        (again.status, again.fields()),
        (422, vec!["authority".to_owned()])
    );
}

#[tokio::test]
async fn s4_whoever_entered_a_host_cannot_approve_it_even_after_others_saved() {
    let house = House::new().await;
    house.rooms.refuse_host("gateway.example");
    let both = house.logged_in(Role::SecurityAdmin).await;
    let name = crate::support::name_of(Role::SecurityAdmin);
    let desktop = crate::support::desktop("own");
    let revisions = [name, "somebody else"].map(|by| domain::desktop::SavedDesktop {
        desktop: desktop.clone(),
        saved_at: domain::time::UnixMillis(1),
        saved_by: by.to_owned(),
    });
    house.rooms.saved.lock().unwrap().extend(revisions);
    house.rooms.desktops.lock().unwrap().push(desktop);
    assert_eq!(standing(&both).await["is_editor"], true);
    let reply = both
        .post("/gateway-hosts/approve", decision(PASSWORD))
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (403, "second_person".to_owned())
    );
    assert!(house.rooms.approved_hosts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn s4_an_approval_needs_the_password_a_reason_and_a_host_that_is_used() {
    let (house, editor) = waiting().await;
    let second = second(&house).await;
    let wrong = second
        .post("/gateway-hosts/approve", decision("wrong horse 42"))
        .await;
    assert_eq!(wrong.status, 401, "{}", wrong.text());
    for reason in ["", "ok", "card 4111 1111 1111 1111"] {
        let mut form = decision(PASSWORD);
        form["reason"] = json!(reason);
        let reply = second.post("/gateway-hosts/approve", form).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["reason".to_owned()])
        );
    }
    let mut elsewhere = decision(PASSWORD);
    elsewhere["authority"] = json!("other.example:443");
    let reply = second.post("/gateway-hosts/approve", elsewhere).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (422, vec!["authority".to_owned()])
    );
    let without = house.logged_in(Role::DesktopAdmin).await;
    for (browser, code) in [(&without, "not_permitted"), (&editor, "second_person")] {
        let form = decision(PASSWORD);
        let reply = browser.post("/gateway-hosts/approve", form).await;
        assert_eq!((reply.status, reply.code()), (403, code.to_owned()));
    }
    assert!(house.rooms.approved_hosts.lock().unwrap().is_empty());
}
