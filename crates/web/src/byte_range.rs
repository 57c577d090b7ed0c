//! Parts of something long, as a request asks for them (RFC 9110).
//! Owns: one range of bytes of a known length.
//! Never: answers with several parts: a request for several gets all of it, as it may.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Bytes of which there are none.
    Beyond,
}

impl Asked {
    /// Of something with this tag and length. What is no range of bytes, or of another version, asks for all of it.
    pub(crate) fn of(headers: &HeaderMap, tag: &str, length: u64) -> Self {
        let is_other = |held: &axum::http::HeaderValue| held.as_bytes() != tag.as_bytes();
        if headers.get(IF_RANGE).is_some_and(is_other) || headers.get_all(RANGE).iter().count() > 1
        {
            return Self::Whole;
        }
        let text = headers.get(RANGE).and_then(|value| value.to_str().ok());
        text.and_then(|text| Self::parse(text, length))
            .unwrap_or(Self::Whole)
    }

    /// `bytes=0-99`, `bytes=100-` or `bytes=-100`.
    fn parse(text: &str, length: u64) -> Option<Self> {
        let (unit, set) = text.split_once('=')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        let part = match (first, last) {
            ("", last) => length.saturating_sub(number(last)?)..length,
            (first, "") => number(first)?..length,
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                first..last.saturating_add(1).min(length)
            }
        };
        Some(if part.is_empty() {
            Self::Beyond
        } else {
            Self::Part(part)
        })
    }
}

/// More than fits is as good as the largest that does.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(range: &str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        Asked::of(&headers, "\"tag\"", 100)
    }

    #[test]
    fn one_range_is_cut_at_the_end() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=10-", 10..100),
            ("bytes=99-", 99..100),
            ("bytes=90-5000", 90..100),
            ("BYTES=1-2", 1..3),
            ("bytes=-1", 99..100),
            ("bytes=-5000", 0..100),
            ("bytes=0-99999999999999999999999", 0..100),
        ] {
            assert_eq!(asked(range), Asked::Part(part), "{range}");
        }
    }

    #[test]
    fn bytes_behind_the_end_are_beyond() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(asked(range), Asked::Beyond, "{range}");
        }
    }

    #[test]
    fn what_is_no_single_range_asks_for_all() {
        for range in [
            "bytes=0-1,5-6",
            "bytes=5-1",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=0-1",
            "0-1",
            "bytes=1-2-3",
            "bytes=1 - 2",
        ] {
            assert_eq!(asked(range), Asked::Whole, "{range}");
        }
        assert_eq!(Asked::of(&HeaderMap::new(), "\"tag\"", 100), Asked::Whole);
    }

    #[test]
    fn a_range_of_another_version_asks_for_all() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=1-2"));
        headers.insert(IF_RANGE, HeaderValue::from_static("\"tag\""));
        assert_eq!(Asked::of(&headers, "\"tag\"", 100), Asked::Part(1..3));
        assert_eq!(Asked::of(&headers, "\"other\"", 100), Asked::Whole);
    }
}
