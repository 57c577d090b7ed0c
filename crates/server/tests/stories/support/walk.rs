//! What an agent and a consumer do: take a call, open a widget, ask, key, process.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, Refused};
use super::house::wait_for;

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// As long as a hurried agent needs for a prompt.
const PROMPT: Duration = Duration::from_millis(900);

/// A good month, far enough away.
pub(crate) const EXPIRY: &str = "1239";

/// The only service of an installation gets these settings beside those that it has; its identity.
pub(crate) fn change_service(admin: &Client, changes: &Value) -> String {
    let mut service = admin.get("/api/v1/services")["services"][0].clone();
    let id = service["id"].as_str().unwrap().to_owned();
    let form = service.as_object_mut().unwrap();
    for name in ["id", "recorders", "hours_now"] {
        form.remove(name);
    }
    form.extend(changes.as_object().unwrap().clone());
    admin.put(&format!("/api/v1/services/{id}"), &service);
    id
}

/// An agent chooses to take calls, or not to.
pub(crate) fn takes_calls(page: &Client, ready: bool) {
    let wish = if ready {
        json!({ "state": "ready" })
    } else {
        json!({ "state": "not_ready", "reason": "break" })
    };
    page.put("/api/v1/me/availability", &wish);
}

/// The phone of the first agent is there.
pub(crate) fn registers(stage: &Client) {
    wait_for("the agent's phone registers", STEP_MAX, || {
        (stage.get("/control/state")["agents"][0]["registered"] == true).then_some(())
    });
}

/// The consumer calls; yields the agent's call once both are connected.
pub(crate) fn connect(page: &Client, stage: &Client) -> Value {
    registers(stage);
    stage.post("/control/call", &json!({}));
    wait_for("the call is connected", STEP_MAX, || {
        let calls = page.get("/api/v1/calls");
        calls["calls"]
            .as_array()
            .unwrap()
            .iter()
            .find(|call| call["state"] == "connected")
            .cloned()
    })
}

/// An open capture, as its agent holds it.
pub(crate) struct Capture<'a> {
    page: &'a Client,
    stage: &'a Client,
    kind: String,
    pub(crate) path: String,
}

impl<'a> Capture<'a> {
    /// Opens the first widget of a kind and waits until the line is protected.
    pub(crate) fn open(page: &'a Client, stage: &'a Client, call: &Value, kind: &str) -> Self {
        let capture = Self::begin(page, stage, call, kind);
        wait_for("the line is protected", STEP_MAX, || {
            let view = capture.view();
            match (view["state"].as_str(), view["reason"].as_str()) {
                (Some("arming"), _) => None,
                (Some("armed" | "collecting"), _) => Some(()),
                // A machine that stalls protects nothing, and says so; its agent tries again.
                (Some("blocked"), Some("heartbeat")) => {
                    capture.act("try_again");
                    None
                }
                other => panic!("the capture is {other:?}"),
            }
        });
        capture
    }

    /// Opens the first widget of a kind.
    pub(crate) fn begin(page: &'a Client, stage: &'a Client, call: &Value, kind: &str) -> Self {
        let button = call["buttons"]
            .as_array()
            .unwrap()
            .iter()
            .find(|button| button["kind"] == kind);
        let widget = &button.unwrap_or_else(|| panic!("no button for {kind}: {call}"))["widget"];
        let captures = format!("/api/v1/calls/{}/captures", call["id"].as_str().unwrap());
        let view = page.post(&captures, &json!({ "widget": widget }));
        let path = format!("/api/v1/captures/{}", view["id"].as_str().unwrap());
        Self {
            page,
            stage,
            kind: kind.to_owned(),
            path,
        }
    }

    pub(crate) fn view(&self) -> Value {
        self.page.get(&self.path)
    }

    pub(crate) fn act(&self, action: &str) -> Value {
        self.page
            .post(&format!("{}/actions", self.path), &json!({ "do": action }))
    }

    /// The agent asks for a field, the consumer keys it, and it is obtained.
    pub(crate) fn key(&self, field: &str, keys: &str) {
        self.page.post(
            &format!("{}/actions", self.path),
            &json!({ "do": "listen", "field": field }),
        );
        std::thread::sleep(PROMPT);
        self.stage.post("/control/keys", &json!({ "keys": keys }));
        wait_for(&format!("{field} is obtained"), STEP_MAX, || {
            let view = self.view();
            let row = view["fields"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["field"] == field)
                .unwrap();
            assert_ne!(row["state"], "invalid", "{field}: {}", row["error"]);
            (row["state"] == "obtained").then_some(())
        });
    }

    /// Number, expiry and code of a card.
    pub(crate) fn key_card(&self, number: &str, code: &str) {
        self.key("card_number", &format!("{number}#"));
        self.key("expiry", EXPIRY);
        self.key("security_code", &format!("{code}#"));
    }

    /// Routing and account number: the shortest capture there is.
    pub(crate) fn key_check(&self) {
        self.key("routing_number", "021000021");
        self.key("account_number", "70123#");
    }

    /// Waits for the payment's end and yields it.
    pub(crate) fn ended(&self) -> Value {
        wait_for("the payment has an outcome", STEP_MAX, || {
            let payment = self.view()["payment"].clone();
            (!payment["outcome"].is_null() || !payment["not_sent"].is_null()).then_some(payment)
        })
    }
}

/// What the agent types for a payment.
pub(crate) fn form(kind: &str, amount: &str, reference: &str) -> Value {
    let mut values = json!({ "firstName": "Jane", "lastName": "Roe", "reference": reference });
    if kind.starts_with("check") {
        values["accountType"] = json!("checking");
    }
    json!({ "amount": amount, "currency": "USD", "values": values })
}

/// A key for one press of Process Payment.
pub(crate) fn new_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

impl Capture<'_> {
    /// Presses Process Payment; what came of the press.
    pub(crate) fn press(&self, form: &Value, key: &str) -> Result<Value, Refused> {
        self.page
            .send("POST", &format!("{}/process", self.path), Some(form), key)
    }

    /// Presses Process Payment with a key of its own.
    pub(crate) fn process(&self, amount: &str, reference: &str) -> Value {
        self.press(&form(&self.kind, amount, reference), &new_key())
            .unwrap()
    }
}
