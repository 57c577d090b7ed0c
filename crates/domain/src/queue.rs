//! Callers who wait for an agent: how a service has them wait, and what others see of them.
//! Owns: a queue's settings, and the views of who waits.
//! Never: knows a telephone.
//! Start reading at: `line`, the order of those who wait.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::boundary::RouteTarget;
use crate::id::{CallId, ServiceId, SoundId};
use crate::time::UnixMillis;
use crate::widget::DraftProblem;

pub mod line;
pub mod sound;

/// Callers of one service who may wait at a time: half of what a node has calls for at a busy site.
pub const WAITING_MAX: RangeInclusive<u16> = 1..=500;
/// How long one may wait, in seconds: two hours at most.
pub const WAIT_S_MAX: RangeInclusive<u16> = 10..=7_200;
/// Seconds between two announcements; 0: it is played once.
pub const ANNOUNCE_EVERY_S: RangeInclusive<u16> = 10..=600;
/// Bytes of an overflow's URI, as of a route's.
const URI_BYTES_MAX: usize = 200;
/// Characters of an overflow's number.
const NUMBER_CHARS_MAX: usize = 40;

/// How the callers of a service wait whose calls go to agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Callers who may wait at a time, 1-500. The next one is an overflow.
    pub waiting_max: u16,
    /// How long one may wait, 10-7,200 s. Whoever has waited for longer is an overflow.
    pub wait_s_max: u16,
    /// What is played to whoever waits; none: music that comes with the server.
    #[serde(default)]
    pub music: Option<SoundId>,
    /// What is said before it; none: nothing.
    #[serde(default)]
    pub announcement: Option<SoundId>,
    /// Seconds after which it is said again, 10-600; 0: it is said once.
    #[serde(default)]
    pub announce_every_s: u16,
    /// What becomes of a caller for whom there is no place, or who has waited for long enough.
    pub overflow: Overflow,
}

/// What becomes of a caller who cannot wait, or has waited for long enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "to", deny_unknown_fields)]
pub enum Overflow {
    /// They hear that it is busy (486), or, if they have waited, the call ends.
    Busy,
    /// A fixed SIP URI of a PBX, with the address to send to ("192.0.2.5:5060").
    Uri {
        /// The URI.
        uri: String,
        /// Address and port of the next hop.
        address: String,
    },
    /// A trunk of the server's file, at the places that it has there.
    Trunk {
        /// Its name.
        trunk: String,
        /// The number that is called there; none: the one that was called here.
        #[serde(default)]
        number: Option<String>,
    },
}

impl Overflow {
    /// Where it rings, for a call of this number; none: it is busy, or the address is none.
    #[must_use]
    pub fn target(&self, called: &str) -> Option<RouteTarget> {
        match self {
            Self::Busy => None,
            Self::Uri { uri, address } => Some(RouteTarget::Uri {
                uri: uri.clone(),
                address: address.parse().ok()?,
            }),
            Self::Trunk { trunk, number } => Some(RouteTarget::Trunk {
                trunk: trunk.clone(),
                number: number.as_deref().unwrap_or(called).to_owned(),
            }),
        }
    }

    /// The trunk that it names.
    #[must_use]
    pub fn trunk(&self) -> Option<&str> {
        match self {
            Self::Busy | Self::Uri { .. } => None,
            Self::Trunk { trunk, .. } => Some(trunk),
        }
    }

    fn problems(&self) -> Vec<DraftProblem> {
        let wrong = |field: &str, message: &str| DraftProblem::new(field, message);
        match self {
            Self::Busy => Vec::new(),
            Self::Uri { uri, address } => {
                let is_sip = uri.starts_with("sip:") || uri.starts_with("sips:");
                let is_broken = uri.contains(|c: char| c.is_whitespace() || c.is_control());
                let of_uri = (!is_sip || is_broken || uri.len() > URI_BYTES_MAX).then(|| {
                    let message = "write a SIP URI, for example sip:100@192.0.2.5";
                    wrong("queue.overflow.uri", message)
                });
                let of_address = address.parse::<std::net::SocketAddr>().is_err().then(|| {
                    let message = "write address and port, for example 192.0.2.5:5060";
                    wrong("queue.overflow.address", message)
                });
                of_uri.into_iter().chain(of_address).collect()
            }
            Self::Trunk { number, .. } => {
                let word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
                let fits = |number: &String| {
                    (1..=NUMBER_CHARS_MAX).contains(&number.len()) && number.bytes().all(word)
                };
                let is_wrong = number.as_ref().is_some_and(|number| !fits(number));
                let message =
                    "use 1 to 40 of letters, digits, '+', '-', '.', '_'; or leave it empty";
                Vec::from_iter(is_wrong.then(|| wrong("queue.overflow.number", message)))
            }
        }
    }
}

impl Queue {
    /// All that is wrong with it by itself, by the names of its fields.
    #[must_use]
    pub fn problems(&self) -> Vec<DraftProblem> {
        let every = self.announce_every_s;
        let checks = [
            (
                WAITING_MAX.contains(&self.waiting_max),
                "queue.waiting_max",
                "choose 1 to 500 callers",
            ),
            (
                WAIT_S_MAX.contains(&self.wait_s_max),
                "queue.wait_s_max",
                "choose 10 to 7200 seconds",
            ),
            (
                every == 0 || ANNOUNCE_EVERY_S.contains(&every),
                "queue.announce_every_s",
                "choose 10 to 600 seconds, or 0 to say it once",
            ),
        ];
        let wrong = checks.into_iter().filter(|(fits, ..)| !fits);
        wrong
            .map(|(_, field, message)| DraftProblem::new(field, message))
            .chain(self.overflow.problems())
            .collect()
    }

    /// Sounds that it names.
    pub fn sounds(&self) -> impl Iterator<Item = &SoundId> {
        self.music.iter().chain(&self.announcement)
    }
}

/// What somebody who waits hears: linear samples at 8 kHz.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitingSound {
    /// Music, again and again; none: that of the server.
    pub music: Option<Arc<[i16]>>,
    /// What is said first; none: nothing.
    pub announcement: Option<Arc<[i16]>>,
    /// Seconds after which it is said again; 0: it is said once.
    pub announce_every_s: u16,
}

/// Who waits, as agents are told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueView {
    /// A service has a queue.
    pub has_queue: bool,
    /// Callers who wait now, in the whole line: also those who ring at an agent's phone, and those for groups that a reader is not in.
    pub waiting: u32,
    /// When the one came who waits the longest; none: nobody waits.
    pub since: Option<UnixMillis>,
}

/// One who waits, as supervisors see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingCall {
    /// Identity.
    pub id: CallId,
    /// Whose number they called.
    pub service: ServiceId,
    /// Its name.
    pub service_name: String,
    /// Their place in the line of all services, from 1.
    pub place: u32,
    /// When they came.
    pub since: UnixMillis,
    /// The last digits of their number; empty: withheld.
    pub caller: String,
    /// An agent's phone rings for them.
    pub rings: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue {
        Queue {
            waiting_max: 20,
            wait_s_max: 600,
            music: None,
            announcement: None,
            announce_every_s: 0,
            overflow: Overflow::Busy,
        }
    }

    fn fields(queue: &Queue) -> Vec<String> {
        let problems = queue.problems().into_iter();
        problems.map(|problem| problem.field.to_string()).collect()
    }

    #[test]
    fn a_queue_says_all_that_is_wrong_with_it_at_once() {
        assert!(queue().problems().is_empty());
        let wrong = Queue {
            waiting_max: 0,
            wait_s_max: 9,
            announce_every_s: 9,
            overflow: Overflow::Uri {
                uri: "tel:100".to_owned(),
                address: "192.0.2.5".to_owned(),
            },
            ..queue()
        };
        assert_eq!(
            fields(&wrong),
            [
                "queue.waiting_max",
                "queue.wait_s_max",
                "queue.announce_every_s",
                "queue.overflow.uri",
                "queue.overflow.address"
            ]
        );
        let star = Queue {
            waiting_max: 501,
            wait_s_max: 7_201,
            announce_every_s: 601,
            overflow: Overflow::Trunk {
                trunk: "carrier".to_owned(),
                number: Some("*".to_owned()),
            },
            ..queue()
        };
        assert_eq!(fields(&star).len(), 4);
    }

    #[test]
    fn an_overflow_leads_where_it_says_and_else_to_the_number_that_was_called() {
        assert_eq!(Overflow::Busy.target("4000"), None);
        let trunk = |number: Option<&str>| Overflow::Trunk {
            trunk: "carrier".to_owned(),
            number: number.map(str::to_owned),
        };
        let at = |number: &str| {
            Some(RouteTarget::Trunk {
                trunk: "carrier".to_owned(),
                number: number.to_owned(),
            })
        };
        assert_eq!(trunk(None).target("4000"), at("4000"));
        assert_eq!(trunk(Some("9")).target("4000"), at("9"));
    }
}
