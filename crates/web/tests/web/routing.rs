//! What an installation knows of routing numbers (GATEWAYS 4).

use domain::access::Role;
use domain::audit::AuditAction;
use domain::capture::fixtures::{ROUTING_NUMBERS, ROUTING_NUMBERS_WRONG_SUM};
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Browser, House, Reply};

async fn admin(house: &House) -> Browser {
    house.logged_in(Role::SecurityAdmin).await
}

fn list(numbers: &[&str], revision: i64) -> Value {
    let row = |number: &&str| json!({"routing": number, "reason": "Closed in May"});
    let refused: Vec<Value> = numbers.iter().map(row).collect();
    json!({"refused": refused, "revision": revision})
}

async fn import(browser: &mut Browser, text: &str) -> Reply {
    let kind = (
        "content-type".to_owned(),
        "text/csv; charset=utf-8".to_owned(),
    );
    browser.extra = vec![kind];
    let path = "/routing/banks";
    let reply = browser.send_text(Method::PUT, path, Some(text.to_owned()));
    let reply = reply.await;
    browser.extra.clear();
    reply
}

#[tokio::test]
async fn refused_routing_numbers_are_listed_with_their_reasons_and_audited() {
    let house = House::new().await;
    let browser = admin(&house).await;
    let [one, other] = [ROUTING_NUMBERS[0], ROUTING_NUMBERS[1]];
    let saved = browser
        .put("/routing/refused", list(&[one, other], 0))
        .await;
    assert_eq!(saved.status, 200);
    assert_eq!(saved.json()["refused"].as_array().unwrap().len(), 2);
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.action, AuditAction::RoutingRefusalsSaved);
    assert_eq!(entry.detail["refused"], 2);
    let stale = browser.put("/routing/refused", list(&[], 0)).await;
    assert_eq!((stale.status, stale.code()), (409, "conflict".to_owned()));
    let saved = browser.put("/routing/refused", list(&[other], 1)).await;
    assert_eq!(saved.json()["revision"], 2);
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.detail["removed"], json!([one]));
    assert_eq!(entry.detail["added"], json!([]));
    let wrong = list(&[other, ROUTING_NUMBERS_WRONG_SUM[0]], 2);
    let refused = browser.put("/routing/refused", wrong).await;
    assert_eq!(refused.fields(), ["refused[1].routing"]);
    assert_eq!(browser.get("/routing").await.json()["revision"], 2);
}

#[tokio::test]
async fn a_table_of_bank_names_is_replaced_as_a_whole_or_refused_by_line() {
    let house = House::new().await;
    let mut browser = admin(&house).await;
    let [one, other] = [ROUTING_NUMBERS[0], ROUTING_NUMBERS[1]];
    let header = "routing,bank_name,city,state";
    let nothing = browser.get("/routing").await.json();
    assert_eq!(
        (&nothing["banks"], &nothing["imported_by"]),
        (&json!(0), &Value::Null)
    );
    let both = format!("{header}\n{one},First Bank,Tulsa,OK\n{other},\"Second, N.A.\",,\n");
    let imported = import(&mut browser, &both).await.json();
    assert_eq!(
        (&imported["banks"], &imported["imported_by"]),
        (&json!(2), &json!("sid"))
    );
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.action, AuditAction::BanksImported);
    assert_eq!(
        (&entry.detail["banks"], &entry.detail["before"]),
        (&json!(2), &json!(0))
    );
    let wrong = format!("{header}\n{one},First Bank,,\n{one},Again,,\n1,x\n");
    let refused = import(&mut browser, &wrong).await;
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["lines[3]".to_owned(), "lines[4]".to_owned()])
    );
    assert_eq!(browser.get("/routing").await.json()["banks"], 2);
    let less = import(&mut browser, &format!("{header}\n{other},Second,,")).await;
    assert_eq!(less.json()["banks"], 1);
}

#[tokio::test]
async fn a_table_of_another_type_or_beyond_four_mebibytes_is_refused() {
    let house = House::new().await;
    let mut browser = admin(&house).await;
    let json = browser.put("/routing/banks", json!({})).await;
    assert_eq!((json.status, json.code()), (415, "media_type".to_owned()));
    let long = "x".repeat(4 * 1_024 * 1_024 + 1);
    let refused = import(&mut browser, &long).await;
    assert_eq!(
        (refused.status, refused.code()),
        (413, "too_large".to_owned())
    );
}
