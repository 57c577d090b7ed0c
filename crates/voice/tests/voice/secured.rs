//! Calls whose media is secured, with a foreign implementation at the far ends.

use std::sync::Arc;

use domain::boundary::Telephony;
use media::relay::DropReason;
use rand::Rng;
use secret::MediaKey;
use sip::sdp::{
    Answerer, LocalAudio, LocalSrtp, Negotiated, RemoteAudio, Session, SrtpKeys, Suite,
};
use sip::{Command, Event};
use voice::{NodeConfig, Srtp, SrtpRule};

use crate::phone::description;
use crate::scene::{Running, Scene, eventually, keys_of};
use crate::talker::{EVENTS, Talker};

fn rule(wanted: Srtp) -> SrtpRule {
    SrtpRule {
        wanted,
        without_tls: true,
        short_tags: false,
    }
}

/// The trunk's rule and the PBX's.
fn rules(trunk: SrtpRule, pbx: SrtpRule) -> impl FnOnce(&mut NodeConfig) {
    move |config| {
        for (peer, rule) in config.peers.iter_mut().zip([trunk, pbx]) {
            peer.srtp = rule;
        }
    }
}

/// A far side that has this suite alone.
fn has(suite: Suite, required: bool) -> Option<LocalSrtp> {
    let key = MediaKey::fill_with(suite.master_len(), |bytes| {
        rand::rng().fill(bytes);
        Ok::<(), ()>(())
    });
    Some(LocalSrtp {
        required,
        keys: vec![(suite, Arc::new(key.unwrap()))],
    })
}

fn audio(talker: &Talker, srtp: &Option<LocalSrtp>) -> LocalAudio {
    LocalAudio {
        srtp: srtp.clone(),
        ..description(talker.local)
    }
}

/// What a far side has agreed on.
fn agreed(
    ours: (&Session, &Option<LocalSrtp>),
    theirs: &Session,
    answerer: Answerer,
) -> Negotiated {
    let (ours, srtp) = ours;
    let theirs = RemoteAudio::read_secured(theirs, "127.0.0.1".parse().unwrap(), srtp.as_ref());
    Negotiated::new(ours, &theirs.unwrap(), answerer).unwrap()
}

/// A call with both sides talking, each as it is secured. Yields the consumer's keys, too.
async fn connect(
    scene: &mut Scene,
    consumer: &Option<LocalSrtp>,
    agent: &Option<LocalSrtp>,
) -> (Running, Option<SrtpKeys>) {
    let offer = audio(&scene.consumer_talk, consumer).offer();
    let consumer_leg = scene
        .consumer
        .call("100", scene.server, Some(offer.clone()));
    let call = scene.incoming().await;
    scene.node.watch(&call.id, true).unwrap();
    let target = scene.agent_target();
    scene
        .node
        .route(&call.id, target, scene.protection)
        .unwrap();
    let at_agent = scene.agent.incoming().await;
    let to_agent = at_agent.offer.unwrap();
    let answer = audio(&scene.agent_talk, agent).answer(&to_agent).unwrap();
    let of_agent = agreed((&answer, agent), &to_agent, Answerer::Us);
    scene.agent.command(Command::Answer {
        leg: at_agent.leg,
        answer,
    });
    let answer = scene.consumer.answered().await.unwrap();
    let of_consumer = agreed((&offer, consumer), &answer, Answerer::Them);
    scene.consumer_talk.secure(of_consumer.srtp.as_ref());
    scene.agent_talk.secure(of_agent.srtp.as_ref());
    scene.consumer_talk.talk_to(of_consumer.remote_rtp);
    scene.agent_talk.talk_to(of_agent.remote_rtp);
    let running = Running {
        id: call.id,
        keys: call.keys,
        egress: call.egress,
        consumer_leg,
        agent_leg: at_agent.leg,
        at_consumer: of_consumer.remote_rtp,
        at_agent: of_agent.remote_rtp,
        offered: Vec::new(),
        answered: Vec::new(),
    };
    (running, of_consumer.srtp)
}

fn dropped(scene: &Scene, reason: DropReason) -> u64 {
    scene.node.counters().media.dropped_for(reason)
}

fn agent_heard_no_key(scene: &Scene) -> bool {
    let heard = scene.agent_talk.heard();
    let is_event = |payload_type| payload_type == EVENTS;
    !heard.iter().any(|one| is_event(one.header.payload_type)) && scene.agent_talk.keys_heard() == 0
}

async fn finish(scene: Scene, running: &Running) {
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn events_of_a_secured_consumer_are_read_and_an_agent_in_clear_hears_none() {
    let prefer = rule(Srtp::Prefer);
    let mut scene = Scene::with(rules(prefer, prefer));
    let suite = has(Suite::Aes128CmSha1_80, true);
    let (mut running, keys) = connect(&mut scene, &suite, &None).await;
    assert_eq!(keys.unwrap().theirs.suite, Suite::Aes128CmSha1_80);
    scene.both_heard().await;
    scene.protect(&running).await;
    let codes = [4, 1, 10, 3];
    scene.consumer_talk.press_events(&codes);
    assert!(scene.keys(&mut running, 4).await == keys_of(&codes));
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    assert!(agent_heard_no_key(&scene));
    assert_eq!(dropped(&scene, DropReason::BadTag), 0);
    finish(scene, &running).await;
}

#[tokio::test]
async fn tones_are_read_and_masked_with_both_sides_secured() {
    let require = rule(Srtp::Require);
    let mut scene = Scene::with(rules(require, require));
    let (consumer, agent) = (
        has(Suite::AeadAes256Gcm, true),
        has(Suite::Aes256CmSha1_80, false),
    );
    let (mut running, _) = connect(&mut scene, &consumer, &agent).await;
    scene.both_heard().await;
    scene.protect(&running).await;
    scene.agent_talk.forget();
    let codes = [5, 0, 9];
    scene.consumer_talk.press_tones(&codes);
    assert!(scene.keys(&mut running, 3).await == keys_of(&codes));
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    assert!(agent_heard_no_key(&scene));
    finish(scene, &running).await;
}

#[tokio::test]
async fn what_would_be_in_clear_is_refused_where_it_must_not_be() {
    let secured = has(Suite::Aes128CmSha1_80, true);
    let bad_keys = rule(Srtp::Require);
    let in_clear = SrtpRule {
        without_tls: false,
        ..bad_keys
    };
    let short = has(Suite::Aes128CmSha1_32, true);
    for (trunk, offered) in [
        (bad_keys, &None),
        (bad_keys, &short),
        (in_clear, &secured),
        (SrtpRule::default(), &secured),
    ] {
        let mut scene = Scene::with(rules(trunk, SrtpRule::default()));
        let offer = audio(&scene.consumer_talk, offered).offer();
        scene.consumer.call("100", scene.server, Some(offer));
        assert_eq!(scene.consumer.failed().await, 488, "{trunk:?}");
        scene.is_empty().await;
    }
    // The agent's side has to be secured, and answers in clear.
    let mut scene = Scene::with(rules(SrtpRule::default(), rule(Srtp::Require)));
    let offer = audio(&scene.consumer_talk, &None).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let target = scene.agent_target();
    scene
        .node
        .route(&call.id, target, scene.protection)
        .unwrap();
    let at_agent = scene.agent.incoming().await;
    let offered = at_agent.offer.unwrap();
    assert_eq!(offered.media[0].protocol, "RTP/SAVP");
    let mut plain = offered.clone();
    plain.media[0].protocol = "RTP/AVP".into();
    let answer = audio(&scene.agent_talk, &None).answer(&plain).unwrap();
    scene.agent.command(Command::Answer {
        leg: at_agent.leg,
        answer,
    });
    assert_eq!(scene.consumer.failed().await, 488);
    scene.is_empty().await;
}

#[tokio::test]
async fn forged_repeated_and_plain_packets_are_dropped_and_the_call_lives() {
    const FORGED: u64 = 10_000;
    let require = rule(Srtp::Require);
    let mut scene = Scene::with(rules(require, SrtpRule::default()));
    let suite = has(Suite::Aes128CmSha1_80, true);
    let (mut running, _) = connect(&mut scene, &suite, &None).await;
    scene.both_heard().await;
    scene.protect(&running).await;
    let socket = std::net::UdpSocket::bind((crate::scene::TRUNK, 0)).unwrap();
    // A key in clear, or noise, with this or that stream and number.
    let forge = || {
        for payload_type in [0, EVENTS].into_iter().cycle().take(200) {
            let mut packet = vec![0x80; 182];
            rand::rng().fill(&mut packet[2..]);
            packet[1] = payload_type;
            socket.send_to(&packet, running.at_consumer).unwrap();
        }
    };
    eventually("so many bad tags", || {
        forge();
        dropped(&scene, DropReason::BadTag) >= FORGED
    })
    .await;
    let again = scene.consumer_talk.sealed_last();
    socket.send_to(&again, running.at_consumer).unwrap();
    eventually("a repeated packet", || {
        dropped(&scene, DropReason::Replayed) >= 1
    })
    .await;
    scene.agent_talk.forget();
    scene.both_heard().await;
    scene.consumer_talk.press_events(&[7, 2]);
    assert!(scene.keys(&mut running, 2).await == keys_of(&[7, 2]));
    assert!(agent_heard_no_key(&scene));
    finish(scene, &running).await;
}

#[tokio::test]
async fn new_keys_in_a_protected_call_never_lift_the_mask_and_clear_is_not_taken() {
    let prefer = rule(Srtp::Prefer);
    let mut scene = Scene::with(rules(prefer, prefer));
    let first = has(Suite::Aes128CmSha1_80, true);
    let (mut running, keys) = connect(&mut scene, &first, &has(Suite::AeadAes128Gcm, false)).await;
    scene.both_heard().await;
    scene.protect(&running).await;
    let before = keys.unwrap();
    for (round, code) in [(2, 3), (3, 8)] {
        let other = has(Suite::Aes128CmSha1_80, true);
        let mut ours = audio(&scene.consumer_talk, &other);
        ours.version = round;
        let offer = ours.offer();
        scene.consumer.command(Command::Reinvite {
            leg: running.consumer_leg,
            offer: offer.clone(),
        });
        let answered = |event| match event {
            Event::OfferAnswered { answer, .. } => Some(answer),
            _ => None,
        };
        let answer = scene.consumer.until("an answer", answered).await;
        let now = agreed((&offer, &other), &answer, Answerer::Them)
            .srtp
            .unwrap();
        assert!(now.theirs.key != before.theirs.key, "ours is new, too");
        // For a moment still with the old key, as a far side does that has not read the answer.
        scene.consumer_talk.press_events(&[code]);
        assert!(scene.keys(&mut running, 1).await == keys_of(&[code]));
        scene.consumer_talk.secure(Some(&now));
        scene.consumer_talk.press_events(&[code + 1]);
        assert!(scene.keys(&mut running, 1).await == keys_of(&[code + 1]));
        scene.consumer_talk.forget();
        scene.both_heard().await;
    }
    let mut clear = audio(&scene.consumer_talk, &None);
    clear.version = 4;
    scene.consumer.command(Command::Reinvite {
        leg: running.consumer_leg,
        offer: clear.offer(),
    });
    let refused = |event| match event {
        Event::OfferFailed { status, .. } => Some(status.code()),
        _ => None,
    };
    assert_eq!(scene.consumer.until("a refusal", refused).await, 488);
    scene.consumer_talk.press_events(&[11]);
    assert!(scene.keys(&mut running, 1).await == keys_of(&[11]));
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    assert!(agent_heard_no_key(&scene));
    finish(scene, &running).await;
}
