//! Calls before the sale.
//! Owns: what a step is, and the request that it makes: of the same kind as the sale's.
//! Never: charges. What a step's answer decides is whether the sale can be made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::more::is_default;
use super::{
    AuthMethod, ContentType, GatewayConfig, Mapping, Method, MissingKey, More, RequestFormat,
    ResponseFormat, UrlTemplate, VerdictConditions,
};

/// Steps of one configuration. Real ones have two at most: a token, and a card that becomes a token.
pub const STEPS_MAX: usize = 4;

/// A call that is made before the sale: for a token, or to make a token of a card. Each is made once, in its order, and the sale only if all of them held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayStep {
    /// Its name in `{step.name.output}`.
    pub name: String,
    /// Where to: a whole URL, or what follows the host of the Service URL, from its slash. It takes the tokens that the Service URL takes.
    pub url: String,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: Method,
    /// Request Type; none: the sale's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_type: Option<ContentType>,
    /// Response Type; none: the sale's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_type: Option<ContentType>,
    /// Its parameters: these, and no standard ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_params: Vec<Mapping>,
    /// The whole body as a text, in the place of parameters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Its headers. Basic, trust and client certificate go along where the step's host is that of the Service URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<Mapping>,
    /// What is taken from its answer. A step whose answer lacks one of them has failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extract: Vec<StepOutput>,
    /// Conditions that must hold of its answer besides a status of 2xx.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
}

/// What is taken from a step's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepOutput {
    /// Its name in `{step.name.output}`.
    pub name: String,
    /// A key of the answer, or several with `||` between.
    pub value: String,
    /// It is no secret: it may stand in a URL, and be shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub public: bool,
}

impl GatewayStep {
    /// The name of an output within `{step.}`: "pm.id".
    #[must_use]
    pub fn full_name(&self, output: &StepOutput) -> String {
        format!("{}.{}", self.name, output.name)
    }
}

impl GatewayConfig {
    /// A step's request as a configuration of its own: one engine makes and reads them all (docs/decisions/0008).
    #[must_use]
    pub fn of_step(&self, step: &GatewayStep) -> Self {
        let extract = step.extract.iter().map(|output| Mapping {
            name: output.name.clone(),
            value: output.value.clone(),
        });
        let base = self.request_beside(&step.url, (step.request_type, step.response_type));
        Self {
            request_params: step.request_params.clone(),
            request_headers: step.request_headers.clone(),
            more: More {
                method: step.method,
                body: step.body.clone(),
                verdict: VerdictConditions {
                    also: step.require.clone(),
                    ..VerdictConditions::default()
                },
                outputs: extract.collect(),
                ..base.more
            },
            ..base
        }
    }

    /// A request beside the sale's, which sends nothing and expects nothing yet. Request Type and Response Type that it does not name are the sale's.
    pub(super) fn request_beside(
        &self,
        url: &str,
        types: (Option<ContentType>, Option<ContentType>),
    ) -> Self {
        let service_url = self.beside(url);
        let authority = |url: &str| UrlTemplate::parse(url).ok().map(|url| url.authority());
        let more = &self.more;
        let (auth_method, connection) = match authority(&service_url) == self.authority() {
            true => (self.auth_method, more.connection.clone()),
            false => (AuthMethod::None, more.connection.of_other_host()),
        };
        Self {
            service_url,
            success_key: String::new(),
            success_value: String::new(),
            agent_message_key: String::new(),
            request_params: Vec::new(),
            send_standard_parameters: false,
            auth_method,
            auth_user_name: self.auth_user_name.clone(),
            connection_timeout_ms: self.connection_timeout_ms,
            read_timeout_ms: self.read_timeout_ms,
            request_type: types.0.unwrap_or(self.request_type),
            response_type: types.1.unwrap_or(self.response_type),
            request_headers: Vec::new(),
            missing_key: MissingKey::Unknown,
            more: More {
                request_format: match types.0 {
                    None => more.request_format,
                    Some(_) => RequestFormat::RequestType,
                },
                response_format: match types.1 {
                    None => more.response_format,
                    Some(_) => ResponseFormat::ResponseType,
                },
                auth_password: more.auth_password.clone(),
                constants: more.constants.clone(),
                secrets: more.secrets.clone(),
                variables: more.variables.clone(),
                connection,
                ..More::default()
            },
        }
    }

    /// A URL that is whole, or begins behind the host of the Service URL.
    fn beside(&self, url: &str) -> String {
        match (url.starts_with('/'), self.authority()) {
            (true, Some(authority)) => format!("https://{authority}{url}"),
            (true, None) | (false, _) => url.to_owned(),
        }
    }

    /// Every host and port that it sends to, of the sale, of its steps and of the operations.
    #[must_use]
    pub fn authorities(&self) -> BTreeSet<String> {
        let steps = self.more.steps.iter().map(|step| &step.url);
        let operations = self.more.all_operations();
        let beside = steps.chain(operations.map(|(_, operation)| &operation.url));
        let beside = beside.map(|url| self.beside(url));
        let urls = std::iter::once(self.service_url.clone()).chain(beside);
        urls.filter_map(|url| UrlTemplate::parse(&url).ok())
            .map(|url| url.authority())
            .collect()
    }

    /// Whether it sends the sale where another does, and nothing to a host that the other sends nothing to: a credential goes to the hosts that it was
    /// entered for (SETTLED S4).
    #[must_use]
    pub fn keeps_to_hosts_of(&self, other: &Self) -> bool {
        let sale = self.authority();
        sale.is_some()
            && sale == other.authority()
            && self.authorities().is_subset(&other.authorities())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(more: serde_json::Value) -> GatewayConfig {
        serde_json::from_value(json!({
            "service_url": "https://pay.example:8443/v1/sale", "success_key": "a", "success_value": "b",
            "auth_method": "basic", "auth_user_name": "u", "more": more,
        }))
        .unwrap()
    }

    fn with_step(url: &str) -> GatewayConfig {
        config(json!({ "steps": [{ "name": "pm", "url": url }] }))
    }

    #[test]
    fn a_step_goes_beside_the_sale_or_where_it_says() {
        for (url, whole, auth) in [
            (
                "/v1/token?a=b",
                "https://pay.example:8443/v1/token?a=b",
                AuthMethod::Basic,
            ),
            (
                "https://pay.example:8443/x",
                "https://pay.example:8443/x",
                AuthMethod::Basic,
            ),
            (
                "https://login.example/token",
                "https://login.example/token",
                AuthMethod::None,
            ),
            ("token", "token", AuthMethod::None),
        ] {
            let config = with_step(url);
            let request = config.of_step(&config.more.steps[0]);
            assert_eq!(
                (&*request.service_url, request.auth_method),
                (whole, auth),
                "{url}"
            );
        }
    }

    #[test]
    fn a_connection_goes_along_to_the_host_of_the_sale_only() {
        let connection = json!({ "trust": "bank", "client_certificate": "shop", "proxy": "out" });
        for (url, goes_along) in [
            ("/v1/token", true),
            ("https://PAY.example:8443/x", true),
            ("https://pay.example/x", false),
            ("https://login.example:8443/token", false),
        ] {
            let config = config(json!({
                "steps": [{ "name": "pm", "url": url }],
                "connection": connection,
            }));
            let of_step = config.of_step(&config.more.steps[0]).more.connection;
            let expected = match goes_along {
                true => config.more.connection,
                false => config.more.connection.of_other_host(),
            };
            assert_eq!(of_step, expected, "{url}");
            assert_eq!(of_step.proxy, "out", "{url}");
        }
    }

    #[test]
    fn s4_a_credential_keeps_to_the_hosts_that_it_was_entered_for() {
        let alone = config(json!({}));
        let beside = with_step("/token");
        let elsewhere = with_step("https://login.example/token");
        assert!(beside.keeps_to_hosts_of(&alone));
        assert!(!elsewhere.keeps_to_hosts_of(&alone));
        assert!(alone.keeps_to_hosts_of(&elsewhere));
        let mut moved = elsewhere.clone();
        moved.service_url = "https://login.example/sale".to_owned();
        assert!(!moved.keeps_to_hosts_of(&elsewhere));
        let hosts = ["login.example:443", "pay.example:8443"].map(str::to_owned);
        assert_eq!(elsewhere.authorities(), BTreeSet::from(hosts));
    }

    #[test]
    fn a_step_has_the_sales_types_unless_it_has_its_own() {
        let mut config = config(json!({ "steps": [
            { "name": "one", "url": "/a" },
            { "name": "two", "url": "/b", "request_type": "application/json", "response_type": "text/xml" },
        ], "request_format": "name_value", "response_format": "name_value" }));
        config.request_type = ContentType::Form;
        let [one, two] = [0, 1].map(|at| config.of_step(&config.more.steps[at]));
        assert_eq!(
            (one.request_type, one.response_type),
            (ContentType::Form, ContentType::Json)
        );
        assert_eq!(one.more.request_format, RequestFormat::NameValue);
        assert_eq!(
            (two.request_type, two.response_type),
            (ContentType::Json, ContentType::TextXml)
        );
        assert_eq!(two.more.response_format, ResponseFormat::ResponseType);
        assert!(!one.send_standard_parameters && one.more.steps.is_empty());
    }
}
