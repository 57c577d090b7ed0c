//! A key of an answer: what is looked for, and where.
//! Owns: the ways to write one.
//! Never: sees an answer; the gateway room looks.

use super::expression::Expression;
use super::misread::Misread;

/// Longest key in characters; with fall-backs, all of them.
pub(super) const KEY_CHARS_MAX: usize = 200;

/// Begins a key that is an expression over a text answer.
const EXPRESSION: &str = "re:/";
/// Stands between a key and its fall-back.
const FALL_BACK: &str = "||";

/// A key as it is configured. `http:status`, `header:` and `re:/` at its beginning are reserved: a member of such a name is written with a slash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A part of the body.
    Part(PartKey),
    /// `http:status`: the status of the answer.
    Status,
    /// `header:Name`: a header of the answer, its name in lower case.
    Header(String),
    /// `re:/.../`: what the one group catches in a text answer.
    Caught(Expression),
}

impl Key {
    /// Reads a key: `status`, `a.b[0].c`, `/a/b/0/c`, `a/b/@c`, `//b`, `..c`, `@c`, `a\.b`, `http:status`, `header:Name`, `re:/code=(\d+)/`.
    ///
    /// # Errors
    /// Where it names nothing, or a reserved beginning is not followed by what belongs to it.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let key = text.trim();
        let before = &text[..text.len() - text.trim_start().len()];
        let read = if key.starts_with(EXPRESSION) {
            caught(key)
        } else if let Some(word) = key.strip_prefix("http:") {
            match word {
                "status" => Ok(Self::Status),
                _ => Err(Misread::new(key, 0, "of http there is http:status only")),
            }
        } else if let Some(name) = key.strip_prefix("header:") {
            header(key, name)
        } else {
            let part = PartKey::parse(key);
            match part.steps.is_empty() {
                true => Err(Misread::new(
                    key,
                    0,
                    "write a key, such as status or a.b[0].c",
                )),
                false => Ok(Self::Part(part)),
            }
        };
        read.map_err(|misread| misread.after(before))
    }

    /// Reads a key and those that are asked where it is not found, with `||` between.
    ///
    /// # Errors
    /// Where one of them is none.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Misread> {
        let mut keys = Vec::new();
        let mut from = 0;
        while let Some(rest) = text.get(from..) {
            let skip = expression_len(rest).unwrap_or(0);
            let len = rest[skip..]
                .find(FALL_BACK)
                .map_or(rest.len(), |at| skip + at);
            let key = Self::parse(&rest[..len]);
            keys.push(key.map_err(|misread| misread.after(&text[..from]))?);
            from += len + FALL_BACK.len();
        }
        Ok(keys)
    }
}

/// Bytes of the expression that a text begins with, blanks before it among them; none: it begins with none, or it has no end.
pub(super) fn expression_len(text: &str) -> Option<usize> {
    let begin = text.len() - text.trim_start().len() + EXPRESSION.len();
    let inner = text.trim_start().strip_prefix(EXPRESSION)?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            '/' if !escaped => return Some(begin + at + 1),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

fn caught(key: &str) -> Result<Key, Misread> {
    let Some(len) = expression_len(key) else {
        return Err(Misread::new(key, key.len(), "an expression ends with /"));
    };
    if len < key.len() {
        return Err(Misread::new(key, len, "nothing follows an expression"));
    }
    let expression = Expression::parse(&key[EXPRESSION.len()..len - 1]);
    let expression = expression.map_err(|misread| misread.after(EXPRESSION))?;
    if expression.groups() == 1 {
        return Ok(Key::Caught(expression));
    }
    let allowed = "a key's expression has one group in parentheses, for what it finds";
    Err(Misread::new(key, EXPRESSION.len(), allowed))
}

fn header(key: &str, name: &str) -> Result<Key, Misread> {
    let begin = key.len() - name.len();
    let strange = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let allowed = "a header's name has letters, digits and dashes";
    match name.find(strange) {
        Some(at) => Err(Misread::new(key, begin + at, allowed)),
        None if name.is_empty() => Err(Misread::new(key, begin, allowed)),
        None => Ok(Key::Header(name.to_ascii_lowercase())),
    }
}

/// A key of a part of the body: a bare name is looked for at every level, a path (with `.`, `[`, `/` or `@`) from the top. In pairs it is a name as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartKey {
    text: String,
    steps: Vec<String>,
    anywhere: bool,
}

impl PartKey {
    fn parse(text: &str) -> Self {
        let (rest, anywhere) = match text.strip_prefix("//").or(text.strip_prefix("..")) {
            Some(rest) => (rest, true),
            None => (text, !text.contains(['.', '[', '/']) && is_one_step(text)),
        };
        let steps = if rest.contains('/') {
            let parts = rest.split('/').filter(|part| !part.is_empty());
            parts
                .map(|part| part.replace("~1", "/").replace("~0", "~"))
                .collect()
        } else {
            dotted(rest)
        };
        Self {
            text: text.to_owned(),
            steps,
            anywhere,
        }
    }

    /// As it was written, without blanks around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names from the outermost, at least one; an attribute's begins with `@`, a list's is a number.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// It may begin at every level.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        self.anywhere
    }
}

fn is_one_step(text: &str) -> bool {
    !text.get(1..).unwrap_or("").contains('@')
}

/// Steps of a dotted path; a backslash takes the next character as it is.
fn dotted(text: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => push(&mut steps, chars.next().unwrap_or('\\')),
            '.' | '[' => steps.push(String::new()),
            ']' => {}
            '@' => {
                steps.push(String::new());
                push(&mut steps, c);
            }
            _ => push(&mut steps, c),
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

fn push(steps: &mut [String], c: char) {
    if let Some(last) = steps.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(text: &str) -> (Vec<String>, bool) {
        match Key::parse(text) {
            Ok(Key::Part(part)) => (part.steps, part.anywhere),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn keys_are_read_as_names_or_paths() {
        assert_eq!(steps(" status "), (path(&["status"]), true));
        assert_eq!(steps("a.b[0].c"), (path(&["a", "b", "0", "c"]), false));
        assert_eq!(steps("/a/b/0/c~1d"), (path(&["a", "b", "0", "c/d"]), false));
        assert_eq!(steps("a/b/@c"), (path(&["a", "b", "@c"]), false));
        assert_eq!(steps("a.b@c"), (path(&["a", "b", "@c"]), false));
        assert_eq!(steps("//b"), (path(&["b"]), true));
        assert_eq!(steps("..c"), (path(&["c"]), true));
        assert_eq!(steps("@c"), (path(&["@c"]), true));
        assert_eq!(steps("a\\.b.c"), (path(&["a.b", "c"]), false));
        assert_eq!(steps("/header:x"), (path(&["header:x"]), false));
    }

    #[test]
    fn status_headers_and_expressions_are_keys_too() {
        assert_eq!(Key::parse(" http:status"), Ok(Key::Status));
        let header = Key::Header("x-request-id".to_owned());
        assert_eq!(Key::parse("header:X-Request-Id"), Ok(header));
        let key = Key::parse(r"re:/a\/b=(\d+)/").unwrap();
        let Key::Caught(expression) = key else {
            panic!("{key:?}")
        };
        let caught: Vec<&str> = expression.caught("a/b=17").collect();
        assert_eq!(caught, ["17"]);
    }

    #[test]
    fn what_is_no_key_is_told_by_place() {
        for (text, at) in [
            ("", 1),
            ("  ", 3),
            (" .[]", 2),
            ("//", 1),
            ("http:body", 1),
            ("header:", 8),
            ("header:a b", 9),
            ("re:/a(b)", 9),
            ("re:/a(b/", 6),
            ("re:/ab/", 5),
            ("re:/(a)(b)/", 5),
            ("re:/(a)/x", 9),
        ] {
            assert_eq!(
                Key::parse(text).map_err(|wrong| wrong.at),
                Err(at),
                "{text:?}"
            );
        }
    }

    #[test]
    fn fall_backs_follow_each_other() {
        let keys = Key::parse_all("a.b || //c||re:/x||(y)/ || http:status").unwrap();
        assert_eq!(keys.len(), 4);
        assert_eq!(keys[2], Key::parse("re:/x||(y)/").unwrap());
        assert_eq!(keys[3], Key::Status);
        for (text, at) in [("a ||", 5), ("|| a", 1), ("a || header:", 13), ("", 1)] {
            assert_eq!(
                Key::parse_all(text).map_err(|wrong| wrong.at),
                Err(at),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_place_of_it(text in "(re:/|header:|http:)?[\\PC]{0,30}") {
            for misread in [Key::parse(&text).err(), Key::parse_all(&text).err()].into_iter().flatten() {
                prop_assert!((1..=text.chars().count() + 1).contains(&misread.at));
            }
        }
    }
}
