//! The search for a key in a parsed reply.
//! Owns: what a configured key means, where it was found, and how often.
//! Never: keeps a value other than those it was asked for.

use zeroize::Zeroizing;

/// Levels that a reply may nest. Real replies stay below 10; beyond this it is taken for an attack.
pub(crate) const DEPTH_MAX: usize = 64;

/// The reply is not what its Response Type says, or breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A key as it is configured: a bare name is looked for at every level, a path (with `.`, `[`, `/`
/// or `@`) from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    text: String,
    steps: Vec<String>,
    anywhere: bool,
}

impl Query {
    /// Reads a key: `status`, `a.b[0].c`, `/a/b/0/c`, `a/b/@c`, `//b`, `..c`, `@c`, `a\.b`.
    pub(crate) fn parse(key: &str) -> Self {
        let text = key.trim();
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

    fn fits(&self, stack: &[Step], named_root: bool) -> bool {
        if self.steps.is_empty() {
            return false;
        }
        if self.anywhere {
            let Some(start) = stack.len().checked_sub(self.steps.len()) else {
                return false;
            };
            let last_is_index = stack.last().is_some_and(|step| step.is_index);
            return equal(&stack[start..], &self.steps) && (self.steps.len() > 1 || !last_is_index);
        }
        equal(stack, &self.steps)
            || (named_root && stack.get(1..).is_some_and(|tail| equal(tail, &self.steps)))
    }
}

fn is_one_step(text: &str) -> bool {
    !text.get(1..).unwrap_or("").contains('@')
}

fn equal(stack: &[Step], steps: &[String]) -> bool {
    stack.len() == steps.len() && stack.iter().zip(steps).all(|(at, step)| at.name == *step)
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

struct Step {
    name: String,
    is_index: bool,
}

/// What was found for one query, at the shallowest level where anything was.
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

    /// Nowhere.
    pub(crate) fn is_absent(&self) -> bool {
        self.count == 0
    }

    /// The value, if the key is there exactly once and holds text, a number, a truth value or null.
    pub(crate) fn single(&self) -> Option<&str> {
        match (self.count, &self.value) {
            (1, Some(value)) => Some(value),
            _ => None,
        }
    }

    fn record(&mut self, depth: usize, value: Option<&str>, path: impl FnOnce() -> String) {
        if self.count > 0 && depth > self.depth {
            return;
        }
        if self.count > 0 && depth == self.depth {
            self.count += 1;
            return;
        }
        self.depth = depth;
        self.count = 1;
        self.path = Some(Zeroizing::new(path()));
        self.value = value.map(|text| Zeroizing::new(text.to_owned()));
    }
}

/// A walk through a reply. Parsers call [`Hunt::enter`], then [`Hunt::leaf`] or
/// [`Hunt::container`], then [`Hunt::leave`] for each part.
pub(crate) struct Hunt {
    stack: Vec<Step>,
    searches: Vec<(Query, Found)>,
    named_root: bool,
}

impl Hunt {
    /// A walk that looks for these keys.
    pub(crate) fn new(queries: impl IntoIterator<Item = Query>) -> Self {
        Self {
            stack: Vec::new(),
            searches: queries.into_iter().map(|q| (q, Found::default())).collect(),
            named_root: false,
        }
    }

    /// What was found, in the order of the queries.
    pub(crate) fn finish(self) -> Vec<Found> {
        self.searches.into_iter().map(|(_, found)| found).collect()
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
    pub(crate) fn pair(&mut self, key: &str, value: &str) {
        for (query, found) in &mut self.searches {
            if !query.text.is_empty() && query.text == key {
                found.record(1, Some(value), || key.to_owned());
            }
        }
    }

    fn record(&mut self, value: Option<&str>) {
        let depth = self.stack.len();
        for (query, found) in &mut self.searches {
            if query.fits(&self.stack, self.named_root) {
                found.record(depth, value, || path_of(&self.stack, self.named_root));
            }
        }
    }
}

/// Steps as a key: `/a/b/@c` where elements have names, else `a.b[0].c`, with slashes too if a name holds one.
fn path_of(stack: &[Step], named_root: bool) -> String {
    if named_root || stack.iter().any(|step| step.name.contains('/')) {
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

    fn steps(key: &str) -> (Vec<String>, bool) {
        let query = Query::parse(key);
        (query.steps, query.anywhere)
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
        assert_eq!(steps(""), (path(&[]), true));
    }

    #[test]
    fn an_empty_key_is_found_nowhere() {
        let mut hunt = Hunt::new([Query::parse("")]);
        hunt.enter("").unwrap();
        hunt.leaf("x");
        hunt.pair("", "x");
        assert!(hunt.finish()[0].is_absent());
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
        ] {
            let step = |name: &&str| Step {
                name: (*name).to_owned(),
                is_index: false,
            };
            let mut stack: Vec<Step> = names.iter().map(step).collect();
            for named_root in [false, true] {
                let path = path_of(&stack, named_root);
                assert!(Query::parse(&path).fits(&stack, named_root), "{path}");
            }
            stack.push(Step {
                name: "3".to_owned(),
                is_index: true,
            });
            let path = path_of(&stack, false);
            assert!(Query::parse(&path).fits(&stack, false), "{path}");
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
