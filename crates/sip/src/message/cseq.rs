//! `CSeq`.

use std::fmt;

use super::lex;
use super::limits::CSEQ_MAX;
use super::method::Method;

/// Sequence number and method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// 0 to [`CSEQ_MAX`].
    pub number: u32,
    /// Method of the request it belongs to.
    pub method: Method,
}

impl CSeq {
    /// Reads a value; `None` if it is malformed or the number is above [`CSEQ_MAX`].
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (number, method) = lex::split_space(value)?;
        let number = lex::decimal(number).filter(|number| *number <= CSEQ_MAX)?;
        Some(Self {
            number,
            method: Method::parse(method)?,
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_from_2_to_the_31_are_refused() {
        assert_eq!(
            CSeq::parse(b"0009  INVITE")
                .map(|cseq| cseq.to_string())
                .as_deref(),
            Some("9 INVITE")
        );
        assert!(CSeq::parse(b"2147483647 BYE").is_some());
        assert!(CSeq::parse(b"2147483648 BYE").is_none());
        assert!(CSeq::parse(b"1").is_none());
    }
}
