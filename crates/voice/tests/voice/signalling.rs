//! Calls begin, change and end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::boundary::{EndCause, LineEvent, PhoneAccount, RouteTarget, Telephony, TelephonyError};
use domain::service::ProtectionScope;
use sip::sdp::Direction;
use sip::{Command, Event, Status};

use crate::phone::{description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, Recorded, Recorder, Said, Scene, eventually};

#[tokio::test]
async fn a_call_carries_audio_both_ways_until_the_consumer_hangs_up() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.consumer.command(Command::Hangup {
        leg: running.consumer_leg,
        reason: None,
    });
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Consumer);
    scene.is_empty().await;
    assert_eq!(scene.node.hang_up(&running.id), Err(TelephonyError::NoCall));
    assert!(scene.node.counters().media.packets_in > 20);
}

#[tokio::test]
async fn the_agent_can_hang_up() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.agent.command(Command::Hangup {
        leg: running.agent_leg,
        reason: None,
    });
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Agent);
    scene.is_empty().await;
}

#[tokio::test]
async fn we_can_hang_up() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.consumer.ended().await;
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
}

#[tokio::test]
async fn what_was_dialled_and_who_calls_is_reported() {
    let mut scene = Scene::new();
    let (call, leg, at_agent) = scene.ring().await;
    assert_eq!(
        (
            call.called.as_str(),
            call.caller.as_str(),
            call.peer.as_str()
        ),
        ("100", "15550100", "trunk")
    );
    assert_eq!(at_agent.from.uri.user(), Some("15550100"));
    assert_eq!(at_agent.tonewall_call.as_deref(), Some(call.id.as_str()));
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.is_empty().await;
}

#[tokio::test]
async fn ringing_is_passed_on_and_a_caller_may_give_up() {
    let mut scene = Scene::new();
    let (_call, leg, at_agent) = scene.ring().await;
    scene.agent.command(Command::Provisional {
        leg: at_agent.leg,
        status: Status::RINGING,
        answer: None,
    });
    let status = scene
        .consumer
        .until("ringing", |event| {
            if let Event::Progress { status, .. } = event {
                Some(status)
            } else {
                None
            }
        })
        .await;
    assert_eq!(status, Status::RINGING);
    scene
        .until("ringing", |said| {
            matches!(said, Said::Ringing).then_some(())
        })
        .await;
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Consumer);
    scene.is_empty().await;
}

#[tokio::test]
async fn early_media_is_heard_before_the_answer() {
    let mut scene = Scene::new();
    let (call, leg, at_agent) = scene.ring().await;
    let answer = description(scene.agent_talk.local)
        .answer(at_agent.offer.as_ref().unwrap())
        .unwrap();
    let early = Command::Provisional {
        leg: at_agent.leg,
        status: Status::SESSION_PROGRESS,
        answer: Some(answer),
    };
    scene.agent.command(early);
    let described = scene
        .consumer
        .until("early media", |event| {
            if let Event::Progress { answer, .. } = event {
                answer
            } else {
                None
            }
        })
        .await;
    scene
        .consumer_talk
        .talk_to(media_of(&described, scene.server.ip()));
    scene.agent_talk.talk_to(media_of(
        at_agent.offer.as_ref().unwrap(),
        scene.server.ip(),
    ));
    let heard = || scene.consumer_talk.share_of(AGENT_HUM) > 0.9;
    eventually("early media", heard).await;
    let running = scene.connect_rung(call, leg, at_agent).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_busy_target_makes_the_caller_hear_busy() {
    let mut scene = Scene::new();
    let (_call, _leg, at_agent) = scene.ring().await;
    scene.agent.command(Command::Reject {
        leg: at_agent.leg,
        status: Status::BUSY_HERE,
        reason: None,
    });
    assert_eq!(scene.consumer.failed().await, 486);
    assert_eq!(scene.ended().await, EndCause::NotAnswered(486));
    scene.is_empty().await;
}

#[tokio::test]
async fn a_target_that_never_answers_is_given_up() {
    let mut scene = Scene::with(|config| config.limits.answer_wait = Duration::from_millis(300));
    let _rings = scene.ring().await;
    assert_eq!(scene.consumer.failed().await, 480);
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::NotAnswered(480));
    scene.is_empty().await;
}

#[tokio::test]
async fn a_call_that_nobody_routes_is_given_up() {
    let mut scene = Scene::with(|config| config.limits.route_wait = Duration::from_millis(200));
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    assert_eq!(scene.consumer.failed().await, 480);
    scene.is_empty().await;
}

#[tokio::test]
async fn a_call_may_be_refused_with_a_status() {
    let mut scene = Scene::new();
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    let call = scene.incoming().await;
    scene.node.reject(&call.id, 404).unwrap();
    assert_eq!(scene.consumer.failed().await, 404);
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
}

#[tokio::test]
async fn a_route_to_a_phone_that_is_not_registered_is_480() {
    let mut scene = Scene::new();
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    let call = scene.incoming().await;
    scene
        .node
        .route(
            &call.id,
            RouteTarget::Registered {
                user: "nobody".to_owned(),
            },
            ProtectionScope::Capture,
        )
        .unwrap();
    assert_eq!(scene.consumer.failed().await, 480);
    scene.is_empty().await;
}

#[tokio::test]
async fn an_offer_without_our_codecs_is_not_acceptable() {
    let mut scene = Scene::new();
    let offer = description(scene.consumer_talk.local).offer().to_string();
    let offer = offer
        .replace("PCMU", "G729")
        .replace("PCMA", "G722")
        .replace(" 0 8 ", " 18 9 ")
        .replace(":0 ", ":18 ")
        .replace(":8 ", ":9 ");
    scene
        .consumer
        .call("100", scene.server, Some(offer.parse().unwrap()));
    assert_eq!(scene.consumer.failed().await, 488);
    scene.is_empty().await;
}

#[tokio::test]
async fn without_ports_or_key_rings_calls_are_shed() {
    let mut scene = Scene::with(|config| config.limits.calls_max = 0);
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    assert_eq!(scene.consumer.failed().await, 503);
    // One ring belongs to the media thread.
    let mut scene = Scene::with(|config| config.arena = secret::Arena::new(1).unwrap());
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    assert_eq!(scene.consumer.failed().await, 503);
    eventually("a count of it", || scene.node.counters().calls_shed == 1).await;
    scene.is_empty().await;
}

#[tokio::test]
async fn a_call_without_an_offer_gets_ours() {
    let mut scene = Scene::new();
    let leg = scene.consumer.call("100", scene.server, None);
    let call = scene.incoming().await;
    scene
        .node
        .route(&call.id, scene.agent_target(), ProtectionScope::Capture)
        .unwrap();
    let at_agent = scene.agent.incoming().await;
    let offer = at_agent.offer.unwrap();
    let answer = description(scene.agent_talk.local).answer(&offer).unwrap();
    scene.agent.command(Command::Answer {
        leg: at_agent.leg,
        answer,
    });
    let late_offer = scene.consumer.answered().await.unwrap();
    let answer = description(scene.consumer_talk.local)
        .answer(&late_offer)
        .unwrap();
    scene.consumer.command(Command::AckAnswer { leg, answer });
    scene
        .until("an answer", |said| {
            matches!(said, Said::Answered(_)).then_some(())
        })
        .await;
    scene
        .consumer_talk
        .talk_to(media_of(&late_offer, scene.server.ip()));
    scene
        .agent_talk
        .talk_to(media_of(&offer, scene.server.ip()));
    scene.both_heard().await;
    scene.node.hang_up(&call.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn hold_and_resume_reach_the_other_side() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    for held in [true, false] {
        let (offer, answer) = scene.agents_phone_holds(&running, held).await;
        assert_eq!(offer.to_string().contains("a=sendonly"), held);
        assert_eq!(media_of(&offer, scene.server.ip()), running.at_consumer);
        assert_eq!(answer.to_string().contains("a=recvonly"), held);
        scene.consumer_talk.forget();
        // Whoever holds plays music to whom they hold.
        let what = "what the holding side plays";
        eventually(what, || scene.consumer_talk.share_of(AGENT_HUM) > 0.5).await;
    }
    scene.agent_talk.forget();
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_new_media_address_is_followed_without_asking_the_other_side() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let elsewhere = crate::talker::Talker::new(crate::scene::TRUNK, CONSUMER_HUM);
    let mut ours = description(elsewhere.local);
    ours.session_id = u64::from(scene.consumer_talk.local.port());
    ours.version = 2;
    scene.consumer.command(Command::Reinvite {
        leg: running.consumer_leg,
        offer: ours.offer(),
    });
    scene
        .consumer
        .until("its answer", |event| {
            matches!(event, Event::OfferAnswered { .. }).then_some(())
        })
        .await;
    scene.consumer_talk.fall_silent();
    elsewhere.talk_to(running.at_consumer);
    eventually("audio at the new address", || {
        elsewhere.share_of(AGENT_HUM) > 0.9
    })
    .await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_call_without_media_is_ended() {
    let mut scene = Scene::with(|config| config.limits.media_timeout = Duration::from_secs(1));
    let _running = scene.connect().await;
    scene.consumer_talk.fall_silent();
    assert_eq!(scene.ended().await, EndCause::Timeout);
    scene.consumer.ended().await;
    scene.agent.ended().await;
    scene.is_empty().await;
}

#[tokio::test]
async fn packets_of_strangers_are_not_heard() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let stranger = crate::talker::Talker::new(crate::scene::STRANGER, 1_800.0);
    stranger.talk_to(running.at_consumer);
    let refused = || {
        scene
            .node
            .counters()
            .media
            .dropped_for(media::relay::DropReason::WrongSource)
            > 20
    };
    eventually("refused packets", refused).await;
    stranger.talk_to(running.at_agent);
    let refused = || {
        scene
            .node
            .counters()
            .media
            .dropped_for(media::relay::DropReason::WrongSource)
            > 40
    };
    eventually("refused packets", refused).await;
    assert!(scene.agent_talk.share_of(1_800.0) < 0.01);
    assert!(scene.consumer_talk.share_of(1_800.0) < 0.01);
    assert!(stranger.heard().is_empty());
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn datagrams_longer_than_any_packet_are_counted() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let malformed = || {
        let media = scene.node.counters().media;
        media.dropped_for(media::relay::DropReason::Malformed)
    };
    assert_eq!(malformed(), 0);
    let socket = std::net::UdpSocket::bind((crate::scene::STRANGER, 0)).unwrap();
    for destination in [running.at_consumer, running.at_agent] {
        socket.send_to(&[0x80; 4_000], destination).unwrap();
    }
    eventually("both counted", || malformed() == 2).await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn shutting_down_says_goodbye_on_both_sides() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.node.shutdown().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.consumer.ended().await;
    scene.agent.ended().await;
    let counters = scene.node.counters();
    assert_eq!(
        (counters.calls, counters.sip.legs, counters.ports.taken),
        (0, 0, 0)
    );
    assert_eq!(
        scene.node.unprotect(&running.id),
        Err(TelephonyError::NoCall)
    );
}

#[tokio::test]
async fn a_call_whose_keys_nobody_takes_is_ended() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    drop(running.keys);
    assert_eq!(scene.ended().await, EndCause::Failure);
    scene.is_empty().await;
}

#[tokio::test]
async fn both_sides_of_a_call_are_recorded() {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let sink = Recorder(Arc::clone(&recorded));
    let mut scene = Scene::with(|config| config.audio_sink = Some(Box::new(sink)));
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    eventually("the recording's end", || recorded.lock().unwrap().ended).await;
    let recorded = recorded.lock().unwrap();
    assert!(recorded.consumer.len() > 400 && recorded.agent.len() > 400);
}

#[tokio::test]
async fn another_party_on_the_consumer_side_is_reported_while_protected() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.protect(&running).await;
    let mut ours = description(scene.consumer_talk.local);
    ours.session_id = 77;
    scene.consumer.command(Command::Reinvite {
        leg: running.consumer_leg,
        offer: ours.offer(),
    });
    scene
        .until("another party", |said| {
            matches!(said, Said::Line(LineEvent::PartyChanged)).then_some(())
        })
        .await;
    scene
        .consumer
        .until("its answer", |event| {
            matches!(event, Event::OfferAnswered { .. }).then_some(())
        })
        .await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn many_calls_on_two_threads_leave_nothing_behind() {
    const CALLS: usize = 12;
    let mut scene = Scene::with(|config| {
        config.media_threads = 2;
        config.arena = secret::Arena::new(CALLS + 2).unwrap();
    });
    let mut running = Vec::new();
    for _ in 0..CALLS {
        running.push(scene.connect().await);
    }
    eventually("all calls", || scene.node.counters().media.calls == 12).await;
    let ports = scene.node.counters().ports;
    assert_eq!(ports.taken, 2 * CALLS);
    // Every key ring is lent: the next call is shed, and the others go on.
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    assert_eq!(scene.consumer.failed().await, 503);
    scene.both_heard().await;
    for call in &running {
        scene.node.hang_up(&call.id).unwrap();
    }
    for _ in 0..CALLS {
        assert_eq!(scene.ended().await, EndCause::Local);
    }
    drop(running);
    scene.is_empty().await;
    assert_eq!(scene.node.counters().calls_answered, 12);
}

#[tokio::test]
async fn a_change_of_codec_on_one_side_leaves_the_other_as_it_is() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let mut ours = description(scene.agent_talk.local);
    (ours.codecs, ours.version) = (vec![sip::sdp::Codec::Pcma], 2);
    scene.agent.command(Command::Reinvite {
        leg: running.agent_leg,
        offer: ours.offer(),
    });
    let answer = scene
        .agent
        .until("its answer", |event| {
            if let Event::OfferAnswered { answer, .. } = event {
                Some(answer)
            } else {
                None
            }
        })
        .await;
    assert!(answer.to_string().contains("PCMA") && !answer.to_string().contains("PCMU"));
    let in_a_law = || {
        scene
            .agent_talk
            .heard()
            .iter()
            .rev()
            .take(5)
            .all(|one| one.header.payload_type == 8)
    };
    eventually("packets in the new codec", in_a_law).await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_refused_hold_changes_nothing() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let mut ours = description(scene.agent_talk.local);
    (ours.direction, ours.version) = (Direction::SendOnly, 2);
    scene.agent.command(Command::Reinvite {
        leg: running.agent_leg,
        offer: ours.offer(),
    });
    scene
        .consumer
        .until("an offer", |event| {
            matches!(event, Event::Offered { .. }).then_some(())
        })
        .await;
    let refusal = Command::RejectOffer {
        leg: running.consumer_leg,
        status: Status::NOT_ACCEPTABLE_HERE,
    };
    scene.consumer.command(refusal);
    scene
        .agent
        .until("a refusal", |event| {
            matches!(event, Event::OfferFailed { .. }).then_some(())
        })
        .await;
    scene.agent_talk.forget();
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

/// The agent's phone holds; the consumer's, which offers something itself at that moment, refuses so many times.
async fn hold_in_glare(scene: &mut Scene, running: &crate::scene::Running, refusals: usize) {
    let mut ours = description(scene.agent_talk.local);
    (ours.direction, ours.version) = (Direction::SendOnly, 2);
    scene.agent.command(Command::Reinvite {
        leg: running.agent_leg,
        offer: ours.offer(),
    });
    for _ in 0..refusals {
        scene.consumer.until("an offer", offered).await;
        scene.consumer.command(Command::RejectOffer {
            leg: running.consumer_leg,
            status: Status::REQUEST_PENDING,
        });
    }
}

fn offered(event: Event) -> Option<sip::sdp::Session> {
    match event {
        Event::Offered { offer, .. } => offer,
        _ => None,
    }
}

#[tokio::test]
async fn a_hold_that_meets_an_offer_of_the_other_side_is_passed_on_again() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    hold_in_glare(&mut scene, &running, 2).await;
    let offer = scene.consumer.until("the offer again", offered).await;
    assert!(offer.to_string().contains("a=sendonly"));
    let ours = description(scene.consumer_talk.local);
    scene.consumer.command(Command::AcceptOffer {
        leg: running.consumer_leg,
        answer: ours.answer(&offer).unwrap(),
    });
    scene
        .agent
        .until("its answer", |event| {
            matches!(event, Event::OfferAnswered { .. }).then_some(())
        })
        .await;
    scene
        .until("hold", |said| {
            matches!(said, Said::Held(true)).then_some(())
        })
        .await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_hold_that_always_meets_another_offer_is_given_back() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    hold_in_glare(&mut scene, &running, 4).await;
    let status = scene
        .agent
        .until("a refusal", |event| match event {
            Event::OfferFailed { status, .. } => Some(status),
            _ => None,
        })
        .await;
    assert_eq!(status, Status::REQUEST_PENDING);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

/// Of `agent1` in realm `tonewall` with [`PHONE_PASSWORD`].
const PHONE_HASHES: &str = "529748a23cac2945fce2fdf3e33f2617d9e158175b18809b19039ded29e02085:52e7ce67456a10b9a826b1f7e5301550";
pub(crate) const PHONE_PASSWORD: &str = "three words kept";

#[tokio::test]
async fn a_registered_phone_is_rung_by_its_user_and_goes_when_its_account_goes() {
    let mut scene = Scene::new();
    scene.node.set_phones(vec![phone_account()]);
    scene.agent.register("agent1", PHONE_PASSWORD, scene.server);
    let said = scene.until("a registration", registration).await;
    assert_eq!(said, ("agent1".to_owned(), true));
    assert_eq!(scene.node.registered(), ["agent1"]);
    scene.consumer.call(
        "100",
        scene.server,
        Some(description(scene.consumer_talk.local).offer()),
    );
    let call = scene.incoming().await;
    scene
        .node
        .route(
            &call.id,
            RouteTarget::Registered {
                user: "agent1".to_owned(),
            },
            ProtectionScope::Capture,
        )
        .unwrap();
    let at_agent = scene.agent.incoming().await;
    assert_eq!(at_agent.request_uri.user(), Some("agent1"));
    scene.node.hang_up(&call.id).unwrap();
    scene.node.set_phones(Vec::new());
    assert_eq!(
        scene.until("its end", registration).await,
        ("agent1".to_owned(), false)
    );
    assert!(scene.node.registered().is_empty());
    scene.is_empty().await;
}

pub(crate) fn phone_account() -> PhoneAccount {
    PhoneAccount {
        user: "agent1".to_owned(),
        ha1: PHONE_HASHES.to_owned(),
    }
}

fn registration(said: Said) -> Option<(String, bool)> {
    if let Said::Registration(user, registered) = said {
        Some((user, registered))
    } else {
        None
    }
}
