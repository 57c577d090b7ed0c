//! Agents whose phone is the browser.

use std::net::UdpSocket;
use std::time::Duration;

use domain::boundary::{
    BrowserLegs, EndCause, IncomingCall, PhoneAsk, PhoneRefused, PhoneSaid, RouteTarget, Telephony,
};
use domain::id::{CallId, UserId};
use domain::view::TransferFailure;
use sip::sdp::Direction;
use sip::{Command, Event, LegId};
use voice::BrowserPorts;

use crate::page::Page;
use crate::phone::{description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, Running, Said, Scene, eventually, keys_of};
use crate::talker::Heard;

/// Every key once, none twice in a row.
const CODES: [u8; 12] = [4, 0, 7, 1, 9, 10, 3, 8, 2, 6, 5, 11];

fn agent() -> UserId {
    UserId::from_random(7)
}

fn target() -> RouteTarget {
    RouteTarget::Browser { user: agent() }
}

/// A node whose port for browsers the system chooses.
fn scene() -> Scene {
    Scene::with(|config| config.browser_ports = BrowserPorts::From(0))
}

async fn offer(scene: &Scene, call: &CallId) -> Result<(String, bool), PhoneRefused> {
    match scene.node.ask(call, &agent(), PhoneAsk::Offer).await? {
        PhoneSaid::Offer { offer, is_answered } => Ok((offer, is_answered)),
        PhoneSaid::Done | PhoneSaid::Restarted { .. } => panic!("no offer"),
    }
}

async fn ask(scene: &Scene, call: &CallId, ask: PhoneAsk) -> Result<(), PhoneRefused> {
    scene.node.ask(call, &agent(), ask).await.map(drop)
}

/// A page that is connected while the call rings, or has been answered elsewhere.
pub(crate) async fn connect_page(scene: &Scene, call: &CallId) -> Page {
    let (offer, _) = offer(scene, call).await.unwrap();
    let (page, answer) = Page::answer(&offer, AGENT_HUM);
    let connect = PhoneAsk::Connect { answer };
    ask(scene, call, connect).await.unwrap();
    page.connected().await;
    page
}

/// The agent takes it in the page.
pub(crate) async fn answer(scene: &Scene, call: &CallId) {
    ask(scene, call, PhoneAsk::Answer).await.unwrap();
}

/// A call that rings in the agent's page.
async fn ring(scene: &mut Scene) -> (IncomingCall, LegId) {
    let offer = description(scene.consumer_talk.local).offer();
    let leg = scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    scene.node.watch(&call.id, scene.watches).unwrap();
    scene
        .node
        .route(&call.id, target(), scene.protection)
        .unwrap();
    scene
        .until("ringing", |said| {
            matches!(said, Said::Ringing).then_some(())
        })
        .await;
    (call, leg)
}

/// A call that the agent has taken in the page.
async fn connect(scene: &mut Scene) -> (Running, Page) {
    let (call, consumer_leg) = ring(scene).await;
    let page = connect_page(scene, &call.id).await;
    let running = take(scene, call, consumer_leg).await;
    both_heard(scene, &page).await;
    (running, page)
}

async fn take(scene: &mut Scene, call: IncomingCall, consumer_leg: LegId) -> Running {
    ask(scene, &call.id, PhoneAsk::Answer).await.unwrap();
    let answer = scene.consumer.answered().await.unwrap();
    let told = |said| match said {
        Said::Answered(legs) => Some(legs),
        _ => None,
    };
    let legs = scene.until("an answer", told).await;
    assert_eq!(legs.consumer, scene.consumer.call_id(consumer_leg));
    assert_eq!(legs.agent, "");
    let at_consumer = media_of(&answer, scene.server.ip());
    scene.consumer_talk.talk_to(at_consumer);
    Running {
        id: call.id,
        keys: call.keys,
        egress: call.egress,
        consumer_leg,
        agent_leg: consumer_leg,
        at_consumer,
        at_agent: at_consumer,
        offered: Vec::new(),
        answered: Vec::new(),
    }
}

pub(crate) async fn both_heard(scene: &Scene, page: &Page) {
    eventually("two-way audio with the page", || {
        page.share_of(CONSUMER_HUM) > 0.9 && scene.consumer_talk.share_of(AGENT_HUM) > 0.9
    })
    .await;
}

async fn finish(scene: Scene, call: &CallId) {
    scene.node.hang_up(call).unwrap();
    scene.is_empty().await;
    let browsers = || scene.node.counters().media.browsers;
    eventually("no leg of a browser", || browsers() == 0).await;
}

#[tokio::test]
async fn a_page_is_connected_while_it_rings_and_the_click_answers() {
    let mut scene = scene();
    let (call, consumer_leg) = ring(&mut scene).await;
    assert_eq!(
        ask(&scene, &call.id, PhoneAsk::Answer).await,
        Err(PhoneRefused::WrongState),
        "before it is connected"
    );
    let page = connect_page(&scene, &call.id).await;
    assert!(page.heard().is_empty(), "nothing is heard while it rings");
    assert_eq!(
        offer(&scene, &call.id)
            .await
            .map(|(_, is_answered)| is_answered),
        Ok(false)
    );
    let running = take(&mut scene, call, consumer_leg).await;
    both_heard(&scene, &page).await;
    assert_eq!(
        ask(&scene, &running.id, PhoneAsk::Decline).await,
        Err(PhoneRefused::WrongState),
        "it was answered"
    );
    let stranger = UserId::from_random(8);
    let asked = scene.node.ask(&running.id, &stranger, PhoneAsk::Offer);
    assert_eq!(asked.await.err(), Some(PhoneRefused::NotFound));
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn keys_of_the_consumer_reach_the_ring_and_not_the_page() {
    let mut scene = scene();
    let (mut running, page) = connect(&mut scene).await;
    scene.protect(&running).await;
    page.forget();
    scene.consumer_talk.press_events(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    eventually("the voice after it", || page.share_of(CONSUMER_HUM) > 0.9).await;
    assert_eq!(page.keys_heard(), 0);
    assert!(page.heard().iter().all(|one| one.header.payload_type == 0));
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn tones_of_the_consumer_reach_the_ring_and_not_the_page() {
    let mut scene = scene();
    let (mut running, page) = connect(&mut scene).await;
    scene.protect(&running).await;
    page.forget();
    scene.consumer_talk.press_tones(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    eventually("the voice after it", || page.share_of(CONSUMER_HUM) > 0.9).await;
    assert_eq!(page.keys_heard(), 0);
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn a_page_that_declines_is_a_refusal_and_a_consumer_who_leaves_takes_the_leg_along() {
    let mut scene = scene();
    let (call, _) = ring(&mut scene).await;
    ask(&scene, &call.id, PhoneAsk::Decline).await.unwrap();
    assert_eq!(scene.ended().await, EndCause::NotAnswered(603));
    let (call, leg) = ring(&mut scene).await;
    let _page = connect_page(&scene, &call.id).await;
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    assert_eq!(scene.ended().await, EndCause::Consumer);
    let asked = ask(&scene, &call.id, PhoneAsk::Answer).await;
    assert_eq!(asked, Err(PhoneRefused::NotFound));
    scene.is_empty().await;
}

#[tokio::test]
async fn the_call_goes_on_from_another_network_and_the_mask_holds_meanwhile() {
    let mut scene = scene();
    let (mut running, page) = connect(&mut scene).await;
    scene.protect(&running).await;
    let offer = page.moves();
    let restart = PhoneAsk::Restart { offer };
    match scene.node.ask(&running.id, &agent(), restart).await {
        Ok(PhoneSaid::Restarted { answer }) => page.moved(answer),
        Ok(_) => panic!("no answer to a restart"),
        Err(error) => panic!("{error}"),
    }
    page.forget();
    scene.consumer_talk.forget();
    both_heard(&scene, &page).await;
    scene.consumer_talk.press_tones(&CODES[..4]);
    let keys = scene.keys(&mut running, 4).await;
    assert!(keys == keys_of(&CODES[..4]), "keys came in another order");
    assert_eq!(page.keys_heard(), 0);
    let offer = "v=0\r\n".to_owned();
    assert_eq!(
        ask(&scene, &running.id, PhoneAsk::Restart { offer }).await,
        Err(PhoneRefused::Description)
    );
    page.forget();
    both_heard(&scene, &page).await;
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn a_page_that_was_loaded_anew_takes_the_place_of_the_first() {
    let mut scene = scene();
    let (running, first) = connect(&mut scene).await;
    let (_, is_answered) = offer(&scene, &running.id).await.unwrap();
    assert!(is_answered);
    drop(first);
    let second = connect_page(&scene, &running.id).await;
    scene.consumer_talk.forget();
    both_heard(&scene, &second).await;
    eventually("one leg", || scene.node.counters().media.browsers == 1).await;
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_taken_leaves_the_call_ringing_for_a_better_one() {
    let mut scene = scene();
    let (call, consumer_leg) = ring(&mut scene).await;
    let answer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n".to_owned();
    assert_eq!(
        ask(&scene, &call.id, PhoneAsk::Connect { answer }).await,
        Err(PhoneRefused::Description)
    );
    let page = connect_page(&scene, &call.id).await;
    let running = take(&mut scene, call, consumer_leg).await;
    both_heard(&scene, &page).await;
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn a_call_is_handed_over_to_a_page_and_held_by_the_consumer() {
    let mut scene = scene();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.node.transfer(&running.id, target()).unwrap();
    let page = connect_page(&scene, &running.id).await;
    ask(&scene, &running.id, PhoneAsk::Answer).await.unwrap();
    let told = |said| match said {
        Said::Transferred(outcome) => Some(outcome),
        _ => None,
    };
    let legs = scene.until("a transfer's outcome", told).await.unwrap();
    assert_eq!(legs.agent, "");
    scene.agent.ended().await;
    both_heard(&scene, &page).await;
    for (direction, version, held) in [
        (Direction::SendOnly, 2, true),
        (Direction::SendRecv, 3, false),
    ] {
        let mut ours = description(scene.consumer_talk.local);
        (ours.direction, ours.version) = (direction, version);
        scene.consumer.command(Command::Reinvite {
            leg: running.consumer_leg,
            offer: ours.offer(),
        });
        let answered = |event| matches!(event, Event::OfferAnswered { .. }).then_some(());
        scene.consumer.until("its answer", answered).await;
        let told = |said| match said {
            Said::Held(held) => Some(held),
            _ => None,
        };
        assert_eq!(scene.until("hold", told).await, held);
    }
    page.forget();
    both_heard(&scene, &page).await;
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn a_page_that_declines_a_transfer_leaves_the_call_with_its_agent() {
    let mut scene = scene();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.node.transfer(&running.id, target()).unwrap();
    ask(&scene, &running.id, PhoneAsk::Decline).await.unwrap();
    let told = |said| match said {
        Said::Transferred(outcome) => Some(outcome),
        _ => None,
    };
    let outcome = scene.until("a transfer's outcome", told).await;
    assert_eq!(outcome, Err(TransferFailure::Declined));
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running.id).await;
}

/// The stream has no packet twice, none too late, and none is missing.
fn is_whole(heard: &[Heard]) -> bool {
    let mut pairs = heard.windows(2);
    let step = |pair: &[Heard]| {
        pair[1]
            .header
            .sequence
            .wrapping_sub(pair[0].header.sequence)
    };
    heard.len() > 1 && pairs.all(|pair| step(pair) == 1)
}

#[tokio::test]
async fn packets_that_a_page_has_sent_before_are_heard_once() {
    let mut scene = scene();
    let (running, page) = connect(&mut scene).await;
    let heard = || scene.consumer_talk.heard().len();
    eventually("a second of the page", || heard() > 50).await;
    let heard_before = scene.node.counters().media.packets_in;
    scene.consumer_talk.forget();
    page.replay();
    both_heard(&scene, &page).await;
    eventually("more of the page", || {
        scene.consumer_talk.heard().len() > 50
    })
    .await;
    assert!(is_whole(&scene.consumer_talk.heard()));
    eventually("what media has taken", || {
        scene.node.counters().media.packets_in > heard_before
    })
    .await;
    assert_eq!(dropped(&scene), 0, "a packet came twice to the relay");
    finish(scene, &running.id).await;
}

fn dropped(scene: &Scene) -> u64 {
    scene.node.counters().media.dropped.iter().sum()
}

#[tokio::test]
async fn garbage_and_replays_beside_a_call_are_counted_and_cost_it_nothing() {
    let mut scene = scene();
    let (running, page) = connect(&mut scene).await;
    let at = scene.node.browser_address().unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let replayed = page.sent();
    page.forget();
    scene.consumer_talk.forget();
    let refused = || scene.node.counters().media.browser_datagrams_refused;
    let mut sent = 0;
    for round in 0..50_u8 {
        let hello = [
            &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, round, 0, 4, 1, 0, 0, 0][..],
            &[0xFF; 64],
        ]
        .concat();
        let check = [
            &[0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42][..],
            &[round; 12],
            &[0, 6, 0, 3],
            b"x:y\0",
        ]
        .concat();
        let sealed = [
            &[0x80, 0, 0, round, 0, 0, 0, 0, 1, 2, 3, 4][..],
            &[round; 172],
        ]
        .concat();
        let report = [&[0x80, 200, 0, 6][..], &[round; 40]].concat();
        for bytes in [
            &hello,
            &check,
            &sealed,
            &report,
            &vec![round; 7],
            &Vec::new(),
        ] {
            stranger.send_to(bytes, at).unwrap();
            sent += 1;
        }
        // Of a true page, but from another place: its DTLS and SRTP are nobody's there, and its checks are those of the page itself.
        for bytes in replayed.iter().filter(|bytes| bytes[0] > 1).take(4) {
            stranger.send_to(bytes, at).unwrap();
            sent += 1;
        }
        // 600 a second, so that the kernel has room for all of them.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    eventually("all of them counted", || refused() >= sent).await;
    both_heard(&scene, &page).await;
    assert!(is_whole(&page.heard()), "on the way to the page");
    let heard = scene.consumer_talk.heard();
    assert!(is_whole(&heard), "on the way to the consumer");
    finish(scene, &running.id).await;
}

#[tokio::test]
async fn a_test_plays_the_agents_voice_back_and_ends_by_itself() {
    let mut scene = scene();
    let test = scene.node.test_browser(&agent()).await.unwrap();
    let page = connect_page(&scene, &test).await;
    ask(&scene, &test, PhoneAsk::Answer).await.unwrap();
    eventually("the voice", || page.share_of(AGENT_HUM) > 0.9).await;
    assert_eq!(scene.ended().await, EndCause::Local);
    let sound = page.sound();
    let tone = crate::talker::share_in(&sound[..3_600.min(sound.len())], 400.0);
    assert!(tone > 0.9, "{tone}");
    scene.is_empty().await;
}

#[tokio::test]
async fn without_a_port_there_are_no_phones_in_pages() {
    let mut scene = Scene::new();
    let tried = scene.node.test_browser(&agent()).await;
    assert_eq!(tried, Err(PhoneRefused::Unavailable));
    assert_eq!(scene.node.browser_address(), None);
    let offer = description(scene.consumer_talk.local).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    scene
        .node
        .route(&call.id, target(), scene.protection)
        .unwrap();
    assert_eq!(scene.ended().await, EndCause::NotAnswered(503));
    scene.is_empty().await;
}
