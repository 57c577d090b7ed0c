//! A client that notes what it is given to try out, and answers as one that sent it.

use std::sync::Mutex;
use std::time::Duration;

use domain::boundary::Task;
use domain::gateway::file::Preset;
use domain::gateway::trial::{
    GatewayTrials, Judgement, MessageFrom, NothingSent, Pasted, Preview, PreviewHeader,
    PreviewPart, Tested, Trial,
};
use domain::gateway::{ConnectionNames, GatewayConfig, KeyFound, VerdictRule};
use domain::payment::Outcome;

/// What a client was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) url: String,
    /// It is a test's own double: what it compares never leaves it.
    pub(crate) password: Option<String>,
    pub(crate) with: &'static str,
    pub(crate) show_message: bool,
}

#[derive(Default)]
pub(crate) struct Bench {
    pub(crate) previewed: Mutex<Vec<Given>>,
    pub(crate) sent: Mutex<Vec<Given>>,
    /// Why nothing is sent.
    pub(crate) refusal: Mutex<Option<NothingSent>>,
    /// A test waits so long.
    pub(crate) takes: Mutex<Duration>,
    presets: Vec<Preset>,
    /// What the server's file names.
    connections: Connections,
}

/// What a server's file names.
struct Connections(ConnectionNames);

impl Default for Connections {
    fn default() -> Self {
        Self(ConnectionNames {
            trust: vec!["bank".to_owned()],
            client_certificates: vec!["shop".to_owned()],
            proxies: vec!["out".to_owned()],
            default_proxy: None,
        })
    }
}

fn given(trial: &Trial) -> Given {
    let password = trial.password.as_ref();
    Given {
        url: trial.gateway.service_url.clone(),
        password: password.map(|password| password.expose().to_owned()),
        with: trial.with.code(),
        show_message: trial.show_message,
    }
}

pub(crate) fn judgement(status: u16, message: &str) -> Judgement {
    Judgement {
        outcome: Outcome::Approved,
        rule: VerdictRule::Approved,
        status: Some(status),
        key: KeyFound::Equal,
        path: Some("status".to_owned()),
        value: Some("APPROVED".to_owned()),
        condition: None,
        message: message.to_owned(),
        message_from: MessageFrom::Answer,
        message_path: Some("text".to_owned()),
        outputs: Vec::new(),
        reference: None,
        other_type: None,
    }
}

impl GatewayTrials for Bench {
    fn presets(&self) -> &[Preset] {
        &self.presets
    }

    fn connection_names(&self) -> &ConnectionNames {
        &self.connections.0
    }

    fn preview(&self, trial: Trial) -> Result<Preview, NothingSent> {
        self.previewed.lock().unwrap().push(given(&trial));
        self.refusal.lock().unwrap().take().map_or_else(
            || {
                let mut body = Vec::new();
                PreviewPart::push(&mut body, "pan=", false);
                PreviewPart::push(&mut body, "\u{2022}\u{2022}1111", true);
                Ok(Preview {
                    method: "POST".to_owned(),
                    url: trial.gateway.service_url.clone(),
                    headers: vec![PreviewHeader {
                        name: "Connection".to_owned(),
                        value: vec![],
                    }],
                    body,
                    steps: Vec::new(),
                    operations: Vec::new(),
                })
            },
            Err,
        )
    }

    fn judge(
        &self,
        gateway: &GatewayConfig,
        pasted: &Pasted<'_>,
        show_message: bool,
    ) -> Option<Judgement> {
        if let Some(kind) = pasted.operation {
            gateway.of_operation(kind)?;
        }
        let message = if show_message { "shown" } else { "" };
        Some(judgement(pasted.status, message))
    }

    fn send(&self, trial: Trial) -> Task<'_, Result<Tested, NothingSent>> {
        self.sent.lock().unwrap().push(given(&trial));
        let (refusal, takes) = (
            self.refusal.lock().unwrap().take(),
            *self.takes.lock().unwrap(),
        );
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            Ok(Tested {
                steps: Vec::new(),
                judgement: judgement(200, "thank you"),
                why: None,
                excerpt: Some("{}".to_owned()),
                connected_in: Duration::from_millis(12),
                head_in: Some(Duration::from_millis(30)),
                ended_in: Duration::from_millis(31),
            })
        })
    }
}
