//! A house in which every route that takes a body can be asked, and a right body for each.

use std::sync::atomic::Ordering;

use domain::access::Role;
use domain::capture::WidgetKind;
use domain::capture::fixtures::ROUTING_NUMBERS;
use domain::desktop::{DesktopService, Layout};
use domain::gateway::approval::HostApproval;
use domain::id::UserId;
use domain::payment::{AttemptState, Outcome};
use domain::time::UnixMillis;
use serde_json::{Value, json};

use crate::captures::{call, capture};
use crate::evidence::payment;
use crate::follow_ups::follow_up;
use crate::right_gateway::more;
use crate::services::{at_trunk, furnish_sounds, queued, service};
use crate::support::{Browser, House, PASSWORD, desktop, ended, recording, user};
use crate::widgets::widget;

/// A route and a body that it takes.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) method: &'static str,
    /// As the description has it.
    pub(crate) route: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// Whoever sends something else may be guessing: the answer says no more than that it is wrong.
    pub(crate) is_secret: bool,
}

/// The tab that has the phone.
const TAB: &str = "a-tab-of-the-campaign";

/// A house with one of everything, and somebody who may do everything.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) browser: Browser,
    role: String,
    service: String,
    design: Value,
}

/// What a supervisor says of a payment whose outcome is unknown; somebody else confirms it.
async fn propose(house: &House) {
    let sam = house.logged_in(Role::Supervisor).await;
    let proposal = json!({"outcome": "approved", "reason": "The report lists it."});
    assert_eq!(
        sam.post("/payments/two/proposal", proposal).await.status,
        200
    );
}

/// A call with a capture, in a tab that has the phone.
fn furnish_desk(house: &House, agent: &UserId) {
    house.desk.checks_forms.store(true, Ordering::SeqCst);
    house.desk.add_capture(agent, capture("capture-1"));
    house.desk.add_call(agent, call("call-1"));
    *house.desk.tab.lock().unwrap() = Some(TAB.to_owned());
    house
        .desk
        .listens(&UserId::from_random(5), &"call-1".parse().unwrap());
}

/// Payments with an unknown outcome, charged ones, and a refund whose outcome is unknown.
fn fill_ledger(house: &House, agent: &UserId) {
    let unknown = AttemptState::Final(Outcome::Unknown);
    *house.rooms.payments.lock().unwrap() = vec![
        payment("one", agent, unknown),
        payment("two", agent, unknown),
        payment("three", agent, AttemptState::Final(Outcome::Approved)),
        payment("four", agent, AttemptState::Final(Outcome::Approved)),
    ];
    house
        .rooms
        .follow_ups
        .lock()
        .unwrap()
        .push(follow_up("four", "asked", unknown));
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let house = House::with(|config| {
            config.frame_hosts = vec!["crm.example".to_owned()];
            config.embedding = vec!["https://crm.example".to_owned()];
        })
        .await;
        let roles = Role::ALL.into_iter().map(Into::into).collect();
        house.rooms.users.lock().unwrap()[3].roles = roles;
        let sid = house.rooms.user_named("sid").id;
        let mut designed = desktop("designed");
        designed.name = "Designed".to_owned();
        designed.service = DesktopService::Designer;
        designed.layout = Layout::Designer;
        let gateway = designed.widgets[0].gateway.as_mut().unwrap();
        gateway.service_url = "https://waits.example/charge".to_owned();
        house.rooms.add_desktop(designed);
        house
            .rooms
            .refused_hosts
            .lock()
            .unwrap()
            .push("waits.example".to_owned());
        house
            .rooms
            .approved_hosts
            .lock()
            .unwrap()
            .push(HostApproval {
                authority: "former.example:443".to_owned(),
                reason: "Checked.".to_owned(),
                by: sid.clone(),
                by_name: "sid".to_owned(),
                at: UnixMillis(1),
            });
        let mut lee = user(7, Role::Agent);
        lee.name = "lee".to_owned();
        house.rooms.add_user(lee);
        furnish_desk(&house, &sid);
        furnish_sounds(&house);
        house.screens.is_of(&sid);
        house.screens.pause_at(1_000);
        fill_ledger(&house, &sid);
        propose(&house).await;
        house.shelf.put(recording("kept", ended(true)));
        let mut browser = house.logged_in(Role::SecurityAdmin).await;
        browser.extra.push((
            "idempotency-key".to_owned(),
            "a-press-of-the-campaign".to_owned(),
        ));
        let made = async |path: &str, body: Value| {
            let reply = browser.post(path, body).await;
            assert_eq!(reply.status, 201, "{path} {}", reply.text());
            reply.json()
        };
        let role = made(
            "/roles",
            json!({"name": "Team lead", "permissions": ["payment.view"]}),
        )
        .await;
        let service = made("/services", service("Billing", "200", 0)).await;
        let design = made("/designer-desktops", json!({"name": "Billing"})).await;
        Self {
            role: role["id"].as_str().unwrap().to_owned(),
            service: service["id"].as_str().unwrap().to_owned(),
            design: design["design"].clone(),
            house,
            browser,
        }
    }

    /// All that a refused request must leave as it was.
    pub(crate) fn snapshot(&self) -> String {
        let rooms = &self.house.rooms;
        let people = (&rooms.users, &rooms.roles, &rooms.second_factors);
        let configured = (
            &rooms.desktops,
            &rooms.designs,
            &rooms.services,
            &rooms.settings,
            &rooms.passwords,
        );
        let evidence = (
            &rooms.payments,
            &rooms.proposals,
            &rooms.follow_ups,
            &rooms.entries,
            &self.house.shelf.rows,
        );
        format!(
            "{people:?} {configured:?} {evidence:?} {:?} {:?}",
            (self.house.desk.asked(), &self.house.screens),
            (&self.house.desk.wish, &self.house.desk.tab)
        )
    }

    /// Every route with a body, in the order of the description's groups.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = self.people();
        cases.extend(self.calls());
        cases.extend(Self::phone());
        cases.extend(Self::captures());
        cases.extend(Self::payments());
        cases.extend(Self::recordings());
        cases.extend(self.configuration());
        cases.extend(self.designer());
        cases
    }

    fn people(&self) -> Vec<Case> {
        let role = json!({"name": "Night shift", "permissions": ["payment.view", "audit.read"], "revision": 0});
        let lee = self.house.rooms.user_named("lee");
        // A login name stays.
        let named = |person: &Value| {
            let mut kept = with(person, "revision", 1);
            kept["name"] = json!(lee.name);
            kept
        };
        let person = json!({
            "name": "m.lee", "display_name": "M. Lee", "roles": ["agent"], "desktop": "sales", "enabled": true, "password": "battery staple 7",
            "phone": "m.lee", "extension": "201", "groups": ["Sales"], "phone_password": "phone staple 7", "unlock": false, "reset_second_factor": false, "revision": 0,
        });
        let kept = named(&person);
        vec![
            case(
                "POST",
                "/login",
                json!({"user": "lee", "password": PASSWORD, "code": null}),
            )
            .secret(),
            case("POST", "/unlock", json!({"password": PASSWORD})).secret(),
            case(
                "POST",
                "/password",
                json!({"current": PASSWORD, "new": "battery staple 8"}),
            )
            .secret(),
            case("PUT", "/second-factor", json!({"code": "123456"})).secret(),
            case("POST", "/frames/codes", json!({"origin": "https://crm.example"})),
            case("POST", "/frames/login", json!({"code": "0", "origin": "https://crm.example"})).secret(),
            case("POST", "/set-up/offer", json!({"token": "0"})).secret(),
            case("POST", "/set-up", json!({"token": "0", "name": "ada", "display_name": "Ada", "password": "battery staple 7", "code": "123456"})).secret(),
            case(
                "PUT",
                "/me/preferences",
                json!({"language": "de", "theme": "dark"}),
            ),
            case(
                "PUT",
                "/me/availability",
                json!({"state": "not_ready", "reason": "meal"}),
            ),
            case("POST", "/users", person.clone()),
            case("PUT", "/users/{id}", kept).at(lee.id.as_str()),
            case("POST", "/roles", role.clone()),
            case("PUT", "/roles/{id}", with(&role, "revision", 1)).at(&self.role),
        ]
    }

    fn calls(&self) -> Vec<Case> {
        let lee = self.house.rooms.user_named("lee").id;
        let call = |method, route, body| case(method, route, body).at("call-1");
        vec![
            call("PUT", "/calls/{id}/mute", json!({"on": true})),
            call("PUT", "/calls/{id}/hold", json!({"on": true})),
            call("PUT", "/calls/{id}/recording", json!({"on": true})),
            call("POST", "/calls/{id}/keys", json!({"key": "5"})),
            call(
                "POST",
                "/calls/{id}/screen",
                json!({"surface": "monitor", "media_type": "video/webm;codecs=vp8"}),
            ),
            call(
                "POST",
                "/calls/{id}/screen/acknowledgement",
                json!({"part": 0, "chunks": 1, "at_ms": 1_000}),
            ),
            call("POST", "/calls/{id}/screen/end", json!({"why": "stopped"})),
            call(
                "POST",
                "/calls/{id}/transfer",
                json!({"to": lee, "discard": false}),
            ),
            case(
                "POST",
                "/calls",
                json!({"number": "+1 555 010-0199", "agent": "anna", "service": self.service}),
            ),
            case(
                "POST",
                "/calls/bind",
                json!({"agent": "anna", "call": {"by": "tonewall_call", "name": "call-1"}}),
            ),
            case(
                "POST",
                "/number-reservations",
                json!({"service": self.service, "agent": "anna", "from": "+1 555 010-0199"}),
            ),
            call(
                "POST",
                "/calls/{id}/pick",
                json!({"agent": "anna", "take_away": true}),
            ),
        ]
    }

    fn phone() -> Vec<Case> {
        let call = |route, body| case("POST", route, body).at("call-1");
        let tab = json!({"instance": TAB});
        let described = |name: &str| {
            let text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n";
            json!({"instance": TAB, name: text})
        };
        vec![
            case("PUT", "/phone", json!({"instance": TAB, "take_over": true})),
            case("POST", "/phone/test", tab.clone()),
            call("/phone/calls/{id}/connect", described("answer")),
            call("/phone/calls/{id}/answer", tab.clone()),
            call("/phone/calls/{id}/decline", tab.clone()),
            call("/running-calls/{id}/listeners", tab),
            case("PUT", "/listening/{id}/voice", json!({"voice": "agent"})).at("leg-1"),
            call("/phone/calls/{id}/restart", described("offer")),
        ]
    }

    fn captures() -> Vec<Case> {
        let values = typed_values();
        vec![
            case("POST", "/calls/{id}/captures", json!({"widget": "card"})).at("call-1"),
            case(
                "POST",
                "/calls/{id}/reset-attempts",
                json!({"kind": "check_basic"}),
            )
            .at("call-1"),
            case(
                "PUT",
                "/calls/{id}/consumer",
                json!({"amount": "12.50", "currency": "USD", "values": {"firstName": "Jane", "reference": "INV-1"}}),
            )
            .at("call-1"),
            case(
                "POST",
                "/captures/{id}/actions",
                json!({"do": "listen", "field": "expiry"}),
            )
            .at("capture-1"),
            case(
                "POST",
                "/captures/{id}/process",
                json!({"amount": "12.50", "currency": "USD", "fee": "1.00", "values": values}),
            )
            .at("capture-1"),
            case(
                "POST",
                "/captures/{id}/authorisation",
                json!({"amount": "12.50", "currency": "USD", "fee": "1.00", "values": values, "agreed": true}),
            )
            .at("capture-1"),
            case(
                "POST",
                "/captures/{id}/reveal",
                json!({"field": "card_number"}),
            )
            .at("capture-1"),
        ]
    }

    fn payments() -> Vec<Case> {
        let outcome = |reason: &str| json!({"outcome": "approved", "reason": reason});
        vec![
            case(
                "POST",
                "/payments/{attempt}/proposal",
                outcome("The report lists it."),
            )
            .at("one"),
            case(
                "POST",
                "/payments/{attempt}/proposal/confirm",
                json!({"outcome": "approved"}),
            )
            .at("two"),
            case(
                "POST",
                "/payments/{attempt}/proposal/reject",
                json!({"reason": "It is another one."}),
            )
            .at("two"),
            case(
                "POST",
                "/payments/{attempt}/follow-ups",
                json!({"kind": "refund", "amount": "20.00", "reason": "It came broken."}),
            )
            .at("three"),
            case(
                "POST",
                "/payments/{attempt}/follow-ups/{id}/outcome",
                outcome("The report lists it."),
            )
            .at_both("four", "asked"),
        ]
    }

    fn recordings() -> Vec<Case> {
        vec![
            case(
                "POST",
                "/recordings/{id}/download",
                json!({"format": "opus", "reason": "The customer asked for it."}),
            )
            .at("kept"),
            case(
                "POST",
                "/recordings/{id}/redactions",
                json!({"from_ms": 200, "until_ms": 900, "reason": "The customer said the number aloud."}),
            )
            .at("kept"),
            case(
                "DELETE",
                "/recordings/{id}",
                json!({"reason": "The customer withdrew consent."}),
            )
            .at("kept"),
        ]
    }

    fn configuration(&self) -> Vec<Case> {
        let recorders = json!({"sinks": [{"name": "PBX", "medium": "call", "hears": "unmasked", "control": "floor"}], "revision": 1});
        let variables = json!({"allow": "listed", "names": ["message"]});
        let settings = json!({"spc_enabled": true, "response_variables": variables, "revision": 1});
        let host = |authority: &str| json!({"authority": authority, "reason": "Checked.", "password": PASSWORD});
        let lee = self.house.rooms.user_named("lee").id;
        let anna = self.house.rooms.user_named("anna").id;
        vec![
            case("PUT", "/settings", settings),
            case("POST", "/gateway-hosts/approve", host("waits.example:443")).secret(),
            case(
                "POST",
                "/gateway-hosts/withdraw",
                host("former.example:443"),
            )
            .secret(),
            case("POST", "/gateway/preview", trial()),
            case("POST", "/gateway/test", trial()),
            case("POST", "/gateway/verdict", pasted()),
            case("POST", "/gateway/cases", saved_cases()),
            case(
                "PUT",
                "/routing/refused",
                json!({"refused": [{"routing": ROUTING_NUMBERS[0], "reason": "Closed in May"}], "revision": 0}),
            ),
            case("POST", "/services", service("Sales", "100", 0)),
            case("POST", "/services", at_trunk("Sales", "100", 0)),
            case("POST", "/services", queued("Sales", "100", 0)),
            case("PUT", "/services/{id}", service("Billing", "201", 1)).at(&self.service),
            case("PUT", "/services/{id}", at_trunk("Billing", "201", 1)).at(&self.service),
            case("PUT", "/services/{id}", queued("Billing", "201", 1)).at(&self.service),
            case("POST", "/services/{id}/recorders", recorders).at(&self.service),
            case("POST", "/desktops", self.desktop("Collections", 0)),
            case("PUT", "/desktops/{id}", self.desktop("Sales", 1)).at("sales"),
            case("POST", "/desktops/import", file()),
            case(
                "POST",
                "/desktops/{id}/duplicate",
                json!({"name": "Sales 2"}),
            )
            .at("sales"),
            case(
                "PUT",
                "/desktops/{id}/agents",
                json!({"add": [lee], "remove": [anna]}),
            )
            .at("sales"),
            case(
                "POST",
                "/desktops/{id}/history/{revision}/restore",
                json!({"revision": 1}),
            )
            .at("sales"),
        ]
    }

    fn desktop(&self, name: &str, revision: i64) -> Value {
        let mut card = whole_widget();
        card["id"] = if revision == 0 {
            Value::Null
        } else {
            json!("card")
        };
        let mut check = widget(WidgetKind::CheckBasic, "Check");
        check["id"] = Value::Null;
        json!({"name": name, "service": "standard", "layout": "extended_panel", "widgets": [card, check], "revision": revision})
    }

    fn designer(&self) -> Vec<Case> {
        let id = self.design["id"].as_str().unwrap();
        let mut tiles = self.design["tiles"].as_array().unwrap().clone();
        let bottom = tiles
            .iter()
            .map(|tile| number(tile, "row") + number(tile, "height"))
            .max()
            .unwrap();
        let next = tiles
            .iter()
            .map(|tile| tile["id"].as_u64().unwrap())
            .max()
            .unwrap()
            + 1;
        let place = |row: u64| json!({"column": 1, "row": row, "width": 12, "height": 6});
        tiles.push(json!({"id": next, "place": place(bottom), "content": {"kind": "script", "text": "Say hello."}}));
        let page = json!({"kind": "web_page", "title": "CRM", "address": "https://crm.example/"});
        tiles.push(json!({"id": next + 1, "place": place(bottom + 6), "content": page}));
        let form =
            |name: &str, revision: i64| json!({"name": name, "tiles": tiles, "revision": revision});
        let binding = json!({"desktop_revision": 1, "design": id, "name": "Billing", "tiles": tiles, "revision": 1});
        vec![
            case("POST", "/designer-desktops", form("Sales", 0)),
            case("PUT", "/designer-desktops/{id}", form("Billing", 1)).at(id),
            case("PUT", "/desktops/{id}/design", binding).at("designed"),
            case(
                "POST",
                "/designer-desktops/{id}/history/{revision}/restore",
                json!({"revision": 1}),
            )
            .at(id),
        ]
    }
}

fn number(tile: &Value, name: &str) -> u64 {
    tile["place"][name].as_u64().unwrap()
}

fn with(body: &Value, name: &str, value: i64) -> Value {
    let mut changed = body.clone();
    changed[name] = json!(value);
    changed
}

/// An Advanced widget with everything that one can have.
fn whole_widget() -> Value {
    let mut card = widget(WidgetKind::CreditCardAdvanced, "Card payment");
    let german = json!([{"field": "expiry", "text": "Das Datum, bitte."}]);
    card["translations"] = json!({"de": {"title": "Kartenzahlung", "prompts": german}});
    card["options"] = json!(domain::widget::WidgetOptions::default());
    card["options"]["payment"]["fee"] =
        json!({"label": "Convenience fee", "percent_hundredths": 250, "fixed": "1.00"});
    card["options"]["payment"]["amount_min"] = json!("5.00");
    card["options"]["payment"]["amount_max"] = json!("500.00");
    card["gateway"]["more"] = more();
    card["gateway_secrets"] = json!({"key": "gateway-canary"});
    card
}

/// The gateway of a new widget, with a password typed for it.
fn trial() -> Value {
    let card = whole_widget();
    json!({
        "desktop": "sales", "widget": "card", "kind": card["kind"], "gateway": card["gateway"], "gateway_password": card["gateway_password"], "gateway_secrets": card["gateway_secrets"],
        "with": "visa", "currency": "USD", "asked": ["firstName", "postalCode"], "sec_code": "by_holder",
    })
}

fn pasted() -> Value {
    let card = whole_widget();
    json!({
        "kind": card["kind"], "gateway": card["gateway"], "operation": "refund", "status": 200, "content_type": "text/plain", "body": "result.status=APPROVED\nresult.text=Thank you",
    })
}

fn typed_values() -> Value {
    let names = [
        "firstName",
        "lastName",
        "description",
        "email",
        "postalCode",
    ];
    let values = names.map(|name| (name.to_owned(), json!("Jane")));
    Value::Object(values.into_iter().collect())
}

fn saved_cases() -> Value {
    let card = whole_widget();
    json!({"kind": card["kind"], "gateway": card["gateway"]})
}

fn file() -> Value {
    let mut card = whole_widget();
    card.as_object_mut().unwrap().remove("gateway_password");
    card.as_object_mut().unwrap().remove("gateway_secrets");
    json!({"format": "tonewall.desktop", "version": 1, "name": "Imported", "service": "standard", "layout": "extended_panel", "widgets": [card]})
}

fn case(method: &'static str, route: &'static str, body: Value) -> Case {
    Case {
        method,
        route,
        path: route.to_owned(),
        body,
        is_secret: false,
    }
}

impl Case {
    fn secret(self) -> Self {
        Self {
            is_secret: true,
            ..self
        }
    }

    fn at_both(self, attempt: &str, id: &str) -> Self {
        let path = self.route.replace("{attempt}", attempt);
        Self {
            path: path.replace("{id}", id),
            ..self
        }
    }

    fn at(self, id: &str) -> Self {
        let path = self
            .route
            .replace("{id}", id)
            .replace("{attempt}", id)
            .replace("{revision}", "1");
        Self { path, ..self }
    }
}
