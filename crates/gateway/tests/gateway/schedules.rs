//! What is due later, as it is asked of gateways, byte for byte, against TLS servers (GATEWAYS 5).

use domain::boundary::{Answer, Operation, PaymentGateway};
use domain::gateway::{AuthMethod, GatewayConfig, NotSentReason, Once, OperationKind};
use domain::id::AttemptId;
use domain::money::{Currency, Money};
use domain::payment::{ArrangedBy, Arrangement, Interval, Length, Outcome, PaymentOutput, Terms};
use domain::time::UnixMillis;
use secret::SecretText;
use serde_json::{Value, json};

use crate::charges::{client, config};
use crate::server::{Act, Server, reply};

/// What terms come to.
fn arranged(
    total: &str,
    down_minor: i64,
    first: &str,
    interval: Interval,
    length: Length,
) -> Arrangement {
    let total = Money::parse(total, Currency::USD).unwrap();
    let terms = Terms {
        total,
        down_minor,
        first: first.parse().unwrap(),
        interval,
        length,
    };
    let parts = terms.plan();
    Arrangement {
        by: ArrangedBy::Schedule,
        total,
        down_minor,
        first: terms.first,
        interval: Some(interval),
        count: parts.len().try_into().unwrap(),
        each_minor: parts[0].minor,
        last_minor: parts.last().unwrap().minor,
        end: parts.last().unwrap().day,
    }
}

/// 500.00, 125.50 of it today, in four weekly parts.
fn weekly() -> Arrangement {
    let count = Length::Count(4);
    arranged("500.00", 12_550, "2026-12-01", Interval::Weekly, count)
}

fn asking(server: &Server, schedule: Value) -> GatewayConfig {
    let mut config = config(&server.url());
    config.more = serde_json::from_value(json!({
        "secrets": ["key"],
        "outputs": [{ "name": "token", "value": "token" }],
        "operations": { "schedule": schedule },
    }))
    .unwrap();
    config
}

fn operation(gateway: GatewayConfig, arrangement: Arrangement) -> Operation {
    let attempt = AttemptId::from_random(7);
    Operation {
        kind: OperationKind::Schedule,
        once: Once::of_operation(&attempt, OperationKind::Schedule, UnixMillis(0)),
        attempt,
        reference: "7F2K-91QD".to_owned(),
        amount: arrangement.later(),
        arrangement: Some(arrangement),
        outputs: vec![PaymentOutput {
            name: "token".to_owned(),
            value: "tok 1".to_owned(),
        }],
        gateway,
        password: Some(SecretText::new("pw".to_owned())),
        secrets: vec![("key".to_owned(), SecretText::new("k-secret".to_owned()))],
    }
}

/// The request as it arrived, and what came of the answer.
async fn asked(schedule: Value, arrangement: Arrangement, answer: Act) -> (String, Answer) {
    let server = Server::start(answer).await;
    let operation = operation(asking(&server, schedule), arrangement);
    let client = client(&[server.host()]);
    let ready = client.connect_operation(operation).await.unwrap();
    let answer = ready.send().await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    (request, answer)
}

fn row(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

#[tokio::test]
async fn a_schedule_by_token_is_json_in_the_order_of_its_rows() {
    let schedule = json!({
        "url": "/payment-schedules", "success_key": "status", "success_value": "ACTIVE",
        "outputs": [row("schedule_id", "scheduleId")],
        "request_params": [
            row("paymentToken.value", "{sale.token}"),
            row("order", "{payment.reference}"),
            row("startDate", "{arrangement.start_date}"),
            row("numberOfPayments", "{arrangement.count|int}"),
            row("frequency.every", "{arrangement.interval_length|int}"),
            row("frequency.unit", "{arrangement.interval_unit|map:days=DAY,months=MONTH}"),
            row("amount.total", "{arrangement.amount|num}"),
            row("amount.last", "{arrangement.last_amount|num}"),
            row("amount.cents", "{arrangement.amount_minor|int}"),
            row("owed", "{arrangement.total|minor|int}"),
            row("later", "{payment.amount|minor|int}"),
        ],
    });
    let answer = reply(201, "", br#"{"status":"ACTIVE","scheduleId":"sc_1"}"#);
    let (request, answer) = asked(schedule, weekly(), answer).await;
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let kept = [("schedule_id".to_owned(), "sc_1".to_owned())];
    assert_eq!(answer.outputs, kept);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /payment-schedules HTTP/1.1\r\n"),
        "{head}"
    );
    assert_eq!(
        body,
        r#"{"paymentToken":{"value":"tok 1"},"order":"7F2K-91QD","startDate":"2026-12-01","numberOfPayments":4,"frequency":{"every":7,"unit":"DAY"},"amount":{"total":93.62,"last":93.64,"cents":9362},"owed":50000,"later":37450}"#
    );
}

/// Of `day_frequency` and `month_frequency` the one that says nothing stays away.
#[tokio::test]
async fn a_schedule_by_token_is_a_form_without_what_does_not_apply() {
    let schedule = json!({
        "url": "/api/transact", "request_type": "application/x-www-form-urlencoded", "response_type": "application/x-www-form-urlencoded",
        "success_key": "response", "success_value": "1", "agent_message_key": "responsetext",
        "request_params": [
            row("recurring", "add_subscription"),
            row("security_key", "{secret.key}"),
            row("customer_vault_id", "{sale.token}"),
            row("orderid", "{payment.reference}"),
            row("plan_payments", "{arrangement.count}"),
            row("plan_amount", "{arrangement.amount}"),
            row("day_frequency", "{arrangement.interval_days}"),
            row("month_frequency", "{arrangement.interval_months}"),
            row("start_date", "{arrangement.start_date|YYYYMMDD}"),
        ],
    });
    let taken = || reply(200, "", b"response=1&responsetext=Subscription+added");
    let (weekly, answer) = asked(schedule.clone(), weekly(), taken()).await;
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(
        body(&weekly),
        "recurring=add_subscription&security_key=k-secret&customer_vault_id=tok+1&orderid=7F2K-91QD&plan_payments=4&plan_amount=93.62&day_frequency=7&start_date=20261201"
    );
    let monthly = arranged(
        "1000.00",
        10_000,
        "2026-12-31",
        Interval::Monthly,
        Length::Count(3),
    );
    let refused = reply(200, "", b"response=3&responsetext=Invalid+vault");
    let (monthly, answer) = asked(schedule, monthly, refused).await;
    assert_eq!(answer.verdict.outcome, Outcome::Declined);
    assert_eq!(answer.message, "Invalid vault");
    assert!(
        body(&monthly)
            .ends_with("plan_payments=3&plan_amount=300.00&month_frequency=1&start_date=20261231"),
        "{monthly}"
    );
}

#[tokio::test]
async fn every_plan_says_its_dates_and_parts() {
    let text = "{arrangement.kind} {arrangement.start_date} {arrangement.end_date} {arrangement.interval} {arrangement.count} {arrangement.amount} {arrangement.last_amount} {arrangement.down_payment}|{arrangement.interval_unit}{arrangement.interval_length}|{payment.amount}|{payment.reference}";
    let schedule = json!({
        "url": "/plans", "request_type": "text/plain", "success_key": "status", "success_value": "ok", "body": text,
    });
    let each = Length::Each(15_000);
    for (arrangement, said) in [
        (
            arranged(
                "1000.00",
                0,
                "2026-01-31",
                Interval::Monthly,
                Length::Count(3),
            ),
            "plan 2026-01-31 2026-03-31 monthly 3 333.33 333.34 |months1|1000.00|7F2K-91QD",
        ),
        (
            weekly(),
            "plan 2026-12-01 2026-12-22 weekly 4 93.62 93.64 125.50|days7|374.50|7F2K-91QD",
        ),
        (
            arranged("400.00", 0, "2026-12-04", Interval::TwoWeeks, each),
            "plan 2026-12-04 2027-01-01 two_weeks 3 150.00 100.00 |days14|400.00|7F2K-91QD",
        ),
        (
            arranged(
                "200.00",
                0,
                "2026-12-15",
                Interval::SemiMonthly,
                Length::Count(2),
            ),
            "plan 2026-12-15 2027-01-01 semi_monthly 2 100.00 100.00 ||200.00|7F2K-91QD",
        ),
    ] {
        let answer = reply(200, "", br#"{"status":"ok"}"#);
        let (request, _) = asked(schedule.clone(), arrangement, answer).await;
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, said);
    }
}

/// The customer's own system keeps schedules: another host, to which the sale's password does not go.
#[tokio::test]
async fn a_plan_is_handed_off_to_another_host_once_that_is_approved() {
    let (sale, own) = (
        Server::start(reply(200, "", b"{}")).await,
        Server::start(reply(200, "", br#"{"status":"ok"}"#)).await,
    );
    let handed = || {
        let mut gateway = asking(
            &sale,
            json!({
                "url": own.url(), "success_key": "status", "success_value": "ok",
                "request_params": [row("token", "{sale.token}"), row("first", "{arrangement.start_date}")],
            }),
        );
        gateway.auth_method = AuthMethod::Basic;
        gateway.auth_user_name = "merchant".to_owned();
        operation(gateway, weekly())
    };
    let unapproved = client(&[sale.host()]).connect_operation(handed()).await;
    assert_eq!(unapproved.err(), Some(NotSentReason::HostNotApproved));
    assert_eq!(own.connections(), 0);
    let approved = client(&[sale.host(), own.host()]);
    let ready = approved.connect_operation(handed()).await.unwrap();
    let answer = ready.send().await.unwrap();
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let [request] = own.requests().try_into().unwrap();
    let request: String = request;
    assert!(
        !request.to_ascii_lowercase().contains("authorization"),
        "{request}"
    );
    assert!(request.ends_with(r#"{"token":"tok 1","first":"2026-12-01"}"#));
    assert_eq!(sale.connections(), 0);
}
