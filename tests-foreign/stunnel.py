"""stunnel as the TLS of programs that speak TCP alone.

Owns: one stunnel process with its configuration: doors on the way out, which open TLS, and doors on the way in, which take it.
Never: reads what passes.
"""

import pathlib
import subprocess

from foreign_suite import until

# It is up within this, or says why not.
READY_MAX_S = 10


class Stunnel:
    """Doors of TLS, until `stop`. Use it with `with`; name the doors first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self._doors, self.process = [], None

    def out(self, name, accept, connect, source, roots):
        """Who connects to `accept` in clear goes on to `connect` in TLS, from the address `source`; the far side has to show a certificate for its address, signed by `roots`."""
        address = connect.rpartition(":")[0]
        self._door(name, accept, connect, "client = yes", f"local = {source}", f"CAfile = {roots}", "verifyChain = yes", f"checkIP = {address}")

    def into(self, name, accept, connect, certificate, key):
        """Who opens TLS at `accept` goes on to `connect` in clear."""
        self._door(name, accept, connect, f"cert = {certificate}", f"key = {key}")

    def _door(self, name, accept, connect, *lines):
        self._doors.append("\n".join([f"[{name}]", f"accept = {accept}", f"connect = {connect}", *lines]))

    def __enter__(self):
        file = self.folder / "stunnel.conf"
        file.write_text("\n".join(["foreground = yes", "debug = info", "pid =", "socket = l:TCP_NODELAY=1", "socket = r:TCP_NODELAY=1", *self._doors]) + "\n")
        out = self.folder / "out"
        self.process = subprocess.Popen(["stunnel", file], stdout=open(out, "wb"), stderr=subprocess.STDOUT)
        until(f"stunnel takes connections (its words are in {out})", lambda: out.read_text().count(" bound to ") == len(self._doors), READY_MAX_S)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(READY_MAX_S)
