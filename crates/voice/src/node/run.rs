//! The SIP thread's loop.
//! Owns: the order in which its inputs get their turn.
//! Never: knows what they mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::NodeCommand;
use super::exchange::Exchange;

/// Commands taken in one turn, so that SIP and media get theirs.
const COMMANDS_PER_TURN_MAX: usize = 64;

/// How long far sides get to acknowledge the end of their calls, and registrars that of our registrations. What has not been answered by then stays unanswered.
const FAREWELL_WAIT: Duration = Duration::from_secs(3);

/// Time between two looks whether they have.
const FAREWELL_LOOK: Duration = Duration::from_millis(20);

/// A pause after a socket error, so that a broken socket does not make a busy loop.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Runs until the node is dropped, or shut down.
pub(super) async fn run(mut exchange: Exchange, mut commands: mpsc::Receiver<NodeCommand>) {
    if let Some(done) = turns(&mut exchange, &mut commands).await {
        say_farewell(&mut exchange).await;
        exchange.stop_media(Instant::now());
        let _nobody_waits = done.send(());
    }
}

/// Runs until told to shut down; none if nobody is left to say so.
async fn turns(
    exchange: &mut Exchange,
    commands: &mut mpsc::Receiver<NodeCommand>,
) -> Option<oneshot::Sender<()>> {
    loop {
        let wake_at = exchange.next_timeout(Instant::now());
        let shared = Arc::clone(&exchange.shared);
        let news = Arc::clone(&exchange.media_news);
        tokio::select! {
            ready = exchange.transport.readable() => {
                if ready.is_err() {
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
                // Among inputs that wait at once one is drawn: a phone that was given before it called is known when it is heard.
                exchange.take_phones(Instant::now());
                exchange.take_messages();
            }
            command = commands.recv() => {
                if let Some(done) = obey(exchange, command?, commands) {
                    return Some(done);
                }
            }
            () = shared.phones_changed.notified() => exchange.take_phones(Instant::now()),
            news = exchange.places.names.next() => exchange.take_news(Instant::now(), news),
            () = news.notified() => {}
            () = sleep_until(wake_at) => {}
        }
        exchange.take_reports(Instant::now());
        exchange.see_to_timers(Instant::now());
    }
}

/// Carries out a command and those that wait behind it; yields who asked for the end.
fn obey(
    exchange: &mut Exchange,
    first: NodeCommand,
    commands: &mut mpsc::Receiver<NodeCommand>,
) -> Option<oneshot::Sender<()>> {
    let mut next = first;
    for turn in 1..=COMMANDS_PER_TURN_MAX {
        match next {
            NodeCommand::Shutdown(done) => {
                exchange.close(Instant::now());
                return Some(done);
            }
            command => exchange.obey(Instant::now(), command),
        }
        if turn == COMMANDS_PER_TURN_MAX {
            break;
        }
        next = commands.try_recv().ok()?;
    }
    None
}

async fn say_farewell(exchange: &mut Exchange) {
    let until = Instant::now() + FAREWELL_WAIT;
    let is_awaited = |stack: &sip::Stack| stack.counters().legs > 0 || stack.is_unregistering();
    while Instant::now() < until && is_awaited(&exchange.stack) {
        tokio::select! {
            _ready = exchange.transport.readable() => exchange.take_messages(),
            () = tokio::time::sleep(FAREWELL_LOOK) => {}
        }
        exchange.see_to_timers(Instant::now());
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
