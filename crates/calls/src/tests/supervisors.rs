//! Somebody who listens to a call of another.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::{Actor, CustomRoles, Role};
use domain::audit::AuditAction;
use domain::boundary::{
    Audience, CallEvents, EndCause, ListeningDesk, ListeningRefused, PhoneDesk, PhoneRefused,
};
use domain::capture::CaptureState;
use domain::id::{CallId, UserId};
use domain::listening::{Listening, Voice};
use domain::service::ProtectionScope;
use domain::widget::WidgetOptions;
use serde_json::{Value, json};

use super::fixtures::colleague;
use super::house::House;

const TAB: &str = "a-tab-of-a-supervisor";

fn supervisor(number: u128, roles: &[Role]) -> domain::access::User {
    domain::access::User {
        id: UserId::from_random(number),
        name: format!("sam{number}"),
        display_name: "Sam".to_owned(),
        roles: roles.iter().map(|role| (*role).into()).collect(),
        phone: None,
        ..colleague()
    }
}

fn actor(number: u128) -> Actor {
    supervisor(number, &[Role::Supervisor]).actor(&CustomRoles::default(), "-")
}

async fn house_of(protection: ProtectionScope) -> House {
    let house = House::new(WidgetOptions::default(), protection).await;
    for number in 20..26 {
        let one = supervisor(number, &[Role::Supervisor]);
        house.setup.users.lock().unwrap().push(one);
        house.calls.phone_on(&actor(number), TAB, false).unwrap();
    }
    house.reload().await;
    house
}

async fn house() -> House {
    house_of(ProtectionScope::Capture).await
}

impl House {
    async fn listen(&self, number: u128, call: &CallId) -> Result<Listening, ListeningRefused> {
        self.calls.listen(&actor(number), TAB, call).await
    }

    /// What the trail says of listening: action, who, detail.
    async fn overheard(&self) -> Vec<(AuditAction, String, Value)> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let entries = self.books.entries.lock().unwrap();
        let of_listening = [
            AuditAction::CallListened,
            AuditAction::CallJoined,
            AuditAction::CallLeft,
        ];
        (entries.iter())
            .filter(|entry| of_listening.contains(&entry.action))
            .map(|entry| (entry.action, entry.actor.clone(), entry.detail.clone()))
            .collect()
    }

    fn is_gone(&self, number: u128, leg: &CallId) -> bool {
        let told = self.pages.0.lock().unwrap();
        let audience = Audience::User(UserId::from_random(number));
        let gone = json!({"kind": "gone", "call": leg});
        told.iter()
            .any(|event| event.topic == "phone" && event.audience == audience && event.body == gone)
    }
}

#[tokio::test(start_paused = true)]
async fn the_trail_says_who_listened_from_when_to_when_and_whom_others_heard() {
    let house = house().await;
    let phone = house.call().await;
    let one = house.listen(20, &phone.id).await.unwrap();
    assert_eq!((one.name.as_str(), one.voice), ("Sam", Voice::Nobody));
    let running = house.calls.running(&actor(20)).await.unwrap();
    assert_eq!((running.len(), &running[0].id), (1, &phone.id));
    assert_eq!(running[0].agent, house.actor.user);
    assert_eq!(running[0].listeners, std::slice::from_ref(&one));
    tokio::time::sleep(Duration::from_secs(7)).await;
    house.calls.phone_on(&actor(20), TAB, false).unwrap();
    let me = actor(20);
    let speak = |voice| house.calls.speak(&me, &one.id, voice);
    assert_eq!(speak(Voice::Agent).await.unwrap().voice, Voice::Agent);
    assert_eq!(speak(Voice::Both).await.unwrap().voice, Voice::Both);
    assert_eq!(speak(Voice::Nobody).await.unwrap().voice, Voice::Nobody);
    house.calls.leave(&me, &one.id).unwrap();
    assert!(house.is_gone(20, &one.id));
    let log = house.line.log.lock().unwrap().clone();
    let told = ["listen", "whisper", "join", "silent", "end listening"];
    assert_eq!(log[log.len() - 5..], told);
    let joined = |voice| {
        (
            AuditAction::CallJoined,
            "sam20".to_owned(),
            json!({"voice": voice}),
        )
    };
    let expected = [
        (
            AuditAction::CallListened,
            "sam20".to_owned(),
            json!({"agent": house.actor.name}),
        ),
        joined("agent"),
        joined("both"),
        joined("nobody"),
        (
            AuditAction::CallLeft,
            "sam20".to_owned(),
            json!({"seconds": 7, "why": "left"}),
        ),
    ];
    assert_eq!(house.overheard().await, expected);
    assert_eq!(
        house.calls.leave(&me, &one.id),
        Err(ListeningRefused::NotFound),
        "once"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_listens_without_the_right_a_phone_a_place_or_the_trail() {
    let house = house().await;
    let phone = house.call().await;
    let calls = &house.calls;
    // An agent has no such right, and sees no such call.
    calls.phone_on(&house.actor, TAB, false).unwrap();
    let refused = Err(ListeningRefused::NotFound);
    assert_eq!(calls.listen(&house.actor, TAB, &phone.id).await, refused);
    assert!(calls.running(&house.actor).await.is_err());
    let strange = CallId::from_random(99);
    assert_eq!(house.listen(20, &strange).await, refused);
    let me = actor(20);
    let elsewhere = calls.listen(&me, "another-tab-of-mine", &phone.id);
    let no_phone = ListeningRefused::Phone(PhoneRefused::Elsewhere);
    assert_eq!(elsewhere.await, Err(no_phone));
    house.line.is_busy.store(true, Ordering::SeqCst);
    let busy = ListeningRefused::Phone(PhoneRefused::Busy);
    assert_eq!(house.listen(20, &phone.id).await, Err(busy));
    house.line.is_busy.store(false, Ordering::SeqCst);
    for number in 20..24 {
        house.listen(number, &phone.id).await.unwrap();
    }
    let full = Err(ListeningRefused::Full);
    assert_eq!(house.listen(24, &phone.id).await, full);
    let again = Err(ListeningRefused::Already);
    assert_eq!(house.listen(23, &phone.id).await, again);
    let other = house.calls.speak(&actor(24), &strange, Voice::Agent).await;
    assert_eq!(other, Err(ListeningRefused::NotFound));
    let listened = house.line.count("listen");
    *house.books.down.lock().unwrap() = Some(|_| true);
    house
        .calls
        .leave(&actor(20), &house.leg_of(20).await)
        .unwrap();
    assert_eq!(
        house.listen(20, &phone.id).await,
        Err(ListeningRefused::Unrecordable)
    );
    assert_eq!(house.line.count("listen"), listened, "no trail, no ear");
}

impl House {
    async fn leg_of(&self, number: u128) -> CallId {
        let running = self.calls.running(&actor(number)).await.unwrap();
        let mut all = running.iter().flat_map(|call| &call.listeners);
        let mine = all.find(|one| one.listener == UserId::from_random(number));
        mine.unwrap().id.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_capture_ends_what_was_joined_and_nobody_joins_while_it_is_open() {
    let house = house().await;
    let phone = house.call().await;
    let (one, other) = (
        house.listen(20, &phone.id).await.unwrap(),
        house.listen(21, &phone.id).await.unwrap(),
    );
    let (first, second) = (actor(20), actor(21));
    house
        .calls
        .speak(&first, &one.id, Voice::Both)
        .await
        .unwrap();
    house
        .calls
        .speak(&second, &other.id, Voice::Agent)
        .await
        .unwrap();
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let log = house.line.log.lock().unwrap().clone();
    let at = |what: &str| log.iter().position(|one| *one == what).unwrap();
    assert!(
        at("silent") < at("protect"),
        "silent before it is protected: {log:?}"
    );
    let running = house.calls.running(&first).await.unwrap();
    assert!(running[0].is_protected);
    let voices = running[0].listeners.iter().map(|one| one.voice);
    assert_eq!(
        voices.collect::<Vec<_>>(),
        [Voice::Nobody, Voice::Agent],
        "a whisper is the agent's alone"
    );
    let refused = house.calls.speak(&first, &one.id, Voice::Both).await;
    assert_eq!(refused, Err(ListeningRefused::Protected));
    let whispered = house.calls.speak(&first, &one.id, Voice::Agent).await;
    assert_eq!(whispered.unwrap().voice, Voice::Agent);
    let trail = house.overheard().await;
    let ended = (
        AuditAction::CallJoined,
        "sam20".to_owned(),
        json!({"voice": "nobody"}),
    );
    assert!(trail.contains(&ended), "{trail:?}");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_taken_away_a_phone_that_falls_silent_and_the_end_of_the_call_end_it() {
    let house = house().await;
    let phone = house.call().await;
    let keep = |number| house.calls.phone_on(&actor(number), TAB, false).unwrap();
    let legs = [20, 21, 22].map(|number| house.listen(number, &phone.id));
    let [one, two, three] = legs;
    let legs = [one.await.unwrap(), two.await.unwrap(), three.await.unwrap()];
    for user in house.setup.users.lock().unwrap().iter_mut() {
        if user.id == UserId::from_random(20) {
            user.roles = [Role::Auditor.into()].into();
        }
    }
    house.reload().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(house.is_gone(20, &legs[0].id), "within 2 s");
    for _ in 0..12 {
        keep(22);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(
        house.is_gone(21, &legs[1].id),
        "its tab said nothing for 20 s"
    );
    assert!(!house.is_gone(22, &legs[2].id));
    house.calls.ended(&legs[2].id, EndCause::Local);
    assert!(house.is_gone(22, &legs[2].id));
    let whys: Vec<Value> = (house.overheard().await.into_iter())
        .filter(|(action, ..)| *action == AuditAction::CallLeft)
        .map(|(.., detail)| detail["why"].clone())
        .collect();
    assert_eq!(whys, ["right", "phone", "ended"]);
    assert_eq!(house.line.count("end listening"), 3);
}
