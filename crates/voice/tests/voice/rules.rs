//! What crosses from one side of a call to the other, and how numbers and callers are written there.

use std::net::SocketAddr;

use domain::boundary::{IncomingCall, RouteTarget, Telephony};
use domain::service::ProtectionScope;
use sip::{Command, HeaderName, Host, LegId, NameAddr, Uri};
use voice::{NodeConfig, NumberRule};

use crate::phone::{Phone, description};
use crate::scene::{PBX, Scene, TRUNK};

/// A far side at the PBX's address that is its only place.
fn place() -> Phone {
    Phone::new("place", PBX, SocketAddr::new(TRUNK.parse().unwrap(), 0))
}

fn scene(there: &Phone, change: impl FnOnce(&mut NodeConfig)) -> Scene {
    let uri = Uri::parse(format!("sip:{}", there.address).as_bytes()).unwrap();
    Scene::with(|config| {
        config.peers[1].places = vec![uri];
        change(config);
    })
}

fn field(name: &str, value: &str) -> (HeaderName, String) {
    (HeaderName::from(name), value.to_owned())
}

/// The consumer calls this number with these fields; the call goes to that number of the trunk "pbx".
async fn call(
    scene: &mut Scene,
    (called, number): (&str, &str),
    headers: Vec<(HeaderName, String)>,
) -> (LegId, IncomingCall) {
    let leg = scene.consumer.new_leg();
    let offer = description(scene.consumer_talk.local).offer();
    let at = scene.server;
    let uri = |user: &str| Uri::sip(Some(user), Host::Ip(at.ip()), Some(at.port()));
    scene.consumer.command(Command::Invite {
        leg,
        target: uri(called),
        to: None,
        from: NameAddr::new(uri("015550100")).with_display("Ada"),
        flow: sip::Flow::udp(at),
        offer: Some(offer),
        max_forwards: None,
        headers,
        credentials: None,
    });
    let call = scene.incoming().await;
    let target = RouteTarget::Trunk {
        trunk: "pbx".to_owned(),
        number: number.to_owned(),
    };
    let routed = scene.node.route(&call.id, target, ProtectionScope::Capture);
    routed.unwrap();
    (leg, call)
}

fn told<'a>(incoming: &'a sip::Incoming, name: &str) -> Vec<&'a str> {
    let name = HeaderName::from(name);
    let fields = incoming.carried.iter().filter(|(one, _)| *one == name);
    fields.map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn route_names_a_trunk_and_rules_say_what_crosses_and_how_numbers_are_written() {
    let mut there = place();
    let mut scene = scene(&there, |config| {
        let [carrier, pbx] = &mut config.peers[..] else {
            panic!("two peers")
        };
        carrier.headers.strip = vec![HeaderName::from("X-Internal")];
        carrier.numbers.calling = vec![NumberRule::Country("49".to_owned())];
        pbx.headers.pass = ["User-to-User", "Diversion", "X-Internal"]
            .map(HeaderName::from)
            .into();
        pbx.headers.add = vec![field("X-Site", "berlin")];
        pbx.numbers.called = vec![NumberRule::Prefix {
            prefix: "+49".to_owned(),
            digits: None,
            with: "0".to_owned(),
        }];
    });
    let headers = vec![
        field("User-to-User", "00c0ffee;encoding=hex"),
        field("Diversion", "<sip:one@h>"),
        field("Diversion", "<sip:two@h>"),
        field("X-Internal", "secret"),
        field("X-Other", "1"),
        field("X-Site", "theirs"),
    ];
    let (_, told_us) = call(&mut scene, ("100", "+4930200"), headers).await;
    assert_eq!(told_us.caller_number, "+4915550100");
    let incoming = there.incoming().await;
    assert_eq!(incoming.request_uri.user(), Some("030200"));
    assert_eq!(incoming.from.uri.user(), Some("+4915550100"));
    assert_eq!(told(&incoming, "User-to-User"), ["00c0ffee;encoding=hex"]);
    assert_eq!(told(&incoming, "Diversion"), ["<sip:one@h>", "<sip:two@h>"]);
    assert_eq!(told(&incoming, "X-Site"), ["berlin"]);
    for name in ["X-Internal", "X-Other"] {
        assert!(told(&incoming, name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn asserted_identity_goes_to_trusted_far_sides_and_what_is_to_be_withheld_to_no_other() {
    for is_trusted in [true, false] {
        let mut there = place();
        let mut scene = scene(&there, |config| {
            config.peers[1].is_trusted = is_trusted;
            config.peers[1]
                .headers
                .pass
                .push(HeaderName::from("Remote-Party-ID"));
        });
        let headers = vec![
            field(
                "P-Asserted-Identity",
                "\"Ada\" <sip:+15550100@carrier.example>",
            ),
            field("Privacy", "id"),
            field("Remote-Party-ID", "<sip:+15550100@carrier.example>"),
        ];
        let (_, call) = call(&mut scene, ("100", "200"), headers).await;
        assert_eq!(
            (call.caller.as_str(), call.caller_number.as_str()),
            ("Anonymous", "")
        );
        let incoming = there.incoming().await;
        let from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
        assert!(
            incoming.from.to_string().starts_with(from),
            "{}",
            incoming.from
        );
        let asserted = incoming
            .asserted_identity
            .as_ref()
            .map(|one| one.uri.user().unwrap());
        assert_eq!(asserted, is_trusted.then_some("+15550100"));
        assert_eq!(incoming.privacy.identity, is_trusted);
        assert_eq!(
            told(&incoming, "Remote-Party-ID").len(),
            usize::from(is_trusted)
        );
    }
}

#[tokio::test]
async fn identity_of_a_far_side_that_is_not_trusted_is_not_believed() {
    let mut there = place();
    let mut scene = scene(&there, |config| config.peers[0].is_trusted = false);
    let headers = vec![field(
        "P-Asserted-Identity",
        "<sip:+15550199@carrier.example>",
    )];
    let (_, call) = call(&mut scene, ("100", "200"), headers).await;
    assert_eq!(call.caller_number, "015550100");
    assert_eq!(there.incoming().await.asserted_identity, None);
}

#[tokio::test]
async fn signature_passes_with_its_date_where_both_numbers_stay_and_not_where_one_is_another() {
    let date = "Thu, 01 Jan 2026 00:00:00 GMT";
    let signed = || {
        vec![
            field("Identity", "eyJ.a.b;info=<https://c.example>"),
            field("Date", date),
        ]
    };
    let mut there = place();
    let mut scene = scene(&there, |_| ());
    let (leg, _) = call(&mut scene, ("+15550199", "+15550199"), signed()).await;
    let incoming = there.incoming().await;
    assert_eq!(
        told(&incoming, "Identity"),
        ["eyJ.a.b;info=<https://c.example>"]
    );
    assert_eq!(told(&incoming, "Date"), [date]);
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.ended().await;
    call(&mut scene, ("+15550199", "200"), signed()).await;
    let incoming = there.incoming().await;
    assert!(incoming.carried.is_empty(), "{:?}", incoming.carried);
}

#[tokio::test]
async fn route_to_a_trunk_that_is_not_there_or_has_no_places_is_480() {
    let mut scene = Scene::new();
    for trunk in ["nobody", "pbx"] {
        let offer = description(scene.consumer_talk.local).offer();
        scene.consumer.call("100", scene.server, Some(offer));
        let call = scene.incoming().await;
        let target = RouteTarget::Trunk {
            trunk: trunk.to_owned(),
            number: "200".to_owned(),
        };
        let routed = scene.node.route(&call.id, target, ProtectionScope::Capture);
        routed.unwrap();
        assert_eq!(scene.consumer.failed().await, 480, "{trunk}");
    }
}
