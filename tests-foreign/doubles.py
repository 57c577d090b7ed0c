"""Payment gateways that others wrote, on loopback behind TLS.

Owns: their installation beside the build, one process a double, a certificate authority of this run.
Never: answers for one of them.
"""

import asyncio
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from tonewall import REPOSITORY, free_sip_port

HERE = pathlib.Path(__file__).resolve().parent / "gateways"
READY_MAX_S = 60


def installed():
    """Where the doubles are: installed once for each set of versions, by pip and npm."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    place = target / "foreign-gateways"
    wanted = "".join((HERE / name).read_text() for name in ("package-lock.json", "requirements.txt"))
    stamp = place / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return place
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", place / "venv"], check=True)
    subprocess.run([place / "venv/bin/pip", "install", "--quiet", "--requirement", HERE / "requirements.txt"], check=True)
    for name in ("package.json", "package-lock.json"):
        (place / name).write_bytes((HERE / name).read_bytes())
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True)
    stamp.write_text(wanted)
    return place


class Authority:
    """A certificate authority and a certificate of `localhost`, made by openssl."""

    def __init__(self, folder):
        self.root, self.chain, self.key = (folder / name for name in ("root.pem", "localhost.pem", "localhost.key"))
        openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        subprocess.run([*openssl, "-subj", "/CN=doubles", "-keyout", folder / "root.key", "-out", self.root], check=True, stderr=subprocess.DEVNULL)
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        signed = ["-CA", self.root, "-CAkey", folder / "root.key", "-keyout", self.key, "-out", self.chain]
        subprocess.run([*openssl, *names, *signed], check=True, stderr=subprocess.DEVNULL)


class Front(threading.Thread):
    """TLS for a double that has none: what comes is handed on byte for byte."""

    def __init__(self, authority, behind):
        super().__init__(daemon=True)
        self.behind = behind
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.chain, authority.key)
        self.wire = socket.create_server(("127.0.0.1", 0))
        self.port = self.wire.getsockname()[1]
        self.connections = 0
        self.start()

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        server = await asyncio.start_server(self._hand_on, sock=self.wire, ssl=self.context)
        await server.serve_forever()

    async def _hand_on(self, reader, writer):
        self.connections += 1
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)
        for end in (writer, inner_writer):
            end.close()


async def copy(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()


class Double:
    """A running double behind TLS. Use it with `with`."""

    def __init__(self, name, command, port, authority, folder, env=None):
        self.name, self.inner = name, port
        self.log = folder / f"{name}.log"
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **(env or {})}, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
            self.front = Front(authority, port)
        except BaseException:
            self.stop()
            raise
        self.host = f"localhost:{self.front.port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()

    def _wait_until_ready(self):
        give_up = time.monotonic() + READY_MAX_S
        while time.monotonic() < give_up and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.inner)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not serve; it said:\n{self.log.read_text(errors='replace')[-2000:]}")

    def get(self, path, headers=None):
        """What it says of itself, past the front."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.inner}{path}", headers=headers or {})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def localstripe(place, authority, folder):
    # Its own command listens on every interface and keeps what an earlier run left.
    port = free_sip_port("127.0.0.1")
    script = f"from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port={port})"
    return Double("localstripe", [place / "venv/bin/python", "-c", script], port, authority, folder)


def stateful_stripe(place, authority, folder):
    port = free_sip_port("127.0.0.1")
    command = ["node", place / "node_modules/stripe-stateful-mock/dist/cli.js"]
    return Double("stripe-stateful-mock", command, port, authority, folder, {"PORT": str(port)})


def oauth2(place, authority, folder):
    port = free_sip_port("127.0.0.1")
    command = [place / "node_modules/.bin/oauth2-mock-server", "-a", "127.0.0.1", "-p", str(port)]
    return Double("oauth2-mock-server", command, port, authority, folder)


def prism(place, authority, folder, description):
    """Prism plays the gateway of a description, a file of the folder gateways."""
    port = free_sip_port("127.0.0.1")
    command = [place / "node_modules/.bin/prism", "mock", "--host", "127.0.0.1", "--port", str(port), HERE / description]
    return Double(f"prism-{description}", command, port, authority, folder)
