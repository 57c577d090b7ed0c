//! Groups of agents.
//! Owns: what a group's name is, and which groups there are.
//! Never: knows a service or a call; a group is there as long as somebody is in it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::User;
use crate::text::is_invisible;

/// Characters of a group's name.
pub const GROUP_CHARS_MAX: usize = 40;

/// Groups that one user may be in: more would be a list of services.
pub const GROUPS_MAX: usize = 20;

/// The name of a group of agents: 1-40 characters, no comma and none that cannot be seen, without blanks around them. It is kept as it was written and compared
/// without regard to case, so that no caller waits for "sales" while the agents are in "Sales".
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct GroupName(Box<str>);

/// A text that is no group's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a group's name has 1 to {GROUP_CHARS_MAX} characters, without commas and characters that cannot be seen"
)]
pub struct InvalidGroup;

impl GroupName {
    /// The name, without blanks around it.
    ///
    /// # Errors
    /// It is empty, too long, or has a comma or a character that draws nothing.
    pub fn parse(text: &str) -> Result<Self, InvalidGroup> {
        let name = text.trim();
        let is_wrong = |char: char| char == ',' || char.is_control() || is_invisible(char);
        if (1..=GROUP_CHARS_MAX).contains(&name.chars().count()) && !name.contains(is_wrong) {
            return Ok(Self(name.into()));
        }
        Err(InvalidGroup)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn compared(&self) -> impl Iterator<Item = char> {
        self.0.chars().flat_map(char::to_lowercase)
    }
}

impl PartialEq for GroupName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for GroupName {}

impl PartialOrd for GroupName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GroupName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compared().cmp(other.compared())
    }
}

impl TryFrom<String> for GroupName {
    type Error = InvalidGroup;

    fn try_from(text: String) -> Result<Self, InvalidGroup> {
        Self::parse(&text)
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0.into()
    }
}

/// A group, and how many are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AgentGroup {
    /// Its name, in the spelling of whoever comes first in it.
    pub name: GroupName,
    /// Users in it who may log in; 0 of a group that is only named.
    pub agents: usize,
}

/// The groups that users are in, and those that are only `named`, by name.
pub fn groups_of<'a>(
    users: impl IntoIterator<Item = &'a User>,
    named: impl IntoIterator<Item = &'a GroupName>,
) -> Vec<AgentGroup> {
    let mut groups: BTreeMap<&GroupName, usize> = BTreeMap::new();
    for user in users {
        for group in &user.groups {
            *groups.entry(group).or_default() += usize::from(user.enabled);
        }
    }
    for group in named {
        groups.entry(group).or_default();
    }
    let groups = groups.into_iter().map(|(name, agents)| AgentGroup {
        name: name.clone(),
        agents,
    });
    groups.collect()
}

/// The groups of a user, as somebody wrote them.
///
/// # Errors
/// Places of texts that are no names; without any there are more than [`GROUPS_MAX`] texts.
pub fn parse_groups(texts: &[String]) -> Result<BTreeSet<GroupName>, Vec<usize>> {
    if texts.len() > GROUPS_MAX {
        return Err(Vec::new());
    }
    let mut groups = BTreeSet::new();
    let mut wrong = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        match GroupName::parse(text) {
            Ok(name) => drop(groups.insert(name)),
            Err(InvalidGroup) => wrong.push(place),
        }
    }
    if wrong.is_empty() {
        Ok(groups)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn group(text: &str) -> GroupName {
        GroupName::parse(text).unwrap()
    }

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_group_is_named_by_what_people_read() {
        assert_eq!(group(" Sales East ").as_str(), "Sales East");
        for wrong in [
            "",
            "  ",
            "a,b",
            "a\nb",
            "a\u{0}b",
            "sa\u{200b}les",
            &"x".repeat(41),
        ] {
            assert_eq!(GroupName::parse(wrong), Err(InvalidGroup), "{wrong:?}");
        }
        assert!(GroupName::parse(&"ü".repeat(40)).is_ok());
    }

    #[test]
    fn a_group_is_the_same_in_capitals_and_keeps_its_spelling() {
        assert_eq!(group("Verkäufe"), group("VERKÄUFE"));
        assert_ne!(group("sales"), group("sales 2"));
        let both = parse_groups(&texts(&["VIP", "vip", "Sales"])).unwrap();
        let kept: Vec<&str> = both.iter().map(GroupName::as_str).collect();
        assert_eq!(kept, ["Sales", "VIP"]);
    }

    #[test]
    fn a_name_reads_as_it_is_written_and_a_wrong_one_does_not_read() {
        let written = serde_json::to_string(&group("VIP")).unwrap();
        assert_eq!(written, r#""VIP""#);
        assert_eq!(
            serde_json::from_str::<GroupName>(&written).unwrap(),
            group("VIP")
        );
        assert!(serde_json::from_str::<GroupName>(r#""a,b""#).is_err());
    }

    #[test]
    fn wrong_names_are_told_by_their_places_and_too_many_without() {
        assert_eq!(parse_groups(&texts(&["", "a", "a,b"])), Err(vec![0, 2]));
        let many: Vec<String> = (0..=GROUPS_MAX).map(|one| one.to_string()).collect();
        assert_eq!(parse_groups(&many), Err(Vec::new()));
        assert_eq!(parse_groups(&many[1..]).unwrap().len(), GROUPS_MAX);
    }

    #[test]
    fn a_group_is_there_while_somebody_is_in_it_or_a_service_names_it() {
        let user = |number, groups: &[&str], enabled| User {
            groups: groups.iter().map(|text| group(text)).collect(),
            enabled,
            ..User::blank(UserId::from_random(number))
        };
        let users = [
            user(1, &["Sales", "VIP"], true),
            user(2, &["sales"], true),
            user(3, &["Former"], false),
        ];
        let found = groups_of(&users, [&group("Night"), &group("vip")]);
        let shown: Vec<(&str, usize)> = found
            .iter()
            .map(|one| (one.name.as_str(), one.agents))
            .collect();
        assert_eq!(
            shown,
            [("Former", 0), ("Night", 0), ("Sales", 2), ("VIP", 1)]
        );
    }
}
