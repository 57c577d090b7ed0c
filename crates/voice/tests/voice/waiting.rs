//! Callers who wait for an agent: they are answered, hear something, and get the next agent who answers.

use std::sync::Arc;

use domain::boundary::{EndCause, IncomingCall, RouteTarget, Telephony};
use domain::queue::WaitingSound;
use domain::service::ProtectionScope;
use sip::sdp::{Codec, Direction, Session};
use sip::{Command, Event, Incoming, LegId, Status};
use voice::BrowserPorts;

use crate::browsers::connect_page;
use crate::phone::{description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, Running, Said, Scene, eventually, keys_of};
use crate::talker::share_in;

/// Pitches of what callers hear.
const ANNOUNCED_HZ: f32 = 500.0;
const MUSIC_HZ: f32 = 320.0;

fn tone(pitch_hz: f32, samples: u16) -> Arc<[i16]> {
    let at = |place: u16| {
        let turns = pitch_hz * f32::from(place) / 8_000.0;
        media::sample::from_f32(6_000.0 * (std::f32::consts::TAU * turns).sin())
    };
    (0..samples).map(at).collect()
}

/// Half a second is said, then music.
fn sound() -> Option<WaitingSound> {
    Some(WaitingSound {
        music: Some(tone(MUSIC_HZ, 8_000)),
        announcement: Some(tone(ANNOUNCED_HZ, 4_000)),
        announce_every_s: 0,
    })
}

/// A caller who waits.
struct Waiting {
    call: IncomingCall,
    leg: LegId,
    /// Where their phone sends to.
    at_consumer: std::net::SocketAddr,
    answer: Session,
}

fn offer_of(scene: &Scene) -> Session {
    let mut ours = description(scene.consumer_talk.local);
    ours.codecs.clone_from(&scene.consumer_codecs);
    ours.offer()
}

async fn waits(scene: &mut Scene) -> Waiting {
    let leg = (scene.consumer).call("100", scene.server, Some(offer_of(scene)));
    let call = scene.incoming().await;
    scene.node.watch(&call.id, scene.watches).unwrap();
    scene.node.wait(&call.id, None).unwrap();
    scene.node.wait(&call.id, sound()).unwrap();
    let answer = scene.consumer.answered().await.unwrap();
    let at_consumer = media_of(&answer, scene.server.ip());
    scene.consumer_talk.talk_to(at_consumer);
    Waiting {
        call,
        leg,
        at_consumer,
        answer,
    }
}

async fn hears(scene: &Scene, what: &str, pitch_hz: f32) {
    scene.consumer_talk.forget();
    eventually(what, || scene.consumer_talk.share_of(pitch_hz) > 0.5).await;
}

fn route(scene: &Scene, waiting: &Waiting) {
    let (id, protection) = (&waiting.call.id, scene.protection);
    let routed = scene.node.route(id, scene.agent_target(), protection);
    routed.unwrap();
}

/// The agent takes the call.
async fn taken(scene: &mut Scene, waiting: Waiting, at_agent: Incoming) -> Running {
    let offer = at_agent.offer.clone().unwrap();
    let mut ours = description(scene.agent_talk.local);
    ours.codecs.clone_from(&scene.agent_codecs);
    let answer = ours.answer(&offer).unwrap();
    let leg = at_agent.leg;
    scene.agent.command(Command::Answer { leg, answer });
    let told = |said| match said {
        Said::Answered(legs) => Some(legs),
        _ => None,
    };
    let legs = scene.until("an answer", told).await;
    assert_eq!(legs.consumer, scene.consumer.call_id(waiting.leg));
    assert_eq!(legs.agent, scene.agent.call_id(leg));
    let at_agent = media_of(&offer, scene.server.ip());
    scene.agent_talk.talk_to(at_agent);
    Running {
        id: waiting.call.id,
        keys: waiting.call.keys,
        egress: waiting.call.egress,
        consumer_leg: waiting.leg,
        agent_leg: leg,
        at_consumer: waiting.at_consumer,
        at_agent,
        offered: Vec::new(),
        answered: Vec::new(),
    }
}

async fn connect(scene: &mut Scene, waiting: Waiting) -> Running {
    route(scene, &waiting);
    let at_agent = scene.agent.incoming().await;
    taken(scene, waiting, at_agent).await
}

async fn unreached(scene: &mut Scene) -> u16 {
    let told = |said| match said {
        Said::Unreached(status) => Some(status),
        _ => None,
    };
    scene.until("that nobody answered", told).await
}

#[tokio::test]
async fn a_caller_hears_announcement_and_music_and_then_the_agent() {
    let mut scene = Scene::new();
    let waiting = waits(&mut scene).await;
    eventually("an announcement", || {
        scene.consumer_talk.share_of(ANNOUNCED_HZ) > 0.5
    })
    .await;
    hears(&scene, "music", MUSIC_HZ).await;
    let of_wait = scene.consumer_talk.heard()[0].header.ssrc;
    route(&scene, &waiting);
    let at_agent = scene.agent.incoming().await;
    scene.agent.command(Command::Provisional {
        leg: at_agent.leg,
        status: Status::RINGING,
        answer: None,
    });
    hears(&scene, "music while it rings", MUSIC_HZ).await;
    let running = taken(&mut scene, waiting, at_agent).await;
    scene.consumer_talk.forget();
    scene.both_heard().await;
    eventually("the call's own stream", || {
        let heard = scene.consumer_talk.heard();
        let own = heard.iter().filter(|one| one.header.ssrc != of_wait);
        own.count() > 20
    })
    .await;
    scene.consumer_talk.forget();
    eventually("the agent alone", || {
        scene.consumer_talk.share_of(AGENT_HUM) > 0.9
    })
    .await;
    assert!(share_in(&scene.consumer_talk.sound(), MUSIC_HZ) < 0.1);
    scene.node.hang_up(&running.id).unwrap();
    scene.agent.ended().await;
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
}

#[tokio::test]
async fn keys_while_waiting_go_nowhere_and_those_of_the_capture_are_masked_and_counted() {
    for by_events in [true, false] {
        let mut scene = Scene::new();
        scene.protection = ProtectionScope::Always;
        let waiting = waits(&mut scene).await;
        if by_events {
            scene.consumer_talk.press_events(&[4, 2, 7, 7]);
        } else {
            scene.consumer_talk.press_tones(&[4, 2, 7, 7]);
        }
        eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
        let mut running = connect(&mut scene, waiting).await;
        scene.both_heard().await;
        scene.protect(&running).await;
        assert!(running.keys.pop().is_none(), "a key of the wait");
        assert_eq!(scene.agent_talk.keys_heard(), 0);
        const CODES: [u8; 4] = [4, 0, 7, 1];
        if by_events {
            scene.consumer_talk.press_events(&CODES);
        } else {
            scene.consumer_talk.press_tones(&CODES);
        }
        assert_eq!(scene.keys(&mut running, CODES.len()).await, keys_of(&CODES));
        assert_eq!(scene.agent_talk.keys_heard(), 0);
        scene.node.hang_up(&running.id).unwrap();
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn an_agent_who_does_not_answer_leaves_the_caller_where_they_were() {
    let mut scene = Scene::new();
    let waiting = waits(&mut scene).await;
    // One refuses, one plays something before that, one is told to ring no more, one is not there.
    route(&scene, &waiting);
    let at_agent = scene.agent.incoming().await;
    scene.agent.command(Command::Reject {
        leg: at_agent.leg,
        status: Status::BUSY_HERE,
        reason: None,
    });
    assert_eq!(unreached(&mut scene).await, 486);
    route(&scene, &waiting);
    let at_agent = scene.agent.incoming().await;
    let offer = at_agent.offer.clone().unwrap();
    let early = description(scene.agent_talk.local).answer(&offer).unwrap();
    scene.agent.command(Command::Provisional {
        leg: at_agent.leg,
        status: Status::SESSION_PROGRESS,
        answer: Some(early),
    });
    scene
        .agent_talk
        .talk_to(media_of(&offer, scene.server.ip()));
    let rings = |said| matches!(said, Said::Ringing).then_some(());
    scene.until("ringing", rings).await;
    hears(&scene, "music", MUSIC_HZ).await;
    assert!(scene.consumer_talk.share_of(AGENT_HUM) < 0.1);
    scene.node.stop_ringing(&waiting.call.id).unwrap();
    let cancelled = |event| matches!(event, Event::Ended { .. }).then_some(());
    scene.agent.until("the end of ringing", cancelled).await;
    assert_eq!(unreached(&mut scene).await, 487);
    let nobody = RouteTarget::Registered {
        user: "nobody".to_owned(),
    };
    let (id, protection) = (&waiting.call.id, scene.protection);
    scene.node.route(id, nobody, protection).unwrap();
    assert_eq!(unreached(&mut scene).await, 480);
    hears(&scene, "music still", MUSIC_HZ).await;
    scene.agent_talk.forget();
    let running = connect(&mut scene, waiting).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_caller_whose_first_agent_does_not_answer_is_answered_only_then() {
    let mut scene = Scene::new();
    let leg = (scene.consumer).call("100", scene.server, Some(offer_of(&scene)));
    let call = scene.incoming().await;
    scene.node.wait(&call.id, None).unwrap();
    let (id, protection) = (call.id.clone(), scene.protection);
    scene
        .node
        .route(&id, scene.agent_target(), protection)
        .unwrap();
    let at_agent = scene.agent.incoming().await;
    scene.agent.command(Command::Provisional {
        leg: at_agent.leg,
        status: Status::RINGING,
        answer: None,
    });
    let rings = |event| match event {
        Event::Progress { status, .. } => Some(status),
        Event::Answered { .. } => panic!("it is answered while it rings"),
        _ => None,
    };
    assert_eq!(
        scene.consumer.until("ringing", rings).await,
        Status::RINGING
    );
    scene.agent.command(Command::Reject {
        leg: at_agent.leg,
        status: Status::DECLINE,
        reason: None,
    });
    assert_eq!(unreached(&mut scene).await, 603);
    scene.node.wait(&id, sound()).unwrap();
    let answer = scene.consumer.answered().await.unwrap();
    let at_consumer = media_of(&answer, scene.server.ip());
    scene.consumer_talk.talk_to(at_consumer);
    hears(&scene, "music", MUSIC_HZ).await;
    let waiting = Waiting {
        call,
        leg,
        at_consumer,
        answer,
    };
    let running = connect(&mut scene, waiting).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn whoever_hangs_up_while_waiting_or_has_no_place_any_more_leaves_nothing() {
    for rings in [false, true] {
        let mut scene = Scene::new();
        let waiting = waits(&mut scene).await;
        if rings {
            route(&scene, &waiting);
            scene.agent.incoming().await;
        }
        let (leg, reason) = (waiting.leg, None);
        scene.consumer.command(Command::Hangup { leg, reason });
        if rings {
            let cancelled = |event| matches!(event, Event::Ended { .. }).then_some(());
            scene.agent.until("the end of ringing", cancelled).await;
        }
        assert_eq!(scene.ended().await, EndCause::Consumer);
        scene.is_empty().await;
    }
    // An answered leg cannot be refused any more: it is ended.
    let mut scene = Scene::new();
    let waiting = waits(&mut scene).await;
    scene.node.reject(&waiting.call.id, 486).unwrap();
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
}

#[tokio::test]
async fn a_caller_who_holds_while_waiting_hears_nothing_until_they_are_back() {
    let mut scene = Scene::new();
    let waiting = waits(&mut scene).await;
    hears(&scene, "music", MUSIC_HZ).await;
    let mut ours = description(scene.consumer_talk.local);
    for (direction, version) in [(Direction::SendOnly, 2), (Direction::SendRecv, 3)] {
        (ours.direction, ours.version) = (direction, version);
        let (leg, offer) = (waiting.leg, ours.offer());
        scene.consumer.command(Command::Reinvite { leg, offer });
        let answered = |event| match event {
            Event::OfferAnswered { answer, .. } => Some(answer),
            Event::OfferFailed { status, .. } => panic!("refused: {status}"),
            _ => None,
        };
        scene.consumer.until("an answer", answered).await;
        if direction == Direction::SendOnly {
            scene.consumer_talk.forget();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            // What was on its way when the answer came.
            assert!(scene.consumer_talk.heard().len() < 5);
        } else {
            hears(&scene, "music again", MUSIC_HZ).await;
        }
    }
    let running = connect(&mut scene, waiting).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_caller_who_offers_nothing_is_offered_the_telephones_band_and_hears_it_once_they_agree() {
    let mut scene = Scene::new();
    let leg = scene.consumer.call("100", scene.server, None);
    let call = scene.incoming().await;
    scene.node.wait(&call.id, None).unwrap();
    scene.node.wait(&call.id, sound()).unwrap();
    let offer = scene.consumer.answered().await.unwrap();
    let answer = description(scene.consumer_talk.local)
        .answer(&offer)
        .unwrap();
    scene.consumer.command(Command::AckAnswer { leg, answer });
    let at_consumer = media_of(&offer, scene.server.ip());
    scene.consumer_talk.talk_to(at_consumer);
    hears(&scene, "music", MUSIC_HZ).await;
    let waiting = Waiting {
        call,
        leg,
        at_consumer,
        answer: offer,
    };
    let running = connect(&mut scene, waiting).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_caller_who_speaks_wideband_waits_in_the_telephones_band() {
    let mut scene = Scene::with(|config| {
        for peer in &mut config.peers {
            peer.codecs = vec![Codec::G722, Codec::Pcmu];
        }
    });
    scene.consumer_codecs = vec![Codec::G722, Codec::Pcmu];
    let waiting = waits(&mut scene).await;
    let audio = sip::sdp::RemoteAudio::read(&waiting.answer, scene.server.ip()).unwrap();
    let spoken: Vec<Codec> = audio.codecs.iter().map(|(codec, _)| *codec).collect();
    assert_eq!(spoken, [Codec::Pcmu]);
    hears(&scene, "music", MUSIC_HZ).await;
    route(&scene, &waiting);
    let at_agent = scene.agent.incoming().await;
    let theirs = at_agent.offer.as_ref().unwrap();
    let audio = sip::sdp::RemoteAudio::read(theirs, scene.server.ip()).unwrap();
    assert_eq!(audio.codecs[0].0, Codec::Pcmu);
    let running = taken(&mut scene, waiting, at_agent).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_caller_gets_an_agent_whose_phone_is_the_page() {
    let mut scene = Scene::with(|config| config.browser_ports = BrowserPorts::From(0));
    let waiting = waits(&mut scene).await;
    hears(&scene, "music", MUSIC_HZ).await;
    let user = domain::id::UserId::from_random(7);
    let id = waiting.call.id.clone();
    let target = RouteTarget::Browser { user };
    scene.node.route(&id, target, scene.protection).unwrap();
    let page = connect_page(&scene, &id).await;
    crate::browsers::answer(&scene, &id).await;
    eventually("the caller in the page", || {
        page.share_of(CONSUMER_HUM) > 0.8
    })
    .await;
    scene.consumer_talk.forget();
    eventually("the page", || scene.consumer_talk.share_of(AGENT_HUM) > 0.9).await;
    scene.node.hang_up(&id).unwrap();
    scene.is_empty().await;
}
