//! Stored credentials of gateways.
//! Owns: which hosts they may go to.
//! Never: formats, copies or keeps one.

use secret::SecretText;

use crate::gateway::GatewayConfig;

/// The opened credentials of a widget's gateway, and the gateway of the same revision: what is stored was entered for its hosts, not for those that an
/// older revision names (SETTLED S4).
#[derive(Default)]
pub struct StoredCredentials {
    /// What the widget says of its gateway; none: it has none, or is gone.
    pub gateway: Option<GatewayConfig>,
    /// The password of Basic.
    pub password: Option<SecretText>,
    /// Secrets that the gateway's configuration names, by name.
    pub secrets: Vec<(String, SecretText)>,
}

impl StoredCredentials {
    /// Whether what was begun with this gateway may be sent with them: there are none, or the Service URL and all hosts are still the same.
    #[must_use]
    pub fn are_for(&self, begun_with: &GatewayConfig) -> bool {
        let is_nothing = self.password.is_none() && self.secrets.is_empty();
        let is_same = |stored: &GatewayConfig| {
            stored.service_url == begun_with.service_url
                && stored.authorities() == begun_with.authorities()
        };
        is_nothing || self.gateway.as_ref().is_some_and(is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gateway(url: &str, step: &str) -> GatewayConfig {
        let fields = json!({
            "service_url": url, "success_key": "a", "success_value": "b",
            "more": { "steps": [{ "name": "login", "url": step }] },
        });
        serde_json::from_value(fields).unwrap()
    }

    fn stored(gateway: Option<GatewayConfig>) -> StoredCredentials {
        StoredCredentials {
            gateway,
            password: Some(SecretText::new("stored".to_owned())),
            secrets: Vec::new(),
        }
    }

    #[test]
    fn they_are_for_the_hosts_that_they_were_entered_for() {
        let begun = gateway("https://bank.example/charge", "/login");
        assert!(stored(Some(begun.clone())).are_for(&begun));
        for other in [
            gateway("https://other.example/charge", "/login"),
            gateway("https://bank.example/charge", "https://other.example/login"),
            gateway("https://bank.example/pay", "/login"),
        ] {
            assert!(!stored(Some(other)).are_for(&begun));
        }
        assert!(!stored(None).are_for(&begun), "the gateway is gone");
    }

    #[test]
    fn a_secret_counts_as_a_password_does_and_nothing_is_for_everybody() {
        let begun = gateway("https://bank.example/charge", "/login");
        let other = gateway("https://other.example/charge", "/login");
        let secret = ("key".to_owned(), SecretText::new("stored".to_owned()));
        let mut kept = StoredCredentials {
            gateway: Some(other),
            password: None,
            secrets: vec![secret],
        };
        assert!(!kept.are_for(&begun));
        kept.secrets.clear();
        assert!(kept.are_for(&begun));
        assert!(StoredCredentials::default().are_for(&begun));
    }
}
