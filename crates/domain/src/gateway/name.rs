//! Names of request parameters as paths.
//! Owns: how a name is read where a body has levels, and which names do not go together.
//! Never: writes a body.

use thiserror::Error;

/// Levels of a name. Real ones have six.
const STEPS_MAX: usize = 16;

/// A parameter's name, read: `a.b.c`, `a[b][c]`, `items[0].x`, `@version`, `ns:name`, `a\.b`.
///
/// In JSON it makes objects and arrays, in XML elements and attributes; in a form and a name-value body it is sent as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePath(Vec<Step>);

/// One level of a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A member, an element, or with `@` an attribute.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing between two dots or brackets, or at the end.
    #[error("a level of the name is empty")]
    Empty,
    /// A bracket that is not closed, or text behind a closed one.
    #[error("brackets stand in pairs, and a dot, a bracket or nothing follows them")]
    Bracket,
    /// More than [`STEPS_MAX`].
    #[error("a name has at most {STEPS_MAX} levels")]
    Deep,
}

impl NamePath {
    /// Reads a name.
    ///
    /// # Errors
    /// Empty levels, brackets without a partner, too many levels.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let mut steps = Vec::new();
        let mut rest = name;
        loop {
            let (key, after) = dotted(rest);
            if key.is_empty() {
                return Err(NameError::Empty);
            }
            steps.push(Step::Key(key));
            rest = brackets(after, &mut steps)?;
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None if rest.is_empty() => break,
                None => return Err(NameError::Bracket),
            }
        }
        if steps.len() > STEPS_MAX {
            return Err(NameError::Deep);
        }
        Ok(Self(steps))
    }

    /// Its levels, from the outermost; at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether one name wants a value where the other wants a level, or an object where the other wants a list.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        let differ = self
            .0
            .iter()
            .zip(&other.0)
            .position(|(one, two)| one != two);
        match differ.and_then(|at| Some((self.0.get(at)?, other.0.get(at)?))) {
            Some((Step::Key(_), Step::Key(_)) | (Step::Index(_), Step::Index(_))) => false,
            Some((Step::Key(_), Step::Index(_)) | (Step::Index(_), Step::Key(_))) => true,
            // One begins the other, or they are the same.
            None => true,
        }
    }
}

/// A key up to the next dot or bracket; a backslash takes the next character as it is.
fn dotted(text: &str) -> (String, &str) {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '.' | '[' => return (key, &text[at..]),
            '\\' => key.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => key.push(c),
        }
    }
    (key, "")
}

/// Levels in brackets; returns what follows them.
fn brackets<'t>(text: &'t str, steps: &mut Vec<Step>) -> Result<&'t str, NameError> {
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let (key, after) = inner.split_once(']').ok_or(NameError::Bracket)?;
        steps.push(match key.parse() {
            Ok(index) => Step::Index(index),
            Err(_) if key.is_empty() => Step::Index(0),
            Err(_) => Step::Key(key.to_owned()),
        });
        rest = after;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Step {
        Step::Key(text.to_owned())
    }

    fn steps(name: &str) -> Vec<Step> {
        NamePath::parse(name).unwrap().steps().to_vec()
    }

    #[test]
    fn names_are_read_level_by_level() {
        assert_eq!(steps("amount"), [key("amount")]);
        assert_eq!(steps("a.b.c"), [key("a"), key("b"), key("c")]);
        assert_eq!(steps("a[b][c]"), [key("a"), key("b"), key("c")]);
        assert_eq!(
            steps("items[0].x"),
            [key("items"), Step::Index(0), key("x")]
        );
        assert_eq!(steps("types[]"), [key("types"), Step::Index(0)]);
        assert_eq!(steps(r"a\.b.c"), [key("a.b"), key("c")]);
        assert_eq!(steps("a.@id"), [key("a"), key("@id")]);
        assert_eq!(steps("ns:name"), [key("ns:name")]);
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (name, error) in [
            ("", NameError::Empty),
            ("a.", NameError::Empty),
            ("a..b", NameError::Empty),
            (".a", NameError::Empty),
            ("[0]", NameError::Empty),
            ("a[b", NameError::Bracket),
            ("a[0]b", NameError::Bracket),
            ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", NameError::Deep),
        ] {
            assert_eq!(NamePath::parse(name), Err(error), "{name}");
        }
    }

    #[test]
    fn a_value_and_a_level_do_not_share_a_name() {
        for (one, other, clash) in [
            ("a", "a", true),
            ("a", "a.b", true),
            ("a.b", "a.c", false),
            ("a[0].x", "a[1].x", false),
            ("a[0]", "a.b", true),
            ("a.b", "b.a", false),
        ] {
            let [one, other] = [one, other].map(|name| NamePath::parse(name).unwrap());
            assert_eq!(one.clashes(&other), clash, "{one:?} {other:?}");
            assert_eq!(other.clashes(&one), clash, "{one:?} {other:?}");
        }
    }
}
