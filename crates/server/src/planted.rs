//! Deliberate defects, one at a time, chosen by `TONEWALL_PLANT`: the tests that guard against them must see them.
//! Owns: the defects of a charge's way to its gateway, and the choice of those that other rooms hold.
//! Never: is part of a build without the feature `planted`.

use std::sync::Arc;

use domain::boundary::{
    Audience, Bus, Charge, LiveEvent, NotSent, Operation, PaymentGateway, ReadyCharge,
    ReadyOperation, Store, Task,
};
use domain::capture::Field;
use domain::gateway::NotSentReason;
use secret::{Arena, Digit, FieldIndex};

mod points;

/// The environment variable that chooses.
const CHOICE: &str = "TONEWALL_PLANT";

/// A defect.
#[derive(Debug, Clone, Copy)]
enum Plant {
    /// Digits stay in a buffer that nobody frees.
    LeakBuffer,
    /// Digits are copied as a careless library does, and the copies are freed.
    CarelessCopy,
    /// Digits are logged.
    LeakLog,
    /// Digits are published.
    LeakEvent,
    /// Each charge is sent twice.
    Retry,
    /// Protected audio leaves as it came.
    MaskOff,
}

impl Plant {
    fn chosen() -> Option<Self> {
        let name = std::env::var(CHOICE).ok()?;
        match name.as_str() {
            "leak-buffer" => Some(Self::LeakBuffer),
            "careless-copy" => Some(Self::CarelessCopy),
            "leak-log" => Some(Self::LeakLog),
            "leak-event" => Some(Self::LeakEvent),
            "retry" => Some(Self::Retry),
            "mask-off" => Some(Self::MaskOff),
            _ => {
                tracing::error!(name, "there is no such planted defect");
                None
            }
        }
    }
}

/// Whether masks are to do nothing.
pub(crate) fn is_mask_off() -> bool {
    matches!(Plant::chosen(), Some(Plant::MaskOff))
}

/// The store of the calls, with the points at which the process can be told to end.
pub(crate) fn pointed(store: Arc<dyn Store>) -> Arc<dyn Store> {
    points::store(store)
}

/// The gateway with the chosen defect, if one is chosen, and with the points at which the process can be told to end.
pub(crate) fn around(
    gateway: Arc<dyn PaymentGateway>,
    arena: Arc<Arena>,
    bus: Arc<dyn Bus>,
) -> Arc<dyn PaymentGateway> {
    points::gateway(match Plant::chosen() {
        Some(plant) => Arc::new(Planted {
            plant,
            gateway,
            arena,
            bus,
        }),
        None => gateway,
    })
}

/// Copies that a careless library makes. So many that later allocations do not overwrite all of them.
const CARELESS_COPIES: usize = 64;

/// Copies the text into buffers of several sizes, as libraries hold them, and frees those. What lies between them stays, so that the holes do.
fn copy_carelessly(text: &str) {
    let mut held: Vec<Vec<u8>> = Vec::new();
    for size in [200, 1_000, 5_000]
        .into_iter()
        .cycle()
        .take(CARELESS_COPIES)
    {
        let mut buffer = Vec::with_capacity(size);
        buffer.extend_from_slice(&[b'.'; 64]);
        buffer.extend_from_slice(text.as_bytes());
        held.push(buffer);
        let _between: &'static mut [u8] = vec![b'.'; 64].leak();
    }
    drop(std::hint::black_box(held));
}

struct Planted {
    plant: Plant,
    gateway: Arc<dyn PaymentGateway>,
    arena: Arc<Arena>,
    bus: Arc<dyn Bus>,
}

impl Planted {
    fn leak(&self, charge: &Charge) {
        let digits = charge.slot.digits(Field::CardNumber.slot_index());
        let text = String::from_utf8_lossy(digits.expose());
        match self.plant {
            Plant::LeakBuffer => {
                let _forever: &'static mut str = text.into_owned().leak();
            }
            Plant::CarelessCopy => copy_carelessly(&text),
            Plant::LeakLog => tracing::trace!("charging {text}"),
            Plant::LeakEvent => self.bus.publish(LiveEvent {
                audience: Audience::Everyone,
                topic: "capture",
                body: serde_json::json!({ "number": text }),
            }),
            Plant::Retry | Plant::MaskOff => {}
        }
    }

    /// The same charge with digits of its own.
    fn copied(&self, charge: &Charge) -> Option<Charge> {
        let mut slot = self.arena.allocate()?;
        for field in FieldIndex::ALL {
            for byte in charge.slot.digits(field).expose() {
                slot.push(field, Digit::from_ascii(*byte)?).ok()?;
            }
        }
        Some(Charge {
            attempt: charge.attempt.clone(),
            reference: charge.reference.clone(),
            kind: charge.kind,
            gateway: charge.gateway.clone(),
            password: None,
            secrets: Vec::new(),
            once: charge.once.clone(),
            form: charge.form.clone(),
            slot,
            check: charge.check.clone(),
            facts: charge.facts.clone(),
            show_message: charge.show_message,
        })
    }
}

impl PaymentGateway for Planted {
    fn authority_approved(&self, authority: &str) -> bool {
        self.gateway.authority_approved(authority)
    }

    fn set_approved_hosts(&self, authorities: Vec<String>) {
        self.gateway.set_approved_hosts(authorities);
    }

    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        Box::pin(async move {
            self.leak(&charge);
            if let (Plant::Retry, Some(copy)) = (self.plant, self.copied(&charge))
                && let Ok(ready) = self.gateway.connect(copy).await
            {
                let _first = ready.send().await;
            }
            self.gateway.connect(charge).await
        })
    }

    fn connect_operation(
        &self,
        operation: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        self.gateway.connect_operation(operation)
    }
}
