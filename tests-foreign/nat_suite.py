#!/usr/bin/env python3
"""A customer's side and an agent's phone, each behind a router of its own that masquerades and gives each flow a port at random (S35).

Both private networks have the same addresses, and both sides name them in Contact and SDP. The agent's router forgets a flow that is quiet for 27 s: only who hears from the server more often can still be called.
Needs root, iproute2 and iptables: everything happens in network namespaces of the run.
"""

import os
import secrets
import subprocess
import sys
import time

import audio
from captures_suite import capture_card
from foreign_suite import AGENT_TONE_HZ, Baresip, until
from namespaces import Networks, socket_in
from phone import Phone, Talker
from tonewall import BASIC_CARD, Report, Server

FORGETS_AFTER_S = 27
QUIET_S = 40


class Behind:
    """Addresses as the server sees them."""

    def __init__(self, server, caller):
        self.server, self.caller, self.net = server, caller, server.rsplit(".", 1)[0]
        self.callee = self.recorder = self.stranger = caller


def one_call(server, agent, phone, consumer, report, what, with_capture):
    phone.begin_recording()
    call = consumer.call(server.sip_address, "4000")
    talker = Talker(call)
    talker.say(audio.silence(1.0))
    if with_capture:
        capture_card(agent, talker, "events")
        report.check(True, f"{what}: a card is captured across both routers")
    talker.say(audio.tone((520,), 1.0, 6_000))
    shown = agent.get("/calls")["calls"][0]
    agent.post(f"/calls/{shown['id']}/hang-up", {})
    report.check(call.is_over.wait(5), f"{what}: the customer hears the BYE that the agent's page asked for")
    talker.stop()
    heard = talker.heard
    hears = any(audio.share(heard[at : at + 1_600], AGENT_TONE_HZ) > 0.8 for at in range(0, len(heard) - 1_600, 800))
    report.check(hears, f"{what}: the customer hears the agent")
    time.sleep(1.0)
    recording = phone.recording()
    loud = sum(1 for sample in recording if abs(sample) > 200)
    report.check(loud > audio.RATE // 4, f"{what}: the agent hears the customer", f"{loud / audio.RATE:.1f} s above silence")


def in_the_servers_network(customer, customers_router, agents_host):
    report = Report()
    net = Behind(Networks.SERVER, customers_router)
    with Server(net, "nat", ring_time="10s", slots=64, media_pairs=100, digest="md5", media_source="latch") as server:
        password = secrets.token_hex(12)
        agent = server.add_agent(password, BASIC_CARD)
        server.add_service("4000", {"to": "agents"})
        phone = Baresip(server, password, address=Networks.HOST, sip_port=5060, rtp_port=20_000, wrap=["ip", "netns", "exec", agents_host])
        consumer = Phone(Networks.HOST, has_events=True, make=socket_in(customer))
        try:
            until("baresip registers", phone.is_registered)
            one_call(server, agent, phone, consumer, report, "at once", with_capture=True)
            time.sleep(QUIET_S)
            one_call(server, agent, phone, consumer, report, f"after {QUIET_S} s of quiet, with a router that forgets after {FORGETS_AFTER_S}", with_capture=False)
        finally:
            phone.stop()
            consumer.close()
        report.leaves_nothing(server)
    return report.finish()


def main():
    if sys.argv[1:]:
        return in_the_servers_network(*sys.argv[1:])
    if os.geteuid() != 0:
        sys.exit("nat_suite.py needs root for its network namespaces")
    networks = Networks()
    try:
        customer, customers_router = networks.behind_router()
        agents_host, _ = networks.behind_router(FORGETS_AFTER_S)
        return subprocess.run(["ip", "netns", "exec", networks.server, sys.executable, __file__, customer, customers_router, agents_host]).returncode
    finally:
        networks.close()


if __name__ == "__main__":
    sys.exit(main())
