//! A charge whose answer died with the server: the gateway is asked what became of it, and a person who was faster is believed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Capture, Running, Site, TONEWALL, connect, wait_for};

/// Asking has ended by then: the gateway knows at the first time.
const ASKED_MAX: Duration = Duration::from_secs(20);

#[test]
fn what_a_kill_left_unknown_is_asked_for_and_what_people_said_of_another_stays() {
    let mut site = Site::set_up(std::path::Path::new(TONEWALL), &[]);
    let mut running = site.start();
    ask_when_unknown(&running);
    running.add_user("supervisor2", "supervisor");

    let of_people = killed_while_charging(&site, &mut running, "21.00");
    let kept = site.take_ledger();
    let mut running = restarted(&mut site, running);
    wait_for(
        "the gateway has said that it knows nothing",
        ASKED_MAX,
        || site.log().contains("operation answered").then_some(()),
    );
    assert_eq!(outcome(&running, &of_people), "unknown");
    settle_as_declined(&running, &of_people);

    let of_gateway = killed_while_charging(&site, &mut running, "22.00");
    site.add_to_ledger(&kept);
    let running = restarted(&mut site, running);
    wait_for("the gateway has said what became of it", ASKED_MAX, || {
        (outcome(&running, &of_gateway) == "approved").then_some(())
    });
    assert_eq!((site.charges("21.00"), site.charges("22.00")), (1, 1));
    assert_eq!(outcome(&running, &of_people), "declined", "as they said");
    let asked = ended_by_asking(&running);
    assert_eq!(asked, [of_gateway], "whose outcome the gateway gave");
}

/// The widget's gateway is asked what became of a charge from now on.
fn ask_when_unknown(running: &Running) {
    let admin = running.page("admin");
    let listed = admin.get("/api/v1/desktops");
    let path = format!("/api/v1/desktops/{}", text(&listed["desktops"][0]["id"]));
    let mut desktop = admin.get(&path)["desktop"].take();
    let form = desktop.as_object_mut().unwrap();
    form.retain(|name, _| !matches!(name.as_str(), "id" | "design"));
    form["widgets"][0]["gateway"]["more"] = json!({
        "recovery": "inquire",
        "operations": { "inquire": {
            "url": "/charges/{payment.reference}",
            "method": "GET",
            "success_key": "result.status",
            "success_value": "APPROVED",
            "reference_key": "reference",
        } },
    });
    admin.put(&path, &desktop);
}

/// The gateway charges and says nothing, and the server dies meanwhile. The payment's attempt.
fn killed_while_charging(site: &Site, running: &mut Running, amount: &str) -> String {
    let (page, stage) = (running.page("agent"), running.stage.clone());
    let supervisor = running.page("supervisor");
    let call = connect(&page, &stage);
    let capture = Capture::open(&page, &stage, &call, "check_advanced");
    capture.key_check();
    let script = json!({ "next": ["charge_then_never_answer"] });
    stage.post("/control/script", &script);
    // Without a reference of the agent ours is sent.
    capture.process(amount, "");
    wait_for("the gateway has charged", ASKED_MAX, || {
        (site.charges(amount) > 0).then_some(())
    });
    let listed = supervisor.get("/api/v1/payments");
    let payment = &listed["payments"][0]["payment"];
    assert_eq!(payment["state"]["state"], "sent", "{payment}");
    running.kill_server();
    text(&payment["attempt"])
}

fn restarted(site: &mut Site, before: Running) -> Running {
    drop(before);
    site.start()
}

/// Two people agree that the customer was not charged.
fn settle_as_declined(running: &Running, attempt: &str) {
    let path = format!("/api/v1/payments/{attempt}/proposal");
    let said = json!({ "outcome": "declined", "reason": "The report does not list it." });
    running.page("supervisor").post(&path, &said);
    let confirmed = json!({ "outcome": "declined" });
    let path = format!("{path}/confirm");
    running.page("supervisor2").post(&path, &confirmed);
}

fn outcome(running: &Running, attempt: &str) -> String {
    let path = format!("/api/v1/payments/{attempt}");
    let payment = running.page("supervisor").get(&path);
    text(&payment["row"]["payment"]["state"]["detail"])
}

/// Attempts whose end the trail has as a gateway's answer to asking.
fn ended_by_asking(running: &Running) -> Vec<String> {
    let auditor = running.page("auditor");
    let trail = auditor.get("/api/v1/audit?action=charge_ended");
    let entries = trail["entries"].as_array().unwrap().iter();
    let asked = entries.filter(|entry| entry.to_string().contains("asked the gateway"));
    asked
        .map(|entry| {
            assert_eq!(entry["actor"], "system", "{entry}");
            text(&entry["detail"]["attempt"])
        })
        .collect()
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
