"""Certificates for a run, made by openssl.

Owns: an authority and what it signs, in a folder.
Never: outlives the run, or is trusted by anything but what is told to.
"""

import subprocess


class Certificates:
    """An authority in `folder`: `roots` is its PEM file."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.roots = folder / "roots.pem"
        self._openssl("req", "-x509", *self._new("roots"), "-days", "2", "-subj", "/CN=Authority of a run", "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, name, address):
        """A certificate for an IP address. Yields its PEM file and that of its key."""
        # Some programs look for an address among the names of hosts.
        names = self.folder / f"{name}.names"
        names.write_text(f"subjectAltName=IP:{address},DNS:{address}\n")
        self._openssl("req", *self._new(name, "csr"), "-subj", f"/CN={address}")
        file = self.folder / f"{name}.pem"
        signed = ["-CA", str(self.roots), "-CAkey", str(self.folder / "roots.key"), "-days", "2", "-extfile", str(names)]
        self._openssl("x509", "-req", "-in", str(self.folder / f"{name}.csr"), "-out", str(file), *signed)
        return file, self.folder / f"{name}.key"

    def _new(self, name, ending="pem"):
        """A key without a passphrase, and what is asked for it."""
        files = ["-keyout", str(self.folder / f"{name}.key"), "-out", str(self.folder / f"{name}.{ending}")]
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *files]

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
