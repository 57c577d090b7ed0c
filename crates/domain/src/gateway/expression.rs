//! A regular expression of a configuration.
//! Owns: what is taken as one, and how large it may become.
//! Never: goes back in a text that it searches: the time is in proportion to the text, whoever wrote it.

use regex::{Regex, RegexBuilder};

use super::misread::Misread;

/// Bytes that an expression takes once it is compiled: about ten Unicode classes. Searching takes time in proportion to it.
const COMPILED_BYTES_MAX: usize = 256 * 1024;

/// Bytes that a search may keep of what it has worked out.
const CACHE_BYTES_MAX: usize = 256 * 1024;

/// Groups within each other.
const NESTED_MAX: u32 = 20;

/// A regular expression in the syntax of the crate `regex`: no look-around and no back-references. It fits where any part of a text fits.
#[derive(Debug, Clone)]
pub struct Expression(Regex);

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Expression {}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where it is none, or that it is too large.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let compiled = RegexBuilder::new(text)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(CACHE_BYTES_MAX)
            .nest_limit(NESTED_MAX)
            .build();
        compiled.map(Self).map_err(|_| fault(text))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Some part of the text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Groups that catch a part, besides the whole.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.0.captures_len().saturating_sub(1)
    }

    /// What the first group holds, wherever the expression fits.
    pub fn caught<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let matches = self.0.captures_iter(text);
        matches.filter_map(|found| found.get(1).map(|group| group.as_str()))
    }
}

/// The parser tells the place, the builder only the reason.
fn fault(text: &str) -> Misread {
    use regex_syntax::Error::{Parse, Translate};
    let mut parser = regex_syntax::ParserBuilder::new()
        .nest_limit(NESTED_MAX)
        .build();
    let (byte, why) = match parser.parse(text) {
        Err(Parse(error)) => (error.span().start.offset, error.kind().to_string()),
        Err(Translate(error)) => (error.span().start.offset, error.kind().to_string()),
        _ => (0, "it is too large".to_owned()),
    };
    Misread::new(text, byte, format!("write a regular expression ({why})"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_expression_fits_a_part_and_says_what_its_group_caught() {
        let expression = Expression::parse(r"(?i)code[ =]*(\d+)").unwrap();
        assert!(expression.fits("the CODE=17."));
        assert!(!expression.fits("code x"));
        assert_eq!(expression.groups(), 1);
        let caught: Vec<&str> = expression.caught("code 1, Code=22, code").collect();
        assert_eq!(caught, ["1", "22"]);
    }

    #[test]
    fn what_is_no_expression_is_told_by_place() {
        for (text, at) in [
            ("a(b", 2),
            ("ab)", 3),
            ("\u{e9}*+{", 4),
            ("[z-a]", 2),
            (r"a(?=b)", 2),
            (r"(a)\1", 4),
            (r"\p{Nothing}", 1),
        ] {
            assert_eq!(Expression::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn an_expression_is_not_too_large_when_compiled() {
        for text in ["(a{100}){100}", r"(\w{30}\W{30}){40}", &"(".repeat(40)] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        assert!(Expression::parse(r"^\d{4}-\d{2}$").is_ok());
    }

    #[test]
    fn a_search_that_would_go_back_for_ever_does_not() {
        let expression = Expression::parse("(a+)+$").unwrap();
        let began = std::time::Instant::now();
        assert!(!expression.fits(&format!("{}b", "a".repeat(200_000))));
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_place_of_it(text in "\\PC{0,40}") {
            if let Err(misread) = Expression::parse(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&misread.at));
            }
        }
    }
}
