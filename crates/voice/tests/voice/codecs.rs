//! Which codec each side speaks, and that a capture is one in each.

use domain::boundary::Telephony;
use voice::Codec;

use crate::phone::description;
use crate::scene::{Scene, keys_of};
use crate::talker::{AUDIO, Talker, WIDE};

/// A node whose trunk and PBX may be spoken to in these.
fn scene(trunk: &[Codec], pbx: &[Codec]) -> Scene {
    let codecs = [trunk.to_vec(), pbx.to_vec()];
    Scene::with(|config| {
        for (peer, codecs) in config.peers.iter_mut().zip(codecs) {
            peer.codecs = codecs;
        }
    })
}

const WIDE_FIRST: [Codec; 2] = [Codec::G722, Codec::Pcmu];

fn last_payload_type(talker: &Talker) -> Option<u8> {
    talker.heard().last().map(|one| one.header.payload_type)
}

/// Keys a number into a protected call: it is read, and the agent hears no key of it.
async fn assert_captures(scene: &mut Scene, running: &mut crate::scene::Running) {
    scene.protect(running).await;
    scene.agent_talk.forget();
    scene.consumer_talk.press_tones(&[4, 1, 1, 1, 5, 0]);
    let keys = scene.keys(running, 6).await;
    assert_eq!(keys, keys_of(&[4, 1, 1, 1, 5, 0]));
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    assert!(scene.agent_talk.sound().len() > 8_000);
}

#[tokio::test]
async fn g722_is_spoken_where_both_sides_do_and_keys_are_masked_in_it() {
    let mut scene = scene(&WIDE_FIRST, &WIDE_FIRST);
    scene.consumer_codecs = WIDE_FIRST.to_vec();
    scene.agent_codecs = WIDE_FIRST.to_vec();
    scene.consumer_talk.widen();
    scene.agent_talk.widen();
    let mut running = scene.connect().await;
    assert_eq!(running.offered, WIDE_FIRST);
    assert_eq!(running.answered, [Codec::G722]);
    scene.both_heard().await;
    assert_eq!(last_payload_type(&scene.agent_talk), Some(WIDE));
    assert_captures(&mut scene, &mut running).await;
    assert_eq!(last_payload_type(&scene.agent_talk), Some(WIDE));
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_telephones_band_is_spoken_where_one_side_has_no_more() {
    let mut scene = scene(&WIDE_FIRST, &WIDE_FIRST);
    scene.consumer_codecs = WIDE_FIRST.to_vec();
    let running = scene.connect().await;
    assert_eq!(running.offered, WIDE_FIRST);
    assert_eq!(running.answered, [Codec::Pcmu]);
    scene.both_heard().await;
    assert_eq!(last_payload_type(&scene.consumer_talk), Some(AUDIO));
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn what_the_configuration_does_not_name_is_not_offered() {
    for (trunk, pbx) in [(&Codec::USUAL, &WIDE_FIRST), (&WIDE_FIRST, &Codec::USUAL)] {
        let mut scene = scene(trunk, pbx);
        scene.consumer_codecs = WIDE_FIRST.to_vec();
        scene.agent_codecs = WIDE_FIRST.to_vec();
        let running = scene.connect().await;
        assert_eq!(running.offered, [Codec::Pcmu]);
        assert_eq!(running.answered, [Codec::Pcmu]);
        scene.node.hang_up(&running.id).unwrap();
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn sides_that_share_no_codec_hear_each_other_and_keys_are_masked_between_them() {
    let mut scene = scene(&[Codec::G722], &Codec::USUAL);
    scene.consumer_codecs = vec![Codec::G722];
    scene.consumer_talk.widen();
    let mut running = scene.connect().await;
    assert_eq!(running.offered, Codec::USUAL);
    assert_eq!(running.answered, [Codec::G722]);
    scene.both_heard().await;
    assert_eq!(last_payload_type(&scene.agent_talk), Some(AUDIO));
    assert_eq!(last_payload_type(&scene.consumer_talk), Some(WIDE));
    assert_captures(&mut scene, &mut running).await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn who_offers_nothing_that_is_to_be_spoken_is_refused() {
    let mut scene = scene(&Codec::USUAL, &WIDE_FIRST);
    let mut ours = description(scene.consumer_talk.local);
    ours.codecs = vec![Codec::G722];
    scene.consumer.call("100", scene.server, Some(ours.offer()));
    assert_eq!(scene.consumer.failed().await, 488);
    scene.is_empty().await;
}

/// Signalling alone: what is spoken in Opus is heard in the tests of media, and by phones of others in tests-foreign.
const OPUS_FIRST: [Codec; 2] = [Codec::Opus, Codec::Pcmu];

#[tokio::test]
async fn opus_is_spoken_where_both_sides_do() {
    let mut scene = scene(&OPUS_FIRST, &OPUS_FIRST);
    scene.consumer_codecs = OPUS_FIRST.to_vec();
    scene.agent_codecs = OPUS_FIRST.to_vec();
    let running = scene.connect().await;
    assert_eq!(running.offered, OPUS_FIRST);
    assert_eq!(running.answered, [Codec::Opus]);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn opus_is_transcoded_where_one_side_has_nothing_else() {
    let mut scene = scene(&OPUS_FIRST, &Codec::USUAL);
    scene.consumer_codecs = vec![Codec::Opus];
    let running = scene.connect().await;
    assert_eq!(running.offered, Codec::USUAL);
    assert_eq!(running.answered, [Codec::Opus]);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn opus_that_the_configuration_does_not_name_is_not_offered() {
    let mut scene = scene(&OPUS_FIRST, &Codec::USUAL);
    scene.consumer_codecs = OPUS_FIRST.to_vec();
    let running = scene.connect().await;
    assert_eq!(running.offered, [Codec::Pcmu]);
    assert_eq!(running.answered, [Codec::Pcmu]);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}
