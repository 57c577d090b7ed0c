//! What the conditions behind "More" found in an answer.
//! Owns: the lists, their order, and the first line of each that counts.
//! Never: says which outcome follows; the verdict does.

use serde::Serialize;

use super::{VerdictConditions, VerdictRule};

/// A list of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionList {
    /// All of them must hold for an approval.
    Also,
    /// Any of them means unknown.
    Unknown,
    /// Any of them means held for review.
    Review,
    /// Any of them means declined.
    Declined,
    /// Any of them means that the gateway refused the request.
    Error,
}

impl ConditionList {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 5] = [
        Self::Also,
        Self::Unknown,
        Self::Review,
        Self::Declined,
        Self::Error,
    ];

    /// Its name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Also => "also",
            Self::Unknown => "unknown",
            Self::Review => "review",
            Self::Declined => "declined",
            Self::Error => "error",
        }
    }
}

impl VerdictConditions {
    /// The lines of a list.
    #[must_use]
    pub fn lines(&self, list: ConditionList) -> &[String] {
        match list {
            ConditionList::Also => &self.also,
            ConditionList::Unknown => &self.unknown,
            ConditionList::Review => &self.review,
            ConditionList::Declined => &self.declined,
            ConditionList::Error => &self.error,
        }
    }
}

/// What the conditions found: lines are counted from 0. By default there are no conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refinement {
    /// The first of `also` that does not hold.
    pub also_broken: Option<usize>,
    /// The first of `unknown` that holds.
    pub unknown: Option<usize>,
    /// The first of `review` that holds.
    pub review: Option<usize>,
    /// The first of `declined` that holds.
    pub declined: Option<usize>,
    /// The first of `error` that holds.
    pub error: Option<usize>,
    /// There are `declined` conditions, whether one holds or not.
    pub lists_declined: bool,
}

impl Refinement {
    /// Notes a condition; those of a list come in their order.
    pub fn note(&mut self, list: ConditionList, line: usize, holds: bool) {
        self.lists_declined |= list == ConditionList::Declined;
        let (first, counts) = match list {
            ConditionList::Also => (&mut self.also_broken, !holds),
            ConditionList::Unknown => (&mut self.unknown, holds),
            ConditionList::Review => (&mut self.review, holds),
            ConditionList::Declined => (&mut self.declined, holds),
            ConditionList::Error => (&mut self.error, holds),
        };
        if counts && first.is_none() {
            *first = Some(line);
        }
    }

    /// The first line that means an outcome by itself.
    #[must_use]
    pub fn fits(self) -> Option<(ConditionList, usize)> {
        let fitting = [
            (ConditionList::Unknown, self.unknown),
            (ConditionList::Review, self.review),
            (ConditionList::Declined, self.declined),
            (ConditionList::Error, self.error),
        ];
        fitting
            .into_iter()
            .find_map(|(list, line)| Some((list, line?)))
    }

    /// The line that a rule rests on; none: it rests on none.
    #[must_use]
    pub fn decided(self, rule: VerdictRule) -> Option<(ConditionList, usize)> {
        match rule {
            VerdictRule::AlsoBroken => Some((ConditionList::Also, self.also_broken?)),
            VerdictRule::UnknownFits
            | VerdictRule::ReviewFits
            | VerdictRule::DeclinedFits
            | VerdictRule::ErrorFits => self.fits(),
            VerdictRule::Approved
            | VerdictRule::Declined
            | VerdictRule::Refused
            | VerdictRule::KeyMissing
            | VerdictRule::KeyMissingDeclined
            | VerdictRule::KeyAmbiguous
            | VerdictRule::EqualButStatus
            | VerdictRule::StatusUnclear
            | VerdictRule::Unreadable
            | VerdictRule::NoAnswer
            | VerdictRule::DeclinedUnlisted => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_each_list_counts() {
        let mut refined = Refinement::default();
        for (list, line, holds) in [
            (ConditionList::Also, 0, true),
            (ConditionList::Also, 1, false),
            (ConditionList::Also, 2, false),
            (ConditionList::Declined, 0, false),
            (ConditionList::Error, 0, false),
            (ConditionList::Error, 1, true),
        ] {
            refined.note(list, line, holds);
        }
        let expected = Refinement {
            also_broken: Some(1),
            error: Some(1),
            lists_declined: true,
            ..Refinement::default()
        };
        assert_eq!(refined, expected);
        assert_eq!(refined.fits(), Some((ConditionList::Error, 1)));
    }

    #[test]
    fn a_rule_names_the_line_that_it_rests_on() {
        let refined = Refinement {
            also_broken: Some(2),
            declined: Some(1),
            lists_declined: true,
            ..Refinement::default()
        };
        for (rule, line) in [
            (VerdictRule::AlsoBroken, Some((ConditionList::Also, 2))),
            (
                VerdictRule::DeclinedFits,
                Some((ConditionList::Declined, 1)),
            ),
            (VerdictRule::DeclinedUnlisted, None),
            (VerdictRule::Approved, None),
        ] {
            assert_eq!(refined.decided(rule), line, "{rule:?}");
        }
    }

    #[test]
    fn each_list_is_its_field() {
        let mut conditions = serde_json::json!({});
        for list in ConditionList::ALL {
            conditions[list.name()] = serde_json::json!([format!("{} = 1", list.name())]);
        }
        let conditions: VerdictConditions = serde_json::from_value(conditions).unwrap();
        for list in ConditionList::ALL {
            assert_eq!(conditions.lines(list), [format!("{} = 1", list.name())]);
        }
    }
}
