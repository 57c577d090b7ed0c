"""Networks of one run: a public one, and private ones behind routers that masquerade.

Owns: network namespaces, which are gone at the end whatever happens. Needs root, iproute2 and iptables.
Never: touches the network of the machine.
"""

import contextlib
import ctypes
import os
import secrets
import socket
import subprocess

PRIVATE = "10.1.0"
CLONE_NEWNET = 0x40000000


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


class Networks:
    """A public network 198.51.100.0/24 with the server in it, and as many private ones as wanted. All private hosts have one and the same address."""

    SERVER = "198.51.100.1"
    HOST = f"{PRIVATE}.2"

    def __init__(self):
        self.prefix = f"tw{secrets.token_hex(3)}"
        self.names = []
        self.public = self._add("pub")
        run("ip", "-n", self.public, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.public, "link", "set", "br0", "up")
        self.server = self._add("srv")
        self._join(self.server, self.SERVER)
        self.masks = 0

    def _add(self, name):
        full = f"{self.prefix}{name}"
        run("ip", "netns", "add", full)
        self.names.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def _join(self, name, address):
        """Puts a namespace into the public network, by its interface `pub0`."""
        port = f"p{len(self.names)}"
        run("ip", "-n", self.public, "link", "add", port, "type", "veth", "peer", "name", "pub0", "netns", name)
        run("ip", "-n", self.public, "link", "set", port, "master", "br0", "up")
        run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "pub0")
        run("ip", "-n", name, "link", "set", "pub0", "up")

    def behind_router(self, forgets_after_s=None):
        """A host behind a router that gives each flow a port at random. Yields the host's namespace and the router's public address."""
        self.masks += 1
        address = f"198.51.100.{10 + self.masks}"
        router, host = self._add(f"r{self.masks}"), self._add(f"h{self.masks}")
        self._join(router, address)
        run("ip", "-n", router, "link", "add", "in0", "type", "veth", "peer", "name", "eth0", "netns", host)
        run("ip", "-n", router, "addr", "add", f"{PRIVATE}.1/24", "dev", "in0")
        run("ip", "-n", router, "link", "set", "in0", "up")
        run("ip", "-n", host, "addr", "add", f"{self.HOST}/24", "dev", "eth0")
        run("ip", "-n", host, "link", "set", "eth0", "up")
        run("ip", "-n", host, "route", "add", "default", "via", f"{PRIVATE}.1")
        run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "netns", "exec", router, "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "pub0", "-j", "MASQUERADE", "--random-fully")
        if forgets_after_s:
            for key in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
                run("ip", "netns", "exec", router, "sysctl", "-qw", f"net.netfilter.{key}={forgets_after_s}")
        return host, address

    def close(self):
        for name in reversed(self.names):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextlib.contextmanager
def inside(namespace):
    """This thread is in a namespace meanwhile: sockets that it makes stay there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(handle, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"entering {path}")
        finally:
            os.close(handle)

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(f"/run/netns/{namespace}")
        yield
    finally:
        try:
            enter(f"/proc/self/fd/{home}")
        finally:
            os.close(home)


def socket_in(namespace):
    """Makes sockets there."""

    def make(*kind):
        with inside(namespace):
            return socket.socket(*kind)

    return make
