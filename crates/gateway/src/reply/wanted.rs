//! What a configuration wants to know of a reply.
//! Owns: its keys, each looked for once, and what was found for whom.
//! Never: decides: the verdict does.

use domain::gateway::{
    AtKey, Condition, ConditionList, GatewayConfig, Key, KeyFound, Refinement, Test, ValueMeaning,
    is_nothing,
};
use zeroize::Zeroizing;

use super::hunt::{Found, Hunt};

/// Keys and who asked for them, as places in the list of keys.
pub(super) struct Wanted {
    keys: Vec<Key>,
    success: Option<usize>,
    value: Expected,
    messages: Vec<usize>,
    conditions: Vec<Asked>,
    outputs: Vec<(String, Vec<usize>)>,
}

/// What Response Success Value expects.
enum Expected {
    Text(String),
    Test(Test),
    /// It cannot be read, so that nothing is as expected.
    Nothing,
}

/// A condition and the place of its key; none: it cannot be read, and holds of nothing.
struct Asked {
    list: ConditionList,
    line: usize,
    condition: Option<(Test, usize)>,
}

/// What stands where a key was found.
pub(crate) struct Spot {
    /// The place, written as a key that would find it from the top.
    pub(crate) path: Zeroizing<String>,
    /// The text there: not scrubbed; none: there is not exactly one.
    pub(crate) value: Option<Zeroizing<String>>,
}

/// A text that was found, and where.
pub(crate) struct Text {
    /// The place.
    pub(crate) path: Zeroizing<String>,
    /// As it came: not scrubbed.
    pub(crate) value: Zeroizing<String>,
}

/// What of a reply is kept under a name.
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) text: Text,
}

/// A condition and what stands at its key.
pub(crate) struct Checked {
    pub(crate) list: ConditionList,
    pub(crate) line: usize,
    pub(crate) spot: Option<Spot>,
}

impl Wanted {
    /// What a configuration wants. What cannot be read in it is found nowhere: it was refused when it was saved.
    pub(super) fn of(config: &GatewayConfig) -> Self {
        let more = &config.more;
        let mut wanted = Self {
            keys: Vec::new(),
            success: None,
            value: Expected::of(config),
            messages: Vec::new(),
            conditions: Vec::new(),
            outputs: Vec::new(),
        };
        wanted.success = wanted.place(Key::parse(&config.success_key).ok());
        let messages = [&config.agent_message_key]
            .into_iter()
            .chain(&more.message_keys);
        for key in messages {
            let place = wanted.place(Key::parse(key).ok());
            wanted.messages.extend(place);
        }
        for list in ConditionList::ALL {
            for (line, text) in more.verdict.lines(list).iter().enumerate() {
                let condition = Condition::parse(text).ok();
                let condition =
                    condition.and_then(|read| Some((read.test, wanted.place(Some(read.key))?)));
                wanted.conditions.push(Asked {
                    list,
                    line,
                    condition,
                });
            }
        }
        for row in &more.outputs {
            let keys = Key::parse_all(&row.value).unwrap_or_default();
            let places = keys.into_iter().filter_map(|key| wanted.place(Some(key)));
            let places = places.collect();
            wanted.outputs.push((row.name.clone(), places));
        }
        wanted
    }

    fn place(&mut self, key: Option<Key>) -> Option<usize> {
        let key = key?;
        let known = self.keys.iter().position(|known| *known == key);
        Some(known.unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        }))
    }

    /// Names of headers that it wants, in lower case.
    pub(super) fn headers(self) -> Vec<String> {
        let names = self.keys.into_iter().filter_map(|key| match key {
            Key::Header(name) => Some(name),
            Key::Part(_) | Key::Status | Key::Caught(_) => None,
        });
        names.collect()
    }

    /// A walk that looks for all of it.
    pub(super) fn hunt(&self) -> Hunt {
        Hunt::new(self.keys.iter().cloned())
    }

    /// The success key against the success value.
    pub(super) fn success(&self, found: &[Found]) -> (KeyFound, Option<Spot>) {
        let Some(found) = self.success.and_then(|place| found.get(place)) else {
            return (KeyFound::Absent, None);
        };
        let key = match found.at_key() {
            AtKey::Absent => KeyFound::Absent,
            at_key if self.value.is(at_key) => KeyFound::Equal,
            AtKey::Text(_) => KeyFound::NotEqual,
            // A key that holds other keys is there, but says neither yes nor no.
            AtKey::Parts | AtKey::Twice => KeyFound::Ambiguous,
        };
        (key, spot(found))
    }

    /// The agent message: of the first key that says something.
    pub(super) fn message(&self, found: &[Found]) -> Option<Text> {
        let texts = self.messages.iter().filter_map(|place| {
            let found = found.get(*place)?;
            text(found, found.single().filter(|text| *text != "null")?)
        });
        let (saying, blank): (Vec<Text>, Vec<Text>) =
            texts.partition(|text| !is_nothing(&text.value));
        saying.into_iter().chain(blank).next()
    }

    /// What the conditions found.
    pub(super) fn conditions(&self, found: &[Found]) -> (Refinement, Vec<Checked>) {
        let mut refined = Refinement::default();
        let mut checked = Vec::with_capacity(self.conditions.len());
        for asked in &self.conditions {
            let at = asked.condition.as_ref();
            let at = at.and_then(|(test, place)| Some((test, found.get(*place)?)));
            let holds = at.is_some_and(|(test, found)| test.holds(found.at_key()));
            refined.note(asked.list, asked.line, holds);
            checked.push(Checked {
                list: asked.list,
                line: asked.line,
                spot: at.and_then(|(_, found)| spot(found)),
            });
        }
        (refined, checked)
    }

    /// What is kept: of each name the first key that says something.
    pub(super) fn outputs(&self, found: &[Found]) -> Vec<Output> {
        let says = |place: &usize| {
            let found = found.get(*place)?;
            text(found, found.kept().filter(|text| !is_nothing(text))?)
        };
        let outputs = self.outputs.iter().filter_map(|(name, places)| {
            Some(Output {
                name: name.clone(),
                text: places.iter().find_map(says)?,
            })
        });
        outputs.collect()
    }
}

impl Expected {
    fn of(config: &GatewayConfig) -> Self {
        match config.more.success_value {
            ValueMeaning::Text => Self::Text(config.success_value.trim().to_owned()),
            ValueMeaning::Test => {
                let test = Test::of_value(&config.success_value);
                test.map_or(Self::Nothing, Self::Test)
            }
        }
    }

    fn is(&self, at_key: AtKey<'_>) -> bool {
        match self {
            Self::Text(expected) => {
                matches!(at_key, AtKey::Text(text) if text.trim() == expected)
            }
            Self::Test(test) => test.holds(at_key),
            Self::Nothing => false,
        }
    }
}

fn owned(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn spot(found: &Found) -> Option<Spot> {
    Some(Spot {
        path: owned(found.path()?),
        value: found.single().map(owned),
    })
}

fn text(found: &Found, value: &str) -> Option<Text> {
    Some(Text {
        path: owned(found.path()?),
        value: owned(value),
    })
}
