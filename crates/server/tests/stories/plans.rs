//! A plan in a call of its own, against a gateway that keeps books: the sale is charged once, the plan is made once, whatever comes between.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::time::UnixMillis;
use serde_json::{Value, json};

use crate::support::{
    Capture, Client, Refused, Running, Site, TONEWALL, connect, new_key, planted, wait_for,
};

/// An end that takes longer never comes.
const END_MAX: Duration = Duration::from_secs(20);

const DAY: Duration = Duration::from_secs(86_400);

fn tomorrow() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis(i64::try_from((now + DAY).as_millis()).unwrap()).utc_day()
}

/// 500.00, arranged so.
fn form(arranged: &Value) -> Value {
    let mut form = json!({ "amount": "500.00", "currency": "USD", "values": {
        "firstName": "Jane", "lastName": "Roe", "accountType": "checking", "reference": "PLAN-1",
    } });
    let values = form["values"].as_object_mut().unwrap();
    values.extend(arranged.as_object().unwrap().clone());
    form
}

/// 125.50 of it today, the rest in four weekly parts.
fn plan() -> Value {
    form(&json!({
        "arrangementType": "plan", "arrangementStart": tomorrow(), "arrangementInterval": "weekly",
        "arrangementCount": "4", "arrangementDownPayment": "125.50",
    }))
}

/// All of it tomorrow, nothing today.
fn one_date() -> Value {
    form(&json!({ "arrangementType": "one_date", "arrangementDate": tomorrow() }))
}

/// Keys a check, and presses with the plan; the server may end meanwhile. Yields the agent's page.
fn press(running: &Running) -> Client {
    press_with(running, &plan())
}

fn press_with(running: &Running, form: &Value) -> Client {
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let capture = Capture::open(&page, &running.stage, &call, "check_advanced");
    capture.key_check();
    capture.press(form, &new_key()).ok();
    page
}

fn payment(page: &Client) -> Value {
    let rows = page.get("/api/v1/payments");
    rows["payments"][0].clone()
}

/// Waits until the plan of the only payment stands so.
fn until_plan(page: &Client, standing: &str) -> Value {
    wait_for(&format!("the plan is {standing}"), END_MAX, || {
        let row = payment(page);
        (row["plan"] == standing).then_some(row)
    })
}

fn set_up(page: &Client, row: &Value) -> Result<Value, Refused> {
    let attempt = row["payment"]["attempt"].as_str().unwrap();
    let path = format!("/api/v1/payments/{attempt}/plan");
    page.send("POST", &path, None, &new_key())
}

#[test]
fn a_sale_of_the_down_payment_is_followed_by_its_plan() {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    let page = press(&running);
    let row = until_plan(&page, "set_up");
    assert_eq!(row["payment"]["amount"]["minor"], 12_550);
    assert_eq!(row["payment"]["arrangement"]["total"]["minor"], 50_000);
    assert_eq!(
        (site.charges("125.50"), site.plans()),
        (1, vec!["374.50".to_owned()])
    );
    assert!(set_up(&page, &row).is_err(), "it is set up");
    assert_eq!(site.plans().len(), 1);
}

#[test]
fn killed_between_sale_and_plan_the_payment_says_so_and_the_agent_sets_it_up() {
    let mut site = Site::set_up(planted(), &[]);
    std::fs::write(site.kill_at(), "outcome.after").unwrap();
    let mut running = site.start();
    press(&running);
    wait_for("the server has ended", END_MAX, || {
        running.is_gone().then_some(())
    });
    drop(running);
    std::fs::write(site.kill_at(), "").unwrap();
    let running = site.start();
    let page = running.page("agent");
    let row = until_plan(&page, "not_set_up");
    assert_eq!(row["payment"]["state"]["detail"], "approved");
    assert_eq!(
        (site.charges("125.50"), site.plans().len()),
        (1, 0),
        "no start begins it"
    );
    assert!(set_up(&page, &row).is_ok());
    until_plan(&page, "set_up");
    assert_eq!(
        (site.charges("125.50"), site.plans()),
        (1, vec!["374.50".to_owned()])
    );
}

#[test]
fn killed_while_the_plan_is_asked_for_nobody_knows_and_nobody_asks_again() {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let mut running = site.start();
    let next = json!({ "next": ["approve", "charge_then_never_answer"] });
    running.stage.post("/control/script", &next);
    let page = press(&running);
    until_plan(&page, "in_progress");
    wait_for("the plan is in the gateway's books", END_MAX, || {
        (site.plans().len() == 1).then_some(())
    });
    running.kill_server();
    drop(running);
    let running = site.start();
    let page = running.page("agent");
    let row = until_plan(&page, "unknown");
    assert!(set_up(&page, &row).is_err(), "it may be set up");
    assert_eq!((site.charges("125.50"), site.plans().len()), (1, 1));
}

#[test]
fn with_nothing_due_today_the_account_is_stored_once_and_nothing_is_charged() {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    let page = press_with(&running, &one_date());
    let row = until_plan(&page, "set_up");
    assert_eq!(row["payment"]["state"]["detail"], "approved");
    assert_eq!(row["payment"]["amount"]["minor"], 0);
    assert_eq!(row["payment"]["arrangement"]["total"]["minor"], 50_000);
    assert_eq!(site.done(), ["stored", "scheduled"]);
    assert_eq!(site.plans(), ["500.00"]);
    assert!(set_up(&page, &row).is_err(), "it is set up");
    assert_eq!(site.done().len(), 2);
}

#[test]
fn killed_between_store_and_plan_the_payment_says_so_and_the_agent_sets_it_up() {
    let mut site = Site::set_up(planted(), &[]);
    std::fs::write(site.kill_at(), "outcome.after").unwrap();
    let mut running = site.start();
    press_with(&running, &one_date());
    wait_for("the server has ended", END_MAX, || {
        running.is_gone().then_some(())
    });
    drop(running);
    std::fs::write(site.kill_at(), "").unwrap();
    let running = site.start();
    let page = running.page("agent");
    let row = until_plan(&page, "not_set_up");
    assert_eq!(row["payment"]["state"]["detail"], "approved");
    assert_eq!(site.done(), ["stored"], "no start begins the plan");
    assert!(set_up(&page, &row).is_ok());
    until_plan(&page, "set_up");
    assert_eq!(site.done(), ["stored", "scheduled"]);
}
