//! A report on a gateway as text.
//! Owns: the words for each line of the verdict's table, as the page has them in its catalogue.
//! Never: decides anything.

use std::fmt::Write as _;
use std::time::Duration;

use domain::gateway::trial::{
    JudgedReference, Judgement, MessageFrom, Preview, PreviewHeader, PreviewPart, PreviewStep,
    SAMPLE_OUTPUT, Tested, TestedStep,
};
use domain::gateway::{OperationKind, VerdictRule};
use domain::payment::Outcome;
use serde::Serialize;

use super::{Problem, Report, Sent};

/// A test that was sent.
#[derive(Debug, Serialize)]
pub(super) struct SentTest {
    host: String,
    /// The calls before the sale.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<TestedStep>,
    judgement: Judgement,
    /// Why no whole answer came.
    why: Option<String>,
    /// The beginning of the answer's body, scrubbed.
    excerpt: Option<String>,
    connected_ms: u128,
    ended_ms: u128,
}

impl SentTest {
    pub(super) fn new(host: String, tested: Tested) -> Self {
        let ms = |time: Duration| time.as_millis();
        Self {
            host,
            steps: tested.steps,
            judgement: tested.judgement,
            why: tested.why,
            excerpt: tested.excerpt,
            connected_ms: ms(tested.connected_in),
            ended_ms: ms(tested.ended_in),
        }
    }

    pub(super) fn is_approved(&self) -> bool {
        self.judgement.outcome == Outcome::Approved
    }
}

/// All of a report.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        line(&mut text, &problem_line(&report.file, problem));
    }
    if let Some(request) = &report.request {
        request_lines(&mut text, request);
    }
    for remark in &report.remarks {
        line(&mut text, &format!("\nremark: {remark}"));
    }
    if let Some(judgement) = &report.judgement {
        judgement_lines(&mut text, judgement);
    }
    if let Some(path) = &report.saved {
        line(&mut text, &format!("saved: {}", path.display()));
    }
    if let Some(cases) = &report.cases {
        if report.request.is_some() {
            line(&mut text, "");
        }
        let failed = cases.iter().filter(|case| !case.passed()).count();
        for case in cases {
            let mark = if case.passed() { "ok  " } else { "FAIL" };
            line(
                &mut text,
                &format!("{mark}  {}: {}", case.name, case.outcome.label()),
            );
            for difference in &case.differences {
                line(&mut text, &format!("      {difference}"));
            }
        }
        line(
            &mut text,
            &format!("{} cases, {failed} failed", cases.len()),
        );
    }
    match &report.sent {
        Some(Sent::Sent(test)) => sent_lines(&mut text, test),
        Some(Sent::NotSent(nothing)) => {
            for step in &nothing.steps {
                step_lines(&mut text, step);
            }
            line(
                &mut text,
                &format!("not sent ({}): {}", nothing.reason.code(), nothing.detail),
            );
        }
        None => {}
    }
    text
}

fn line(text: &mut String, more: &str) {
    text.push_str(more);
    text.push('\n');
}

/// As compilers write it: file, line, column, member, what is wrong.
fn problem_line(file: &str, problem: &Problem) -> String {
    let mut text = file.to_owned();
    for number in [problem.line, problem.column].into_iter().flatten() {
        // Writing to a String cannot fail.
        let _ = write!(text, ":{number}");
    }
    if !problem.field.is_empty() {
        let _ = write!(text, ": {}", problem.field);
    }
    let _ = write!(text, ": {}", problem.message);
    text
}

fn joined(parts: &[PreviewPart]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

/// The requests as the wire has them, dots where something is not shown.
fn request_lines(text: &mut String, request: &Preview) {
    call_lines(text, &request.steps);
    if !request.steps.is_empty() || !request.operations.is_empty() {
        line(text, "# the sale");
    }
    message_lines(
        text,
        &request.method,
        &request.url,
        &request.headers,
        &request.body,
    );
    for operation in &request.operations {
        line(text, "");
        call_lines(text, &operation.steps);
        line(text, &heading(operation.kind));
        message_lines(
            text,
            &operation.method,
            &operation.url,
            &operation.headers,
            &operation.body,
        );
    }
}

fn heading(kind: OperationKind) -> String {
    let word = kind.as_str();
    match kind {
        OperationKind::Store => {
            format!("# the operation {word}, in the place of the sale where nothing is due today")
        }
        OperationKind::Inquire
        | OperationKind::Void
        | OperationKind::Refund
        | OperationKind::Capture
        | OperationKind::Schedule => {
            format!(
                "# the operation {word}; {SAMPLE_OUTPUT} stands for what the sale's answer gives"
            )
        }
    }
}

fn call_lines(text: &mut String, steps: &[PreviewStep]) {
    for step in steps {
        line(text, &format!("# the call {}", step.name));
        message_lines(text, &step.method, &step.url, &step.headers, &step.body);
        line(text, "");
    }
}

fn message_lines(
    text: &mut String,
    method: &str,
    url: &str,
    headers: &[PreviewHeader],
    body: &[PreviewPart],
) {
    line(text, &format!("{method} {url}"));
    for header in headers {
        line(text, &format!("{}: {}", header.name, joined(&header.value)));
    }
    line(text, "");
    line(text, &joined(body));
}

/// What a call before the sale was answered.
fn step_lines(text: &mut String, step: &TestedStep) {
    let status = step
        .status
        .map_or("no status".to_owned(), |status| format!("status {status}"));
    line(
        text,
        &format!(
            "the call {}: {status} after {} ms",
            step.name, step.ended_in_ms
        ),
    );
    for more in [&step.why, &step.excerpt].into_iter().flatten() {
        line(text, &format!("  {more}"));
    }
}

fn sent_lines(text: &mut String, test: &SentTest) {
    line(
        text,
        &format!(
            "sent to {}: a secure connection after {} ms, an end after {} ms",
            test.host, test.connected_ms, test.ended_ms
        ),
    );
    for step in &test.steps {
        step_lines(text, step);
    }
    if let Some(why) = &test.why {
        line(text, &format!("no whole answer: {why}"));
    }
    judgement_lines(text, &test.judgement);
    if let Some(excerpt) = &test.excerpt {
        line(text, &format!("answer: {excerpt}"));
    }
}

fn judgement_lines(text: &mut String, judgement: &Judgement) {
    line(text, judgement.outcome.label());
    match &judgement.reference {
        Some(JudgedReference { key, value: None }) => {
            let why = "does not stand in the answer exactly once, so the answer says nothing";
            line(
                text,
                &format!("  {key}, where a payment's reference is to be, {why}"),
            );
        }
        Some(JudgedReference { key, value }) => {
            line(text, &format!("  {}", rule(judgement)));
            let value = value.as_deref().unwrap_or_default();
            let only = format!("only for the payment {value:?}, which stands at {key}");
            line(text, &format!("  {only}"));
        }
        None => line(text, &format!("  {}", rule(judgement))),
    }
    line(text, &format!("  agent reads: {}", message(judgement)));
    for output in &judgement.outputs {
        line(
            text,
            &format!(
                "  kept: {} = {:?} from {}",
                output.name, output.value, output.path
            ),
        );
    }
    if let Some(other) = &judgement.other_type {
        line(
            text,
            &format!("  remark: the answer calls itself {other}, which is not the Response Type"),
        );
    }
}

fn message(judgement: &Judgement) -> String {
    match judgement.message_from {
        MessageFrom::Answer => {
            let path = judgement.message_path.as_deref().unwrap_or_default();
            format!("{:?} from {path}", judgement.message)
        }
        MessageFrom::Nowhere => "nothing, the answer has no such key".to_owned(),
        MessageFrom::NoKey => "nothing, Response Agent Message Key is empty".to_owned(),
        MessageFrom::Off => "nothing, response variables are off".to_owned(),
    }
}

/// The line of the verdict's table (SETTLED S16), or the condition, that decided.
fn rule(judgement: &Judgement) -> String {
    let status = judgement
        .status
        .map_or("no status".to_owned(), |status| format!("status {status}"));
    let path = judgement.path.as_deref().unwrap_or("the success key");
    let key = match &judgement.value {
        Some(value) => format!("{path} is {value:?}"),
        None => path.to_owned(),
    };
    match judgement.rule {
        VerdictRule::Approved => format!("{status}, and {key}"),
        VerdictRule::Declined => format!("{status}, and {key}, which is not the success value"),
        VerdictRule::Refused => {
            format!("{status} without the success key: the request itself was refused")
        }
        VerdictRule::KeyMissing => format!("{status}, but the success key is not in the answer"),
        VerdictRule::KeyMissingDeclined => {
            format!("{status} without the success key, which here means declined")
        }
        VerdictRule::KeyAmbiguous => {
            "the success key is there more than once, or holds other keys; write its whole path"
                .to_owned()
        }
        VerdictRule::EqualButStatus => format!("{key}, but {status} is not 2xx"),
        VerdictRule::StatusUnclear => format!("{status} does not say whether it was charged"),
        VerdictRule::Unreadable => "the body is not what Response Type says".to_owned(),
        VerdictRule::NoAnswer => "no complete answer came in time".to_owned(),
        VerdictRule::AlsoBroken => format!(
            "{status}, and {key}, but {}: the answer contradicts itself",
            condition(judgement, "does not hold")
        ),
        VerdictRule::UnknownFits
        | VerdictRule::ReviewFits
        | VerdictRule::DeclinedFits
        | VerdictRule::ErrorFits => condition(judgement, "fits"),
        VerdictRule::DeclinedUnlisted => format!(
            "{status}, {key} is not the success value, and no condition of more.verdict.declined fits: the gateway refused the request"
        ),
    }
}

fn condition(judgement: &Judgement, verb: &str) -> String {
    let Some(condition) = &judgement.condition else {
        return format!("a condition {verb}");
    };
    let found = match (&condition.path, &condition.value) {
        (Some(path), Some(value)) => format!("{path} is {value:?}"),
        (Some(path), None) => format!("{path} holds no single text"),
        (None, _) => "its key is not in the answer".to_owned(),
    };
    format!(
        "more.verdict.{} {:?} {verb}: {found}",
        condition.list.name(),
        condition.line
    )
}
