//! What a phone says of its call once it runs.
//! Owns: the next description, that of a handset which somebody else has taken, and whom it is to go to.
//! Never: changes where media goes.

use std::time::Instant;

use sip::sdp::LocalAudio;
use sip::{Command, Host, NameAddr, Uri};

use super::{PhoneCall, Running, Task, described};

impl Running {
    /// The session that was described before, in its next version.
    pub(super) fn described_next(&self) -> LocalAudio {
        let before = self.ours.as_ref().map(|ours| &ours.origin);
        let number = |text: &str| text.parse::<u64>().ok();
        let session_id = before.and_then(|origin| number(&origin.session_id));
        let version = before.and_then(|origin| number(&origin.version));
        LocalAudio {
            version: version.unwrap_or_default().saturating_add(1),
            ..described(&self.line, &self.keys, session_id.unwrap_or(1))
        }
    }
}

impl Task {
    /// Asks the server to call this user of its own instead.
    pub(super) fn refer(&mut self, to: &str) {
        self.referred = None;
        let server = self.config.server;
        let to = Uri::sip(Some(to), Host::Ip(server.ip()), Some(server.port()));
        if let Some(leg) = self.call.as_ref().map(|call| call.leg) {
            let to = NameAddr::new(to);
            let refer = Command::Refer { leg, to };
            let _not_connected = self.stack.command(Instant::now(), refer);
        }
    }

    pub(super) fn hand_over(&mut self) {
        let is_connected = |call: &&mut Running| call.state == PhoneCall::Connected;
        let Some(call) = self.call.as_mut().filter(is_connected) else {
            return;
        };
        let offer = described(&call.line, &call.keys, rand::random::<u64>() >> 1).offer();
        let (leg, ours) = (call.leg, offer.clone());
        let change = Command::Reinvite { leg, offer };
        if self.stack.command(Instant::now(), change).is_ok() {
            call.ours = Some(ours);
        }
    }
}
