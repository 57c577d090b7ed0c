//! `Privacy` ([RFC 3323](https://www.rfc-editor.org/rfc/rfc3323), [RFC 3325](https://www.rfc-editor.org/rfc/rfc3325), [RFC 7044](https://www.rfc-editor.org/rfc/rfc7044)).

use std::fmt;

use super::{HeaderMap, HeaderName};

/// What a caller wants withheld from the called side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privacy {
    /// Who calls: `id`, `user` or `header`.
    pub identity: bool,
    /// By which ways the call came: `history`, and with `header`.
    pub history: bool,
}

impl Privacy {
    /// What the fields of a message ask. `none` asks for nothing, whatever stands beside it; words that are not known are passed over, but a field of
    /// them alone means that somebody wants something withheld, and who calls is the most that we could tell.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let fields = headers.all(&HeaderName::PRIVACY);
        let split = |byte: &u8| matches!(byte, b';' | b',');
        let words: Vec<&[u8]> = fields
            .flat_map(|value| value.split(split))
            .map(<[u8]>::trim_ascii)
            .filter(|word| !word.is_empty())
            .collect();
        let has = |wanted: &str| {
            let mut words = words.iter();
            words.any(|word| word.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        if words.is_empty() || has("none") {
            return Self::default();
        }
        let known = ["id", "user", "header", "history", "session", "critical"];
        let is_understood = known.into_iter().any(has);
        Self {
            identity: !is_understood || ["id", "user", "header"].into_iter().any(has),
            history: has("history") || has("header"),
        }
    }
}

/// As it is written to a far side that is trusted to keep it: what is left to do for it.
impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.identity, self.history) {
            (true, true) => "id;history",
            (true, false) => "id",
            (false, true) => "history",
            (false, false) => "none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_withheld_in_any_case_and_number() {
        let none = (false, false);
        for (value, (identity, history)) in [
            ("id", (true, false)),
            ("ID;critical", (true, false)),
            (" user ; Header", (true, true)),
            ("history", (false, true)),
            ("session;critical", none),
            ("none", none),
            ("id;none", none),
            ("", none),
            ("something-new", (true, false)),
        ] {
            let mut headers = HeaderMap::new();
            headers.push(HeaderName::PRIVACY, value);
            let wanted = Privacy { identity, history };
            assert_eq!(Privacy::of(&headers), wanted, "{value}");
        }
        assert_eq!(Privacy::of(&HeaderMap::new()), Privacy::default());
    }
}
