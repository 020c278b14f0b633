# SPDX-License-Identifier: Apache-2.0
"""A command that is measured: its CPU time and memory come from the kernel when it ends (wait4), its stages from the
metrics that it writes itself."""
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Cost:
    wall: float  # seconds
    user: float
    system: float
    memory: int  # bytes, the most that was resident
    metrics: dict = field(default_factory=dict)

    @property
    def cpu(self):
        return self.user + self.system


def parse_metrics(text):
    """{'name{label="value"}': number}"""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def finish(child, started, log):
    """Waits for the child; ends the benchmark when it failed: a number of a run that failed means nothing."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if child.returncode != 0:
        sys.stderr.write("".join(open(log, errors="replace").readlines()[-20:]))
        sys.exit(f"bench: {' '.join(child.args)} ended with {child.returncode}")
    return Cost(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)


def run(command, log):
    """Runs it to its end, standard output to nowhere, errors to the file `log`."""
    with open(log, "w") as errors:
        started = time.monotonic()
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=errors)
    return finish(child, started, log)
