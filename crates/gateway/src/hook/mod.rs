//! A recorder that is paused, resumed and asked for its state by HTTPS requests of its own making.
//! Owns: those three requests, and what of an answer is the recorder's word.
//! Never: sees a captured value, follows a redirect, or takes a status for a state.

mod text;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::gateway::{AtKey, Condition};
use domain::recording::{RecorderRequest, RecorderWord};
use http_body_util::Full;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT,
};
use hyper::{Method, Request};
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use secret::SecretText;
use tokio::time::{Instant, timeout_at};

use crate::connection::Way;
use crate::exchange::{Progress, Reply, exchange};
use crate::named::Security;
use crate::policy::{Origin, Trust};
use crate::reply::holds_in_json;
use crate::tls::{with_roots, with_system_roots};

pub use text::HookCall;
pub(crate) use text::HookText;
use text::Place;

/// Longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 16_000;

/// A setting that cannot be used. The words say what may stand there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HookError(String);

impl HookError {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// One of the three requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRequest {
    method: Method,
    origin: Origin,
    url: HookText,
    body: Option<HookText>,
}

impl HookRequest {
    /// Reads method, URL and body; an empty body is none.
    ///
    /// # Errors
    /// Another method than GET, POST, PUT, PATCH and DELETE, another scheme than https, a token in the host, an unknown token.
    pub fn parse(method: &str, url: &str, body: &str) -> Result<Self, HookError> {
        let method = match method {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => {
                return Err(HookError::new(
                    "method: write GET, POST, PUT, PATCH or DELETE",
                ));
            }
        };
        let text = HookText::parse(url).map_err(|why| HookError::new(format!("url: {why}")))?;
        let origin = text
            .origin()
            .map_err(|why| HookError::new(format!("url: {why}")))?;
        let body = match body {
            "" => None,
            _ if body.len() > BODY_BYTES_MAX => {
                let why = format!("body: write {BODY_BYTES_MAX} bytes at most");
                return Err(HookError::new(why));
            }
            body => {
                Some(HookText::parse(body).map_err(|why| HookError::new(format!("body: {why}")))?)
            }
        };
        Ok(Self {
            method,
            origin,
            url: text,
            body,
        })
    }
}

/// What an answer in JSON must hold: `state = paused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookCondition(Condition);

impl HookCondition {
    /// Reads a line as conditions of gateways are written.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(line: &str) -> Result<Self, HookError> {
        let condition = Condition::parse(line);
        condition
            .map(Self)
            .map_err(|misread| HookError::new(misread.to_string()))
    }

    fn holds_in(&self, body: &[u8]) -> bool {
        holds_in_json(body, &self.0.key, |found: AtKey<'_>| self.0.holds(found))
    }
}

/// A header whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookHeader(HeaderName);

impl HookHeader {
    /// Reads its name.
    ///
    /// # Errors
    /// It is none, or belongs to the connection or the body.
    pub fn parse(name: &str) -> Result<Self, HookError> {
        let header = HeaderName::try_from(name);
        let header = header.map_err(|_| HookError::new("write the name of a header"))?;
        let taken = [ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT];
        match taken.contains(&header) || header.as_str() == "content-length" {
            true => Err(HookError::new(
                "this header is written by the server itself",
            )),
            false => Ok(Self(header)),
        }
    }
}

impl Default for HookHeader {
    fn default() -> Self {
        Self(AUTHORIZATION)
    }
}

/// What the server's file says of a recorder.
#[derive(Debug, Clone)]
pub struct HookSettings {
    /// To pause.
    pub pause: HookRequest,
    /// To go on.
    pub resume: HookRequest,
    /// For its state.
    pub state: HookRequest,
    /// Holds of the state's answer while it is paused.
    pub paused: HookCondition,
    /// Holds of the state's answer while it records.
    pub recording: HookCondition,
    /// How long a request may take, from resolving its host to the end of the answer.
    pub timeout: Duration,
}

/// The recorder.
pub struct RecorderHook {
    settings: HookSettings,
    tls: Arc<ClientConfig>,
    secret: Option<(HookHeader, SecretText)>,
}

impl RecorderHook {
    /// One that is reached with these authorities, or the system's if there are none, and shows the secret in its header.
    ///
    /// # Errors
    /// The authorities cannot be used, or the secret cannot stand in a header.
    pub fn new(
        settings: HookSettings,
        roots: Option<&[CertificateDer<'static>]>,
        secret: Option<(HookHeader, SecretText)>,
    ) -> Result<Self, HookError> {
        let tls = match roots {
            Some(roots) => with_roots(roots),
            None => with_system_roots(&[]),
        };
        let hook = Self {
            settings,
            tls: tls.map_err(|error| HookError::new(format!("its authorities: {error}")))?,
            secret,
        };
        hook.secret_header()?;
        Ok(hook)
    }

    /// Asks it once, for one call. Whatever fails is [`RecorderWord::Nothing`], with its cause in the log.
    pub async fn ask(&self, request: RecorderRequest, call: &HookCall) -> RecorderWord {
        match self.exchanged(request, call).await {
            Ok(reply) => self.word(request, &reply),
            Err(why) => {
                tracing::warn!(call = %call.id, recorder = %call.recorder, ?request, why, "a recorder does not answer");
                RecorderWord::Nothing
            }
        }
    }

    /// Which recording is asked for this call, as the question for its state says it: two calls, or one before and behind a transfer, that have it in
    /// common are one to the recorder.
    #[must_use]
    pub fn asks_about(&self, call: &HookCall) -> String {
        let HookRequest { url, body, .. } = &self.settings.state;
        let mut written = url.written(call, Place::Url);
        if let Some(body) = body {
            written.push('\n');
            written.push_str(&body.written(call, Place::Json));
        }
        written
    }

    fn word(&self, request: RecorderRequest, reply: &Reply) -> RecorderWord {
        let body = reply.body.expose();
        let holds = |condition: &HookCondition| condition.holds_in(body);
        match (reply.status, request) {
            (404 | 410, _) => RecorderWord::Unknown,
            (200..=299, RecorderRequest::Pause | RecorderRequest::Resume) => RecorderWord::Taken,
            (200..=299, RecorderRequest::State) => {
                match (
                    holds(&self.settings.paused),
                    holds(&self.settings.recording),
                ) {
                    (true, false) => RecorderWord::Paused,
                    (false, true) => RecorderWord::Recording,
                    (true, true) | (false, false) => RecorderWord::Refused,
                }
            }
            _ => RecorderWord::Refused,
        }
    }

    async fn exchanged(&self, request: RecorderRequest, call: &HookCall) -> Result<Reply, String> {
        let settings = &self.settings;
        let wanted = match request {
            RecorderRequest::Pause => &settings.pause,
            RecorderRequest::Resume => &settings.resume,
            RecorderRequest::State => &settings.state,
        };
        let deadline = Instant::now() + settings.timeout;
        let request = self.rendered(wanted, call)?;
        let way = Way {
            origin: wanted.origin.clone(),
            trust: Trust::Listed,
            through: None,
            security: Security {
                tls: Arc::clone(&self.tls),
                certificate: None,
            },
        };
        let secured = way.secured(settings.timeout).await;
        let secured = secured.map_err(|failure| failure.detail)?;
        let stream = secured.still_quiet().await;
        let stream = stream.map_err(|failure| failure.detail)?;
        let exchange = exchange(stream, request, Vec::new(), Arc::new(Progress::default()));
        match timeout_at(deadline, exchange).await {
            Ok(reply) => reply.map_err(|incomplete| incomplete.to_string()),
            Err(_) => Err("no complete answer in time".to_owned()),
        }
    }

    fn rendered(
        &self,
        wanted: &HookRequest,
        call: &HookCall,
    ) -> Result<Request<Full<Bytes>>, String> {
        let body = wanted.body.as_ref();
        let body = body.map(|text| text.written(call, Place::Json));
        let mut request = Request::builder()
            .method(wanted.method.clone())
            .uri(wanted.url.path(call)?)
            .header(HOST, wanted.origin.authority())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("Tonewall/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = self.secret_header().map_err(|error| error.to_string())? {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        request.body(body).map_err(|error| error.to_string())
    }

    fn secret_header(&self) -> Result<Option<(HeaderName, HeaderValue)>, HookError> {
        let Some((HookHeader(name), secret)) = &self.secret else {
            return Ok(None);
        };
        let value = HeaderValue::from_str(secret.expose());
        let mut value = value.map_err(|_| HookError::new("its secret cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(Some((name.clone(), value)))
    }
}

#[cfg(test)]
mod tests;
