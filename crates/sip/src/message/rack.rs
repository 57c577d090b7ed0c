//! `RAck` (RFC 3262).

use std::fmt;

use super::lex;
use super::limits::CSEQ_MAX;
use super::method::Method;

/// Which provisional response a PRACK acknowledges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RAck {
    /// Its `RSeq`, 1 to 2^32-1.
    pub response: u32,
    /// Number of the request that it answers, 0 to [`CSEQ_MAX`].
    pub number: u32,
    /// Method of that request.
    pub method: Method,
}

impl RAck {
    /// Reads a value; `None` if it is malformed or a number is out of its range.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (response, rest) = lex::split_space(value)?;
        let (number, method) = lex::split_space(rest)?;
        Some(Self {
            response: lex::decimal(response).filter(|response| *response > 0)?,
            number: lex::decimal(number).filter(|number| *number <= CSEQ_MAX)?,
            method: Method::parse(method)?,
        })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.response, self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_read_and_written() {
        let read = RAck::parse(b"776656   1 INVITE").expect("valid");
        assert_eq!(read.to_string(), "776656 1 INVITE");
        for text in [
            "",
            "1",
            "1 1",
            "0 1 INVITE",
            "4294967296 1 INVITE",
            "1 2147483648 INVITE",
            "1 1 IN VITE",
        ] {
            assert_eq!(RAck::parse(text.as_bytes()), None, "{text}");
        }
    }
}
