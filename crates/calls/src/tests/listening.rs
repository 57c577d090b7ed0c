//! The mask listens to a call while a capture may begin in it (S28), and not else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::boundary::{CallEvents, LegCallIds};

use super::house;
use super::house::House;

/// What the telephone side was told of listening, in order.
fn told(house: &House) -> Vec<&'static str> {
    let log = house.line.log.lock().unwrap();
    let of_listening = |what: &&&str| ["watch", "unwatch"].contains(*what);
    log.iter().filter(of_listening).copied().collect()
}

/// Takes up what was changed, and waits until every call has looked.
async fn look(house: &House) {
    house.reload().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_at_a_desktop_with_a_button_is_listened_to_before_it_is_answered() {
    let house = house().await;
    let (ringing, _keys) = house.incoming();
    house.until_noted("watch", 1).await;
    let log = house.line.log.lock().unwrap().clone();
    assert_eq!(log, ["route", "watch"]);
    house.calls.answered(&ringing, LegCallIds::default());
    house.until_noted("watch", 1).await;
    look(&house).await;
    assert_eq!(told(&house), ["watch"], "it is told once");
}

#[tokio::test(start_paused = true)]
async fn each_gate_shuts_the_ear_and_opens_it_again_while_the_call_stands() {
    type Gate = fn(&House, bool);
    let gates: [(&str, Gate); 4] = [
        ("switch", |house, is_open| {
            house.setup.is_on.store(is_open, Ordering::SeqCst);
        }),
        ("enabled", |house, is_open| {
            let mut desktop = house.setup.desktop.lock().unwrap();
            for widget in &mut desktop.widgets {
                widget.enabled = is_open;
            }
        }),
        ("widgets", |house, is_open| {
            let mut desktop = house.setup.desktop.lock().unwrap();
            let all = house.widgets.clone();
            desktop.widgets = if is_open { all } else { Vec::new() };
        }),
        ("right", |house, is_open| {
            let roles = &mut house.setup.users.lock().unwrap()[0].roles;
            if is_open {
                roles.clone_from(&house.actor.roles);
            } else {
                roles.clear();
            }
        }),
    ];
    for (name, gate) in gates {
        let house = house().await;
        gate(&house, false);
        house.reload().await;
        let _phone = house.call().await;
        look(&house).await;
        assert!(told(&house).is_empty(), "{name} shut");
        gate(&house, true);
        look(&house).await;
        assert_eq!(told(&house), ["watch"], "{name} opened");
        gate(&house, false);
        look(&house).await;
        assert_eq!(told(&house), ["watch", "unwatch"], "{name} shut again");
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_two_buttons_is_enough() {
    let house = house().await;
    let _phone = house.call().await;
    house.until_noted("watch", 1).await;
    house.setup.desktop.lock().unwrap().widgets[0].enabled = false;
    look(&house).await;
    assert_eq!(told(&house), ["watch"]);
}

#[tokio::test(start_paused = true)]
async fn a_telephone_side_that_is_too_busy_to_hear_it_is_told_again() {
    let house = house().await;
    house.setup.is_on.store(false, Ordering::SeqCst);
    house.reload().await;
    let _phone = house.call().await;
    house.line.is_busy.store(true, Ordering::SeqCst);
    house.setup.is_on.store(true, Ordering::SeqCst);
    house.reload().await;
    house.until_noted("watch", 2).await;
    house.line.is_busy.store(false, Ordering::SeqCst);
    house.until_noted("watch", 3).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(told(&house).len(), 3);
}
