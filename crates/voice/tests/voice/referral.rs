//! Calls that go elsewhere because the agent's phone, or the PBX, says so by SIP.

use domain::boundary::{
    EndCause, LegCallIds, Referral, ReferralAnswer, ReferralWish, RouteTarget, Telephony,
};
use domain::view::TransferFailure;
use sip::{Command, Event, Incoming, Status};

use crate::phone::{Phone, description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, PBX, Running, Said, Scene, eventually, peer};
use crate::talker::Talker;

const OTHER_HUM: f32 = 320.0;

/// Somebody else's phone at the PBX.
struct Other {
    phone: Phone,
    talk: Talker,
}

impl Other {
    fn new(scene: &Scene) -> Self {
        Self {
            phone: Phone::new("other", PBX, scene.server),
            talk: Talker::new(PBX, OTHER_HUM),
        }
    }

    fn target(&self) -> RouteTarget {
        RouteTarget::Uri {
            uri: format!("sip:300@{}", self.phone.address),
            address: self.phone.address,
        }
    }

    fn answer(&self, scene: &Scene, incoming: Incoming) {
        let offer = incoming.offer.unwrap();
        let answer = description(self.talk.local).answer(&offer).unwrap();
        let leg = incoming.leg;
        self.phone.command(Command::Answer { leg, answer });
        self.talk.talk_to(media_of(&offer, scene.server.ip()));
    }
}

async fn talking(scene: &mut Scene) -> Running {
    let running = scene.connect().await;
    scene.both_heard().await;
    running
}

async fn referred(scene: &mut Scene) -> Referral {
    let told = |said| match said {
        Said::Referred(referral) => Some(referral),
        _ => None,
    };
    scene.until("a referral", told).await
}

async fn outcome(scene: &mut Scene) -> Result<LegCallIds, TransferFailure> {
    let told = |said| match said {
        Said::Transferred(outcome) => Some(outcome),
        _ => None,
    };
    scene.until("a transfer's outcome", told).await
}

/// The agent's phone asks for the call to go to 300, and hears `status` at once.
async fn refer(scene: &mut Scene, running: &Running, answer: ReferralAnswer, status: u16) {
    refer_at(scene, running, ("pbx.example.com", None), (answer, status)).await;
}

/// The same, at a host that is one of this trunk's own.
async fn refer_at(
    scene: &mut Scene,
    running: &Running,
    (host, trunk): (&str, Option<&str>),
    (answer, status): (ReferralAnswer, u16),
) {
    let (leg, to) = (running.agent_leg, format!("<sip:300@{host}>"));
    let to = sip::NameAddr::parse(to.as_bytes()).unwrap();
    scene.agent.command(Command::Refer { leg, to });
    let asked = referred(scene).await;
    let expected = Referral {
        wish: ReferralWish::Call,
        to: "300".to_owned(),
        host: host.to_owned(),
        trunk: trunk.map(str::to_owned),
        phone: None,
    };
    assert_eq!(asked, expected);
    scene.node.refer(&running.id, answer).unwrap();
    let answered = |event| match event {
        Event::ReferAnswered { status, .. } => Some(status.code()),
        _ => None,
    };
    let told = scene.agent.until("an answer to its REFER", answered).await;
    assert_eq!(told, status);
}

async fn other_heard(scene: &Scene, other: &Other) {
    eventually("two-way audio with the other phone", || {
        other.talk.share_of(CONSUMER_HUM) > 0.9 && scene.consumer_talk.share_of(OTHER_HUM) > 0.9
    })
    .await;
}

/// The consumer's phone has heard one stream, in order, under one name (S34).
fn assert_one_stream(scene: &Scene) {
    let heard = scene.consumer_talk.heard();
    for pair in heard.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(after.ssrc, before.ssrc);
        assert!(after.sequence.wrapping_sub(before.sequence) < 1_000);
    }
}

async fn finish(scene: Scene, running: &Running) {
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_phone_that_refers_is_told_how_it_goes_and_let_go_once_somebody_else_has_the_call() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    let mut other = Other::new(&scene);
    let ring = ReferralAnswer::Ring(other.target());
    refer(&mut scene, &running, ring, 202).await;
    let incoming = other.phone.incoming().await;
    let leg = incoming.leg;
    other.phone.command(Command::Provisional {
        leg,
        status: Status::RINGING,
        answer: None,
    });
    // Nothing has changed while it rings.
    scene.agent_talk.forget();
    scene.both_heard().await;
    other.answer(&scene, incoming);
    assert_eq!(scene.agent.reports().await, [100, 180, 200]);
    scene.agent.ended().await;
    assert!(outcome(&mut scene).await.is_ok());
    other_heard(&scene, &other).await;
    assert!(scene.consumer_talk.share_of(AGENT_HUM) < 0.1);
    assert_one_stream(&scene);
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_referral_to_the_place_that_the_call_is_at_bears_its_trunks_name() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    let fails = || (ReferralAnswer::Fail(404), 202);
    refer_at(&mut scene, &running, (PBX, Some("pbx")), fails()).await;
    assert_eq!(scene.agent.reports().await, [100, 404]);
    let consumers = scene.consumer.address.ip().to_string();
    refer_at(&mut scene, &running, (&consumers, None), fails()).await;
    assert_eq!(scene.agent.reports().await, [100, 404]);
    finish(scene, &running).await;
}

#[tokio::test]
async fn whoever_refuses_or_cannot_be_called_leaves_the_call_as_it_was() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    let mut other = Other::new(&scene);
    let ring = ReferralAnswer::Ring(other.target());
    refer(&mut scene, &running, ring, 202).await;
    let leg = other.phone.incoming().await.leg;
    let (status, reason) = (Status::BUSY_HERE, None);
    other.phone.command(Command::Reject {
        leg,
        status,
        reason,
    });
    assert_eq!(scene.agent.reports().await, [100, 486]);
    assert_eq!(outcome(&mut scene).await, Err(TransferFailure::Busy));
    refer(&mut scene, &running, ReferralAnswer::Fail(403), 202).await;
    assert_eq!(scene.agent.reports().await, [100, 403]);
    refer(&mut scene, &running, ReferralAnswer::Refuse(603), 603).await;
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn the_consumers_side_refers_nobody() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    let leg = running.consumer_leg;
    assert_eq!(scene.consumer.refer(leg, "<sip:300@pbx>").await, 603);
    let status = scene.agent.refer(running.agent_leg, "<tel:300>").await;
    assert_eq!(status, 416);
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_phone_may_hang_up_before_anybody_has_answered() {
    for answers in [true, false] {
        let mut scene = Scene::new();
        let running = talking(&mut scene).await;
        let mut other = Other::new(&scene);
        let ring = ReferralAnswer::Ring(other.target());
        refer(&mut scene, &running, ring, 202).await;
        let incoming = other.phone.incoming().await;
        let (leg, reason) = (running.agent_leg, None);
        scene.agent.command(Command::Hangup { leg, reason });
        scene.agent.ended().await;
        if answers {
            other.answer(&scene, incoming);
            assert!(outcome(&mut scene).await.is_ok());
            other_heard(&scene, &other).await;
            finish(scene, &running).await;
        } else {
            let (leg, status, reason) = (incoming.leg, Status::BUSY_HERE, None);
            other.phone.command(Command::Reject {
                leg,
                status,
                reason,
            });
            assert_eq!(scene.ended().await, EndCause::Agent);
            scene.is_empty().await;
        }
    }
}

#[tokio::test]
async fn a_call_that_names_the_agents_leg_takes_its_place() {
    for has_offer in [true, false] {
        let mut scene = Scene::new();
        let running = talking(&mut scene).await;
        let mut other = Other::new(&scene);
        let place = scene.agent.place_of(running.agent_leg);
        let ours = description(other.talk.local);
        let offer = has_offer.then(|| ours.offer());
        let leg = other.phone.call_for(&place, scene.server, offer);
        assert_eq!(referred(&mut scene).await.wish, ReferralWish::Replace);
        scene.node.refer(&running.id, ReferralAnswer::Take).unwrap();
        let theirs = other.phone.answered().await.unwrap();
        if !has_offer {
            let answer = ours.answer(&theirs).unwrap();
            other.phone.command(Command::AckAnswer { leg, answer });
        }
        other.talk.talk_to(media_of(&theirs, scene.server.ip()));
        assert!(outcome(&mut scene).await.is_ok());
        scene.agent.ended().await;
        other_heard(&scene, &other).await;
        assert_one_stream(&scene);
        finish(scene, &running).await;
    }
}

#[tokio::test]
async fn a_call_for_a_place_that_is_not_to_be_had_is_refused() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    let mut other = Other::new(&scene);
    let place = scene.agent.place_of(running.agent_leg);
    let offer = Some(description(other.talk.local).offer());
    let mut unknown = place.clone();
    unknown.to_tag.push('x');
    other.phone.call_for(&unknown, scene.server, offer.clone());
    assert_eq!(other.phone.failed().await, 481);
    // The consumer's place is nobody's to take, nor may the trunk take the agent's.
    let consumers = scene.consumer.place_of(running.consumer_leg);
    other
        .phone
        .call_for(&consumers, scene.server, offer.clone());
    assert_eq!(other.phone.failed().await, 603);
    let consumer_offer = Some(description(scene.consumer_talk.local).offer());
    scene
        .consumer
        .call_for(&place, scene.server, consumer_offer);
    assert_eq!(scene.consumer.failed().await, 603);
    other.phone.call_for(&place, scene.server, offer);
    referred(&mut scene).await;
    let refusal = ReferralAnswer::Refuse(603);
    scene.node.refer(&running.id, refusal).unwrap();
    assert_eq!(other.phone.failed().await, 603);
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running).await;
}

/// The agent's phone has spoken to somebody over a second call, and joins both.
async fn joins(hangs_up_first: bool) {
    let mut scene = Scene::with(|config| {
        config
            .peers
            .push(peer("consulted", "127.0.0.4", voice::MediaSource::Latch));
    });
    let running = talking(&mut scene).await;
    let mut third = Other {
        phone: Phone::new("third", "127.0.0.4", scene.server),
        talk: Talker::new("127.0.0.4", OTHER_HUM),
    };
    let consult_talk = Talker::new(PBX, 500.0);
    let offer = description(consult_talk.local).offer();
    let consult = scene.agent.call("400", scene.server, Some(offer));
    let second = scene.incoming().await;
    let protection = domain::service::ProtectionScope::Capture;
    scene
        .node
        .route(&second.id, third.target(), protection)
        .unwrap();
    let incoming = third.phone.incoming().await;
    third.answer(&scene, incoming);
    scene.agent.answered().await;
    let place = scene.agent.place_of(consult);
    let mut escaped = String::new();
    for byte in place.to_string().bytes() {
        escaped.push_str(&format!("%{byte:02X}"));
    }
    let to = format!("<sip:400@{}?Replaces={escaped}>", scene.server);
    let (leg, to) = (
        running.agent_leg,
        sip::NameAddr::parse(to.as_bytes()).unwrap(),
    );
    scene.agent.command(Command::Refer { leg, to });
    let asked = referred(&mut scene).await;
    assert_eq!(asked.wish, ReferralWish::Join(second.id.clone()));
    scene.node.refer(&running.id, ReferralAnswer::Take).unwrap();
    let offered = |event| match event {
        Event::Offered { leg, offer } => Some((leg, offer.unwrap())),
        _ => None,
    };
    let (leg, offer) = third.phone.until("an offer", offered).await;
    if hangs_up_first {
        let (leg, reason) = (consult, None);
        scene.agent.command(Command::Hangup { leg, reason });
        scene.agent.ended().await;
    }
    let mut ours = description(third.talk.local);
    ours.version = 2;
    let answer = ours.answer(&offer).unwrap();
    third.phone.command(Command::AcceptOffer { leg, answer });
    third.talk.talk_to(media_of(&offer, scene.server.ip()));
    // Who waits for the end of a call has passed over the 100.
    assert_eq!(scene.agent.reports().await.last(), Some(&200));
    let told = |said| match said {
        Said::Transferred(outcome) => Some(outcome),
        _ => None,
    };
    assert!(scene.until("the outcome", told).await.is_ok());
    other_heard(&scene, &third).await;
    assert_one_stream(&scene);
    eventually("one call", || scene.node.counters().calls == 1).await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn two_calls_of_one_phone_are_joined() {
    joins(false).await;
}

#[tokio::test]
async fn the_second_call_may_end_for_the_phone_before_they_are() {
    joins(true).await;
}
