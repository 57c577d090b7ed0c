//! How a gateway is reached, by names that the server's file gives a meaning (docs/decisions/0008).
//! Owns: the names that a configuration may choose, and which of them a server has.
//! Never: reads a file, or holds a certificate or a key.

use serde::{Deserialize, Serialize};

use super::variable::is_word;
use crate::widget::DraftProblem;

/// What a configuration asks of its connections. The default asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// Whose authorities may sign the gateway's certificate: a name of `[gateway.trust.NAME]` in the server's file, and then no others; empty: those of the
    /// system and of `gateway.ca_file`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust: String,
    /// Which certificate is shown to a gateway that asks for one: a name of `[gateway.client_certificates.NAME]`; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_certificate: String,
    /// Through which proxy it goes, and with it every step: a name of `[gateway.proxies.NAME]`; empty: that of `gateway.proxy`, or none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub proxy: String,
}

/// The names that a server's file has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct ConnectionNames {
    /// Of authorities.
    pub trust: Vec<String>,
    /// Of client certificates.
    pub client_certificates: Vec<String>,
    /// Of proxies.
    pub proxies: Vec<String>,
    /// The proxy of whoever names none; none: no proxy.
    pub default_proxy: Option<String>,
}

impl Connection {
    /// Each field with its name; empty ones choose nothing.
    fn chosen(&self) -> [(&'static str, &str); 3] {
        [
            ("more.connection.trust", &self.trust),
            (
                "more.connection.client_certificate",
                &self.client_certificate,
            ),
            ("more.connection.proxy", &self.proxy),
        ]
    }

    /// What of it goes along to another host than that of the Service URL: the way out of the network, but neither whom that host is checked by nor who we are.
    pub(super) fn of_other_host(&self) -> Self {
        Self {
            proxy: self.proxy.clone(),
            ..Self::default()
        }
    }

    /// What no server's file could name so.
    pub(super) fn problems(&self) -> Vec<DraftProblem> {
        let named = self
            .chosen()
            .into_iter()
            .filter(|(_, name)| !name.is_empty());
        let wrong = named.filter(|(_, name)| !is_word(name));
        let message =
            "A name begins with a small letter; small letters, digits and _ follow, 40 at most.";
        wrong
            .map(|(field, _)| DraftProblem::new(field, message))
            .collect()
    }
}

impl ConnectionNames {
    /// What of a configuration's connection this server's file does not have; paths are relative to the gateway.
    #[must_use]
    pub fn problems(&self, connection: &Connection) -> Vec<DraftProblem> {
        let tables = [
            ("gateway.trust", &self.trust),
            ("gateway.client_certificates", &self.client_certificates),
            ("gateway.proxies", &self.proxies),
        ];
        let chosen = connection.chosen().into_iter().zip(tables);
        let unknown = chosen.filter(|((_, name), (_, known))| {
            !name.is_empty() && !known.iter().any(|one| one == name)
        });
        unknown
            .map(|((field, name), (table, known))| {
                DraftProblem::new(field, unknown_name(table, name, known))
            })
            .collect()
    }
}

/// Said of a name that a table of the server's file does not have.
fn unknown_name(table: &str, name: &str, known: &[String]) -> String {
    let has = match known {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    format!("The server's file has no [{table}.{name}]; it has {has}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trust: &str, client_certificate: &str) -> Connection {
        Connection {
            trust: trust.to_owned(),
            client_certificate: client_certificate.to_owned(),
            proxy: String::new(),
        }
    }

    fn told(problems: Vec<DraftProblem>) -> Vec<String> {
        let problems = problems.into_iter();
        problems
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect()
    }

    #[test]
    fn a_name_is_a_word() {
        assert!(Connection::default().problems().is_empty());
        assert!(of("bank", "bank_2026").problems().is_empty());
        for wrong in ["Bank", "my bank", "../bank", "1st", "bank.pem", " "] {
            assert_eq!(of(wrong, wrong).problems().len(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_name_that_the_file_does_not_have_is_told_with_those_it_has() {
        let names = ConnectionNames {
            trust: vec!["acquirer".to_owned(), "bank".to_owned()],
            ..ConnectionNames::default()
        };
        assert!(names.problems(&Connection::default()).is_empty());
        assert!(names.problems(&of("bank", "")).is_empty());
        assert_eq!(
            told(names.problems(&of("banc", "bank"))),
            [
                "more.connection.trust: The server's file has no [gateway.trust.banc]; it has acquirer, bank.",
                "more.connection.client_certificate: The server's file has no [gateway.client_certificates.bank]; it has none.",
            ]
        );
    }
}
