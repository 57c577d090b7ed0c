//! Comfort noise (RFC 3389): who is offered it, and what becomes of a phone's pauses.

use domain::boundary::{IncomingCall, RouteTarget, Telephony};
use sip::Command;
use sip::sdp::Session;

use crate::phone::{description, media_of};
use crate::scene::{Said, Scene, eventually};
use crate::signalling::{PHONE_PASSWORD, phone_account};
use crate::talker::{AUDIO, NOISE, Talker};

/// A phone's description.
fn ours(talker: &Talker, takes_noise: bool) -> sip::sdp::LocalAudio {
    let mut ours = description(talker.local);
    ours.comfort_noise = takes_noise;
    ours
}

fn has_noise(session: &Session) -> bool {
    session.media[0].formats.iter().any(|format| format == "13")
}

/// A call that goes on as long as it is kept; whether the agent was offered noise, and the consumer was answered it.
async fn connect(scene: &mut Scene, consumer: bool, agent: bool) -> (IncomingCall, [bool; 2]) {
    let offer = ours(&scene.consumer_talk, consumer).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let (target, protection) = (scene.agent_target(), scene.protection);
    scene.node.route(&call.id, target, protection).unwrap();
    let at_agent = scene.agent.incoming().await;
    let offer = at_agent.offer.unwrap();
    let answer = ours(&scene.agent_talk, agent).answer(&offer).unwrap();
    let leg = at_agent.leg;
    scene.agent.command(Command::Answer { leg, answer });
    let answer = scene.consumer.answered().await.unwrap();
    for (talker, session) in [(&scene.consumer_talk, &answer), (&scene.agent_talk, &offer)] {
        talker.talk_to(media_of(session, scene.server.ip()));
    }
    scene.both_heard().await;
    (call, [has_noise(&offer), has_noise(&answer)])
}

/// Packets of this payload type.
fn packets(talker: &Talker, payload_type: u8) -> usize {
    let heard = talker.heard();
    let of_type = |one: &&crate::talker::Heard| one.header.payload_type == payload_type;
    heard.iter().filter(of_type).count()
}

#[tokio::test]
async fn the_agents_phone_is_told_of_a_pause_if_it_takes_noise_and_hears_it_if_not() {
    for agent_takes in [true, false] {
        let mut scene = Scene::new();
        let (_call, told) = connect(&mut scene, true, agent_takes).await;
        assert_eq!(told, [true, true]);
        scene.agent_talk.forget();
        scene.consumer_talk.pause(50, 1_000);
        if agent_takes {
            let is_told = || packets(&scene.agent_talk, NOISE) > 0;
            eventually("a packet of noise", is_told).await;
        } else {
            eventually("the pause", || scene.consumer_talk.has_said_all()).await;
            scene.agent_talk.forget();
            let is_heard = || packets(&scene.agent_talk, AUDIO) > 20;
            eventually("noise that is made", is_heard).await;
            assert_eq!(packets(&scene.agent_talk, NOISE), 0);
        }
    }
}

#[tokio::test]
async fn noise_that_the_consumer_did_not_offer_is_offered_to_nobody() {
    let mut scene = Scene::new();
    let (_call, told) = connect(&mut scene, false, true).await;
    assert_eq!(told, [false, false]);
}

/// An agent's phone that takes noise calls somebody who does or does not: whether that was offered noise, and the agent's phone was answered it.
async fn dial(consumer: bool) -> (bool, bool) {
    let mut scene = Scene::new();
    let phone = ("agent1", PHONE_PASSWORD);
    scene.node.set_phones(vec![phone_account()]);
    scene.agent.register(phone.0, phone.1, scene.server);
    let registered = |said| matches!(said, Said::Registration(..)).then_some(());
    scene.until("a registration", registered).await;
    let offer = ours(&scene.agent_talk, true).offer();
    let _leg = scene.agent.dial("15550100", phone, scene.server, offer);
    let call = scene.incoming().await;
    let address = scene.consumer.address;
    let uri = "sip:15550100@127.0.0.1".to_owned();
    let target = RouteTarget::Uri { uri, address };
    scene
        .node
        .route(&call.id, target, scene.protection)
        .unwrap();
    let at_consumer = scene.consumer.incoming().await;
    let offer = at_consumer.offer.unwrap();
    let answer = ours(&scene.consumer_talk, consumer).answer(&offer).unwrap();
    let leg = at_consumer.leg;
    scene.consumer.command(Command::Answer { leg, answer });
    let answer = scene.agent.answered().await.unwrap();
    (has_noise(&offer), has_noise(&answer))
}

#[tokio::test]
async fn an_agent_who_calls_may_fall_silent_only_where_the_consumer_takes_noise() {
    assert_eq!(dial(true).await, (true, true));
    assert_eq!(dial(false).await, (true, false));
}
