//! The same payment however server and phones talk: by UDP over IPv4, by IPv6 alone, and by TLS alone with secured media on both legs.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::support::{
    Capture, Certificates, Running, Site, TONEWALL, Telephony, connect, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A published test number.
const NUMBER: &str = "4111111111111111";

/// A call with an Advanced card payment in it. While the capture is open, `meanwhile` happens.
fn pays(running: &Running, mode: &str, amount: &str, meanwhile: impl FnOnce()) {
    let (page, stage) = (running.page("agent"), &running.stage);
    stage.post("/control/mode", &json!({ "mode": mode }));
    let call = connect(&page, stage);
    let capture = Capture::open(&page, stage, &call, "credit_card_advanced");
    meanwhile();
    capture.key_card(NUMBER, "123");
    capture.process(amount, "INV-1");
    assert_eq!(capture.ended()["outcome"], "approved", "{mode}");
    let heard = stage.get("/control/heard");
    let (consumer, agent) = (&heard["consumer"], &heard["agents"][0]["heard"]);
    assert!(consumer["loud_ms"].as_u64() > Some(1_000), "{heard}");
    assert!(agent["loud_ms"].as_u64() > Some(1_000), "{heard}");
    assert_eq!(agent["recoverable_digits"], 0, "{mode}");
    assert_eq!(agent["event_packets"], 0, "{mode}");
    stage.post("/control/hang-up", &json!({}));
    wait_for("both sides are done", STEP_MAX, || {
        let calls = page.get("/api/v1/calls");
        let is_over = |call: &serde_json::Value| call["state"] != "connected";
        calls["calls"]
            .as_array()
            .unwrap()
            .iter()
            .all(is_over)
            .then_some(())
    });
}

/// A payment keyed as events, during which `meanwhile` happens, and one keyed as tones.
fn a_card_is_paid(telephony: Telephony, meanwhile: impl FnOnce()) -> (Site, Running) {
    let mut site = Site::set_up_for(Path::new(TONEWALL), telephony);
    let running = site.start();
    pays(&running, "rfc4733", "31.00", meanwhile);
    pays(&running, "inband", "32.00", || {});
    assert_eq!((site.charges("31.00"), site.charges("32.00")), (1, 1));
    (site, running)
}

#[test]
fn a_card_is_paid_over_udp_and_ipv4() {
    a_card_is_paid(Telephony::usual(), || {});
}

#[test]
fn a_card_is_paid_over_ipv6_alone() {
    a_card_is_paid(Telephony::over_ipv6(), || {});
}

#[test]
fn a_card_is_paid_over_tls_alone_with_secured_media_while_certificates_are_renewed() {
    let certificates = Certificates::new();
    let (site, running) = a_card_is_paid(Telephony::secured(&certificates), || {
        certificates.renew_server();
    });
    wait_for("the new certificate is read", STEP_MAX, || {
        site.log()
            .contains("SIP's TLS were read again")
            .then_some(())
    });
    assert_eq!(running.udp_ports_outside(&site.media_ports()), [0_u16; 0]);
    pays(&running, "info", "33.00", || {});
}

#[test]
fn a_carrier_whose_certificate_does_not_do_is_named_in_the_log_with_what_to_do() {
    let certificates = Certificates::new();
    let mut site = Site::set_up_for(Path::new(TONEWALL), Telephony::secured(&certificates));
    let not_trusted =
        "its certificate is of an issuer that is not trusted: add that to sip.tls.roots";
    for (shown, told) in [
        (
            "expired",
            "its certificate has expired: it has to be renewed there",
        ),
        ("foreign", not_trusted),
        ("remade", not_trusted),
        (
            "other_name",
            "its certificate is not for \\\"carrier.example\\\", the name that is set for it",
        ),
    ] {
        site.telephony.consumer_shows(&certificates, shown);
        let running = site.start();
        let stage = &running.stage;
        stage.post("/control/call", &json!({}));
        wait_for("the call is refused", STEP_MAX, || {
            (stage.get("/control/state")["failure"] == 503).then_some(())
        });
        let log = site.log();
        let mut lines = log.lines().filter(|line| line.contains(told));
        assert!(
            lines.any(|line| line.contains("\"remote\":\"127.0.0.2:")),
            "{shown}: {log}"
        );
    }
}

#[test]
fn a_certificate_of_ours_that_has_ended_is_an_alarm_and_a_figure_until_it_is_renewed() {
    let certificates = Certificates::new();
    let telephony = Telephony::secured(&certificates);
    let mut site = Site::set_up_for(Path::new(TONEWALL), telephony);
    certificates.end_server();
    let running = site.start();
    let left = || {
        let metrics = running.health.get("/metrics");
        let mut rows = metrics.as_str().unwrap().lines();
        let row = rows.find_map(|row| row.strip_prefix("tonewall_sip_certificate_left_seconds "));
        row.map(|left| left.parse::<f64>().unwrap())
    };
    wait_for("the figure is there", STEP_MAX, || {
        left().filter(|left| *left < 0.0)
    });
    let log = site.log();
    let mut lines = log.lines();
    let alarm = lines.find(|line| line.contains("alarm: the certificate of sip.tls has ended"));
    assert!(alarm.unwrap().contains("server.pem"), "{log}");
    let agent = || running.stage.get("/control/state")["agents"][0].take();
    wait_for("the agent's phone does not take it", STEP_MAX, || {
        (agent()["failure"] == 503).then_some(())
    });
    certificates.renew_server();
    wait_for("the new one is shown", STEP_MAX, || {
        left().filter(|left| *left > 0.0)
    });
    wait_for("the agent's phone registers", STEP_MAX, || {
        (agent()["registered"] == true).then_some(())
    });
}
