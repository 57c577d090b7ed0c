#!/usr/bin/env python3
"""Gateways that others wrote, driven by configuration alone.

`tonewall gateway test FILE --send` charges localstripe in two steps, finds a replay of stripe-stateful-mock under its key, and takes a token of
oauth2-mock-server to a sale that Prism checks against its description. Adyen's preset goes to Prism with Adyen's own description. Then a consumer keys a card during a call, and the preset of localstripe charges it.
"""

import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

import audio
from doubles import Authority, installed, localstripe, oauth2, prism, stateful_stripe
from foreign_suite import Baresip, key_card, until
from phone import Phone, Talker
from tonewall import REPOSITORY, Addresses, Refused, Report, Server, binary

PRESET = REPOSITORY / "crates/gateway/presets/localstripe-card.toml"
ADYEN = REPOSITORY / "crates/gateway/presets/adyen-card.toml"
API_KEY = "sk_test_12345"
# Published test numbers of Stripe: one that is charged, one that is declined.
CHARGED, DECLINED = "4242424242424242", "4000000000000341"

REPLAYED = """
[gateway]
service_url = "https://HOST/v1/charges"
success_key = "status"
success_value = "succeeded"
agent_message_key = "error.message"
send_standard_parameters = false
auth_method = "basic"
auth_user_name = "{secret.api_key}"
request_type = "application/x-www-form-urlencoded"
request_params = [
    { name = "amount", value = "{payment.amount|minor}" },
    { name = "currency", value = "{payment.currency|lower}" },
    { name = "source", value = "{cfg.source}" },
]
request_headers = [{ name = "Idempotency-Key", value = "{cfg.key}" }]

[gateway.more]
secrets = ["api_key"]
constants = [{ name = "source", value = "SOURCE" }, { name = "key", value = "KEY" }]
outputs = [{ name = "id", value = "id" }, { name = "replayed", value = "header:idempotent-replayed" }]

[gateway.more.verdict]
declined = ["error.type = card_error"]
"""

TOKEN = """
[gateway]
service_url = "https://SALE/sales"
success_key = "status"
success_value = "approved"
send_standard_parameters = false
request_params = [
    { name = "amount", value = "{payment.amount|minor|int}" },
    { name = "currency", value = "{payment.currency}" },
    { name = "card.number", value = "{card.number}" },
    { name = "card.month", value = "{card.expiry|M|int}" },
    { name = "card.year", value = "{card.expiry|YYYY|int}" },
]
request_headers = [{ name = "Authorization", value = "Bearer {step.login.token}" }]

[gateway.more]
outputs = [{ name = "id", value = "id" }]

[[gateway.more.steps]]
name = "login"
url = "https://LOGIN/token"
request_type = "application/x-www-form-urlencoded"
request_params = [{ name = "grant_type", value = "client_credentials" }, { name = "scope", value = "sales" }]
extract = [{ name = "token", value = "access_token" }]
require = ["token_type = Bearer"]
"""


class Desk:
    """The command line of an operator: a server's file with the doubles' hosts and their authority."""

    def __init__(self, folder, authority, hosts):
        self.folder = folder
        self.config = folder / "operator.toml"
        self.config.write_text(f'[node]\ndata = "{folder}/data"\n[gateway]\nallowed_hosts = {json.dumps(hosts)}\nca_file = "{authority.root}"\n')

    def send(self, text, **credentials):
        """What `gateway test --send` reports of a configuration."""
        file = self.folder / "gateway.toml"
        file.write_text(text)
        command = [binary(), "gateway", "test", file, "--send", "--yes", "--json", "--config", self.config]
        env = {**os.environ, **{f"TONEWALL_SECRET_{name.upper()}": value for name, value in credentials.items()}}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        if not done.stdout.strip():
            raise RuntimeError(f"gateway test said: {done.stderr}")
        report = json.loads(done.stdout)
        if report["problems"]:
            raise RuntimeError(report["problems"])
        return report["sent"]


def outcome(sent):
    return sent["judgement"]["outcome"] if sent["state"] == "sent" else f"not sent: {sent['reason']}"


def outputs(sent):
    return {row["name"]: row.get("value") for row in sent["judgement"].get("outputs", [])}


def two_steps(desk, double, report):
    preset = PRESET.read_text().replace("localhost:8420", double.host)
    sent = desk.send(preset, api_key=API_KEY)
    report.check(outcome(sent) == "approved", "localstripe charges a card in two steps by its preset", outcome(sent))
    intents = json.loads(double.get("/v1/payment_intents", {"Authorization": f"Bearer {API_KEY}"}))["data"]
    report.check([intent["status"] for intent in intents] == ["succeeded"], "localstripe has one payment, and it succeeded")
    refused = desk.send(preset, api_key="nobody's")
    report.check(outcome(refused) == "not sent: step", "a key that localstripe does not know ends before the payment", outcome(refused))
    intents = json.loads(double.get("/v1/payment_intents", {"Authorization": f"Bearer {API_KEY}"}))["data"]
    report.check(len(intents) == 1, "and charges nothing")


def replay(desk, double, report):
    once = REPLAYED.replace("HOST", double.host).replace("SOURCE", "tok_visa").replace("KEY", secrets.token_hex(8))
    first, second = desk.send(once, api_key=API_KEY), desk.send(once, api_key=API_KEY)
    report.check(outcome(first) == outcome(second) == "approved", "stripe-stateful-mock approves a charge and its repetition", outcome(second))
    first, second = outputs(first), outputs(second)
    report.check(first["id"] == second["id"], "both are the same charge")
    report.check(second.get("replayed") == "true" and not first.get("replayed"), "the second is said to be a replay, in a header", second.get("replayed"))
    other = once.replace("tok_visa", "tok_chargeDeclinedInsufficientFunds")
    refused = desk.send(other, api_key=API_KEY)
    report.check(outcome(refused) == "error", "another body under the same key is refused and not charged", outcome(refused))
    other = REPLAYED.replace("HOST", double.host).replace("SOURCE", "tok_chargeDeclinedInsufficientFunds").replace("KEY", secrets.token_hex(8))
    declined = desk.send(other, api_key=API_KEY)
    report.check(outcome(declined) == "declined", "a declined card is declined on status 402", outcome(declined))


def token(desk, login, sale, report):
    text = TOKEN.replace("LOGIN", login.host).replace("SALE", sale.host)
    sent = desk.send(text)
    report.check(outcome(sent) == "approved", "a token of oauth2-mock-server pays at Prism, which checks every member's type", outcome(sent))
    without = text.replace("Bearer {step.login.token}", "Token {step.login.token}")
    refused = desk.send(without)
    report.check(outcome(refused) == "error", "Prism refuses another scheme of authorization (control)", outcome(refused))
    wrong = text.replace("{payment.amount|minor|int}", "{payment.amount|minor}")
    refused = desk.send(wrong)
    report.check(outcome(refused) == "error", "Prism refuses an amount in quotes (control)", outcome(refused))


def described_by_adyen(desk, double, report):
    preset = ADYEN.read_text().replace("checkout-test.adyen.com/v72", double.host)
    sent = desk.send(preset, api_key=API_KEY)
    report.check(outcome(sent) == "approved", "the preset of Adyen makes what Adyen's own description asks for", outcome(sent))
    found = outputs(sent)
    report.check((found.get("transaction_id"), found.get("auth_code")) == ("993617895204576J", "044925"), "and finds the reference and the code in Adyen's own example of an answer", found)
    quoted = desk.send(preset.replace("{payment.amount|minor|int}", "{payment.amount|minor}"), api_key=API_KEY)
    report.check(outcome(quoted) == "error", "an amount in quotes is refused by the description (control)", outcome(quoted))
    nobody = desk.send(preset.replace("X-API-Key", "X-Other-Key"), api_key=API_KEY)
    report.check(outcome(nobody) == "error", "and so is a request without its key (control)", outcome(nobody))


def widget(server, host):
    preset = next(preset for preset in server.api.get("/gateway-presets") if preset["id"] == "localstripe-card")
    gateway = preset["gateway"]
    gateway["service_url"] = gateway["service_url"].replace("localhost:8420", host)
    prompts = [{"field": field, "text": "Please key it."} for field in ("card_number", "expiry", "security_code")]
    return {
        "kind": "credit_card_advanced",
        "title": "Payment",
        "enabled": True,
        "prompts": prompts,
        "card_types": ["visa", "mastercard"],
        "gateway": gateway,
        "gateway_secrets": {"api_key": API_KEY},
    }


def paid_by_call(server, agent, number):
    """A consumer calls and keys a card, the agent presses Process Payment; yields the payment."""
    consumer = Phone(server.net.caller)
    call = consumer.call(server.sip_address, "4000")
    talker = Talker(call)
    try:
        shown = until("the call is connected", lambda: next((c for c in agent.get("/calls")["calls"] if c["state"] == "connected"), None))
        button = next(button for button in shown["buttons"] if button["kind"] == "credit_card_advanced")
        capture = agent.post(f"/calls/{shown['id']}/captures", {"widget": button["widget"]})["id"]
        path = f"/captures/{capture}"
        until("the line is protected", lambda: agent.get(path)["state"] in ("armed", "collecting"))
        agent.post(f"{path}/actions", {"do": "listen", "field": "card_number"})
        key_card(agent, capture, talker, number)
        form = {"amount": "125.50", "currency": "USD", "values": {"firstName": "Jane", "lastName": "Roe"}}
        agent.post_once(f"{path}/process", form)
        return until("the payment has an outcome", lambda: (payment := agent.get(path)["payment"]) and (payment.get("outcome") or payment.get("not_sent")) and payment, 60)
    finally:
        talker.stop()
        call.hang_up()
        consumer.close()


def refunded(supervisor, path, amount):
    """A supervisor gives so much back; yields what came of it."""
    known = supervisor.get(path)["follow_ups"]
    supervisor.post_once(f"{path}/follow-ups", {"kind": "refund", "amount": amount, "reason": "the customer asked for it"})

    def ended():
        return next((one for one in supervisor.get(path)["follow_ups"][len(known):] if one["state"]["state"] in ("final", "not_sent")), None)

    return until("the refund has an outcome", ended, 60)


def given_back(supervisor, double, report):
    rows = supervisor.get("/payments?outcome=approved")["payments"]
    payment = rows[0]["payment"]
    path = f"/payments/{payment['attempt']}"
    part = refunded(supervisor, path, "25.50")
    report.check(part["state"] == {"state": "final", "detail": "approved"}, "a supervisor refunds a part of it", part["state"])
    try:
        refunded(supervisor, path, "100.01")
        report.check(False, "no more is refunded than is left")
    except Refused as refused:
        report.check("422" in str(refused), "no more is refunded than is left", refused)
    refunds = json.loads(double.get("/v1/refunds", {"Authorization": f"Bearer {API_KEY}"}))["data"]
    found = [(refund["amount"], refund["id"]) for refund in refunds]
    kept = {row["name"]: row["value"] for row in part["outputs"]}
    report.check(found == [(2_550, kept.get("refund_id"))], "localstripe has this refund and no other", found)


def whole_call(authority, double, report):
    settings = f'\n[gateway]\nallowed_hosts = ["{double.host}"]\nca_file = "{authority.root}"\n'
    with Server(Addresses(), "gateways", ring_time="10s", slots=64, media_pairs=100, digest="md5", settings=settings) as server:
        server.api.put("/settings", {**server.api.get("/settings"), "response_variables": {"allow": "all"}})
        password = secrets.token_hex(12)
        agent = server.add_agent(password, widget(server, double.host))
        server.add_service("4000", {"to": "agents"})
        phone = Baresip(server, password)
        try:
            until("baresip registers", lambda: "200 OK" in phone.said())
            paid = paid_by_call(server, agent, CHARGED)
            report.check(paid["outcome"] == "approved", "a card keyed during a call is charged by localstripe", paid["outcome"])
            time.sleep(1.0)
            refused = paid_by_call(server, agent, DECLINED)
            told = (refused["outcome"], refused.get("message"))
            report.check(told == ("declined", "Your card was declined."), "a declined card is declined, and the agent is told why", told)
            given_back(server.add_supervisor(), double, report)
            time.sleep(1.0)
        finally:
            phone.stop()
        heard = phone.recording()
        report.check(audio.multimon(heard, server.folder, "agent") == "", "multimon-ng reads no key in what the agent's phone heard")
        kept = b"".join(path.read_bytes() for path in server.folder.rglob("*") if path.is_file() and path.suffix != ".wav")
        report.check(not any(number.encode() in kept for number in (CHARGED, DECLINED)), "neither number is in the database or a log")
    intents = json.loads(double.get("/v1/payment_intents", {"Authorization": f"Bearer {API_KEY}"}))["data"]
    charged = [intent for intent in intents if intent["status"] == "succeeded" and intent["amount"] == 12_550]
    report.check(len(charged) == 1, "localstripe charged 125.50 once")


def main():
    report = Report()
    place = installed()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tonewall-doubles-"))
    authority = Authority(folder)
    with localstripe(place, authority, folder) as stripe:
        with stateful_stripe(place, authority, folder) as stateful, oauth2(place, authority, folder) as login:
            with prism(place, authority, folder, "sale.yaml") as sale, prism(place, authority, folder, "adyen-checkout-v72.json") as adyen:
                desk = Desk(folder, authority, [double.host for double in (stripe, stateful, login, sale, adyen)])
                two_steps(desk, stripe, report)
                replay(desk, stateful, report)
                token(desk, login, sale, report)
                described_by_adyen(desk, adyen, report)
        whole_call(authority, stripe, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
