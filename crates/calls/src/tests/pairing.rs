//! Agents who get calls that rang at a PBX: by code, by extension, by a program, from the list.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::access::{Actor, CustomRoles, Permission};
use domain::audit::AuditAction;
use domain::boundary::{CallEvents, CallName, CaptureDesk, EndCause, LegCallIds, PairingDesk};
use domain::id::CallId;
use domain::pairing::{ExtensionFrom, Pairing};
use domain::service::{ProtectionScope, Route};
use domain::view::{ButtonDisabled, CallView, DeskError};
use domain::widget::WidgetOptions;
use secret::{Digit, Key, KeySender};

use super::fixtures::colleague;
use super::house::{House, Phone};

/// A service of a PBX, for two agents.
pub(super) async fn house(pairing: Pairing) -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    {
        let mut users = house.setup.users.lock().unwrap();
        users[0].extension = Some("201".to_owned());
        let mut lee = colleague();
        lee.extension = Some("202".to_owned());
        users.push(lee);
        let mut service = house.setup.service.lock().unwrap();
        service.route = Route::Uri {
            uri: "sip:100@192.0.2.5".to_owned(),
            address: "192.0.2.5:5060".to_owned(),
            agent: None,
        };
        service.pairing = pairing;
    }
    house.reload().await;
    house
}

async fn by_code() -> House {
    house(Pairing {
        code: true,
        ..Pairing::default()
    })
    .await
}

pub(super) fn lee() -> Actor {
    colleague().actor(&CustomRoles::default(), "-")
}

/// Somebody with one more right.
pub(super) fn with(actor: &Actor, right: Permission) -> Actor {
    let mut actor = actor.clone();
    actor.permissions.insert(right);
    actor
}

impl House {
    /// A connected call that nobody has.
    async fn nobodys(&self) -> (CallId, KeySender) {
        let (id, keys) = self.incoming();
        self.settle().await;
        self.calls.answered(
            &id,
            LegCallIds {
                consumer: format!("{id}@carrier"),
                ..LegCallIds::default()
            },
        );
        (id, keys)
    }

    pub(super) async fn has(&self, actor: &Actor) -> Option<CallView> {
        let calls = self.calls.calls(actor).await.unwrap();
        assert!(calls.len() <= 1, "one call at a time");
        calls.into_iter().next()
    }

    /// Keys on the phone of the agent's side of a call, as far as it is listened to.
    async fn agent_keys(&self, call: &CallId, text: &str) {
        for char in text.chars() {
            let key = match char {
                '*' => Key::Star,
                '#' => Key::Pound,
                digit => Key::Digit(Digit::from_ascii(u8::try_from(digit).unwrap()).unwrap()),
            };
            if let Some(ring) = self.line.agent_keys.lock().unwrap().get_mut(call) {
                let _full = ring.push(key);
            }
            self.calls.key_pressed(call);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn is_heard(&self, call: &CallId) -> bool {
        self.line.agent_keys.lock().unwrap().contains_key(call)
    }

    /// Who got which way a call, as the trail has it.
    pub(super) fn trail(&self) -> Vec<String> {
        let entries = self.books.entries.lock().unwrap();
        let of = |action| entries.iter().filter(move |entry| entry.action == action);
        of(AuditAction::CallPaired)
            .map(|entry| {
                let detail = &entry.detail;
                format!("{} {} {}", entry.actor, detail["agent"], detail["way"])
            })
            .collect()
    }

    /// Time stands still while anything is to be done: then all has been done.
    pub(super) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn s31_a_code_gives_its_agent_exactly_the_call_that_it_was_keyed_on_and_burns() {
    let house = by_code().await;
    let (first, _keys) = house.nobodys().await;
    let (second, _keys) = house.nobodys().await;
    assert!(!house.is_heard(&first), "nobody wants a code yet");
    let code = house.calls.pairing_code(&house.actor).unwrap();
    assert_eq!(house.calls.pairing_code(&house.actor).unwrap(), code);
    house.settle().await;
    assert!(house.is_heard(&first) && house.is_heard(&second));
    house.agent_keys(&second, &code.code).await;
    house.settle().await;
    assert_eq!(house.has(&house.actor).await.unwrap().id, second);
    assert_eq!(house.has(&lee()).await, None);
    assert!(!house.is_heard(&first) && !house.is_heard(&second));
    assert_eq!(house.trail(), ["kim \"kim\" \"code\""]);
    // It is used up: another agent's wish to be heard does not bring it back.
    let other = house.calls.pairing_code(&lee()).unwrap();
    assert_ne!(other.code, code.code);
    house.settle().await;
    house.agent_keys(&first, &code.code).await;
    house.settle().await;
    assert_eq!(house.calls.wrong_pairing_codes(), 1);
    house.agent_keys(&first, &other.code).await;
    house.settle().await;
    assert_eq!(house.has(&lee()).await.unwrap().id, first);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_good_for_a_minute_and_until_it_is_given_back() {
    let house = by_code().await;
    let (call, _keys) = house.nobodys().await;
    let code = house.calls.pairing_code(&house.actor).unwrap();
    house.settle().await;
    assert!(house.is_heard(&call));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!house.is_heard(&call), "the agent's keys pass again");
    assert!(house.calls.pairing_code(&house.actor).is_ok());
    house.settle().await;
    assert!(house.is_heard(&call));
    house.calls.drop_pairing_code(&house.actor);
    house.settle().await;
    assert!(!house.is_heard(&call));
    house.agent_keys(&call, &code.code).await;
    assert_eq!(house.has(&house.actor).await, None);
}

#[tokio::test(start_paused = true)]
async fn three_wrong_codes_end_the_hearing_of_a_call() {
    let house = by_code().await;
    let (call, _keys) = house.nobodys().await;
    let code = house.calls.pairing_code(&house.actor).unwrap();
    house.settle().await;
    for _ in 0..3 {
        house.agent_keys(&call, "*1#").await;
    }
    house.settle().await;
    assert!(!house.is_heard(&call));
    house.agent_keys(&call, &code.code).await;
    house.settle().await;
    assert_eq!(house.has(&house.actor).await, None);
    assert_eq!(house.calls.wrong_pairing_codes(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_names_its_agents_hears_no_code_of_others() {
    let house = house(Pairing {
        code: true,
        agents: BTreeSet::from([lee().user]),
        ..Pairing::default()
    })
    .await;
    let (call, _keys) = house.nobodys().await;
    let refused = house.calls.pairing_code(&house.actor);
    assert_eq!(refused, Err(DeskError::NotPaired));
    let name = CallName::Tonewall(call.clone());
    let bound = house
        .calls
        .bind(&house.actor, &house.actor.user, &name)
        .await;
    assert_eq!(bound, Err(DeskError::NotPaired));
    assert!(house.calls.pairing_code(&lee()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_names_an_extension_is_its_agents() {
    for (from, contact) in [
        (ExtensionFrom::RequestUri, ""),
        (ExtensionFrom::To, ""),
        (ExtensionFrom::Contact, "202"),
    ] {
        let house = house(Pairing {
            extension: Some(from),
            ..Pairing::default()
        })
        .await;
        let called = if contact.is_empty() { "202" } else { "4000" };
        let (id, _keys) = house.incoming_for(called, None);
        house.settle().await;
        let legs = LegCallIds {
            agent_contact: contact.to_owned(),
            ..LegCallIds::default()
        };
        house.calls.answered(&id, legs);
        house.settle().await;
        assert_eq!(house.has(&lee()).await.unwrap().id, id, "{from:?}");
        assert_eq!(house.trail(), ["system \"lee\" \"extension\""]);
        // The second one stays nobody's, as long as they have the first.
        let (other, _keys) = house.incoming_for("202", None);
        house.settle().await;
        assert_eq!(house.has(&lee()).await.unwrap().id, id);
        house.calls.ended(&id, EndCause::Consumer);
        house.settle().await;
        let name = CallName::Tonewall(other.clone());
        let bound = house.calls.bind(&lee(), &lee().user, &name).await;
        assert_eq!(bound, Ok(other));
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_two_agents_have_names_neither() {
    let house = house(Pairing {
        extension: Some(ExtensionFrom::To),
        ..Pairing::default()
    })
    .await;
    house.setup.users.lock().unwrap()[0].extension = Some("202".to_owned());
    house.reload().await;
    let (_id, _keys) = house.incoming_for("202", None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await, None);
    assert_eq!(house.has(&house.actor).await, None);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_claim_a_call_at_once_one_gets_it_and_the_other_is_told_whose_it_is() {
    let house = house(Pairing::default()).await;
    let (mut kims, mut lees) = (0, 0);
    for round in 0..100 {
        let (id, _keys) = house.nobodys().await;
        let name = CallName::Tonewall(id.clone());
        let (kim, lee) = (house.actor.clone(), lee());
        let claims = [&kim, &lee].map(|actor| house.calls.bind(actor, &actor.user, &name));
        let [one, other] = claims;
        let (one, other) = if round % 2 == 0 {
            tokio::join!(one, other)
        } else {
            let (other, one) = tokio::join!(other, one);
            (one, other)
        };
        let taken = |name: &str| Err(DeskError::CallTaken(name.to_owned()));
        match (one, other) {
            (Ok(_), refused) => {
                assert_eq!(refused, taken("Kim"));
                kims += 1;
            }
            (refused, Ok(_)) => {
                assert_eq!(refused, taken("Lee"));
                lees += 1;
            }
            neither => panic!("nobody got it: {neither:?}"),
        }
        house.calls.ended(&id, EndCause::Consumer);
        house.settle().await;
    }
    assert_eq!((kims + lees, house.trail().len()), (100, 100));
    assert!(kims > 0 && lees > 0);
}

#[tokio::test(start_paused = true)]
async fn an_agent_has_one_call_and_may_let_it_go() {
    let house = by_code().await;
    let (first, keys) = house.nobodys().await;
    let (second, _keys) = house.nobodys().await;
    let (one, other) = (
        CallName::Tonewall(first.clone()),
        CallName::Tonewall(second.clone()),
    );
    let kim = house.actor.clone();
    house.calls.bind(&kim, &kim.user, &one).await.unwrap();
    assert_eq!(
        house.calls.bind(&kim, &kim.user, &other).await,
        Err(DeskError::AgentHasCall)
    );
    assert_eq!(house.calls.pairing_code(&kim), Err(DeskError::AgentHasCall));
    let mut phone = Phone::new(first.clone(), keys);
    let capture = house.ready(&mut phone).await;
    let open = Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
    assert_eq!(house.calls.release(&kim, &first).await, open);
    let supervisor = with(&lee(), Permission::CallPick);
    let picked = house
        .calls
        .pick(&supervisor, &first, &supervisor.user, true);
    assert_eq!(
        picked.await,
        Err(DeskError::Disabled(ButtonDisabled::CaptureOpen))
    );
    house
        .act(&capture, domain::boundary::CaptureAction::Cancel)
        .await
        .unwrap();
    house.settle().await;
    house.calls.release(&kim, &first).await.unwrap();
    assert_eq!(house.has(&kim).await, None);
    let _code = house.calls.pairing_code(&kim).unwrap();
    house.settle().await;
    assert!(house.is_heard(&first) && house.is_heard(&second));
    house.calls.bind(&kim, &kim.user, &other).await.unwrap();
    house.settle().await;
    assert!(
        !house.is_heard(&first),
        "the code has nobody to wait for it"
    );
    house.calls.bind(&lee(), &lee().user, &one).await.unwrap();
    assert_eq!(house.has(&lee()).await.unwrap().id, first);
}

#[tokio::test(start_paused = true)]
async fn holders_of_the_right_see_the_calls_masked_and_may_move_one() {
    let house = house(Pairing::default()).await;
    let (id, _keys) = house.nobodys().await;
    let kim = house.actor.clone();
    let denied = house.calls.service_calls(&kim).await;
    assert_eq!(denied, Err(DeskError::NotFound));
    let picked = house.calls.pick(&kim, &id, &kim.user, false).await;
    assert_eq!(picked, Err(DeskError::NotFound));
    let supervisor = with(&lee(), Permission::CallPick);
    let list = house.calls.service_calls(&supervisor).await.unwrap();
    assert_eq!((list.len(), &*list[0].caller), (1, "…100"));
    assert_eq!(list[0].agent, None);
    house
        .calls
        .pick(&supervisor, &id, &kim.user, false)
        .await
        .unwrap();
    let again = house
        .calls
        .pick(&supervisor, &id, &supervisor.user, false)
        .await;
    assert_eq!(again, Err(DeskError::CallTaken("Kim".to_owned())));
    house
        .calls
        .pick(&supervisor, &id, &lee().user, true)
        .await
        .unwrap();
    assert_eq!(house.has(&kim).await, None);
    assert_eq!(house.has(&lee()).await.unwrap().id, id);
    let list = house.calls.service_calls(&supervisor).await.unwrap();
    assert_eq!(list[0].agent, Some(lee().user));
}

#[tokio::test(start_paused = true)]
async fn a_program_names_a_call_by_the_pbx_own_name_for_it() {
    let house = house(Pairing::default()).await;
    let (id, _keys) = house.nobodys().await;
    let program = Actor {
        permissions: [Permission::CallBind].into(),
        ..Actor::system()
    };
    let kim = house.actor.clone();
    let name = CallName::SipCallId(format!("{id}@carrier"));
    let own = house.calls.bind(&kim, &kim.user, &name).await;
    assert_eq!(
        own,
        Err(DeskError::NotFound),
        "only by what the screen-pop says"
    );
    let unknown = CallName::SipCallId(String::new());
    let bound = house.calls.bind(&program, &kim.user, &unknown).await;
    assert_eq!(bound, Err(DeskError::NotFound));
    let bound = house.calls.bind(&program, &kim.user, &name).await;
    assert_eq!(bound, Ok(id.clone()));
    let nobody = domain::id::UserId::from_random(99);
    let bound = house.calls.bind(&program, &nobody, &name).await;
    assert_eq!(bound, Err(DeskError::NotFound));
    assert_eq!(house.trail(), ["system \"kim\" \"api\""]);
}

#[tokio::test(start_paused = true)]
async fn s40_a_call_that_passes_twice_has_its_agent_on_the_pass_nearest_the_consumer() {
    let house = house(Pairing {
        extension: Some(ExtensionFrom::RequestUri),
        ..Pairing::default()
    })
    .await;
    let (first, keys) = house.nobodys().await;
    let (second, _keys) = house.incoming_for("201", Some(first.to_string()));
    house.settle().await;
    house.calls.answered(&second, LegCallIds::default());
    house.settle().await;
    assert_eq!(house.has(&house.actor).await.unwrap().id, first);
    assert_eq!(house.trail(), ["system \"kim\" \"header\""]);
    let opened = house.open(&second).await;
    assert_eq!(
        opened,
        Err(DeskError::NotFound),
        "one capture, on the first pass"
    );
    let mut phone = Phone::new(first, keys);
    house.ready(&mut phone).await;
    assert_eq!(house.line.count("protect"), 1);
}
