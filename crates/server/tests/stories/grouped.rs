//! Two agents in two groups, two numbers: the right phone rings, and in the queue nobody waits behind callers for others.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    AnotherConsumer, Client, Running, Site, TONEWALL, change_service, takes_calls, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// The agent is in Sales, whose number is 4000; the colleague in Support, whose number is 5000.
struct Floor {
    agent: Client,
    colleague: Client,
    running: Running,
    site: Site,
}

impl Floor {
    fn new() -> Self {
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        let running = site.start_with_colleague();
        let admin = running.page("admin");
        put_in(&admin, "agent", "Sales");
        put_in(&admin, "colleague", "support");
        let queue = json!({ "waiting_max": 5, "wait_s_max": 600, "overflow": {"to": "busy"} });
        let of = |group: &str| json!({"to": "agents", "group": group});
        let sales = json!({ "route": of("Sales"), "queue": queue });
        change_service(&admin, &sales);
        let desktops = admin.get("/api/v1/desktops");
        let support = json!({
            "name": "Support", "numbers": ["5000"], "route": of("Support"), "queue": queue,
            "desktop": desktops["desktops"][0]["id"], "protection": "capture",
        });
        admin.post("/api/v1/services", &support);
        wait_for("both phones register", STEP_MAX, || {
            let state = running.stage.get("/control/state");
            let mut agents = state["agents"].as_array().unwrap().iter();
            agents
                .all(|phone| phone["registered"] == true)
                .then_some(())
        });
        Self {
            agent: running.page("agent"),
            colleague: running.page("colleague"),
            running,
            site,
        }
    }
}

fn put_in(admin: &Client, name: &str, group: &str) {
    let listed = admin.get("/api/v1/users");
    let mut users = listed["users"].as_array().unwrap().iter();
    let user = users.find(|user| user["name"] == name).unwrap();
    let mut form = json!({ "groups": [group] });
    for field in [
        "name",
        "display_name",
        "roles",
        "desktop",
        "phone",
        "extension",
        "enabled",
        "revision",
    ] {
        form[field] = user[field].clone();
    }
    let saved = admin.put(
        &format!("/api/v1/users/{}", user["id"].as_str().unwrap()),
        &form,
    );
    assert_eq!(saved["groups"], json!([group]));
}

fn calls_of(page: &Client) -> Vec<Value> {
    page.get("/api/v1/calls")["calls"]
        .as_array()
        .unwrap()
        .clone()
}

fn connected(page: &Client, number: &str) {
    wait_for(number, STEP_MAX, || {
        let calls = calls_of(page);
        let mut calls = calls.iter();
        calls
            .any(|call| call["state"] == "connected" && call["called"] == number)
            .then_some(())
    });
}

fn call(stage: &Client, number: &str) {
    stage.post("/control/call", &json!({ "number": number }));
}

fn consumer_is(stage: &Client, state: &str) {
    wait_for(state, STEP_MAX, || {
        (stage.get("/control/state")["call"] == state).then_some(())
    });
}

fn hang_up(stage: &Client, page: &Client) {
    stage.post("/control/hang-up", &json!({}));
    consumer_is(stage, "idle");
    wait_for("the agent is free", STEP_MAX, || {
        calls_of(page).is_empty().then_some(())
    });
}

#[test]
fn a_number_rings_the_phone_of_its_group_whoever_is_idle_for_longer() {
    let floor = Floor::new();
    let stage = &floor.running.stage;
    for (number, rings, rests) in [
        ("4000", &floor.agent, &floor.colleague),
        ("4000", &floor.agent, &floor.colleague),
        ("5000", &floor.colleague, &floor.agent),
        ("5000", &floor.colleague, &floor.agent),
    ] {
        call(stage, number);
        connected(rings, number);
        assert!(calls_of(rests).is_empty(), "{number}");
        hang_up(stage, rings);
    }
}

#[test]
fn the_second_caller_is_taken_by_their_group_while_the_first_waits_on_for_theirs() {
    let floor = Floor::new();
    let first = &floor.running.stage;
    let AnotherConsumer { stage: second, .. } = &floor.site.another_consumer(&floor.running);
    for page in [&floor.agent, &floor.colleague] {
        takes_calls(page, false);
    }
    let supervisor = floor.running.page("supervisor");
    let waiting = || {
        let shown = supervisor.get("/api/v1/waiting-calls");
        let calls = shown["calls"].as_array().unwrap().clone();
        let services = calls.into_iter().map(|call| call["service_name"].clone());
        services.collect::<Vec<Value>>()
    };
    for (stage, number) in [(first, "5000"), (second, "4000")] {
        call(stage, number);
        consumer_is(stage, "connected");
    }
    assert_eq!(waiting(), ["Support", "Payments"]);
    takes_calls(&floor.agent, true);
    connected(&floor.agent, "4000");
    assert_eq!(waiting(), ["Support"]);
    assert!(calls_of(&floor.colleague).is_empty());
    // Free again, and nobody who waits is for them.
    hang_up(second, &floor.agent);
    assert_eq!(waiting(), ["Support"]);
    takes_calls(&floor.colleague, true);
    connected(&floor.colleague, "5000");
    assert!(waiting().is_empty() && calls_of(&floor.agent).is_empty());
    hang_up(first, &floor.colleague);
}
