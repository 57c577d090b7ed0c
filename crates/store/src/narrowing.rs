//! The WHERE of a read that its caller narrows.
//! Owns: the conditions and their values, in order.
//! Never: puts a value into a statement's text.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

/// A value of a condition.
#[derive(Debug)]
pub(crate) enum Bound {
    Text(String),
    Number(i64),
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Bound {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Conditions that must all hold.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    conditions: Vec<String>,
    values: Vec<Bound>,
}

impl Narrowing {
    /// The place of a value in the statement: "$1".
    pub(crate) fn value(&mut self, value: impl Into<Bound>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// One more condition; its values have their places.
    pub(crate) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// One more condition, a column and an operator with a value after it.
    pub(crate) fn must(&mut self, is: &str, value: impl Into<Bound>) {
        let place = self.value(value);
        self.and(format!("{is} {place}"));
    }

    /// A text column that begins so, by bytes.
    pub(crate) fn begins(&mut self, column: &str, with: &str) -> String {
        let least = self.value(with);
        // No text that begins so has this character next: it is the last of all.
        let beyond = self.value(format!("{with}{}", char::MAX).as_str());
        format!("({column} >= {least} AND {column} < {beyond})")
    }

    /// " WHERE ..."; empty without conditions.
    pub(crate) fn clause(&self) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!(" WHERE {}", self.conditions.join(" AND "))
    }

    /// The statement with the values in their places.
    pub(crate) fn query(self, statement: String) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(statement));
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_out_of_the_text_and_keep_their_order() {
        let mut narrowing = Narrowing::default();
        assert_eq!(narrowing.clause(), "");
        narrowing.must("at >=", 5);
        let name = narrowing.begins("name", "x' OR 1=1");
        narrowing.and(format!("({name} OR id IS NULL)"));
        assert_eq!(
            narrowing.clause(),
            " WHERE at >= $1 AND ((name >= $2 AND name < $3) OR id IS NULL)"
        );
        assert_eq!(narrowing.value("last"), "$4");
    }
}
