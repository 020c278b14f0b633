# SPDX-License-Identifier: Apache-2.0
"""Promise: on a terminal, status is a live view with bars and run shows its progress; both leave the terminal as it was;
without a terminal neither draws anything. The terminal is a pty of 100 columns."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest

from pipeline import BINARY, OK, make_logs, sluice, wait_for
from test_watch import lines

BAR = "[█▏▎▍▌▋▊▉]"


class Terminal:
    """A command on a terminal of its own; what it draws is in .text()."""

    def __init__(self, *command):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(theirs)
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen([BINARY, *map(str, command)], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=environment, start_new_session=True)
        self.theirs, self.bytes = theirs, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)

    def text(self):
        while select.select([self.ours], [], [], 0)[0]:
            self.bytes += os.read(self.ours, 65536)
        return self.bytes.decode(errors="replace")

    def end(self):
        """Reads on until the command ends: a full terminal would hold it."""
        wait_for("the end of the command", lambda: (self.text(), self.process.poll() is not None)[1])
        assert termios.tcgetattr(self.theirs) == self.before, "the terminal's settings were changed"
        return self.process.returncode, self.text()


@pytest.fixture
def waiting(pipe):
    """A run whose lines are converted and not durable for an hour."""
    pipe.file("a.ndjson", lines(0, 1000))
    pipe.source().output(flush="1h")
    with pipe.start() as running:
        wait_for("the lines in the ledger",
                 lambda: pipe.state.exists() and any(f["lines"] == 1000 for f in pipe.ask_json("status", check=None)
                                                     .get("files", [])))
        yield running


def test_status_is_live_until_ctrl_c_and_ends_with_the_table(pipe, waiting):
    with Terminal("status", "--config", pipe.config_path) as terminal:
        wait_for("a row with a percentage", lambda: re.search(r"a\.ndjson.*?0%", terminal.text()))
        assert terminal.process.poll() is None, "it did not stay"
        terminal.process.send_signal(signal.SIGINT)
        code, text = terminal.end()
    assert code == OK
    table = text[text.rindex("STATE"):]
    assert "a.ndjson" in table and re.search(r"total .*1 files", table), text


def test_status_shows_bars_grow_and_ends_by_itself_when_all_is_durable(pipe, waiting):
    with Terminal("status", "--config", pipe.config_path) as terminal:
        wait_for("its first picture", lambda: "a.ndjson" in terminal.text())
        waiting.drain()
        pipe.run_once("--quiet")  # closes the file, and makes all of it durable
        code, text = terminal.end()
    assert code == OK and re.search(r"receipted .*a\.ndjson", text[text.rindex("STATE"):]), text


def test_run_draws_its_progress_and_quiet_does_not(pipe):
    made = make_logs(pipe.inputs / "a.ndjson", 20 << 20)
    pipe.source().write_config()
    with Terminal("run", pipe.config_path, "--once") as terminal:
        code, text = terminal.end()
    assert code == OK and made["lines"]
    assert re.search(BAR, text) and "100%" in text and "\x1b[" in text, text
    assert "?25l" not in text, "the cursor was hidden: a killed run would leave it so"
    pipe.file("b.ndjson", lines(0, 10))
    with Terminal("run", pipe.config_path, "--once", "--quiet") as terminal:
        code, text = terminal.end()
    assert code == OK and not re.search(BAR, text) and "%" not in text


def test_without_a_terminal_nothing_is_drawn(pipe):
    pipe.file("a.ndjson", lines(0, 10))
    told = pipe.source().run_once()
    assert b"\x1b" not in told.stdout + told.stderr and not re.search(BAR.encode(), told.stderr)
    assert b"\x1b" not in sluice("--help", check=OK).stdout
