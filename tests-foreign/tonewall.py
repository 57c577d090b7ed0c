"""A Tonewall server for tests, run as an operator runs it.

Owns: one server process with its own folder, file and free ports; its API as the first administrator; its figures.
Never: reaches into the server where an operator could not: configuration goes through the file and the API.
"""

import http.client
import json
import os
import pathlib
import random
import re
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
READY_MAX_S = 30
STOP_MAX_S = 20
# RTP ports lie below the system's own range, so that nothing else on this machine is given them.
MEDIA_PORTS_FIRST, MEDIA_PORTS_LAST = 10_000, 32_000


def binary():
    """The program under test: $TONEWALL_BIN, or the debug build of this checkout."""
    named = os.environ.get("TONEWALL_BIN")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    path = pathlib.Path(named) if named else target / "debug" / "tonewall"
    if not path.is_file():
        sys.exit(f"{path} is not there; run: cargo build -p tonewall-server --bin tonewall, or set TONEWALL_BIN")
    return str(path)


def planted_binary():
    """The same program with deliberate defects (docs/planted.md), beside the one under test."""
    path = pathlib.Path(binary()).with_name("tonewall-planted")
    if not path.is_file():
        sys.exit(f"{path} is not there; run: make planted")
    return str(path)


def raise_file_limit():
    """Thousands of calls need two sockets each, in the server as in the tools; children inherit the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Addresses:
    """Loopback addresses of one run: two runs side by side do not meet, and no player is taken for another."""

    def __init__(self):
        self.net = f"127.{random.randint(16, 239)}.{random.randint(0, 255)}"
        self.server, self.caller, self.callee, self.recorder, self.stranger = (f"{self.net}.{host}" for host in (1, 2, 3, 4, 9))


# Ports that this run has named for somebody: until they bind it, a port is free for everybody who looks.
_named, _naming = set(), threading.Lock()


def _is_free(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        try:
            udp.bind((address, port))
            tcp.bind((address, port))
            return True
        except OSError:
            return False


def _free_ports(address, count):
    """The first of so many ports, from a multiple of their number on, that are free for UDP and TCP and that nobody else of this run gets."""
    while True:
        first = (secrets.randbelow(12_000) + 20_000) // count * count
        ports = {(address, port) for port in range(first, first + count)}
        with _naming:
            if _named.isdisjoint(ports) and all(_is_free(*one) for one in ports):
                _named.update(ports)
                return first


def free_sip_port(address):
    """One that is free for UDP and for TCP, and below those that a system gives to whoever connects: nobody takes it meanwhile."""
    return _free_ports(address, 1)


def free_media_ports(address):
    """The first of four ports that are free: those of one stream of audio and one of video."""
    return _free_ports(address, 4)


class Refused(Exception):
    """The API refused a request."""


class Api:
    """The HTTP API, logged in."""

    def __init__(self, address):
        self.address = address
        self.cookie = self.csrf = None

    def log_in(self, user, password):
        self.csrf = self.send("POST", "/login", {"user": user, "password": password})["csrf"]

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, body):
        return self.send("POST", path, body)

    def put(self, path, body):
        return self.send("PUT", path, body)

    def post_once(self, path, body):
        """With a key of its own, as a press of a button has one."""
        return self.send("POST", path, body, {"Idempotency-Key": secrets.token_hex(16)})

    def download(self, path):
        """What is no JSON."""
        return self._answer("GET", path)

    def send(self, method, path, body=None, more=None):
        text = self._answer(method, path, body, more)
        return json.loads(text) if text else None

    def _answer(self, method, path, body=None, more=None):
        headers = {**(more or {}), "Origin": f"http://{self.address}", "Content-Type": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.csrf:
            headers["X-Tonewall-CSRF"] = self.csrf
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if cookie := answer.getheader("Set-Cookie"):
                self.cookie = cookie.split(";")[0]
        finally:
            connection.close()
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return text


class Server:
    """A running server. Use it with `with`."""

    def __init__(self, net, name, *, ring_time="5s", slots=4096, media_pairs=5_000, threads=1, media_source="signalled", more_callers=(), digest="both", program=None, plant=None, settings="", one_port=False, codecs=("PCMU", "PCMA")):
        self.net = net
        self.keep = False
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tonewall-{name}-"))
        self.log = self.folder / "server.log"
        width = media_pairs * 2
        first = random.randrange(MEDIA_PORTS_FIRST, MEDIA_PORTS_LAST - width, 2)
        self.media_ports = range(first, first + width)
        # Of two ports that the system chooses for UDP and TCP, TCP's would not be known.
        sip_port = free_sip_port(net.server) if one_port else 0
        while sip_port in self.media_ports:
            sip_port = free_sip_port(net.server)
        config = self.folder / "tonewall.toml"
        config.write_text(
            f"""[node]
data = "{self.folder}/data"

[web]
second_factor = "off"
first_administrator = "password"
listen = "127.0.0.1:0"

[health]
listen = "127.0.0.1:0"

[sip]
listen = "{net.server}:{sip_port}"
ring_time = "{ring_time}"
digest = "{digest}"
phone_codecs = "{",".join(codecs)}"

[media]
address = "{net.server}"
ports = "{first}-{first + width - 1}"
# No phones in pages, whose port would count among those of calls.
browser_port = 0
threads = {threads}

[capture]
slots = {slots}

[log]
format = "json"

[[trunk]]
name = "caller"
addresses = {json.dumps([net.caller, *more_callers])}
media_source = "{media_source}"
codecs = {json.dumps(list(codecs))}
{settings}"""
        )
        self.process = subprocess.Popen(
            [program or binary(), "serve", "--config", str(config)],
            env={**os.environ, **({"TONEWALL_PLANT": plant} if plant else {})},
            stdout=open(self.folder / "server.out", "wb"),
            stderr=open(self.log, "wb"),
        )
        try:
            self._wait_until_ready()
            self._first_log_in()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self):
        give_up = time.monotonic() + READY_MAX_S
        while time.monotonic() < give_up:
            if self.process.poll() is not None:
                break
            for line in self.log.read_text(errors="replace").splitlines():
                fields = json.loads(line).get("fields", {}) if line.startswith("{") else {}
                if fields.get("message") == "serving":
                    self.web, self.sip, self.health = fields["page"], fields["sip"], fields["health"]
                    host, port = self.sip.rsplit(":", 1)
                    self.sip_address = (host, int(port))
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server does not serve; it said:\n{self.log.read_text(errors='replace')[-4000:]}")

    def add_agent(self, phone_password, *widgets):
        """A user `agent` with the phone 1001, and a login of theirs. `widgets` go onto their desktop."""
        desktop = {"name": "Agent's desk", "service": "standard", "layout": "extended_panel", "widgets": widgets}
        desktop = self.api.post("/desktops", desktop)["desktop"]["id"]
        phone = {"phone": "1001", "phone_password": phone_password}
        return self._add_user("agent", "Alex Agent", ["agent"], desktop=desktop, **phone)

    def add_auditor(self):
        """A user who reads the trail, and a login of theirs. The administrator may not."""
        return self._add_user("auditor", "Andrea Auditor", ["auditor"])

    def add_supervisor(self):
        """A user who refunds, and a login of theirs."""
        return self._add_user("supervisor", "Sue Supervisor", ["supervisor"])

    def _add_user(self, name, display_name, roles, **more):
        first, password = "b2" + secrets.token_hex(12), "c3" + secrets.token_hex(12)
        user = {"name": name, "display_name": display_name, "roles": roles, "enabled": True, **more}
        self.api.post("/users", {**user, "password": first})
        api = Api(self.web)
        api.log_in(name, first)
        api.post("/password", {"current": first, "new": password})
        api.log_in(name, password)
        return api

    def _first_log_in(self):
        """What an administrator does first: take the one-time password, change it, switch payment capture on, make a desktop."""
        said = (self.folder / "server.out").read_text()
        once = re.search(r"one-time password (\S+)", said)
        if not once:
            raise RuntimeError(f"no one-time password in: {said!r}")
        password = "a1" + secrets.token_hex(12)
        self.api = Api(self.web)
        self.api.log_in("admin", once[1])
        self.api.post("/password", {"current": once[1], "new": password})
        self.api.log_in("admin", password)
        settings = self.api.get("/settings")
        self.api.put("/settings", {**settings, "spc_enabled": True})
        desktop = {"name": "Desk", "service": "standard", "layout": "extended_panel"}
        self.desktop = self.api.post("/desktops", desktop)["desktop"]["id"]

    def serve_number(self, number, callee_port, agent="admin", protection="capture", recorder=None, recorded=False, over="udp"):
        """Leads a number to a SIP address of the callee; the calls stand on the page of this user. `recorder` of the server's file records them,
        and the server itself if they are `recorded`."""
        route = {
            "to": "uri",
            "uri": f"sip:{number}@{self.net.callee}:{callee_port}" + (f";transport={over}" if over != "udp" else ""),
            "address": f"{self.net.callee}:{callee_port}",
            "agent": agent,
        }
        self.add_service(number, route, protection, recorder, recorded)

    def add_service(self, number, route, protection="capture", recorder=None, recorded=False):
        form = {"name": f"Line {number}", "numbers": [number], "route": route, "desktop": self.desktop, "protection": protection}
        if recorded:
            form["call_recording"] = {"when": "always", "keep_days": 1}
        service = self.api.post("/services", form)
        sinks = [{"name": recorder, "medium": "call", "hears": "masked", "control": recorder}] if recorder else []
        self.api.post(f"/services/{service['id']}/recorders", {"sinks": sinks, "revision": service["revision"]})

    def metrics(self):
        connection = http.client.HTTPConnection(self.health, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def is_alive(self):
        return self.process.poll() is None

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    def cpu_s(self):
        """User and system time of the whole process so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def media_sockets(self):
        """UDP sockets bound to the server's address among its media ports, as the kernel lists them."""
        packed = "".join(f"{int(part):02X}" for part in reversed(self.net.server.split(".")))
        local = (line.split()[1] for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:])
        return sum(1 for entry in local if entry.startswith(packed) and int(entry[9:], 16) in self.media_ports)

    def wait_until_empty(self, seconds):
        """Waits until no dialog, port pair or media socket is left. Yields how long that took, or none, and what is left."""
        began = time.monotonic()
        while True:
            now = self.metrics()
            left = (
                int(now["tonewall_voice_legs"]),
                int(now["tonewall_voice_port_pairs_taken"]),
                int(now["tonewall_calls_running"]),
                self.media_sockets(),
            )
            took = time.monotonic() - began
            if not any(left):
                return took, left
            if took > seconds:
                return None, left
            time.sleep(0.25)

    def stop(self):
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(STOP_MAX_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


BASIC_CARD = {
    "kind": "credit_card_basic",
    "title": "Card details",
    "enabled": True,
    "prompts": [{"field": field, "text": "Please key it."} for field in ("card_number", "expiry", "security_code")],
    "card_types": ["visa", "mastercard", "american_express", "discover"],
}


class Report:
    """PASS and FAIL lines, and the last line that counts them."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, what, detail=""):
        self.passed += bool(ok)
        self.failed += not ok
        print(f"{'PASS' if ok else 'FAIL'}  {what}{': ' + str(detail) if detail != '' else ''}", flush=True)
        return ok

    def figure(self, name, value, unit=""):
        print(f"      {name} = {value}{' ' + unit if unit else ''}", flush=True)

    def leaves_nothing(self, server, seconds=10):
        """The last checks of a suite: no dialog, port or socket is left, nothing has panicked. After a failure the server's folder is kept and named."""
        took, left = server.wait_until_empty(seconds)
        detail = f"after {took:.1f} s" if took is not None else f"(dialogs, port pairs, calls, media sockets) = {left}"
        self.check(took is not None, f"dialogs, port pairs and sockets are back to 0 within {seconds} s", detail)
        metrics = server.metrics()
        self.check(metrics["tonewall_voice_panics_total"] == metrics["tonewall_media_panics_total"] == 0, "no panic")
        if self.failed:
            server.keep = True
            print(f"      kept: {server.folder}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
