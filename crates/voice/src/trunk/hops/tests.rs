use std::collections::HashMap;

use sip::Uri;

use super::*;

const OURS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// Answers from a zone until nothing is asked; yields the places as `transport address priority`, and what was asked.
fn resolve(uri: &str, zone: &[(&str, Answer)]) -> (Vec<String>, Vec<String>) {
    let zone: HashMap<&str, &Answer> = zone.iter().map(|(name, answer)| (*name, answer)).collect();
    let uri = Uri::parse(uri.as_bytes()).unwrap();
    let mut resolution = Resolution::new(uri.as_sip().unwrap(), &OURS);
    let mut asked = Vec::new();
    while let Some(question) = resolution.next_question() {
        let (name, none) = match question {
            Question::Services(name) => (name, Answer::Services(Vec::new())),
            Question::Servers(name) => (name, Answer::Servers(Vec::new())),
            Question::Addresses(name) => (name, Answer::Addresses(Vec::new())),
        };
        let is_kind =
            |answer: &&&Answer| std::mem::discriminant(**answer) == std::mem::discriminant(&none);
        let answer = zone
            .get(name.as_str())
            .filter(is_kind)
            .map(|answer| (*answer).clone());
        resolution.answer(answer.unwrap_or(none));
        asked.push(name);
    }
    let places = resolution.candidates().iter().map(|candidate| {
        let Hop {
            address, transport, ..
        } = &candidate.hop;
        let (liked, priority) = candidate.priority;
        format!("{transport} {address} {liked}.{priority}")
    });
    (places.collect(), asked)
}

fn addresses(list: &[&str]) -> Answer {
    Answer::Addresses(list.iter().map(|text| text.parse().unwrap()).collect())
}

fn servers(list: &[(u16, u16, u16, &str)]) -> Answer {
    let server = |(priority, weight, port, target): &(u16, u16, u16, &str)| ServerRecord {
        priority: *priority,
        weight: *weight,
        port: *port,
        target: (*target).to_owned(),
    };
    Answer::Servers(list.iter().map(server).collect())
}

#[test]
fn an_address_is_asked_nobody() {
    let (places, asked) = resolve("sip:192.0.2.7", &[]);
    assert_eq!(
        (places, asked.len()),
        (vec!["UDP 192.0.2.7:5060 0.0".to_owned()], 0)
    );
    assert_eq!(
        resolve("sips:[2001:db8::7]", &[]).0,
        ["TLS [2001:db8::7]:5061 0.0"]
    );
    assert_eq!(
        resolve("sip:192.0.2.7:5080;transport=tcp", &[]).0,
        ["TCP 192.0.2.7:5080 0.0"]
    );
}

#[test]
fn a_port_leaves_only_the_address_to_be_asked() {
    let zone = [("sbc.example", addresses(&["192.0.2.1", "2001:db8::1"]))];
    let (places, asked) = resolve("sip:sbc.example:5080", &zone);
    assert_eq!(
        places,
        ["UDP 192.0.2.1:5080 0.0", "UDP [2001:db8::1]:5080 0.0"]
    );
    assert_eq!(asked, ["sbc.example"]);
}

#[test]
fn naptr_says_which_transports_there_are_and_their_order() {
    let service = |order, service: &str, replacement: &str| ServiceRecord {
        order,
        preference: 0,
        service: service.to_owned(),
        replacement: replacement.to_owned(),
    };
    let zone = [
        (
            "carrier.example",
            Answer::Services(vec![
                service(20, "SIP+D2U", "_sip._udp.carrier.example"),
                service(10, "SIPS+D2T", "_sips._tcp.edge.carrier.example"),
                service(5, "SIP+D2W", "_sip._ws.carrier.example"),
            ]),
        ),
        (
            "_sip._udp.carrier.example",
            servers(&[(10, 0, 5060, "a.carrier.example")]),
        ),
        (
            "_sips._tcp.edge.carrier.example",
            servers(&[
                (20, 0, 5061, "b.carrier.example"),
                (10, 0, 5071, "a.carrier.example"),
            ]),
        ),
        ("a.carrier.example", addresses(&["192.0.2.1"])),
        ("b.carrier.example", addresses(&["192.0.2.2"])),
    ];
    let (places, asked) = resolve("sip:carrier.example", &zone);
    assert_eq!(
        places,
        [
            "TLS 192.0.2.2:5061 0.20",
            "TLS 192.0.2.1:5071 0.10",
            "UDP 192.0.2.1:5060 1.10"
        ]
    );
    assert!(
        !asked
            .iter()
            .any(|name| name.contains("_ws") || name == "_sip._tcp.carrier.example")
    );
}

#[test]
fn without_naptr_each_transport_of_ours_is_asked_for_and_without_srv_the_domain_itself() {
    let zone = [
        (
            "_sip._tcp.pbx.example",
            servers(&[(0, 0, 5062, "pbx.example")]),
        ),
        ("pbx.example", addresses(&["192.0.2.9"])),
    ];
    assert_eq!(
        resolve("sip:pbx.example", &zone).0,
        ["TCP 192.0.2.9:5062 1.0"]
    );
    let zone = [("pbx.example", addresses(&["192.0.2.9"]))];
    let (places, asked) = resolve("sip:pbx.example", &zone);
    assert_eq!(places, ["UDP 192.0.2.9:5060 0.0"]);
    assert_eq!(asked.len(), 5, "NAPTR, three SRV, addresses: {asked:?}");
    let (places, _) = resolve("sip:pbx.example;transport=tls", &zone);
    assert_eq!(places, ["TLS 192.0.2.9:5061 0.0"]);
}

#[test]
fn a_domain_that_has_nothing_is_asked_once_and_has_no_places() {
    let (places, asked) = resolve("sip:nowhere.example", &[]);
    assert_eq!((places.len(), asked.len()), (0, 5));
    let refused = [("_sip._udp.nowhere.example", servers(&[(0, 0, 0, ".")]))];
    assert_eq!(
        resolve("sip:nowhere.example;transport=udp", &refused)
            .0
            .len(),
        0
    );
}

#[test]
fn endless_answers_are_bounded() {
    let many: Vec<(u16, u16, u16, &str)> = (0..500).map(|n| (n, 0, 5060, "a.example")).collect();
    let zone = [
        ("_sip._udp.a.example", servers(&many)),
        ("a.example", addresses(&["192.0.2.1"; 100])),
    ];
    let (places, asked) = resolve("sip:a.example;transport=udp", &zone);
    assert!(places.len() <= CANDIDATES_MAX && asked.len() <= QUESTIONS_MAX);
}

#[test]
fn places_are_drawn_by_weight_within_a_priority() {
    let candidate = |last: u8, priority, weight| Candidate {
        hop: Hop {
            address: SocketAddr::from(([192, 0, 2, last], 5060)),
            transport: Transport::Udp,
            name: None,
        },
        priority: (0, priority),
        weight,
    };
    let all = [
        candidate(3, 20, 0),
        candidate(1, 10, 30),
        candidate(2, 10, 10),
    ];
    let last = |hop: &Hop| match hop.address.ip() {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(_) => 0,
    };
    let mut firsts = [0_u32; 4];
    for draw in 0..41 {
        // The second draw, of the one that is left, is the same whatever is drawn.
        let order: Vec<u8> = in_order(&all, |bound| draw % bound)
            .iter()
            .map(last)
            .collect();
        assert_eq!(order.len(), 3);
        assert_eq!(order[2], 3, "a later priority comes last");
        firsts[usize::from(order[0])] += 1;
    }
    assert_eq!(firsts, [0, 31, 10, 0], "in the ratio of 30 to 10");
}
