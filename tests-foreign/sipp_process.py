"""SIPp as a process.

Owns: one run of it in a folder of its own: its exit code, what it complained of, its statistics.
Never: knows what a scenario is about.
"""

import csv
import subprocess

from tonewall import free_media_ports

# SIPp watches its own clock and gives up on a machine that is busy; here a late call is late, and nothing worse.
WATCHDOG = ["-watchdog_minor_maxtriggers", "100000", "-watchdog_major_maxtriggers", "10000"]


class Sipp:
    """One sipp process. `name` is what complaints call it; `remote` is whom a caller calls, `service` the number."""

    def __init__(self, folder, name, scenario, local, port, *options, remote=None, service="7000"):
        self.name, self.folder = name, folder
        self.folder.mkdir()
        command = ["sipp"] + ([remote] if remote else [])
        command += ["-sf", str(scenario), "-s", service, "-i", local, "-p", str(port), "-mi", local]
        command += ["-mp", str(free_media_ports(local)), "-nostdin", *WATCHDOG, "-trace_err", "-error_file", "errors.log", *options]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=open(self.folder / "out", "wb"), stderr=subprocess.STDOUT)

    def wait(self, seconds):
        """Yields sipp's exit code: 0 if every call went as its scenario says; none if it did not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            return None

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def complaint(self):
        errors = self.folder / "errors.log"
        text = errors.read_text(errors="replace") if errors.is_file() else ""
        return text[:1500] or (self.folder / "out").read_text(errors="replace")[-800:]

    def statistics(self):
        """The last row of its statistics file."""
        rows = list(csv.DictReader((self.folder / "stat.csv").open(), delimiter=";"))
        return rows[-1]
