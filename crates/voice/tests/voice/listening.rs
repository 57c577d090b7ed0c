//! Somebody who listens to a call at their page, whispers to its agent and joins it.

use std::time::Duration;

use domain::boundary::{BrowserLegs, ListenerLegs, PhoneAsk, PhoneRefused, PhoneSaid, Telephony};
use domain::id::{CallId, UserId};
use domain::listening::Voice;
use voice::BrowserPorts;

use crate::page::Page;
use crate::scene::{AGENT_HUM, CONSUMER_HUM, Running, Said, Scene, eventually, keys_of};

const SUPERVISOR_HUM: f32 = 700.0;
const CODES: [u8; 8] = [4, 0, 7, 1, 9, 10, 3, 8];

fn supervisor() -> UserId {
    UserId::from_random(70)
}

fn scene() -> Scene {
    Scene::with(|config| config.browser_ports = BrowserPorts::From(0))
}

async fn ask(scene: &Scene, leg: &CallId, ask: PhoneAsk) -> Result<PhoneSaid, PhoneRefused> {
    scene.node.ask(leg, &supervisor(), ask).await
}

/// A page that is offered the leg, and has connected and answered.
async fn hear(scene: &Scene, leg: &CallId) -> Page {
    let PhoneSaid::Offer { offer, .. } = ask(scene, leg, PhoneAsk::Offer).await.unwrap() else {
        panic!("no offer");
    };
    let (page, answer) = Page::answer(&offer, SUPERVISOR_HUM);
    ask(scene, leg, PhoneAsk::Connect { answer }).await.unwrap();
    page.connected().await;
    page
}

async fn listen(scene: &Scene, running: &Running) -> (CallId, Page) {
    let leg = scene.node.listen(&running.id, &supervisor()).await.unwrap();
    let page = hear(scene, &leg).await;
    ask(scene, &leg, PhoneAsk::Answer).await.unwrap();
    (leg, page)
}

async fn hears_both(page: &Page) {
    page.forget();
    eventually("both sides at the page that listens", || {
        page.share_of(CONSUMER_HUM) > 0.3 && page.share_of(AGENT_HUM) > 0.3
    })
    .await;
}

/// Neither side hears the page.
fn hum_at_sides(scene: &Scene) -> (f32, f32) {
    (
        scene.agent_talk.share_of(SUPERVISOR_HUM),
        scene.consumer_talk.share_of(SUPERVISOR_HUM),
    )
}

async fn forget(scene: &Scene) {
    // What was said before is on its way for as long as a strand holds.
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.agent_talk.forget();
    scene.consumer_talk.forget();
    tokio::time::sleep(Duration::from_millis(600)).await;
}

#[tokio::test]
async fn a_page_hears_both_sides_and_is_heard_by_nobody_the_agent_or_both() {
    let mut scene = scene();
    let running = scene.connect().await;
    scene.both_heard().await;
    let (leg, page) = listen(&scene, &running).await;
    hears_both(&page).await;
    forget(&scene).await;
    let (agent, consumer) = hum_at_sides(&scene);
    assert!(agent < 0.01 && consumer < 0.01, "{agent} {consumer}");

    scene.node.speak(&leg, Voice::Agent).unwrap();
    forget(&scene).await;
    let (agent, consumer) = hum_at_sides(&scene);
    assert!(agent > 0.3 && consumer < 0.01, "{agent} {consumer}");
    assert!(scene.agent_talk.share_of(CONSUMER_HUM) > 0.3, "beside it");

    scene.node.speak(&leg, Voice::Both).unwrap();
    forget(&scene).await;
    let (agent, consumer) = hum_at_sides(&scene);
    assert!(agent > 0.3 && consumer > 0.3, "{agent} {consumer}");

    scene.node.speak(&leg, Voice::Nobody).unwrap();
    forget(&scene).await;
    let (agent, consumer) = hum_at_sides(&scene);
    assert!(agent < 0.01 && consumer < 0.01, "{agent} {consumer}");
    scene.node.end_listening(&leg).unwrap();
    let browsers = || scene.node.counters().media.browsers;
    eventually("no page any more", || browsers() == 0).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn keys_of_a_protected_call_are_not_heard_by_whoever_listens_and_their_voice_is_none() {
    let mut scene = scene();
    let mut running = scene.connect().await;
    scene.both_heard().await;
    let (leg, page) = listen(&scene, &running).await;
    hears_both(&page).await;
    scene.node.speak(&leg, Voice::Both).unwrap();
    forget(&scene).await;
    assert!(hum_at_sides(&scene).1 > 0.3, "they have joined");
    scene.protect(&running).await;
    forget(&scene).await;
    let (agent, consumer) = hum_at_sides(&scene);
    assert!(agent < 0.01 && consumer < 0.01, "{agent} {consumer}");
    // Asked for once more: the mask decides.
    scene.node.speak(&leg, Voice::Both).unwrap();
    page.forget();
    scene.consumer_talk.press_tones(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    let second = scene
        .node
        .listen(&running.id, &UserId::from_random(71))
        .await;
    assert!(second.is_ok(), "also while it is protected");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    hears_both(&page).await;
    assert_eq!(page.keys_heard(), 0);
    assert!(hum_at_sides(&scene).1 < 0.01);
    scene.node.unprotect(&running.id).unwrap();
    eventually("the voice of whoever asked to join", || {
        scene.consumer_talk.forget();
        std::thread::sleep(Duration::from_millis(300));
        hum_at_sides(&scene).1 > 0.3
    })
    .await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_leg_that_listens_ends_with_its_call_and_is_nobody_elses() {
    let mut scene = scene();
    let nothing = CallId::from_random(1);
    let none = scene.node.listen(&nothing, &supervisor()).await;
    assert_eq!(none, Err(PhoneRefused::NotFound));
    let running = scene.connect().await;
    scene.both_heard().await;
    let (leg, page) = listen(&scene, &running).await;
    hears_both(&page).await;
    let stranger = UserId::from_random(8);
    let asked = scene.node.ask(&leg, &stranger, PhoneAsk::Offer).await;
    assert_eq!(asked.err(), Some(PhoneRefused::NotFound));
    for number in 0..3 {
        let other = UserId::from_random(100 + number);
        scene.node.listen(&running.id, &other).await.unwrap();
    }
    let fifth = scene
        .node
        .listen(&running.id, &UserId::from_random(200))
        .await;
    assert_eq!(fifth, Err(PhoneRefused::Busy), "four at a time");
    // A page that was loaded anew takes the place of the first.
    drop(page);
    let second = hear(&scene, &leg).await;
    hears_both(&second).await;
    scene.node.hang_up(&running.id).unwrap();
    let mut ends = 0;
    while ends < 5 {
        let told = |said| matches!(said, Said::Ended(_)).then_some(());
        scene.until("an end", told).await;
        ends += 1;
    }
    let browsers = || scene.node.counters().media.browsers;
    eventually("no page any more", || browsers() == 0).await;
    scene.is_empty().await;
    let gone = ask(&scene, &leg, PhoneAsk::Offer).await;
    assert_eq!(gone.err(), Some(PhoneRefused::NotFound));
}
