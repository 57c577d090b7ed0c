//! The thread that SIP has to itself.
//! Owns: the thread, its runtime, and that both end with the node.
//! Never: knows what the node does.
//!
//! Signalling shares no thread with pages, calls' own tasks and the store: a flood at its port takes its turn from nobody, and a busy page
//! takes none from a ringing call. What must not wait behind each other is done elsewhere: connections and handshakes of TLS on the
//! runtime that the node was started in, sound on the media threads.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use domain::boundary::CallEvents;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::config::NodeConfig;
use super::exchange::Exchange;
use super::{NodeCommand, NodeError, Shared, run};

/// Where a node is reached.
pub(super) struct Bound {
    /// By SIP, on the first interface.
    pub(super) sip_first: SocketAddr,
    /// By SIP, on each.
    pub(super) sip: Vec<SocketAddr>,
    /// By browsers' media.
    pub(super) browsers: Option<SocketAddr>,
}

/// The running thread. Dropping it ends it at once, and waits until it has.
pub(super) struct SipThread {
    /// Dropped to say that it is to end.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SipThread {
    /// Starts it and waits until everything is bound.
    pub(super) fn start(
        config: NodeConfig,
        events: Arc<dyn CallEvents>,
        shared: Arc<Shared>,
        commands: mpsc::Receiver<NodeCommand>,
    ) -> Result<(Self, Bound), NodeError> {
        let connections = Handle::current();
        let (stop, stopped) = oneshot::channel();
        let (started, when_started) = std::sync::mpsc::sync_channel(1);
        let body = move || {
            let (runtime, exchange) = match begin(config, events, shared, connections) {
                Ok(begun) => begun,
                Err(error) => {
                    let _nobody_waits = started.send(Err(error));
                    return;
                }
            };
            let _nobody_waits = started.send(Ok(bound(&exchange)));
            runtime.block_on(async {
                tokio::select! {
                    () = run::run(exchange, commands) => {}
                    _dropped = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("sip".to_owned())
            .spawn(body)
            .map_err(NodeError::SystemThread)?;
        let thread = Self {
            stop: Some(stop),
            thread: Some(thread),
        };
        let ended = || NodeError::SystemThread(io::Error::other("it ended as it started"));
        let bound = when_started.recv().map_err(|_| ended())??;
        Ok((thread, bound))
    }
}

impl Drop for SipThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last to hold a node may be what the thread itself lets go of at its end.
        if thread.thread().id() != std::thread::current().id() {
            let _what_panicked_was_said = thread.join();
        }
    }
}

/// What the thread works with. Sockets are bound in its runtime, which reads them.
fn begin(
    config: NodeConfig,
    events: Arc<dyn CallEvents>,
    shared: Arc<Shared>,
    connections: Handle,
) -> Result<(Runtime, Exchange), NodeError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(NodeError::SystemThread)?;
    let exchange = {
        let _entered = runtime.enter();
        Exchange::start(config, events, shared, connections)?
    };
    Ok((runtime, exchange))
}

fn bound(exchange: &Exchange) -> Bound {
    Bound {
        sip_first: exchange.transport.first_bound(),
        sip: exchange.transport.bound().to_vec(),
        browsers: exchange.browser_address(),
    }
}
