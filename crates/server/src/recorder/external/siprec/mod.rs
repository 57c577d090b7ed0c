//! Recorders that take a recording session of each call (SIPREC, RFC 7866).
//! Owns: what the server's file says of one, and what counts as its word for a hold.
//! Never: says paused before the recorder has answered so (I2); lets a sample of a pause out, whatever it answers.
//! Start reading at: [`Siprec::ask`], then `line`, `held` and `gates`.

mod gates;
mod held;
mod line;
mod packets;
mod task;
mod transport;

use std::time::Duration;

use domain::id::CallId;
use domain::recording::{RecorderRequest, RecorderWord};
use sip::siprec::Mode;
use sip::{Credentials, Host, Transport, Uri};

pub(crate) use held::RecordedCall;
pub(crate) use line::{SiprecCounts, SiprecError, SiprecLine, SiprecPlace};

/// Recorders of one list.
const TARGETS_MAX: usize = 8;

/// The port of a URI that names none.
const SIP_PORT: u16 = 5_060;

/// One recorder of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SiprecTarget {
    uri: Uri,
    /// A name is resolved for each call.
    host: String,
    port: u16,
    transport: Transport,
}

impl SiprecTarget {
    /// Reads a list of SIP URIs with `transport=udp` or `tcp`, UDP if it is not said.
    ///
    /// # Errors
    /// What may stand there.
    pub(crate) fn parse_all(texts: &[String]) -> Result<Vec<Self>, &'static str> {
        if !(1..=TARGETS_MAX).contains(&texts.len()) {
            return Err(LIST);
        }
        texts.iter().map(|text| Self::parse(text)).collect()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let uri = Uri::parse(text.as_bytes()).ok_or(LIST)?;
        let parts = uri.as_sip().ok_or(LIST)?;
        let transport = match parts.params.value("transport") {
            None => Transport::Udp,
            Some(word) if word.eq_ignore_ascii_case("udp") => Transport::Udp,
            Some(word) if word.eq_ignore_ascii_case("tcp") => Transport::Tcp,
            Some(_) => return Err(NO_TLS),
        };
        if parts.secure {
            return Err(NO_TLS);
        }
        if parts.headers.is_some() || parts.password.is_some() || parts.port == Some(0) {
            return Err(LIST);
        }
        let host = match &parts.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.to_string(),
        };
        Ok(Self {
            host,
            port: parts.port.unwrap_or(SIP_PORT),
            transport,
            uri,
        })
    }
}

const LIST: &str = "write a SIP URI, or a list of 1 to 8 in the order in which they are tried, for example \"sip:recorder.example:5060;transport=tcp\"";
const NO_TLS: &str = "write transport=udp or transport=tcp: recording sessions are not carried over TLS yet, so keep them in a network of their own";

/// What the server's file says of one.
#[derive(Debug, Clone)]
pub(crate) struct SiprecSettings {
    pub(crate) targets: Vec<SiprecTarget>,
    /// How long a request of a hold may take.
    pub(crate) timeout: Duration,
}

/// One that can be asked.
pub(crate) struct Siprec {
    /// Its name in the server's file.
    name: String,
    settings: SiprecSettings,
    credentials: Option<Credentials>,
    line: SiprecLine,
}

impl Siprec {
    pub(crate) fn new(
        name: &str,
        settings: SiprecSettings,
        credentials: Option<Credentials>,
        line: SiprecLine,
    ) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            credentials,
            line,
        }
    }

    /// From now on the call is recorded there.
    pub(crate) fn begin(&self, call: RecordedCall) {
        self.line.begin(
            &self.name,
            &self.settings.targets,
            self.credentials.as_ref(),
            call,
        );
    }

    /// Asks it once, for one call.
    pub(crate) async fn ask(&self, request: RecorderRequest, call: &str) -> RecorderWord {
        let Ok(call) = call.parse::<CallId>() else {
            return RecorderWord::Unknown;
        };
        let asked = async {
            match request {
                RecorderRequest::Pause => self.line.want(&call, &self.name, Mode::Paused).await,
                RecorderRequest::Resume => {
                    // What was said in the pause and is still on its way would be sent otherwise.
                    if !self.line.caught_up().await {
                        return RecorderWord::Nothing;
                    }
                    self.line.want(&call, &self.name, Mode::Sending).await
                }
                RecorderRequest::State => self.line.state(&call, &self.name).await,
            }
        };
        match tokio::time::timeout(self.settings.timeout, asked).await {
            Ok(word) => word,
            Err(_) => {
                tracing::warn!(%call, recorder = %self.name, ?request, "a recorder does not answer in its recording session in time");
                RecorderWord::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SiprecTarget, &'static str> {
        let mut all = SiprecTarget::parse_all(&[text.to_owned()])?;
        all.pop().ok_or(LIST)
    }

    #[test]
    fn a_recorder_is_a_uri_with_a_transport_that_is_carried() {
        let target = read("sip:rec@recorder.example:5070;transport=TCP").unwrap();
        let said = (target.host.as_str(), target.port, target.transport);
        assert_eq!(said, ("recorder.example", 5_070, Transport::Tcp));
        let target = read("sip:[2001:db8::1]").unwrap();
        let said = (target.host.as_str(), target.port, target.transport);
        assert_eq!(said, ("2001:db8::1", 5_060, Transport::Udp));
        for text in [
            "sips:recorder.example",
            "sip:recorder.example;transport=tls",
            "sip:a;transport=ws",
        ] {
            assert_eq!(read(text), Err(NO_TLS), "{text}");
        }
        for text in [
            "recorder.example",
            "tel:+1",
            "sip:a?b=c",
            "sip:u:p@a",
            "sip:a:0",
            "",
        ] {
            assert_eq!(read(text), Err(LIST), "{text}");
        }
        assert_eq!(SiprecTarget::parse_all(&[]), Err(LIST));
        let many = vec!["sip:a".to_owned(); TARGETS_MAX + 1];
        assert_eq!(SiprecTarget::parse_all(&many), Err(LIST));
    }
}
