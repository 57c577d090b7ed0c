#!/usr/bin/env python3
"""SIPp, a foreign caller and callee, against a running server.

`sipp_suite.py` is the short form: 50 calls a second for 10 s with 3 % of the caller's messages lost, single calls of every kind, calls
recorded by SIPp in recording sessions, and the messages of RFC 4475 on the wire. `sipp_suite.py --load` is the long form: 200 calls a second for 60 s, on a
server that has just started.
"""

import argparse
import pathlib
import statistics
import sys
import threading
import time

import torture
from sipp_process import Sipp
from tonewall import Addresses, Report, Server, free_sip_port, raise_file_limit

SCENARIOS = pathlib.Path(__file__).resolve().parent / "sipp"
# Every dialog and port pair is gone by then: 64 * T1 of RFC 3261.
EMPTY_WITHIN_S = 32
# Memory counts as flat if it ends no higher than this above the level of the run's first quarter.
GROWTH_FACTOR, GROWTH_KIB = 1.05, 4 * 1024
LOST_PERCENT = 3
# Longest single scenario: it waits for the server's shortest ring time.
SINGLE_MAX_S = 25


def sipp(server, scenario, local, port, *options, remote=None, service="7000"):
    """SIPp with a scenario of the folder sipp/."""
    folder = server.folder / f"sipp-{scenario}-{port}"
    return Sipp(folder, scenario, SCENARIOS / f"{scenario}.xml", local, port, *options, remote=remote, service=service)


def single_calls(server, report):
    """Each kind of call once, all at the same time; a scenario that does not go as written fails."""
    pairs = [
        ("an answered call", "caller_basic", "callee_basic"),
        ("CANCEL before the answer", "caller_cancel", "callee_cancelled"),
        ("a busy callee, 486", "caller_busy", "callee_busy"),
        ("no answer, 480 and a CANCEL to the callee", "caller_unanswered", "callee_cancelled"),
        ("BYE from the callee", "caller_hears_bye", "callee_hangs_up"),
        ("re-INVITE: hold and resume reach the callee", "caller_holds", "callee_is_held"),
        ("INFO dtmf-relay and dtmf are answered and never reach the callee", "caller_info", "callee_basic"),
    ]
    net = server.net
    running = []
    for number, (what, caller, callee) in enumerate(pairs, 7001):
        port = free_sip_port(net.callee)
        server.serve_number(str(number), port)
        answering = sipp(server, callee, net.callee, port, "-m", "1")
        running.append((what, answering, caller, str(number)))
    time.sleep(0.5)
    started = []
    for what, answering, caller, number in running:
        calling = sipp(server, caller, net.caller, free_sip_port(net.caller), "-m", "1", remote=server.sip, service=number)
        started.append((what, [calling, answering]))
    for what, scenario in [("OPTIONS, 200", "caller_options"), ("an unknown method, 405 with Allow", "caller_unknown_method")]:
        started.append((what, [sipp(server, scenario, net.caller, free_sip_port(net.caller), "-m", "1", remote=server.sip)]))
    stranger = sipp(server, "stranger_invite", net.stranger, free_sip_port(net.stranger), "-m", "1", remote=server.sip, service="7001")
    started.append(("INVITE from a stranger, 403", [stranger]))
    for what, sides in started:
        codes = [side.wait(SINGLE_MAX_S) for side in sides]
        if not report.check(all(code == 0 for code in codes), what):
            for side, code in zip(sides, codes):
                print(f"      {side.name} exit {code}: {side.complaint()}")


def recorded_calls(server, ports, report):
    """SIPp as a recorder of calls (SIPREC), once over UDP and once over TCP."""
    net = server.net
    for number, (name, (transport, port)) in enumerate(ports.items(), 7101):
        callee_port = free_sip_port(net.callee)
        server.serve_number(str(number), callee_port, recorder=name)
        recorder = sipp(server, "recorder", net.recorder, port, "-m", "1", "-t", transport)
        callee = sipp(server, "callee_basic", net.callee, callee_port, "-m", "1")
        time.sleep(0.5)
        caller = sipp(server, "caller_basic", net.caller, free_sip_port(net.caller), "-m", "1", remote=server.sip, service=str(number))
        sides = [caller, callee, recorder]
        codes = [side.wait(SINGLE_MAX_S) for side in sides]
        if not report.check(all(code == 0 for code in codes), f"a call is recorded by a recording session: {name}"):
            for side, code in zip(sides, codes):
                print(f"      {side.name} exit {code}: {side.complaint()}")


class Sampler(threading.Thread):
    """Samples the server once a second until stopped."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.rss, self.legs, self.done = server, [], [], threading.Event()

    def run(self):
        while not self.done.wait(1.0) and self.server.is_alive():
            self.rss.append(self.server.rss_kib())
            self.legs.append(int(self.server.metrics()["tonewall_voice_legs"]))

    def stop(self):
        self.done.set()
        self.join()


def load(server, report, rate, seconds):
    """Calls at a rate, with messages lost on the caller's side. (Lost on sipp's callee side as well, sipp fails by itself.)"""
    net, calls = server.net, rate * seconds
    port = free_sip_port(net.callee)
    server.serve_number("7000", port)
    time.sleep(1.0)  # counters are half a second old at most
    before = server.metrics()
    cpu_before = server.cpu_s()
    callee = sipp(server, "callee_basic", net.callee, port, "-l", "20000")
    time.sleep(0.5)
    sampler = Sampler(server)
    sampler.start()
    began = time.monotonic()
    options = ["-r", str(rate), "-m", str(calls), "-l", "20000", "-lost", str(LOST_PERCENT), "-trace_stat", "-stf", "stat.csv", "-fd", "1"]
    caller = sipp(server, "caller_basic", net.caller, free_sip_port(net.caller), *options, remote=server.sip)
    code = caller.wait(seconds + 60)
    took = time.monotonic() - began
    cpu = server.cpu_s() - cpu_before
    sampler.stop()
    numbers = caller.statistics()
    succeeded, failed = int(numbers["SuccessfulCall(C)"]), int(numbers["FailedCall(C)"])
    what = f"{calls} calls at {rate}/s, {LOST_PERCENT} % of the caller's messages lost: every call completes"
    if not report.check(code == 0 and succeeded == calls and failed == 0, what, f"{succeeded} completed, {failed} failed"):
        print(f"      exit {code}: {caller.complaint()}\n      callee: {callee.complaint()}")
    report.figure("run", f"{took:.1f}", "s")
    report.figure("retransmissions", numbers.get("Retransmissions(C)", "?"))
    report.figure("INVITE to 200", numbers.get("ResponseTime1(C)", "?"), "mean, h:m:s:us, lost messages included")
    report.figure("server CPU", f"{cpu:.1f} s, {1000 * cpu / calls:.2f} ms per call")
    report.figure("dialogs at most", max(sampler.legs, default=0))
    took, left = server.wait_until_empty(EMPTY_WITHIN_S)
    detail = f"after {took:.1f} s" if took is not None else f"(dialogs, port pairs, calls, media sockets) = {left}"
    report.check(took is not None, f"dialogs, port pairs and sockets are back to 0 within {EMPTY_WITHIN_S} s", detail)
    callee.stop()
    after = server.metrics()
    counted = {name: int(after[name] - before[name]) for name in after if name.startswith("tonewall_voice_") and name.endswith("_total")}
    report.figure("counters", ", ".join(f"{name[15:-6]} {value}" for name, value in counted.items()))
    report.check(counted["tonewall_voice_panics_total"] == 0, "no panic")
    memory(sampler.rss, server, report)


def memory(samples, server, report):
    report.figure("RSS each 5 s", " ".join(str(round(kib / 1024)) for kib in samples[::5]), "MiB")
    # Without the last second: sipp is going home.
    rss = samples[:-1] or samples
    quarter, end = rss[len(rss) // 4], statistics.median(rss[-3:])
    bound = quarter * GROWTH_FACTOR + GROWTH_KIB
    report.figure("RSS", f"first {samples[0]}, at a quarter {quarter}, at the end {end:.0f}, now {server.rss_kib()}", "KiB")
    report.check(end <= bound, "memory is flat: the end is at most 5 % + 4 MiB above the first quarter", f"{end:.0f} <= {bound:.0f} KiB")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--load", action="store_true", help="200 calls/s for 60 s")
    options.add_argument("--rate", type=int)
    options.add_argument("--seconds", type=int)
    chosen = options.parse_args()
    raise_file_limit()
    report = Report()
    net = Addresses()
    ports = {f"by_{name}": (transport, free_sip_port(net.recorder)) for name, transport in [("udp", "u1"), ("tcp", "t1")]}
    recorders = "".join(f'[recorders.external.{name}]\nsiprec = "sip:rec@{net.recorder}:{port};transport={name[3:]}"\n' for name, (_, port) in ports.items())
    with Server(net, "sip", more_callers=torture.addresses(net.net), settings=recorders) as server:
        if chosen.load:
            load(server, report, chosen.rate or 200, chosen.seconds or 60)
        else:
            single_calls(server, report)
            recorded_calls(server, ports, report)
            torture.replay(server, report)
            load(server, report, chosen.rate or 50, chosen.seconds or 10)
        report.check(server.is_alive(), "the server is alive at the end")
        if report.failed:
            print(f"      kept: {server.folder}")
            server.keep = True
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
