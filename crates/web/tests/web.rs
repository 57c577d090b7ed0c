//! The HTTP side over real sockets, with rooms in memory behind the traits.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

#[path = "web/access.rs"]
mod access;
#[path = "web/captures.rs"]
mod captures;
#[path = "web/configuration.rs"]
mod configuration;
#[path = "web/connections.rs"]
mod connections;
#[path = "web/designer.rs"]
mod designer;
#[path = "web/desktops.rs"]
mod desktops;
#[path = "web/dial.rs"]
mod dial;
#[path = "web/events.rs"]
mod events;
#[path = "web/evidence.rs"]
mod evidence;
#[path = "web/follow_ups.rs"]
mod follow_ups;
#[path = "web/frames.rs"]
mod frames;
#[path = "web/groups.rs"]
mod groups;
#[path = "web/hosts.rs"]
mod hosts;
#[path = "web/hours.rs"]
mod hours;
#[path = "web/listening.rs"]
mod listening;
#[path = "web/logins.rs"]
mod logins;
#[path = "web/numbers.rs"]
mod numbers;
#[path = "web/options.rs"]
mod options;
#[path = "web/page.rs"]
mod page;
#[path = "web/pairing.rs"]
mod pairing;
#[path = "web/phone.rs"]
mod phone;
#[path = "web/plans.rs"]
mod plans;
#[path = "web/queue.rs"]
mod queue;
#[path = "web/recordings.rs"]
mod recordings;
#[path = "web/right_gateway.rs"]
mod right_gateway;
#[path = "web/rights.rs"]
mod rights;
#[path = "web/routing.rs"]
mod routing;
#[path = "web/screens.rs"]
mod screens;
#[path = "web/second_factor.rs"]
mod second_factor;
#[path = "web/services.rs"]
mod services;
#[path = "web/set_up.rs"]
mod set_up;
#[path = "web/stage.rs"]
mod stage;
#[path = "web/transport.rs"]
mod transport;
#[path = "web/trials.rs"]
mod trials;
#[path = "web/widgets.rs"]
mod widgets;
#[path = "web/wrong.rs"]
mod wrong;
