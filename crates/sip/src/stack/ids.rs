//! Tags, branches and Call-IDs. All carry node and epoch, so that this node knows its own again (S40) and never takes over those of an earlier life.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

use crate::message::{BRANCH_COOKIE, Essentials};

/// Source of every name this stack gives.
pub(crate) struct Ids {
    random: StdRng,
    /// `node-epoch`.
    mark: String,
    /// Key of the tags that are computed instead of stored.
    secret: [u8; 32],
}

impl Ids {
    pub(crate) fn new(node: &str, epoch: u32, seed: [u8; 32]) -> Self {
        let node: String = node
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let mut random = StdRng::from_seed(seed);
        let mut secret = [0; 32];
        random.fill_bytes(&mut secret);
        Self {
            random,
            mark: format!("{node}-{epoch:x}"),
            secret,
        }
    }

    /// `node-epoch`, the user part of our `Contact`.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    pub(crate) fn tag(&mut self) -> String {
        format!("{}.{:016x}", self.mark, self.random.next_u64())
    }

    pub(crate) fn branch(&mut self) -> String {
        format!(
            "{BRANCH_COOKIE}-{}.{:016x}",
            self.mark,
            self.random.next_u64()
        )
    }

    pub(crate) fn call_id(&mut self) -> String {
        format!(
            "{}.{:016x}{:016x}",
            self.mark,
            self.random.next_u64(),
            self.random.next_u64()
        )
    }

    /// A number for a digest client.
    pub(crate) fn cnonce(&mut self) -> String {
        format!("{:016x}", self.random.next_u64())
    }

    /// A key for a part that computes marks of its own.
    pub(crate) fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.random.fill_bytes(&mut key);
        key
    }

    /// A number below `bound`, zero if that is zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// The tag of an answer that leaves no trace here: repeats of the request get the same one
    /// ([RFC 3261 §8.2.7](https://www.rfc-editor.org/rfc/rfc3261#section-8.2.7)).
    pub(crate) fn computed_tag(&self, essentials: &Essentials) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        for part in [
            essentials.call_id.as_str(),
            essentials.from.tag().unwrap_or_default(),
            essentials.via.branch().unwrap_or_default(),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(essentials.cseq.number.to_be_bytes());
        let digest = hash.finalize();
        let short: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}.{short}", self.mark)
    }

    /// Whether a tag, branch or Call-ID was given by this node in this epoch.
    pub(crate) fn is_ours(&self, text: &str) -> bool {
        let text = text
            .strip_prefix(BRANCH_COOKIE)
            .and_then(|rest| rest.strip_prefix('-'))
            .unwrap_or(text);
        text.strip_prefix(self.mark.as_str())
            .is_some_and(|rest| rest.starts_with('.'))
    }
}
