//! OPTIONS that we send to see whether somebody is there.

use std::time::Duration;

use sip::{Command, Event, Flow, Status};

use super::world::{Who, World, uri};

fn probe(world: &mut World, number: u64) {
    let command = Command::Probe {
        number,
        target: uri("sip:192.0.2.20"),
        flow: Flow::udp(Who::Bob.address()),
    };
    world.command(Who::Alice, command);
}

fn probed(world: &mut World) -> (u64, u16, Option<Duration>) {
    match world.take_event(Who::Alice) {
        Event::Probed {
            number,
            status,
            retry_after,
        } => (number, status.code(), retry_after),
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_far_side_that_is_there_says_so() {
    let mut world = World::new();
    probe(&mut world, 7);
    world.run_ms(100);
    assert_eq!(probed(&mut world), (7, 200, None));
    assert_eq!(world.labels(), ["A OPTIONS", "B 200 OPTIONS"]);
    world.run(Duration::from_secs(40));
    assert_eq!(world.alice.counters().client_transactions, 0);
}

#[test]
fn silence_is_told_once_after_32_s() {
    let mut world = World::new();
    world.lose(|who, _| who == Who::Alice);
    probe(&mut world, 7);
    world.run(Duration::from_secs(31));
    assert_eq!(world.take_events(Who::Alice), []);
    world.run(Duration::from_secs(40));
    assert_eq!(probed(&mut world), (7, 408, None));
    assert_eq!(world.take_events(Who::Alice), []);
}

#[test]
fn a_503_says_for_how_long() {
    let mut world = World::new();
    world.lose(|who, _| who == Who::Bob);
    probe(&mut world, 7);
    world.run_ms(50);
    let answer = world.last_text(Who::Bob, "200 OPTIONS");
    let answer = answer.replace("200 OK", "503 Service Unavailable");
    let answer = answer.replace(
        "Content-Length: 0",
        "Retry-After: 20 (busy)\r\nContent-Length: 0",
    );
    world.inject(Who::Alice, &answer);
    world.run_ms(50);
    let status = Status::SERVICE_UNAVAILABLE.code();
    assert_eq!(
        probed(&mut world),
        (7, status, Some(Duration::from_secs(20)))
    );
}
