//! `Session-Expires` (RFC 4028).

use std::fmt;
use std::time::Duration;

use super::Params;
use super::lex;

/// How long a session holds without a refresh, and who refreshes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// 1 s to 2^32-1 s.
    pub interval: Duration,
    /// None: the side that answers chooses.
    pub refresher: Option<Refresher>,
}

/// A side of the transaction that the field stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    /// The one that sent the request.
    Uac,
    /// The one that answers it.
    Uas,
}

impl SessionExpires {
    /// Reads a value; `None` if it is malformed, zero or above 2^32-1. Parameters of other names are passed over.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (seconds, params) = match lex::split_once(value, b';') {
            Some((seconds, params)) => (seconds, Params::parse(params)?),
            None => (value, Params::new()),
        };
        let seconds: u32 = lex::decimal(lex::trim(seconds)).filter(|seconds| *seconds > 0)?;
        let refresher = match params.value("refresher") {
            Some(side) if side.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(side) if side.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            interval: Duration::from_secs(seconds.into()),
            refresher,
        })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.interval.as_secs())?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_refresher_are_read_and_written() {
        for text in ["1800", "90;refresher=uac", "4294967295;refresher=uas"] {
            let read = SessionExpires::parse(text.as_bytes()).expect("valid");
            assert_eq!(read.to_string(), text);
        }
        let odd = SessionExpires::parse(b" 0300 ; x=1 ; Refresher = UAS").expect("valid");
        assert_eq!(odd.to_string(), "300;refresher=uas");
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "4294967296",
            "soon",
            "90;",
            "90;refresher=me",
            ";refresher=uac",
        ] {
            assert_eq!(SessionExpires::parse(text.as_bytes()), None, "{text}");
        }
    }
}
