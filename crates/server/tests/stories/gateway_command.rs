//! `tonewall gateway test`: the program that an integrator runs on a file.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use domain::capture::fixtures::CARDS;
use serde_json::Value;
use simulator::sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;

use crate::support::TONEWALL;

fn preset(id: &str) -> PathBuf {
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/presets");
    presets.join(format!("{id}.toml"))
}

/// A folder with files of a run.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[], "")
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)], stdin: &str) -> Ran {
        let mut child = Command::new(TONEWALL)
            .args(["gateway", "test"])
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _gone_before = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        Ran::of(&child.wait_with_output().unwrap())
    }
}

/// What a run said.
struct Ran {
    code: Option<i32>,
    said: String,
    complained: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            said: text(&output.stdout),
            complained: text(&output.stderr),
        }
    }

    /// What it said, where it ended with this code.
    fn ended(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}\n{}", self.said, self.complained);
        match code {
            2 => self.complained,
            _ => self.said,
        }
    }
}

#[test]
fn a_preset_is_shown_as_the_request_that_it_makes_without_a_secret() {
    let file = preset("stripe-card");
    let said = Desk::new().run(&[file.to_str().unwrap()]).ended(0);
    assert!(
        said.starts_with("# the sale\nPOST https://api.stripe.com/v1/payment_intents\n"),
        "{said}"
    );
    assert!(said.contains("\nContent-Type: application/x-www-form-urlencoded\n"));
    assert!(said.contains("\nAuthorization: Basic \u{2022}"), "{said}");
    assert!(
        said.contains("\n\namount=100&currency=usd&confirm=true&"),
        "{said}"
    );
    let hidden = "\u{2022}".repeat(12);
    assert!(
        said.contains(&format!("%5Bnumber%5D={hidden}1111&")),
        "{said}"
    );
    assert!(!said.contains("AAAA"), "{said}");
}

#[test]
fn a_check_is_told_that_tel_needs_an_authorisation() {
    let desk = Desk::new();
    let told = |id: &str| desk.run(&[preset(id).to_str().unwrap()]).ended(0);
    let said = told("nmi-check");
    assert!(
        said.contains("\n\nremark: debits of the SEC code TEL need"),
        "{said}"
    );
    assert!(!told("nmi-card").contains("remark:"));
}

#[test]
fn calls_before_the_sale_are_shown_in_their_order() {
    let file = preset("localstripe-card");
    let said = Desk::new().run(&[file.to_str().unwrap()]).ended(0);
    assert!(
        said.starts_with("# the call pm\nPOST https://localhost:8420/v1/payment_methods\n"),
        "{said}"
    );
    let sale = "\n# the sale\nPOST https://localhost:8420/v1/payment_intents\n";
    let (step, sale) = said.split_once(sale).unwrap();
    assert!(step.contains("card%5Bnumber%5D=\u{2022}"), "{said}");
    assert!(sale.contains("payment_method=\u{2022}"), "{said}");
}

#[test]
fn every_preset_makes_a_request() {
    let presets = preset("x").parent().unwrap().read_dir().unwrap();
    let desk = Desk::new();
    for entry in presets {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        let said = desk.run(&[name, "--json"]).ended(0);
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["problems"], serde_json::json!([]), "{name}");
        assert!(report["request"]["body"].is_array(), "{name}");
    }
}

#[test]
fn what_is_wrong_is_told_by_file_line_member_and_character() {
    let desk = Desk::new();
    let text = std::fs::read_to_string(preset("adyen-card")).unwrap();
    let text = text
        .replace("{card.number}", "{card.nubmer}")
        .replace("resultCode = Refused|Cancelled", "resultCode == Refused");
    desk.write("mine.toml", &text);
    let said = desk.run(&["mine.toml"]).ended(1);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    let row = "    { name = \"paymentMethod.number\", value = ";
    let line = 1 + text.lines().position(|one| one.starts_with(row)).unwrap();
    let place = format!(
        "mine.toml:{line}:{}: gateway.request_params[6].value: ",
        row.len() + 1
    );
    assert!(lines[0].starts_with(&place), "{said}");
    assert!(lines[0].contains("haracter 1: "), "{said}");
    assert!(
        lines[1].contains(": gateway.more.verdict.declined[0]: Character 13: one = is enough."),
        "{said}"
    );
    let report: Value = serde_json::from_str(&desk.run(&["mine.toml", "--json"]).ended(1)).unwrap();
    assert_eq!(report["problems"][0]["line"], line);
    assert!(report.get("request").is_none());
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_place() {
    let desk = Desk::new();
    desk.write("bad.json", "{\"gateway\": {\"service_url\": 1}}");
    desk.write("bad.toml", "[gateway]\nsucces_key = \"a\"\n");
    let said = desk.run(&["bad.json"]).ended(1);
    assert!(
        said.starts_with("bad.json:1:29: gateway.service_url: "),
        "{said}"
    );
    let said = desk.run(&["bad.toml"]).ended(1);
    assert!(
        said.starts_with("bad.toml:2:1: gateway.succes_key: unknown field"),
        "{said}"
    );
    let said = desk.run(&["none.toml"]).ended(2);
    assert!(said.contains("none.toml cannot be read"), "{said}");
    let said = desk.run(&["bad.toml", "--colour"]).ended(2);
    assert!(said.contains("--colour"), "{said}");
}

const DECLINED: &str = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds."}}"#;

#[test]
fn a_pasted_answer_is_judged_and_explained() {
    let desk = Desk::new();
    let file = preset("stripe-card");
    let file = file.to_str().unwrap();
    desk.write("answer", DECLINED);
    let said = desk
        .run(&[
            file,
            "--answer",
            "answer",
            "--status",
            "402",
            "--header",
            "Content-Type: text/html",
        ])
        .ended(0);
    let expected = r#"declined
  more.verdict.declined "error.type = card_error" fits: error.type is "card_error"
  agent reads: "Your card has insufficient funds." from error.message
  kept: decline_code = "insufficient_funds" from error.decline_code
  remark: the answer calls itself text/html, which is not the Response Type
"#;
    assert_eq!(said, expected);
    let piped = desk.run_with(&[file, "--answer", "-"], &[], "{\"status\":\"succeeded\"}");
    let said = piped.ended(0);
    assert!(
        said.starts_with("approved\n  status 200, and status is \"succeeded\"\n"),
        "{said}"
    );
    let said = desk
        .run(&[file, "--answer", "answer", "--header", "nonsense"])
        .ended(2);
    assert!(said.contains("--header \"nonsense\""), "{said}");
    let said = desk
        .run(&[file, "--answer", "answer", "--status", "99"])
        .ended(2);
    assert!(said.contains("--status"), "{said}");
    let number = format!("{{\"pan\":\"{}\"}}", CARDS[0].number);
    let said = desk
        .run_with(&[file, "--answer", "-"], &[], &number)
        .ended(2);
    assert!(said.contains("Leave out card numbers") && !said.contains(CARDS[0].number));
}

/// A preset with a refund, and an inquiry beside it.
fn with_operations(desk: &Desk) {
    let mut text = std::fs::read_to_string(preset("stripe-card")).unwrap();
    text.push_str(
        "\n[gateway.more.operations.inquire]\nurl = \"/v1/payment_intents/{sale.transaction_id}?expand[]={payment.reference}\"\nmethod = \"GET\"\n\
         success_key = \"status\"\nsuccess_value = \"succeeded\"\nreference_key = \"metadata.reference\"\n",
    );
    desk.write("mine.toml", &text);
}

#[test]
fn operations_are_shown_as_the_requests_that_they_make() {
    let desk = Desk::new();
    with_operations(&desk);
    let said = desk.run(&["mine.toml"]).ended(0);
    assert!(said.starts_with("# the sale\nPOST https://"), "{said}");
    let inquiry = "\n\n# the operation inquire; 1000 stands for what the sale's answer gives\nGET https://api.stripe.com/v1/payment_intents/1000?expand[]=TEST-";
    let refund = "\n\n# the operation refund; 1000 stands for what the sale's answer gives\nPOST https://api.stripe.com/v1/refunds\n";
    let (_, after) = said.split_once(inquiry).unwrap_or_else(|| panic!("{said}"));
    let (inquiry, refund) = after.split_once(refund).unwrap_or_else(|| panic!("{said}"));
    assert!(!inquiry.contains("Content-"), "no body: {said}");
    assert!(
        inquiry.contains("\nAuthorization: Basic \u{2022}"),
        "{said}"
    );
    assert!(
        refund.contains("\n\npayment_intent=1000&amount=100\n"),
        "{said}"
    );
    assert!(!said.contains("AAAA"), "{said}");
}

#[test]
fn answers_to_operations_are_judged_by_their_own_rules() {
    let desk = Desk::new();
    with_operations(&desk);
    let judged = |kind: &str, body: &str| {
        let arguments = ["mine.toml", "--answer", "-", "--operation", kind];
        desk.run_with(&arguments, &[], body)
    };
    let said = judged("refund", r#"{"id":"re_1","status":"pending"}"#).ended(0);
    assert!(
        said.starts_with("review\n  more.verdict.review \"status = pending|requires_action\" fits"),
        "{said}"
    );
    assert!(said.contains("kept: refund_id = \"re_1\""), "{said}");
    let whose = r#"{"status":"succeeded","metadata":{"reference":"7F2K-91QD"}}"#;
    let said = judged("inquire", whose).ended(0);
    let expected = "approved\n  status 200, and status is \"succeeded\"\n  only for the payment \"7F2K-91QD\", which stands at metadata.reference\n";
    assert!(said.starts_with(expected), "{said}");
    let said = judged("inquire", r#"{"status":"succeeded"}"#).ended(0);
    assert!(
        said.starts_with("unknown\n  metadata.reference, where a payment's reference is to be, does not stand in the answer"),
        "{said}"
    );
    let said = judged("inquire", &whose.replace("succeeded", "processing")).ended(0);
    assert!(
        said.starts_with("unknown\n  status 200, and status is \"processing\""),
        "another value is no decline: {said}"
    );
    let said = judged("void", "{}").ended(2);
    assert!(said.contains("no operation void"), "{said}");
    let said = judged("undo", "{}").ended(2);
    assert!(
        said.contains("choose store, inquire, void, refund, capture, schedule"),
        "{said}"
    );
}

#[test]
fn a_store_is_shown_with_what_was_keyed_and_judged_by_its_own_rules() {
    let desk = Desk::new();
    let mut text = std::fs::read_to_string(preset("stripe-card")).unwrap();
    text.push_str(
        "\n[gateway.more.store]\nurl = \"/vault\"\nsuccess_key = \"state\"\nsuccess_value = \"kept\"\n\
         request_params = [{ name = \"card\", value = \"{card.number}\" }, { name = \"amount\", value = \"{payment.amount|minor}\" }]\n",
    );
    desk.write("alone.toml", &text);
    let said = desk.run(&["alone.toml"]).ended(1);
    assert!(
        said.contains(
            "gateway.more.store.url: Nothing is charged by a store; say in more.operations.schedule"
        ),
        "{said}"
    );
    text.push_str(
        "\n[gateway.more.operations.schedule]\nurl = \"/plans/{payment.reference}\"\nsuccess_key = \"state\"\nsuccess_value = \"set\"\n",
    );
    desk.write("mine.toml", &text);
    let said = desk.run(&["mine.toml"]).ended(0);
    let store = "\n\n# the operation store, in the place of the sale where nothing is due today\nPOST https://api.stripe.com/vault\n";
    let (_, after) = said.split_once(store).unwrap_or_else(|| panic!("{said}"));
    let shown = "\ncard=\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}1111&amount=0\n";
    assert!(after.contains(shown), "{said}");
    let arguments = ["mine.toml", "--answer", "-", "--operation", "store"];
    let judged = |body: &str| desk.run_with(&arguments, &[], body).ended(0);
    assert!(judged(r#"{"state":"kept"}"#).starts_with("approved\n"));
    let said = judged(r#"{"status":"succeeded"}"#);
    assert!(
        said.starts_with("unknown\n"),
        "the sale's rules are others: {said}"
    );
}

#[test]
fn a_saved_case_names_its_operation() {
    let desk = Desk::new();
    with_operations(&desk);
    desk.write("answer", r#"{"id":"re_1","status":"failed"}"#);
    let save = "mine.toml --answer answer --operation refund --cases cases --save-case failed";
    let save: Vec<&str> = save.split(' ').collect();
    desk.run(&save).ended(0);
    let kept = std::fs::read_to_string(desk.0.path().join("cases/failed.toml")).unwrap();
    assert!(kept.contains("operation = \"refund\""), "{kept}");
    let said = desk.run(&["mine.toml", "--cases", "cases"]).ended(0);
    assert_eq!(said, "ok    failed: declined\n1 cases, 0 failed\n");
    let preset = preset("adyen-card");
    let said = desk.run(&[preset.to_str().unwrap(), "--cases", "cases"]);
    let said = said.ended(2);
    assert!(
        said.contains("cases/failed.toml") && said.contains("no operation refund"),
        "{said}"
    );
}

#[test]
fn cases_are_saved_and_fail_with_what_differs() {
    let desk = Desk::new();
    let text = std::fs::read_to_string(preset("stripe-card")).unwrap();
    desk.write("mine.toml", &text);
    desk.write("answer", DECLINED);
    let save = |name: &str| {
        desk.run(&[
            "mine.toml",
            "--answer",
            "answer",
            "--status",
            "402",
            "--cases",
            "cases",
            "--save-case",
            name,
        ])
    };
    let said = save("no-funds").ended(0);
    assert!(said.contains("saved: cases/no-funds.toml\n"), "{said}");
    assert!(
        said.ends_with("ok    no-funds: declined\n1 cases, 0 failed\n"),
        "{said}"
    );
    assert!(save("no-funds").ended(2).contains("is there already"));
    assert!(save("../x").ended(2).contains("--save-case"));
    let without = text.replace(
        "declined = [\"error.type = card_error\", \"error.code = card_declined\"]",
        "error = [\"error.type exists\"]",
    );
    assert_ne!(without, text);
    desk.write("mine.toml", &without);
    let said = desk.run(&["mine.toml", "--cases", "cases"]).ended(1);
    let expected = "FAIL  no-funds: error\n      outcome: expected \"declined\", found \"error\"\n1 cases, 1 failed\n";
    assert_eq!(said, expected);
    desk.write(
        "cases/bad.toml",
        "body = ''\n[expected]\noutcome = 'maybe'\n",
    );
    let said = desk.run(&["mine.toml", "--cases", "cases"]).ended(2);
    assert!(
        said.contains("cases/bad.toml:3:11: expected.outcome: "),
        "{said}"
    );
    let said = desk.run(&["mine.toml", "--cases", "nowhere"]).ended(2);
    assert!(said.contains("nowhere cannot be read"), "{said}");
}

#[test]
fn cases_that_a_file_holds_are_judged_with_it() {
    let desk = Desk::new();
    let mut text = std::fs::read_to_string(preset("stripe-card")).unwrap();
    let case = |name: &str, outcome: &str| {
        format!(
            "\n[[gateway.more.cases]]\nname = '{name}'\nstatus = 402\nbody = '{DECLINED}'\n[gateway.more.cases.expected]\noutcome = '{outcome}'\nmessage = 'Your card has insufficient funds.'\noutputs = {{ decline_code = 'insufficient_funds' }}\n"
        )
    };
    text.push_str(&case("no funds", "declined"));
    desk.write("mine.toml", &text);
    let said = desk.run(&["mine.toml"]).ended(0);
    assert!(
        said.ends_with("\n\nok    no funds: declined\n1 cases, 0 failed\n"),
        "{said}"
    );
    text.push_str(&case("again", "review"));
    desk.write("mine.toml", &text);
    let said = desk.run(&["mine.toml"]).ended(1);
    assert!(
        said.contains(
            "FAIL  again: declined\n      outcome: expected \"review\", found \"declined\"\n"
        ),
        "{said}"
    );
    text.push_str(&case("again", "review"));
    desk.write("mine.toml", &text);
    let said = desk.run(&["mine.toml"]).ended(1);
    assert!(
        said.contains(": gateway.more.cases[2].name: again is there already"),
        "{said}"
    );
}

/// A configuration of the sandbox gateway and the server's file that allows it.
fn sandbox_files(desk: &Desk, sandbox: &Sandbox) {
    desk.write(
        "sandbox.toml",
        &format!(
            "[gateway]\nservice_url = \"{}\"\nsuccess_key = \"status\"\nsuccess_value = \"APPROVED\"\nagent_message_key = \"text\"\nauth_method = \"basic\"\n\
             auth_user_name = \"shop\"\nrequest_headers = [{{ name = \"X-Key\", value = \"{{secret.key}}\" }}]\n[gateway.more]\nsecrets = [\"key\"]\n",
            sandbox.service_url()
        ),
    );
    desk.write(
        "server.toml",
        &format!(
            "[node]\ndata = \"data\"\n[gateway]\nallowed_hosts = \"{}\"\nca_file = \"{}\"\n",
            sandbox.host(),
            sandbox.ca_file().display()
        ),
    );
}

/// All that a test needs to be sent.
const SENT: [&str; 9] = [
    "sandbox.toml",
    "--send",
    "--yes",
    "--config",
    "server.toml",
    "--secret",
    "key=@key",
    "--password",
    "@password",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_once_it_is_wanted_and_never_with_a_secret_of_the_command_line() {
    let desk = Desk::new();
    let sandbox = Sandbox::start(SandboxConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        folder: desk.0.path().join("sandbox"),
        credentials: Some((
            "shop".to_owned(),
            secret::SecretText::new("word7".to_owned()),
        )),
    })
    .await
    .unwrap();
    sandbox_files(&desk, &sandbox);
    desk.write("key", "key-of-the-shop\n");
    desk.write("password", "word7\n");
    let without = |gone: &[&str]| -> Vec<&str> {
        SENT.into_iter().filter(|one| !gone.contains(one)).collect()
    };
    let charged = || sandbox.ledger().unwrap().len();
    tokio::task::block_in_place(|| {
        let said = desk.run(&without(&["--yes"])).ended(2);
        assert!(
            said.contains("nothing was sent") && said.contains("--yes"),
            "{said}"
        );
        let said = desk.run(&without(&["--secret", "key=@key"])).ended(2);
        assert!(said.contains("TONEWALL_SECRET_KEY"), "{said}");
        let mut typed = without(&["key=@key"]);
        typed.insert(6, "key=typed-in-clear");
        let said = desk.run(&typed).ended(2);
        assert!(
            said.contains("--secret") && !said.contains("typed-in-clear"),
            "{said}"
        );
        let said = desk.run(&without(&["--config", "server.toml"])).ended(1);
        assert!(said.starts_with("not sent ("), "{said}");
        assert_eq!(charged(), 0);
        let said = desk.run(&SENT).ended(0);
        assert!(
            said.starts_with(&format!("sent to {}: ", sandbox.host())),
            "{said}"
        );
        assert!(
            said.contains("\napproved\n  status 200, and result.status is \"APPROVED\"\n"),
            "{said}"
        );
        assert_eq!(charged(), 1);
        let environment = [
            ("TONEWALL_SECRET_KEY", "key-of-the-shop"),
            ("TONEWALL_GATEWAY_PASSWORD", "wrong7"),
        ];
        let bare = without(&["--secret", "key=@key", "--password", "@password"]);
        let said = desk.run_with(&bare, &environment, "").ended(1);
        assert!(said.contains("\nerror\n"), "{said}");
        assert!(
            !said.contains("wrong7") && !said.contains("key-of-the-shop"),
            "{said}"
        );
        assert_eq!(charged(), 1);
    });
}

/// Configurations of the sandbox gateway that name whom they trust, and servers' files that have the name, have it not, or name what cannot be used.
fn connection_files(desk: &Desk, sandbox: &Sandbox) {
    let gateway = format!(
        "[gateway]\nservice_url = \"{}\"\nsuccess_key = \"status\"\nsuccess_value = \"APPROVED\"\n[gateway.more.connection]\ntrust = \"bank\"\n",
        sandbox.service_url()
    );
    desk.write("bank.toml", &gateway);
    desk.write("wrong.toml", &gateway.replace("\"bank\"", "\"My Bank\""));
    let server = format!(
        "[node]\ndata = \"data\"\n[gateway]\nallowed_hosts = \"{}\"\n",
        sandbox.host()
    );
    let bank = format!(
        "{server}[gateway.trust.bank]\nca_file = \"{}\"\n",
        sandbox.ca_file().display()
    );
    desk.write("server.toml", &server);
    desk.write("bank-server.toml", &bank);
    let shop = "[gateway.client_certificates.shop]\ncertificate_file = \"shop.pem\"\nkey_file = \"shop.key\"\n";
    desk.write("shop-server.toml", &format!("{bank}{shop}"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!(
        "{bank}[gateway.proxies.out]\nurl = \"http://{}\"\nuser = \"shop\"\npassword_file = \"word\"\n",
        free.local_addr().unwrap()
    );
    drop(free);
    let all = proxy.replace("[gateway.trust", "proxy = \"out\"\n[gateway.trust");
    desk.write("proxy-server.toml", &all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_trusts_whom_the_configuration_names_and_a_file_that_cannot_be_used_is_named() {
    let desk = Desk::new();
    let sandbox = Sandbox::start(SandboxConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        folder: desk.0.path().join("sandbox"),
        credentials: None,
    })
    .await
    .unwrap();
    connection_files(&desk, &sandbox);
    let word = desk.write("word", "word-of-the-proxy\n");
    let mode = |mode: u32| std::fs::set_permissions(&word, Permissions::from_mode(mode)).unwrap();
    tokio::task::block_in_place(|| {
        let send = |config: &str| desk.run(&["bank.toml", "--send", "--yes", "--config", config]);
        let said = desk.run(&["wrong.toml"]).ended(1);
        assert!(
            said.contains(": gateway.more.connection.trust: A name"),
            "{said}"
        );
        desk.run(&["bank.toml"]).ended(0);
        let said = send("server.toml").ended(1);
        assert!(
            said.contains("no [gateway.trust.bank]; it has none."),
            "{said}"
        );
        let said = send("shop-server.toml").ended(2);
        assert!(
            said.contains("gateway.client_certificates.shop: shop.pem is no PEM file"),
            "{said}"
        );
        mode(0o644);
        let said = send("proxy-server.toml").ended(2);
        assert!(
            said.contains("gateway.proxies.out.password_file: word may be read by others"),
            "{said}"
        );
        mode(0o600);
        let said = send("proxy-server.toml").ended(1);
        assert!(said.contains("the proxy out: connecting to "), "{said}");
        assert!(!said.contains("word-of-the-proxy"), "{said}");
        assert_eq!(sandbox.ledger().unwrap().len(), 0);
        let said = send("bank-server.toml").ended(0);
        assert!(said.contains("\napproved\n"), "{said}");
        assert_eq!(sandbox.ledger().unwrap().len(), 1);
    });
}
