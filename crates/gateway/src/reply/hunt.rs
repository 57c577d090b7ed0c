//! The search for keys in a parsed reply.
//! Owns: where a key was found, and how often.
//! Never: keeps a value other than those it was asked for.

use domain::gateway::{AtKey, Key, PartKey};
use zeroize::Zeroizing;

/// Levels that a reply may nest. Real replies stay below 10; beyond this it is taken for an attack.
pub(crate) const DEPTH_MAX: usize = 64;

/// Times that an expression is looked for: whether it fits more often does not matter.
const CAUGHT_MAX: usize = 2;

/// The key of the status, which is its path, too.
const HTTP_STATUS: &str = "http:status";

/// A header of a reply that somebody asked for.
pub(crate) struct Header {
    /// In lower case.
    pub(crate) name: String,
    /// None: it is no text.
    pub(crate) value: Option<Zeroizing<String>>,
}

/// The reply is not what its Response Type says, or breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

fn fits(key: &PartKey, stack: &[Step], named_root: bool) -> bool {
    let steps = key.steps();
    if key.is_anywhere() {
        let Some(start) = stack.len().checked_sub(steps.len()) else {
            return false;
        };
        let last_is_index = stack.last().is_some_and(|step| step.is_index);
        return equal(&stack[start..], steps) && (steps.len() > 1 || !last_is_index);
    }
    equal(stack, steps) || (named_root && stack.get(1..).is_some_and(|tail| equal(tail, steps)))
}

fn equal(stack: &[Step], steps: &[String]) -> bool {
    stack.len() == steps.len() && stack.iter().zip(steps).all(|(at, step)| at.name == *step)
}

struct Step {
    name: String,
    is_index: bool,
}

/// What was found for one key, at the shallowest level where anything was.
#[derive(Default)]
pub(crate) struct Found {
    depth: usize,
    count: usize,
    path: Option<Zeroizing<String>>,
    value: Option<Zeroizing<String>>,
}

impl Found {
    /// Where it was found first at that level, written as a key that would find it from the top.
    pub(crate) fn path(&self) -> Option<&str> {
        self.path.as_ref().map(|path| path.as_str())
    }

    /// What stands there, as a condition sees it.
    pub(crate) fn at_key(&self) -> AtKey<'_> {
        match (self.count, &self.value) {
            (0, _) => AtKey::Absent,
            (1, Some(value)) => AtKey::Text(value),
            (1, None) => AtKey::Parts,
            _ => AtKey::Twice,
        }
    }

    /// The value, if the key is there exactly once and holds text, a number, a truth value or null.
    pub(crate) fn single(&self) -> Option<&str> {
        match self.at_key() {
            AtKey::Text(value) => Some(value),
            AtKey::Absent | AtKey::Twice | AtKey::Parts => None,
        }
    }

    /// The value even if the key is there more often: the first, but of a member that is repeated in one object the last (GATEWAYS 2.2). For what is kept, never
    /// for what decides.
    pub(crate) fn kept(&self) -> Option<&str> {
        self.value.as_ref().map(|value| value.as_str())
    }

    fn record(&mut self, depth: usize, value: Option<&str>, path: impl FnOnce() -> String) {
        if self.count > 0 && depth > self.depth {
            return;
        }
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        if self.count > 0 && depth == self.depth {
            self.count += 1;
            return;
        }
        self.depth = depth;
        self.count = 1;
        self.path = Some(Zeroizing::new(path()));
        self.value = value.map(owned);
    }

    /// A member that an object repeats takes the place of the one before.
    fn replace(&mut self, depth: usize, value: Option<&str>, path: impl Fn() -> String) {
        let again = self.count > 0 && depth == self.depth && self.path() == Some(&*path());
        self.record(depth, value, path);
        if again {
            self.value = value.map(|text| Zeroizing::new(text.to_owned()));
        }
    }
}

/// A walk through a reply. Parsers call [`Hunt::enter`], then [`Hunt::leaf`] or
/// [`Hunt::container`], then [`Hunt::leave`] for each part.
pub(crate) struct Hunt {
    stack: Vec<Step>,
    searches: Vec<(Key, Found)>,
    named_root: bool,
}

impl Hunt {
    /// A walk that looks for these keys.
    pub(crate) fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            stack: Vec::new(),
            searches: keys
                .into_iter()
                .map(|key| (key, Found::default()))
                .collect(),
            named_root: false,
        }
    }

    /// What was found, in the order of the keys.
    pub(crate) fn finish(self) -> Vec<Found> {
        self.searches.into_iter().map(|(_, found)| found).collect()
    }

    /// What stands before the body: the status, and a header once for each time that it came.
    pub(crate) fn head(&mut self, status: u16, headers: &[Header]) {
        for (key, found) in &mut self.searches {
            match key {
                Key::Status => {
                    found.record(1, Some(&status.to_string()), || HTTP_STATUS.to_owned())
                }
                Key::Header(name) => {
                    for header in headers.iter().filter(|header| header.name == *name) {
                        let value = header.value.as_ref().map(|value| value.as_str());
                        found.record(1, value, || format!("header:{name}"));
                    }
                }
                Key::Part(_) | Key::Caught(_) => {}
            }
        }
    }

    /// A whole text, for expressions. True if there are some.
    pub(crate) fn text(&mut self, text: &str) -> bool {
        let mut any = false;
        for (key, found) in &mut self.searches {
            let Key::Caught(expression) = key else {
                continue;
            };
            any = true;
            for value in expression.caught(text).take(CAUGHT_MAX) {
                found.record(1, Some(value), || format!("re:/{}/", expression.as_str()));
            }
        }
        any
    }

    /// The outermost part has a name of its own (XML): paths may name it or begin below it.
    pub(crate) fn name_root(&mut self) {
        self.named_root = true;
    }

    /// Into a member, element or attribute (`@name`).
    pub(crate) fn enter(&mut self, name: &str) -> Result<(), Malformed> {
        self.push(name.to_owned(), false)
    }

    /// Into an element of a list.
    pub(crate) fn enter_index(&mut self, index: usize) -> Result<(), Malformed> {
        self.push(index.to_string(), true)
    }

    fn push(&mut self, name: String, is_index: bool) -> Result<(), Malformed> {
        if self.stack.len() == DEPTH_MAX {
            return Err(Malformed);
        }
        self.stack.push(Step { name, is_index });
        Ok(())
    }

    /// The part entered last holds this text.
    pub(crate) fn leaf(&mut self, text: &str) {
        self.record(Some(text));
    }

    /// The part entered last holds other parts.
    pub(crate) fn container(&mut self) {
        self.record(None);
    }

    /// Out of the part entered last.
    pub(crate) fn leave(&mut self) {
        self.stack.pop();
    }

    /// A pair of a flat reply; its key is compared as a whole.
    pub(crate) fn pair(&mut self, name: &str, value: &str) {
        for (key, found) in &mut self.searches {
            if let Key::Part(key) = key
                && key.text() == name
            {
                found.record(1, Some(value), || name.to_owned());
            }
        }
    }

    fn record(&mut self, value: Option<&str>) {
        let depth = self.stack.len();
        for (key, found) in &mut self.searches {
            let Key::Part(key) = key else { continue };
            if !fits(key, &self.stack, self.named_root) {
                continue;
            }
            let path = || path_of(&self.stack, self.named_root);
            match self.named_root {
                true => found.record(depth, value, path),
                false => found.replace(depth, value, path),
            }
        }
    }
}

/// Beginnings of keys that are no path.
const RESERVED: [&str; 2] = ["http:", "header:"];

/// Steps as a key: `/a/b/@c` where elements have names, else `a.b[0].c`, with slashes too if a name holds one or begins as a key of another kind.
fn path_of(stack: &[Step], named_root: bool) -> String {
    let is_reserved = |step: &Step| RESERVED.iter().any(|begin| step.name.starts_with(begin));
    let slashes =
        stack.first().is_some_and(is_reserved) || stack.iter().any(|step| step.name.contains('/'));
    if named_root || slashes {
        let escaped = |step: &Step| format!("/{}", step.name.replace('~', "~0").replace('/', "~1"));
        return stack.iter().map(escaped).collect();
    }
    let mut path = String::new();
    for step in stack {
        if step.is_index {
            path.push_str(&format!("[{}]", step.name));
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        for c in step.name.chars() {
            if matches!(c, '.' | '[' | ']' | '@' | '\\') {
                path.push('\\');
            }
            path.push(c);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> PartKey {
        match Key::parse(text).unwrap() {
            Key::Part(part) => part,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_is_a_key_that_finds_the_same_place() {
        for names in [
            vec!["status"],
            vec!["a", "b"],
            vec!["a.b", "c"],
            vec!["a/b", "~c"],
            vec!["@a", "b[0]"],
            vec!["a\\b", "c"],
            vec!["http:status"],
            vec!["header:x", "c"],
            vec!["re:/(a)/"],
        ] {
            let step = |name: &&str| Step {
                name: (*name).to_owned(),
                is_index: false,
            };
            let mut stack: Vec<Step> = names.iter().map(step).collect();
            for named_root in [false, true] {
                let path = path_of(&stack, named_root);
                assert!(fits(&part(&path), &stack, named_root), "{path}");
            }
            stack.push(Step {
                name: "3".to_owned(),
                is_index: true,
            });
            let path = path_of(&stack, false);
            assert!(fits(&part(&path), &stack, false), "{path}");
        }
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let mut hunt = Hunt::new([]);
        for _ in 0..DEPTH_MAX {
            hunt.enter("a").unwrap();
        }
        assert_eq!(hunt.enter("a"), Err(Malformed));
        hunt.leave();
        assert_eq!(hunt.enter("a"), Ok(()));
    }
}
