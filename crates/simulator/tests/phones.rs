//! Two simulated phones on one loopback, without a server between them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::PoisonError;
use std::time::Duration;

use secret::{Digit, Key};
use simulator::phone::{
    HeardReport, KeyingMode, Phone, PhoneCall, PhoneConfig, PhoneState, SipOver,
};

fn config(user: &str, server: SocketAddr, answers: bool) -> PhoneConfig {
    PhoneConfig {
        user: user.to_owned(),
        display: user.to_owned(),
        local: "127.0.0.1:0".parse().unwrap(),
        server,
        over: SipOver::Udp,
        srtp: false,
        account: None,
        answers_after: answers.then_some(Duration::from_millis(200)),
        voice: Some((3, 120.0)),
    }
}

async fn until(phone: &Phone, wanted: impl FnMut(&PhoneState) -> bool) {
    let mut state = phone.state();
    let reached = tokio::time::timeout(Duration::from_secs(20), state.wait_for(wanted))
        .await
        .is_ok();
    assert!(reached, "the phone shows {:?}", *phone.state().borrow());
}

fn report(phone: &Phone) -> HeardReport {
    phone
        .heard()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .report()
}

async fn call_with_keys(mode: KeyingMode) -> (HeardReport, HeardReport) {
    let anywhere = "127.0.0.1:9".parse().unwrap();
    let callee = config("callee", anywhere, true);
    call_between(mode, callee, |at| config("caller", at, false)).await
}

async fn call_between(
    mode: KeyingMode,
    callee: PhoneConfig,
    caller: impl FnOnce(SocketAddr) -> PhoneConfig,
) -> (HeardReport, HeardReport) {
    let callee = Phone::start(callee).unwrap();
    let caller = Phone::start(caller(callee.local())).unwrap();
    caller.mode(mode).await;
    caller.call("callee").await;
    until(&caller, |state| state.call == PhoneCall::Connected).await;
    for value in [4, 1, 1, 9] {
        caller
            .press(Key::Digit(Digit::from_value(value).unwrap()))
            .await;
    }
    until(&caller, |state| state.keys_waiting > 0).await;
    until(&caller, |state| state.keys_waiting == 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    caller.hang_up().await;
    until(&callee, |state| state.call == PhoneCall::Idle).await;
    (report(&callee), report(&caller))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_hear_each_other_and_events_travel_as_packets() {
    let (callee, caller) = call_with_keys(KeyingMode::Rfc4733).await;
    assert!(
        caller.audio_ms > 1_000 && caller.loud_ms > 100,
        "{caller:?}"
    );
    assert!(callee.audio_ms > 1_000, "{callee:?}");
    // Five updates of 20 ms, the last as three end packets, for each of four presses.
    assert_eq!(callee.event_packets, 4 * 7);
    assert_eq!(callee.recoverable_digits, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inband_keys_can_be_read_where_nothing_masks_them() {
    let (callee, _) = call_with_keys(KeyingMode::Inband).await;
    assert_eq!((callee.event_packets, callee.recoverable_digits), (0, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_talk_by_tcp_over_ipv6_with_secured_media() {
    let way = |config: PhoneConfig| PhoneConfig {
        local: "[::1]:0".parse().unwrap(),
        over: SipOver::Tcp,
        srtp: true,
        ..config
    };
    let callee = way(config("callee", "[::1]:9".parse().unwrap(), true));
    let caller = |at| way(config("caller", at, false));
    let (callee, caller) = call_between(KeyingMode::Rfc4733, callee, caller).await;
    assert!(caller.loud_ms > 100, "{caller:?}");
    assert_eq!(callee.event_packets, 4 * 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_whose_media_is_secured_takes_none_in_clear() {
    let secured = PhoneConfig {
        srtp: true,
        ..config("callee", "127.0.0.1:9".parse().unwrap(), true)
    };
    let callee = Phone::start(secured).unwrap();
    let caller = Phone::start(config("caller", callee.local(), false)).unwrap();
    caller.call("callee").await;
    until(&caller, |state| state.failure == Some(488)).await;
}

#[tokio::test]
async fn who_gave_an_order_sees_that_it_was_obeyed() {
    let nobody = "127.0.0.1:9".parse().unwrap();
    let phone = Phone::start(config("caller", nobody, false)).unwrap();
    for _ in 0..20 {
        phone.call("1001").await;
        assert_eq!(phone.state().borrow().call, PhoneCall::Calling);
        phone.hang_up().await;
        assert_eq!(phone.state().borrow().call, PhoneCall::Idle);
    }
}
