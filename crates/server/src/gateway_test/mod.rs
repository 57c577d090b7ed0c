//! `tonewall gateway test FILE`: tries a gateway's configuration out without a server or a page.
//! Owns: what is asked on the command line, and in which order it is answered.
//! Never: makes a request or judges an answer of its own: the gateway room does, as it does for the page; never takes a secret from an argument.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use domain::capture::{PaymentType, WidgetKind};
use domain::gateway::case::CheckedCase;
use domain::gateway::file::GatewayFile;
use domain::gateway::trial::{
    GatewayTrials, Judgement, NothingSent, Preview, TestInstrument, Trial, sample_secrets,
};
use domain::gateway::{Once, OperationKind};
use domain::id::AttemptId;
use domain::money::Currency;
use domain::payment::CheckFacts;
use domain::time::WallClock;
use domain::widget::DemographicName;
use gateway::{DryRun, GatewayPolicy, HttpsGateway, Places};
use secret::SecretText;
use serde::Serialize;

mod cases;
mod input;
mod words;

use input::Credentials;

use crate::clock::SystemClock;

/// What is done with gateways.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Check a configuration, show its request, judge answers, run saved cases, send a test. Exit 1: something is wrong.
    Test(Box<TestOptions>),
}

/// Options of `tonewall gateway test`.
#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// A preset or an exported configuration, TOML or JSON.
    file: PathBuf,
    /// It is of a check widget. Without: what the file says, else a card widget.
    #[arg(long)]
    check: bool,
    /// Judge this answer: a file that holds its body, - for stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "send")]
    answer: Option<PathBuf>,
    /// The answer is of this operation of the configuration: store, inquire, void, refund, capture, schedule. Without: of the sale.
    #[arg(long, value_name = "KIND", requires = "answer", value_parser = input::operation)]
    operation: Option<OperationKind>,
    /// HTTP status of the answer; 200 if it is left out.
    #[arg(long, requires = "answer", value_parser = clap::value_parser!(u16).range(100..=599))]
    status: Option<u16>,
    /// A header of the answer, "Name: value". May be given several times.
    #[arg(long = "header", value_name = "HEADER", requires = "answer")]
    headers: Vec<String>,
    /// A folder of saved cases, a file each; all are judged.
    #[arg(long, value_name = "DIR", conflicts_with = "send")]
    cases: Option<PathBuf>,
    /// Save the answer in that folder under this name, with what it comes to now.
    #[arg(long, value_name = "NAME", requires = "answer", requires = "cases")]
    save_case: Option<String>,
    /// Send one request with a published test card to the Service URL. The gateway says whether it charges.
    #[arg(long)]
    send: bool,
    /// Really send.
    #[arg(long, requires = "send")]
    yes: bool,
    /// A server's file: its hosts may have private addresses, its certificate authorities are trusted.
    #[arg(long, value_name = "FILE", requires = "send")]
    config: Option<PathBuf>,
    /// A secret that the configuration names, from a file: name=@FILE. Or the environment: TONEWALL_SECRET_NAME.
    #[arg(long = "secret", value_name = "NAME=@FILE", requires = "send")]
    secrets: Vec<String>,
    /// The password of Auth Method Basic, from a file: @FILE. Or the environment: TONEWALL_GATEWAY_PASSWORD.
    #[arg(long, value_name = "@FILE", requires = "send")]
    password: Option<String>,
    /// Which published card: visa, mastercard, american_express, discover.
    #[arg(long, value_name = "CARD", value_parser = input::card, default_value = "visa")]
    with: TestInstrument,
    /// Of the amount, which is 1.00.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// One JSON object for machines.
    #[arg(long)]
    json: bool,
}

/// A file has no options of its widget, so the page can say more of this (SETTLED S20).
const TEL_AUTHORISED: &str = "debits of the SEC code TEL need the consumer's authorisation: choose Authorisation under More of the widget, or see to it elsewhere";

/// All that a run found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    file: String,
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Preview>,
    /// What a file cannot say and its widget has to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<Judgement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<Vec<CheckedCase>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

/// What is wrong with a configuration.
#[derive(Debug, Serialize)]
struct Problem {
    /// From 1, like the column; none: not known.
    line: Option<usize>,
    column: Option<usize>,
    field: String,
    message: String,
}

/// What a test came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Sent {
    NotSent(NothingSent),
    Sent(Box<words::SentTest>),
}

impl Report {
    /// Whether nothing that was asked for failed.
    fn is_fine(&self) -> bool {
        let cases = self.cases.iter().flatten();
        let sent = self.sent.iter();
        self.problems.is_empty()
            && cases.into_iter().all(CheckedCase::passed)
            && sent.into_iter().all(|sent| match sent {
                Sent::Sent(test) => test.is_approved(),
                Sent::NotSent(_) => false,
            })
    }
}

/// Runs a command. Yields whether nothing is wrong.
pub(crate) async fn run(command: GatewayCommand) -> Result<bool> {
    let GatewayCommand::Test(options) = command;
    let report = options.report().await?;
    let text = match options.json {
        true => serde_json::to_string_pretty(&report).context("the report cannot be written")?,
        false => words::report(&report),
    };
    crate::print_line(text.trim_end());
    Ok(report.is_fine())
}

/// A configuration that can be tried out.
struct Subject {
    file: GatewayFile,
    kind: WidgetKind,
}

impl TestOptions {
    async fn report(&self) -> Result<Report> {
        let mut report = Report {
            file: self.file.display().to_string(),
            ..Report::default()
        };
        let Some(subject) = self.subject(&mut report)? else {
            return Ok(report);
        };
        if self.send {
            report.sent = Some(self.sent(&subject).await?);
            return Ok(report);
        }
        if let Some(path) = &self.answer {
            let case = self.case(path, &subject)?;
            report.judgement = Some(cases::judgement(&case, &subject.file.gateway)?);
            if let (Some(name), Some(folder)) = (&self.save_case, &self.cases) {
                report.saved = Some(cases::save(folder, name, &case)?);
            }
        }
        if let Some(folder) = &self.cases {
            report.cases = Some(cases::run(folder, &subject.file.gateway)?);
        }
        if self.answer.is_none() && self.cases.is_none() {
            report.request = Some(self.preview(&subject)?);
            if subject.kind.payment_type() == PaymentType::Check {
                report.remarks.push(TEL_AUTHORISED);
            }
            let own = cases::own(&subject.file.gateway)?;
            report.cases = Some(own).filter(|cases| !cases.is_empty());
        }
        Ok(report)
    }

    /// The configuration of the file; none: the report has its problems.
    fn subject(&self, report: &mut Report) -> Result<Option<Subject>> {
        let text = input::text(&self.file)?;
        let read = match gateway::read(&text) {
            Ok(read) => read,
            Err(problem) => {
                report.problems.push(Problem {
                    line: problem.at.map(|(line, _)| line),
                    column: problem.at.map(|(_, column)| column),
                    field: problem.field,
                    message: problem.message,
                });
                return Ok(None);
            }
        };
        let said = read.file.preset.as_ref().map(|preset| preset.kind);
        let kind = match said.filter(|_| !self.check) {
            Some(PaymentType::Card) => WidgetKind::CreditCardAdvanced,
            None if !self.check => WidgetKind::CreditCardAdvanced,
            Some(PaymentType::Check) | None => WidgetKind::CheckAdvanced,
        };
        report.problems = problems(&read.file, kind, &read.places);
        let subject = Subject {
            file: read.file,
            kind,
        };
        Ok(report.problems.is_empty().then_some(subject))
    }

    fn case(
        &self,
        path: &std::path::Path,
        subject: &Subject,
    ) -> Result<domain::gateway::case::Case> {
        let body = input::text(path)?;
        let headers: Result<Vec<_>> = self
            .headers
            .iter()
            .map(|text| input::header(text))
            .collect();
        cases::of_answer(
            &subject.file.gateway,
            self.operation,
            self.status.unwrap_or(200),
            headers?,
            body,
        )
    }

    fn preview(&self, subject: &Subject) -> Result<Preview> {
        let dry_run = DryRun::new()?;
        let trial = self.trial(subject, None, sample_secrets(&subject.file.gateway))?;
        let shown = dry_run.preview(trial);
        shown.map_err(|nothing| anyhow::anyhow!("no request can be made: {}", nothing.detail))
    }

    async fn sent(&self, subject: &Subject) -> Result<Sent> {
        let gateway = &subject.file.gateway;
        let host = gateway.authority().context("the Service URL has no host")?;
        if !self.yes {
            bail!(
                "nothing was sent: this asks {host} to charge a test card for 1.00; add --yes to send it"
            );
        }
        let Credentials { password, secrets } =
            input::credentials(gateway, &self.secrets, self.password.as_deref())?;
        let policy = match &self.config {
            Some(file) => crate::gateway_files::policy(&crate::load(file)?)?,
            None => GatewayPolicy::default(),
        };
        let client = HttpsGateway::new(policy)?;
        let trial = self.trial(subject, password, secrets)?;
        Ok(match client.send(trial).await {
            Ok(tested) => Sent::Sent(Box::new(words::SentTest::new(host, tested))),
            Err(nothing) => Sent::NotSent(nothing),
        })
    }

    fn trial(
        &self,
        subject: &Subject,
        password: Option<SecretText>,
        secrets: Vec<(String, SecretText)>,
    ) -> Result<Trial> {
        let currency: Currency = self.currency.parse().map_err(|_| {
            anyhow::anyhow!("--currency {}: write a code such as USD", self.currency)
        })?;
        let with = match subject.kind.payment_type() {
            PaymentType::Card => self.with,
            PaymentType::Check => TestInstrument::Account,
        };
        Ok(Trial {
            kind: subject.kind,
            gateway: subject.file.gateway.clone(),
            password,
            with,
            currency,
            asked: DemographicName::ALL.to_vec(),
            check: CheckFacts::default(),
            agent: "tonewall".to_owned(),
            attempt: AttemptId::from_random(rand::random()),
            show_message: true,
            secrets,
            once: Once::from_random(SystemClock.now(), rand::random()),
        })
    }
}

/// What saving would refuse, each with its place.
fn problems(file: &GatewayFile, kind: WidgetKind, places: &Places) -> Vec<Problem> {
    let wrong = file.gateway.problems(kind.payment_type()).into_iter();
    let wrong = wrong.map(|problem| problem.under("gateway"));
    wrong
        .map(|problem| {
            let at = places.find(&problem.field);
            Problem {
                line: at.map(|(line, _)| line),
                column: at.map(|(_, column)| column),
                field: problem.field,
                message: problem.message,
            }
        })
        .collect()
}
