//! Calls of services that are closed.
//! Owns: what a caller is told of it.
//! Never: knows the hours.

use std::time::{Duration, Instant};

use domain::boundary::EndCause;
use sip::{Command, HeaderName, Status};

use super::call::Stage;
use super::exchange::{Exchange, Farewell};
use crate::media_thread::MediaId;

/// A warning of no other code ([RFC 3261 §20.43](https://www.rfc-editor.org/rfc/rfc3261#section-20.43)).
const WARNING: &str = "399 tonewall \"the service is closed\"";

impl Exchange {
    /// Refuses a call that has just arrived with 480, a warning, and in how many seconds its service opens
    /// ([RFC 3261 §20.33](https://www.rfc-editor.org/rfc/rfc3261#section-20.33)); any other call as ever.
    pub(super) fn reject_closed(&mut self, now: Instant, key: MediaId, opens_in: Option<Duration>) {
        let status = Status::TEMPORARILY_UNAVAILABLE;
        let arrived = self.call(key).filter(|call| call.stage == Stage::Arrived);
        let Some(leg) = arrived.map(|call| call.caller.leg) else {
            return self.reject(now, key, status.code());
        };
        let farewells = (Farewell::Gone, Farewell::HangUp(None));
        self.finish(now, key, EndCause::Local, farewells);
        let wait = opens_in.map(|wait| wait.as_millis().div_ceil(1_000).to_string());
        let wait = wait.map(|wait| (HeaderName::RETRY_AFTER, wait));
        let warning = (HeaderName::WARNING, WARNING.to_owned());
        let headers = [warning].into_iter().chain(wait).collect();
        let decline = Command::Decline {
            leg,
            status,
            headers,
        };
        self.tell(now, decline);
    }
}
