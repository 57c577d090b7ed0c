//! Options beyond the reference's fields (S3, group O): each is saved, reloaded, goes out and in as a file, and is the one thing by which two revisions
//! differ. What an option does is tested where it is done.

use domain::capture::WidgetKind;
use serde_json::{Value, json};

use crate::configuration::administrator;
use crate::support::{Browser, House};
use crate::widgets::{save, widget};

/// Each of these is sent, not as it is by default, on a widget of this kind.
async fn kept(kind: WidgetKind, options: &[(&str, Value)]) {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let first = save(&browser, vec![widget(kind, "Payment")]).await;
    let mut stored = first["desktop"]["widgets"][0].clone();
    for (name, value) in options {
        let before = stored["options"][name].clone();
        assert_ne!(before, *value, "{name} is this by default");
        assert!(!before.is_null(), "{name} is no option");
        stored["options"][name] = value.clone();
        save(&browser, vec![stored.clone()]).await;
        let read = browser.get("/desktops/sales").await.json();
        assert_eq!(read["desktop"]["widgets"][0]["options"], stored["options"]);
        let revision = read["desktop"]["revision"].as_i64().unwrap();
        let (changed, option) = (
            changed_between(&browser, revision).await,
            format!("/widgets/0/options/{name}"),
        );
        let within = |path: &String| path.starts_with(&option);
        assert!(
            !changed.is_empty() && changed.iter().all(within),
            "{changed:?}"
        );
    }
    let mut file = browser.get("/desktops/sales/export").await.json();
    assert_eq!(file["widgets"][0]["options"], stored["options"]);
    file["name"] = json!("From a file");
    let made = browser.post("/desktops/import", file).await.json();
    assert_eq!(made["desktop"]["widgets"][0]["options"], stored["options"]);
}

/// Paths at which a revision differs from the one before, without its number.
async fn changed_between(browser: &Browser, revision: i64) -> Vec<String> {
    let read = |number: i64| async move {
        let path = format!("/desktops/sales/history/{number}");
        browser.get(&path).await.json()["desktop"].clone()
    };
    let mut paths = Vec::new();
    differences(
        "",
        &read(revision - 1).await,
        &read(revision).await,
        &mut paths,
    );
    paths.retain(|path| path != "/revision");
    paths
}

fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if old.len() == new.len() => {
            for (name, part) in new {
                differences(&format!("{path}/{name}"), &before[name], part, found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (place, part) in new.iter().enumerate() {
                differences(&format!("{path}/{place}"), &old[place], part, found);
            }
        }
        _ if before == after => {}
        _ => found.push(path.to_owned()),
    }
}

#[tokio::test]
async fn o1_security_code_is_kept() {
    for rule in ["optional", "not_captured"] {
        let option = ("security_code", json!(rule));
        kept(WidgetKind::CreditCardAdvanced, &[option]).await;
    }
}

#[tokio::test]
async fn o2_reveal_security_code_is_kept() {
    let option = ("reveal_security_code", json!(true));
    kept(WidgetKind::CreditCardBasic, &[option]).await;
}

#[tokio::test]
async fn o3_hide_values_after_is_kept() {
    let option = ("hide_after_s", json!(25));
    kept(WidgetKind::CheckBasic, &[option]).await;
}

#[tokio::test]
async fn o4_card_number_shown_is_kept() {
    let option = ("card_number_shown", json!("last_four"));
    kept(WidgetKind::CreditCardBasic, &[option]).await;
}

#[tokio::test]
async fn o5_show_brand_and_last_four_is_kept() {
    let option = ("show_brand_and_last_four", json!(true));
    kept(WidgetKind::CreditCardAdvanced, &[option]).await;
}

#[tokio::test]
async fn o6_expiry_format_is_kept() {
    let option = ("expiry_format", json!("mmyyyy"));
    kept(WidgetKind::CreditCardBasic, &[option]).await;
}

#[tokio::test]
async fn o7_star_and_pound_are_kept() {
    let options = [("star_clears", json!(false)), ("pound_ends", json!(false))];
    kept(WidgetKind::CheckAdvanced, &options).await;
}

#[tokio::test]
async fn o8_time_outs_of_keys_are_kept() {
    let options = [
        ("first_key_timeout_s", json!(90)),
        ("inter_key_timeout_s", json!(17)),
    ];
    kept(WidgetKind::CheckBasic, &options).await;
}

#[tokio::test]
async fn o9_attempts_and_presses_are_kept() {
    let options = [("attempts_max", json!(7)), ("process_max", json!(2))];
    kept(WidgetKind::CreditCardAdvanced, &options).await;
}

#[tokio::test]
async fn o10_the_session_limit_is_kept() {
    let option = ("session_limit_min", json!(22));
    kept(WidgetKind::CheckAdvanced, &[option]).await;
}

#[tokio::test]
async fn o11_mute_while_keying_is_kept() {
    let option = ("mute_while_keying", json!(true));
    kept(WidgetKind::CreditCardBasic, &[option]).await;
}

#[tokio::test]
async fn o12_what_follows_a_hang_up_is_kept() {
    let option = ("process_after_hang_up", json!(true));
    kept(WidgetKind::CreditCardAdvanced, &[option]).await;
}

#[tokio::test]
async fn o13_the_fields_of_the_tab_demographic_are_kept() {
    let fields = json!([
        {"name": "lastName", "required": true, "prefill": "caller_name"},
        {"name": "phone", "required": false, "prefill": "caller_number"},
    ]);
    kept(WidgetKind::CreditCardAdvanced, &[("demographic", fields)]).await;
}

#[tokio::test]
async fn o14_the_rules_of_the_tab_payment_are_kept() {
    let payment = json!({
        "currencies": ["EUR", "CHF"], "amount_source": "api", "amount_min": "5.00", "amount_max": "500.00",
        "reference_required": true, "description_required": true,
        "fee": {"label": "Convenience fee", "percent_hundredths": 250, "fixed": "1.00"},
        "arrangements": ["now", "one_date", "plan"], "plan_months_max": 12, "plan_part_min": "25.00",
    });
    kept(WidgetKind::CheckAdvanced, &[("payment", payment)]).await;
}

#[tokio::test]
async fn o15_an_account_number_keyed_twice_is_kept() {
    let option = ("account_number_twice", json!(true));
    kept(WidgetKind::CheckBasic, &[option]).await;
}

#[tokio::test]
async fn s20_the_authorisation_of_a_check_is_kept_and_holds_no_keyed_value() {
    let text = "I agree to {payment.amount}.";
    let option = ("authorisation", json!({"rule": "recording", "text": text}));
    kept(WidgetKind::CheckAdvanced, &[option]).await;
}

#[tokio::test]
async fn s20_the_sec_code_of_a_check_is_kept() {
    let option = ("sec_code", json!("ccd"));
    kept(WidgetKind::CheckAdvanced, &[option]).await;
}
