//! Sales that are sent again under their idempotency key, against TLS servers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use domain::boundary::{Answer, Charge};
use domain::gateway::{Mapping, Recovery};
use domain::payment::Outcome;

use crate::charges::{card_charge, card_number, config, post};
use crate::server::{Act, Server, reply};

const APPROVED: &str = r#"{"status":"APPROVED","text":"thank you"}"#;

async fn server(acts: impl IntoIterator<Item = Act>) -> Server {
    let acts: VecDeque<Act> = acts.into_iter().collect();
    Server::start(Act::InTurn(Arc::new(Mutex::new(acts)))).await
}

fn with_key(server: &Server, recovery: Recovery) -> Charge {
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.gateway.request_headers = vec![Mapping {
        name: "Idempotency-Key".to_owned(),
        value: "{payment.idempotency_key}".to_owned(),
    }];
    charge.gateway.request_params = vec![Mapping {
        name: "at".to_owned(),
        value: "{time.unix_ms}-{txn.nonce}".to_owned(),
    }];
    charge.gateway.more.recovery = recovery;
    charge
}

async fn sent(server: &Server, recovery: Recovery) -> Answer {
    let answer = post(server, with_key(server, recovery)).await;
    answer.unwrap_or_else(|refused| panic!("{}", refused.detail))
}

#[tokio::test]
async fn an_unknown_sale_is_sent_again_byte_for_byte_until_the_charge_itself_is_answered() {
    let server = server([
        Act::Reset,
        // The key is in use, or was seen with another body: nothing is said of the first request.
        reply(400, "", b"{\"error\":{\"type\":\"idempotency_error\"}}"),
        reply(200, "", APPROVED.as_bytes()),
    ])
    .await;
    let answer = sent(&server, Recovery::Replay).await;
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert_eq!((&*answer.message, answer.status), ("thank you", Some(200)));
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]));
}

#[tokio::test]
async fn what_is_known_is_never_sent_again_nor_is_anything_without_the_setting() {
    for (recovery, status, body, outcome) in [
        (Recovery::Replay, 200, APPROVED, Outcome::Approved),
        (
            Recovery::Replay,
            402,
            r#"{"status":"NO"}"#,
            Outcome::Declined,
        ),
        (Recovery::Replay, 401, "{}", Outcome::Error),
        (Recovery::None, 503, "{}", Outcome::Unknown),
    ] {
        let server = server([reply(status, "", body.as_bytes())]).await;
        let answer = sent(&server, recovery).await;
        assert_eq!(answer.verdict.outcome, outcome);
        assert_eq!(server.connections(), 1, "{recovery:?} {status}");
    }
}
