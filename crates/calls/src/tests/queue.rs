//! Callers who wait for an agent.

use std::time::Duration;

use domain::access::{Actor, CustomRoles, Permission, Role, User};
use domain::availability::{NotReadyReason, Wish};
use domain::boundary::{Audience, CallEvents, CaptureDesk, EndCause, LegCallIds, QueueDesk};
use domain::id::{CallId, UserId};
use domain::queue::line::REST_AFTER_MISSED;
use domain::queue::{Overflow, Queue, WaitingCall};
use domain::service::{ProtectionScope, Route};
use domain::view::{CallState, DeskError};
use domain::widget::WidgetOptions;
use secret::KeySender;

use super::fixtures::{agent, colleague};
use super::house::House;

/// Nobody takes calls.
pub(super) async fn house(overflow: Overflow) -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    let mut users = vec![colleague()];
    users.push(User {
        id: UserId::from_random(20),
        name: "sam".to_owned(),
        roles: [Role::Supervisor.into()].into(),
        phone: None,
        ..colleague()
    });
    house.setup.users.lock().unwrap().extend(users);
    house.setup.service.lock().unwrap().queue = Some(Queue {
        waiting_max: 3,
        wait_s_max: 60,
        music: None,
        announcement: None,
        announce_every_s: 0,
        overflow,
    });
    house.reload().await;
    for actor in [kim(), lee()] {
        house.takes_calls(&actor, false);
    }
    house
}

pub(super) fn kim() -> Actor {
    agent().actor(&CustomRoles::default(), "-")
}

pub(super) fn lee() -> Actor {
    colleague().actor(&CustomRoles::default(), "-")
}

fn sam() -> Actor {
    let sam = UserId::from_random(20);
    let roles = [Role::Supervisor.into()].into();
    User {
        roles,
        ..User::blank(sam)
    }
    .actor(&CustomRoles::default(), "-")
}

impl House {
    pub(super) fn takes_calls(&self, actor: &Actor, ready: bool) {
        let wish = if ready {
            Wish::Ready
        } else {
            Wish::NotReady(NotReadyReason::Break)
        };
        self.calls.set_availability(actor, wish);
    }

    pub(super) fn waiting(&self) -> Vec<WaitingCall> {
        self.calls.waiting(&sam()).unwrap()
    }

    /// Somebody waits, and hears music.
    async fn waits(&self) -> (CallId, KeySender) {
        self.waits_for("4000").await
    }

    /// The same for this number.
    pub(super) async fn waits_for(&self, called: &str) -> (CallId, KeySender) {
        let music = self.line.count("music");
        let waiter = self.incoming_for(called, None);
        self.until_noted("music", music + 1).await;
        waiter
    }

    /// This call rings for the agent, or comes to within 20 s.
    pub(super) async fn rings(&self, actor: &Actor, call: &CallId) {
        for _ in 0..4_000 {
            let calls = self.calls.calls(actor).await.unwrap();
            let mut ringing = calls.iter().filter(|call| call.state == CallState::Ringing);
            if ringing.any(|one| one.id == *call) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it does not ring");
    }

    async fn has_none(&self, actor: &Actor) {
        for _ in 0..1_000 {
            if self.calls.calls(actor).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a call is left");
    }

    fn is_told(&self, right: Permission, waiting: u32) -> bool {
        let told = self.pages.0.lock().unwrap();
        told.iter().any(|event| {
            event.topic == "queue"
                && event.audience == Audience::Holders(right)
                && event.body["waiting"] == waiting
        })
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_the_longest_gets_the_next_agent_and_others_go_on_waiting() {
    let house = house(Overflow::Busy).await;
    let ((first, _one), (second, _two)) = (house.waits().await, house.waits().await);
    assert_eq!(house.line.count("hold place"), 2);
    let places = house.waiting();
    assert_eq!(places.len(), 2);
    assert_eq!((&places[0].id, places[0].place), (&first, 1));
    assert_eq!((&*places[1].service_name, places[1].place), ("Sales", 2));
    assert_eq!(places[0].caller, "…100");
    let view = house.calls.queue(&kim()).unwrap();
    assert!(view.has_queue && view.waiting == 2 && view.since.is_some());
    for right in [Permission::CaptureStart, Permission::CallListen] {
        assert!(house.is_told(right, 2));
    }
    assert_eq!(house.line.count("route"), 0, "nobody is free");
    house.takes_calls(&lee(), true);
    house.rings(&lee(), &first).await;
    assert!(house.waiting()[0].rings);
    house.calls.answered(&first, LegCallIds::default());
    house.takes_calls(&kim(), true);
    house.rings(&kim(), &second).await;
    house.calls.answered(&second, LegCallIds::default());
    house
        .until_call(&second, |view| view.answered_at.is_some())
        .await;
    let counts = house.calls.queue_counts();
    assert_eq!((counts.waiting, counts.answered), (0, 2));
    assert!(house.waiting().is_empty());
    assert!(house.is_told(Permission::CaptureStart, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_for_whom_somebody_is_free_is_not_answered_by_us() {
    let house = house(Overflow::Busy).await;
    house.takes_calls(&kim(), true);
    let (call, _keys) = house.incoming();
    house.rings(&kim(), &call).await;
    let of_line = ["hold place", "route", "music"].map(|what| house.line.count(what));
    assert_eq!(of_line, [1, 1, 0]);
    // They do not answer: now the caller waits, and hears it.
    house.calls.unreached(&call, 480);
    house.until_noted("music", 1).await;
    house.has_none(&kim()).await;
    assert_eq!(house.waiting().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_does_not_answer_is_passed_over_and_the_caller_keeps_the_place() {
    let house = house(Overflow::Busy).await;
    let ((first, _one), (second, _two)) = (house.waits().await, house.waits().await);
    house.takes_calls(&kim(), true);
    house.rings(&kim(), &first).await;
    house.calls.unreached(&first, 486);
    house.has_none(&kim()).await;
    assert_eq!(house.waiting()[0].id, first);
    assert_eq!(house.line.count("music"), 2, "the music goes on");
    house.takes_calls(&lee(), true);
    house.rings(&lee(), &first).await;
    let before = tokio::time::Instant::now();
    house.rings(&kim(), &second).await;
    assert!(before.elapsed() + Duration::from_secs(1) > REST_AFTER_MISSED);
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_leaves_the_queue_and_an_agent_who_rang_for_them_is_free() {
    let house = house(Overflow::Busy).await;
    let ((first, _one), (second, _two)) = (house.waits().await, house.waits().await);
    house.takes_calls(&kim(), true);
    house.rings(&kim(), &first).await;
    house.calls.ended(&first, EndCause::Consumer);
    house.rings(&kim(), &second).await;
    let counts = house.calls.queue_counts();
    assert_eq!((counts.waiting, counts.abandoned), (1, 1));
    // Ended by ourselves: nobody has given up.
    house.calls.ended(&second, EndCause::Local);
    house.has_none(&kim()).await;
    let counts = house.calls.queue_counts();
    assert_eq!((counts.waiting, counts.abandoned), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_ends_a_ringing_call_of_somebody_who_waits_only_declines_it() {
    let house = house(Overflow::Busy).await;
    let (call, _keys) = house.waits().await;
    house.takes_calls(&kim(), true);
    house.rings(&kim(), &call).await;
    house.calls.hang_up(&kim(), &call).await.unwrap();
    let of_line = ["stop ringing", "hang_up"].map(|what| house.line.count(what));
    assert_eq!(of_line, [1, 0]);
    house.calls.unreached(&call, 487);
    house.has_none(&kim()).await;
    assert_eq!(house.waiting().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_and_a_full_queue_are_overflows() {
    let elsewhere = Overflow::Uri {
        uri: "sip:100@192.0.2.5".to_owned(),
        address: "192.0.2.5:5060".to_owned(),
    };
    for (overflow, told) in [(Overflow::Busy, "reject"), (elsewhere, "route")] {
        let house = house(overflow).await;
        let mut waiters = Vec::new();
        for _ in 0..3 {
            waiters.push(house.waits().await);
        }
        // There is no place for a fourth.
        let (fourth, _keys) = house.incoming();
        house.until_noted(told, 1).await;
        assert_eq!(house.line.count("music"), 3);
        assert_eq!(house.calls.queue_counts().overflowed, 1);
        if told == "reject" {
            house.calls.ended(&fourth, EndCause::Local);
        }
        // The others wait for as long as they may.
        let began = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(58)).await;
        assert_eq!(house.line.count(told), 1);
        house.until_noted(told, 4).await;
        assert!(began.elapsed() > Duration::from_secs(59));
        let counts = house.calls.queue_counts();
        assert_eq!((counts.waiting, counts.overflowed), (0, 4));
        assert_eq!(counts.abandoned, 0);
        if told == "route" {
            // What they overflow to does not answer: the call ends.
            house.calls.unreached(&waiters[0].0, 503);
            house.until_noted("reject", 1).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_shown_to_whoever_may_listen_and_how_many_to_whoever_takes_calls() {
    let house = house(Overflow::Busy).await;
    assert_eq!(
        house.calls.waiting(&kim()).unwrap_err(),
        DeskError::NotFound
    );
    let nobody = User::blank(UserId::from_random(30)).actor(&CustomRoles::default(), "-");
    assert_eq!(house.calls.queue(&nobody).unwrap_err(), DeskError::NotFound);
    assert!(house.calls.queue(&sam()).unwrap().has_queue);
    // A queue of a service whose calls go elsewhere is none.
    house.setup.service.lock().unwrap().route = Route::Registered;
    house.reload().await;
    assert!(!house.calls.queue(&sam()).unwrap().has_queue);
}
