//! What a supervisor sees of captures, and gives back.

use domain::access::{Actor, Role};
use domain::audit::AuditAction;
use domain::boundary::{CaptureAction, CaptureDesk};
use domain::capture::{CaptureState, Field, WidgetKind};
use domain::id::UserId;
use domain::service::ProtectionScope;
use domain::view::{CaptureView, DeskError, FieldState, LiveCapture};
use domain::widget::WidgetOptions;

use super::house::House;

const CARD: WidgetKind = WidgetKind::CreditCardAdvanced;

pub(super) fn supervisor() -> Actor {
    Actor {
        user: UserId::from_random(70),
        name: "sam".to_owned(),
        permissions: Role::Supervisor.permissions().iter().copied().collect(),
        ..Actor::system()
    }
}

/// One attempt a field.
async fn strict_house() -> House {
    let options = WidgetOptions {
        attempts_max: 1,
        ..WidgetOptions::default()
    };
    House::new(options, ProtectionScope::Capture).await
}

fn is_locked(view: &CaptureView) -> bool {
    view.fields[0].state == FieldState::Locked
}

async fn live(house: &House) -> Vec<LiveCapture> {
    house.calls.live(&supervisor()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn o9_s14_a_supervisor_gives_used_attempts_back_and_the_trail_says_so() {
    let house = strict_house().await;
    let mut phone = house.call().await;
    assert_eq!(live(&house).await, []);
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let listen = CaptureAction::Listen(Field::CardNumber);
    house.act(&capture, listen).await.unwrap();
    phone.key(&house, "5555555555554445");
    house.until_view(&capture, is_locked).await;

    let seen = live(&house).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].kind, seen[0].agent.as_ref()),
        (CARD, Some(&house.actor.user))
    );
    assert_eq!(seen[0].open.as_ref().unwrap().state, CaptureState::Invalid);
    assert_eq!(
        (seen[0].fields[0].attempts_used, seen[0].fields[0].is_locked),
        (1, true)
    );
    let text = serde_json::to_string(&seen).unwrap();
    assert!(!text.contains("4111") && !text.contains("count"), "{text}");

    house
        .calls
        .reset_attempts(&supervisor(), &phone.id, CARD)
        .await
        .unwrap();
    let view = house.view(&capture).await.unwrap();
    assert_ne!(view.fields[0].state, FieldState::Locked);
    assert!(!live(&house).await[0].has_used());
    let entries = house.books.entries.lock().unwrap();
    let reset = |entry: &&domain::audit::AuditEntry| entry.action == AuditAction::AttemptsReset;
    let entry = entries.iter().find(reset).unwrap();
    assert_eq!(
        (entry.actor.as_str(), entry.object.clone()),
        ("sam", format!("call {}", phone.id))
    );
}

#[tokio::test(start_paused = true)]
async fn s14_attempts_of_a_closed_capture_count_and_come_back_for_the_next_one() {
    let house = strict_house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let listen = CaptureAction::Listen(Field::CardNumber);
    house.act(&capture, listen).await.unwrap();
    phone.key(&house, "5555555555554445");
    house.until(&capture, CaptureState::Invalid).await;
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    let seen = live(&house).await;
    assert_eq!(
        (seen[0].open.is_none(), seen[0].fields[0].attempts_used),
        (true, 1)
    );
    let again = house.open(&phone.id).await.unwrap();
    assert_eq!(again.fields[0].state, FieldState::Locked);
    house.act(&again.id, CaptureAction::Cancel).await.unwrap();
    house
        .calls
        .reset_attempts(&supervisor(), &phone.id, CARD)
        .await
        .unwrap();
    assert_eq!(live(&house).await, []);
    let fresh = house.open(&phone.id).await.unwrap();
    assert_eq!(fresh.fields[0].state, FieldState::Idle);
}

#[tokio::test(start_paused = true)]
async fn s14_nobody_else_sees_or_resets_and_nothing_is_given_back_unrecorded() {
    let house = strict_house().await;
    let phone = house.call().await;
    let unknown = house
        .calls
        .reset_attempts(&supervisor(), &phone.id, CARD)
        .await;
    assert_eq!(unknown, Err(DeskError::NotFound), "nothing was opened");
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    assert_eq!(
        house.calls.live(&house.actor).await,
        Err(DeskError::NotFound)
    );
    let own = house
        .calls
        .reset_attempts(&house.actor, &phone.id, CARD)
        .await;
    assert_eq!(own, Err(DeskError::NotFound));
    *house.books.down.lock().unwrap() = Some(|_| true);
    let unrecorded = house
        .calls
        .reset_attempts(&supervisor(), &phone.id, CARD)
        .await;
    assert_eq!(unrecorded, Err(DeskError::Unrecordable));
}
