//! What the answers of steps gave.
//! Owns: the values that `{step.name.output}` stands for.
//! Never: reads an answer, or shows a value that is not public.

use std::collections::BTreeMap;

use domain::gateway::GatewayConfig;
use zeroize::Zeroizing;

use super::filtered::Words;

/// Stands for a value that no answer has given yet, in a preview.
const UNKNOWN: &str = "step";

/// Values by their names within `{step.}`: "pm.id". They are wiped when the charge ends.
#[derive(Default)]
pub(crate) struct Taken(BTreeMap<String, Words>);

impl Taken {
    /// What all steps of a configuration would give, where none of them is made.
    pub(crate) fn unknown(config: &GatewayConfig) -> Self {
        let mut taken = Self::default();
        for step in &config.more.steps {
            for output in &step.extract {
                let value = Zeroizing::new(UNKNOWN.to_owned());
                taken.put(step.full_name(output), value, output.public);
            }
        }
        taken
    }

    /// Takes a value.
    pub(crate) fn put(&mut self, name: String, value: Zeroizing<String>, is_public: bool) {
        let words = Words {
            text: value,
            is_secret: !is_public,
        };
        self.0.insert(name, words);
    }

    /// The value of a name.
    pub(super) fn words(&self, name: &str) -> Option<&Words> {
        self.0.get(name)
    }

    /// Those that nobody may see.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = self.0.values().filter(|words| words.is_secret);
        secret.map(|words| words.text.as_str())
    }
}
