//! Which header fields cross from one side of a call to the other.
//! Owns: a trunk's rules for them.
//! Never: writes a name that speaks of one leg (`HeaderName::may_be_carried`), or knows who calls.

use sip::HeaderName;

/// The rules of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRules {
    /// Names of the other side's fields that go out to it.
    pub pass: Vec<HeaderName>,
    /// Names that are never taken from it, whatever the other side would pass.
    pub strip: Vec<HeaderName>,
    /// Fields of calls to it, in place of any of their name.
    pub add: Vec<(HeaderName, String)>,
}

impl Default for HeaderRules {
    /// A signature of RFC 8224 passes, and nothing else: it says nothing that `From` and `To` do not say, and is of use only where it is not taken away.
    fn default() -> Self {
        Self {
            pass: vec![HeaderName::IDENTITY],
            strip: Vec::new(),
            add: Vec::new(),
        }
    }
}

impl HeaderRules {
    /// What of a call from it may go on.
    pub(crate) fn taken(&self, carried: &[(HeaderName, String)]) -> Vec<(HeaderName, String)> {
        let kept = carried
            .iter()
            .filter(|(name, _)| !self.strip.contains(name));
        kept.cloned().collect()
    }

    /// What goes out with a call to it. The `Date` of a signed call goes with its signature alone.
    pub(crate) fn sent(&self, taken: &[(HeaderName, String)]) -> Vec<(HeaderName, String)> {
        let is_added = |name: &HeaderName| self.add.iter().any(|(added, _)| added == name);
        let goes = |name: &HeaderName| self.pass.contains(name) && !is_added(name);
        let is_signed = taken
            .iter()
            .any(|(name, _)| *name == HeaderName::IDENTITY && goes(name));
        let passed = taken
            .iter()
            .filter(|(name, _)| goes(name) || (is_signed && *name == HeaderName::DATE));
        passed.chain(&self.add).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fields: &[(&str, &str)]) -> Vec<(HeaderName, String)> {
        let field = |(name, value): &(&str, &str)| (HeaderName::from(*name), (*value).to_owned());
        fields.iter().map(field).collect()
    }

    fn names(names: &[&str]) -> Vec<HeaderName> {
        names.iter().map(|name| HeaderName::from(*name)).collect()
    }

    #[test]
    fn fields_pass_if_both_sides_rules_let_them_and_ours_stand_in_their_place() {
        let carrier = HeaderRules {
            strip: names(&["x-internal"]),
            ..HeaderRules::default()
        };
        let came = fields(&[
            ("User-to-User", "1"),
            ("X-Internal", "2"),
            ("Diversion", "3"),
            ("Diversion", "4"),
            ("X-Site", "theirs"),
            ("Identity", "5"),
            ("Date", "6"),
        ]);
        let taken = carrier.taken(&came);
        assert_eq!(taken.len(), came.len() - 1);
        let pbx = HeaderRules {
            pass: names(&["diversion", "x-internal", "X-Site"]),
            add: fields(&[("X-Site", "ours")]),
            ..HeaderRules::default()
        };
        let wanted = fields(&[("Diversion", "3"), ("Diversion", "4"), ("X-Site", "ours")]);
        assert_eq!(pbx.sent(&taken), wanted);
        let usual = HeaderRules::default().sent(&taken);
        assert_eq!(usual, fields(&[("Identity", "5"), ("Date", "6")]));
    }
}
