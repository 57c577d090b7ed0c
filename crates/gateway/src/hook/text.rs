//! Texts of a hook, with facts of a call in braces.
//! Owns: the tokens, and how a value is written in a URL and in JSON.
//! Never: lets a value change the host, climb a level of a path, or end a text of JSON.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::policy::Origin;
use crate::request::{each, json_char, url_char};

/// What tokens stand for: facts of one call, and which recorder is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HookCall {
    /// `{call.id}`: this server's name of the call.
    pub id: String,
    /// `{call.called}`: what was dialled.
    pub called: String,
    /// `{call.consumer_call_id}`: the SIP Call-ID of the consumer's leg.
    pub consumer_call_id: String,
    /// `{call.agent_call_id}`: the SIP Call-ID of the agent's leg.
    pub agent_call_id: String,
    /// `{agent.name}`: login name of the call's agent; empty: it has none.
    pub agent: String,
    /// `{recorder.name}`: the name under which the service declares the recorder.
    pub recorder: String,
}

/// A fact of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    CallId,
    Called,
    ConsumerCallId,
    AgentCallId,
    Agent,
    Recorder,
}

impl Token {
    const ALL: [(&'static str, Self); 6] = [
        ("call.id", Self::CallId),
        ("call.called", Self::Called),
        ("call.consumer_call_id", Self::ConsumerCallId),
        ("call.agent_call_id", Self::AgentCallId),
        ("agent.name", Self::Agent),
        ("recorder.name", Self::Recorder),
    ];

    fn of(self, call: &HookCall) -> &str {
        match self {
            Self::CallId => &call.id,
            Self::Called => &call.called,
            Self::ConsumerCallId => &call.consumer_call_id,
            Self::AgentCallId => &call.agent_call_id,
            Self::Agent => &call.agent,
            Self::Recorder => &call.recorder,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Token(Token),
}

/// Where a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Url,
    Json,
}

/// A text with tokens. Braces around anything but a name with a dot are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HookText(Vec<Part>);

impl HookText {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some(name) = token_name(rest) else {
                literal.push('{');
                rest = &rest[1..];
                continue;
            };
            let known = Token::ALL.iter().find(|(known, _)| *known == name);
            let (_, token) = known.ok_or_else(|| unknown(name))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Token(*token));
            rest = &rest[name.len() + 2..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// Whom a URL leads to: its text up to the first token says so.
    pub(super) fn origin(&self) -> Result<Origin, String> {
        let Some(Part::Literal(begin)) = self.0.first() else {
            return Err("write https:// and a host first".to_owned());
        };
        let after_host = begin
            .strip_prefix("https://")
            .and_then(|rest| rest.find('/'));
        if after_host.is_none() {
            return Err("write https://, a host and a path; a host has no token".to_owned());
        }
        let url = Url::parse(begin).map_err(|error| error.to_string())?;
        let plain = url.username().is_empty() && url.password().is_none();
        let is_whole = plain && !self.has_fragment();
        match (url.host(), is_whole) {
            (Some(host), true) => Ok(Origin {
                host: host.to_owned(),
                port: url.port_or_known_default().unwrap_or(HTTPS),
            }),
            _ => Err("write it without user, password and fragment".to_owned()),
        }
    }

    fn has_fragment(&self) -> bool {
        let is_one = |part: &Part| matches!(part, Part::Literal(text) if text.contains('#'));
        self.0.iter().any(is_one)
    }

    /// The text with a call's facts.
    pub(super) fn written(&self, call: &HookCall, place: Place) -> String {
        let escape = match place {
            Place::Url => url_char,
            Place::Json => json_char,
        };
        let mut written = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => written.push_str(text),
                Part::Token(token) => {
                    let _grows = each(token.of(call), escape, |text| {
                        written.push_str(text);
                        Ok(())
                    });
                }
            }
        }
        written
    }

    /// Path and query of a URL. A fact that is not known, or that would climb a level, names no call.
    pub(super) fn path(&self, call: &HookCall) -> Result<String, String> {
        for part in &self.0 {
            if let Part::Token(token) = part
                && matches!(token.of(call), "" | "." | "..")
            {
                let named = Token::ALL.iter().find(|(_, known)| known == token);
                let name = named.map_or("", |(name, _)| name);
                return Err(format!("{{{name}}} of this call has no value for a URL"));
            }
        }
        let url = Url::parse(&self.written(call, Place::Url)).map_err(|error| error.to_string())?;
        Ok(match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
    }
}

const HTTPS: u16 = domain::gateway::address::HTTPS_PORT;

/// The name in braces that a text begins with, if it looks like a token: words with a dot between.
fn token_name(text: &str) -> Option<&str> {
    let inner = &text[1..text.find('}')?];
    let is_word = |word: &str| {
        let clean = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !word.is_empty() && word.bytes().all(clean)
    };
    let (space, word) = inner.split_once('.')?;
    (is_word(space) && is_word(word)).then_some(inner)
}

fn unknown(name: &str) -> String {
    let known: Vec<String> = Token::ALL.map(|(known, _)| format!("{{{known}}}")).into();
    format!(
        "there is no token {{{name}}}; there are {}",
        known.join(", ")
    )
}
