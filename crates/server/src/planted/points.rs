//! Points of a charge at which the process ends as by `kill -9`, for the campaign that asks what the ledger says then (`make fault-payments`).
//! Owns: the points, and the file that names one of them.
//! Never: ends a process that `TONEWALL_KILL_AT` gives no file.

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;

use domain::boundary::{
    Answer, Audited, Change, Charge, NotSent, Operation, PaymentGateway, ReadyCharge,
    ReadyOperation, Store, StoreError, Task,
};
use domain::gateway::NotSentReason;
use domain::payment::AttemptState;
use rustix::process::{Signal, getpid, kill_process};

/// The environment variable with the file. It is read at each point, so that a running server can be told.
const FILE: &str = "TONEWALL_KILL_AT";

/// What a charge does, in its order.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The intent goes into the ledger.
    Intent,
    /// The gateway is resolved, connected to and secured.
    Connect,
    /// "Sent" goes into the ledger, before the first byte.
    Sent,
    /// The request leaves and the answer comes.
    Exchange,
    /// The outcome goes into the ledger.
    Outcome,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Connect => "connect",
            Self::Sent => "sent",
            Self::Exchange => "exchange",
            Self::Outcome => "outcome",
        }
    }

    fn of(change: &Change) -> Option<Self> {
        match change {
            Change::InsertPayment(_) => Some(Self::Intent),
            Change::MovePayment {
                to: AttemptState::Sent,
                ..
            } => Some(Self::Sent),
            Change::MovePayment { .. } => Some(Self::Outcome),
            _ => None,
        }
    }
}

/// The file, if there is one.
#[derive(Debug, Clone)]
struct Orders(Arc<PathBuf>);

impl Orders {
    fn given() -> Option<Self> {
        std::env::var_os(FILE).map(|file| Self(Arc::new(file.into())))
    }

    /// Ends the process, if the file names this point: "intent.before".
    fn pass(&self, step: Step, moment: &str) {
        let wanted = std::fs::read_to_string(&*self.0).unwrap_or_default();
        if wanted.trim() == format!("{}.{moment}", step.word()) {
            let _ended = kill_process(getpid(), Signal::KILL);
        }
    }

    /// Work with a point before it, one where it first waits (at its end, if it never does), and one after it.
    async fn through<T>(&self, step: Step, mut work: Task<'_, T>) -> T {
        self.pass(step, "before");
        let done = poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            self.pass(step, "during");
            polled
        })
        .await;
        self.pass(step, "after");
        done
    }
}

/// The gateway with points, if there is a file.
pub(super) fn gateway(inner: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
    match Orders::given() {
        Some(orders) => Arc::new(Pointed { orders, inner }),
        None => inner,
    }
}

/// The store with points, if there is a file.
pub(super) fn store(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    match Orders::given() {
        Some(orders) => Arc::new(Pointed { orders, inner }),
        None => inner,
    }
}

/// Something with points around what it does.
struct Pointed<T> {
    orders: Orders,
    inner: T,
}

impl Store for Pointed<Arc<dyn Store>> {
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        match Step::of(&audited.change) {
            Some(step) => Box::pin(self.orders.through(step, self.inner.commit(audited))),
            None => self.inner.commit(audited),
        }
    }
}

impl PaymentGateway for Pointed<Arc<dyn PaymentGateway>> {
    fn authority_approved(&self, authority: &str) -> bool {
        self.inner.authority_approved(authority)
    }

    fn set_approved_hosts(&self, authorities: Vec<String>) {
        self.inner.set_approved_hosts(authorities);
    }

    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        Box::pin(async move {
            let connected = self.inner.connect(charge);
            let inner = self.orders.through(Step::Connect, connected).await?;
            let orders = self.orders.clone();
            Ok(Box::new(Pointed { orders, inner }) as Box<dyn ReadyCharge>)
        })
    }

    fn connect_operation(
        &self,
        operation: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        self.inner.connect_operation(operation)
    }
}

impl ReadyCharge for Pointed<Box<dyn ReadyCharge>> {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>> {
        let Self { orders, inner } = *self;
        Box::pin(async move { orders.through(Step::Exchange, inner.send()).await })
    }

    fn abandon(self: Box<Self>) -> Charge {
        self.inner.abandon()
    }
}
