//! Many calls over a bad network, and many broken messages.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::{Command, Event, Flow, LegId, Peer, Stack, StackConfig};

use super::world::{Who, World, accepted_lines, account, invite_command, offer, request};

/// Mutated messages of the flood.
const MUTATIONS: usize = 100_000;

#[test]
fn every_call_completes_over_a_network_that_loses_3_percent() {
    let seed = 20_260_731;
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    let mut loss = StdRng::seed_from_u64(seed + 1);
    world.lose(move |_, _| loss.random_bool(0.03));
    let (mut answered, mut confirmed, mut ended) = (0, 0, [0, 0]);
    for _ in 0..2_000 {
        let leg = world.alice.new_leg();
        world.command(
            Who::Alice,
            invite_command(leg, Some(offer(Who::Alice)), None),
        );
        world.run_ms(5);
        serve(
            &mut world,
            &mut random,
            &mut answered,
            &mut confirmed,
            &mut ended,
        );
    }
    for _ in 0..4_000 {
        world.run_ms(20);
        serve(
            &mut world,
            &mut random,
            &mut answered,
            &mut confirmed,
            &mut ended,
        );
    }
    assert_eq!((answered, ended), (2_000, [2_000, 2_000]), "seed {seed}");
    assert!(
        confirmed > 1_900,
        "a BYE may come before a lost ACK is repeated: {confirmed}, seed {seed}"
    );
    assert!(world.alice.counters().repeats > 100);
    world.assert_clean();
}

/// Bob answers at once; either side hangs up as soon as it knows the call is up.
fn serve(
    world: &mut World,
    random: &mut StdRng,
    answered: &mut usize,
    confirmed: &mut usize,
    ended: &mut [usize; 2],
) {
    for (who, event) in std::mem::take(&mut world.events) {
        let hang_up: Option<LegId> = match event {
            Event::Incoming(incoming) => {
                world.command(
                    who,
                    Command::Answer {
                        leg: incoming.leg,
                        answer: offer(who),
                    },
                );
                None
            }
            Event::Answered { leg, .. } => {
                *answered += 1;
                random.random_bool(0.5).then_some(leg)
            }
            Event::Confirmed { leg, .. } => {
                *confirmed += 1;
                Some(leg)
            }
            Event::Ended { .. } => {
                ended[usize::from(who == Who::Bob)] += 1;
                None
            }
            other => panic!("{other:?}"),
        };
        if let Some(leg) = hang_up {
            // The far side may have hung up already.
            let _ = world.try_command(who, Command::Hangup { leg, reason: None });
        }
    }
}

/// Messages to begin from: the torture messages and a call's own.
fn corpus() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(super::rfc4475::FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut corpus: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let mut world = World::new();
    let (alice, _) = world.talk();
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    world.run_ms(500);
    world.inject(Who::Bob, &request("REGISTER", "Authorization: Digest username=\"a\", realm=\"tonewall\", nonce=\"x\", uri=\"sip:100@192.0.2.20\", response=\"0\", nc=00000001, cnonce=\"q\", qop=auth\r\n"));
    world.inject(
        Who::Bob,
        &request("INFO", "Content-Type: application/dtmf-relay\r\n"),
    );
    let refer = "Refer-To: \"Lee\" <sip:lee@192.0.2.20;method=INVITE?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&X=1>\r\nReferred-By: <sip:a@192.0.2.10>\r\nRefer-Sub: true\r\n";
    world.inject(Who::Bob, &request("REFER", refer));
    let replaces = "Replaces: hand;from-tag=hand;to-tag=1;early-only\r\nRequire: replaces\r\n";
    world.inject(Who::Bob, &request("INVITE", replaces));
    corpus.push(request("REFER", refer).into_bytes());
    corpus.push(request("INVITE", replaces).into_bytes());
    corpus.extend(referrals());
    corpus.extend(world.seen.iter().map(|seen| seen.text.clone().into_bytes()));
    corpus
}

/// A call's own messages of a transfer.
fn referrals() -> Vec<Vec<u8>> {
    let mut world = World::with_transfers();
    let (alice, bob) = world.talk();
    let to = sip::NameAddr::parse(b"<sip:lee@192.0.2.20>").unwrap();
    world.command(Who::Alice, Command::Refer { leg: alice, to });
    world.run_ms(50);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    world.run_ms(50);
    let seen = world.seen.iter();
    seen.map(|seen| seen.text.clone().into_bytes()).collect()
}

fn mutate(random: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] = random.random(),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, b"\r\n \t;,:<>\"\\@=%\0"[random.random_range(0..15)]),
            4 => {
                let end = random.random_range(at..=bytes.len().min(at + 40));
                bytes.drain(at..end);
            }
            5 => {
                let end = random.random_range(at..=bytes.len().min(at + 200));
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let other = &corpus[random.random_range(0..corpus.len())];
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes
}

#[test]
fn mutated_messages_never_panic_and_fill_no_table() {
    let seed = 4_475;
    let mut random = StdRng::seed_from_u64(seed);
    let corpus = corpus();
    let start = Instant::now();
    let mut now = start;
    let config = StackConfig {
        takes_transfers: true,
        ..StackConfig::new("n1", 1, [9; 32], Who::Bob.address())
    };
    let mut stack = Stack::new(config, start);
    let peer = Peer {
        name: "sbc".to_owned(),
        addresses: vec![Who::Alice.address().ip()],
        is_trusted: true,
        credentials: None,
    };
    stack
        .command(now, Command::SetPeers { peers: vec![peer] })
        .unwrap();
    stack
        .command(
            now,
            Command::SetPhones {
                accounts: vec![account("a", "b")],
            },
        )
        .unwrap();
    let flow = Flow::udp(Who::Alice.address());
    for round in 0..MUTATIONS {
        let bytes = mutate(&mut random, &corpus);
        stack.handle_datagram(now, flow, &bytes);
        while stack.poll_transmit().is_some() {}
        while let Some(event) = stack.poll_event() {
            act(&mut stack, now, &mut random, event);
        }
        now += Duration::from_millis(random.random_range(0..20));
        stack.handle_timeout(now);
        assert!(stack.counters().legs <= 4_000, "seed {seed}, round {round}");
    }
    now += Duration::from_secs(1_000);
    for _ in 0..1_000 {
        stack.handle_timeout(now);
        while stack.poll_transmit().is_some() {}
        while stack.poll_event().is_some() {}
        now += Duration::from_secs(1);
    }
    let counters = stack.counters();
    assert_eq!(
        (counters.client_transactions, counters.server_transactions),
        (0, 0),
        "{counters:?}"
    );
    assert!(
        counters.malformed > 10_000 && counters.garbage > 1_000,
        "{counters:?}"
    );
}

/// Some answer to what came, so that mutated messages meet every state.
fn act(stack: &mut Stack, now: Instant, random: &mut StdRng, event: Event) {
    let command = match event {
        Event::Incoming(incoming) => match random.random_range(0..4) {
            0 => Command::Answer {
                leg: incoming.leg,
                answer: offer(Who::Bob),
            },
            1 => Command::Hangup {
                leg: incoming.leg,
                reason: None,
            },
            2 => Command::Provisional {
                leg: incoming.leg,
                status: sip::Status::RINGING,
                answer: None,
            },
            _ => {
                let leg = stack.new_leg();
                let mut command = invite_command(leg, Some(offer(Who::Bob)), None);
                if let Command::Invite { flow, .. } = &mut command {
                    *flow = Flow::udp(Who::Alice.address());
                }
                command
            }
        },
        Event::Confirmed { leg, .. } | Event::Answered { leg, .. } => {
            Command::Hangup { leg, reason: None }
        }
        Event::Offered { leg, .. } => Command::AcceptOffer {
            leg,
            answer: offer(Who::Bob),
        },
        _ => return,
    };
    stack.command(now, command).unwrap();
}

#[test]
fn mutated_answers_to_our_calls_never_panic() {
    let seed = 3_261;
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..300 {
        let mut world = World::new();
        world.lose(|_, _| true);
        world.invite_with(random.random_bool(0.5).then(|| offer(Who::Alice)), None);
        let invite = world.last_request(Who::Alice, "INVITE");
        let answers = [
            super::world::reply(&invite, 183, "x", &accepted_lines()).into_bytes(),
            super::world::reply(&invite, 200, "x", &accepted_lines()).into_bytes(),
            super::world::reply(
                &invite,
                407,
                "x",
                "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"",
            )
            .into_bytes(),
        ];
        for _ in 0..20 {
            let bytes = mutate(&mut random, &answers);
            world.inject_from(Who::Alice, Who::Bob.address(), &bytes);
        }
        world.run_ms(70_000);
    }
}
