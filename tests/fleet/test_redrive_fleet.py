# SPDX-License-Identifier: Apache-2.0
"""Promise: in a fleet rejects are converted again once, by workers that are killed, for two who ask at the same time."""
import json
import subprocess
from collections import Counter

import readers
from pipeline import BINARY, sluice

NARROW, WIDE = r"^a(?<n>\d+)$", r"^[ab](?<n>\d+)$"


def ask(fleet, *arguments):
    return subprocess.Popen([BINARY, "redrive", str(fleet.config_path), "--quiet", *arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_two_redrives_at_once_and_killed_workers_bring_each_line_back_once(fleet):
    fleet.source("s", "*.txt", converter="regex", time_field=None, regex={"pattern": NARROW}, stripe_bytes="256KiB")
    fleet.output(partition="")
    for i in range(3):
        fleet.file(f"{i}.txt", b"".join(b"%c%d\n" % (b"abbc"[n % 4], i * 10 ** 6 + n) for n in range(100000)))
    fleet.init()
    fleet.start_all(workers=2)
    fleet.until_done()
    fleet.drain_all()
    fleet.settings["sources"][0]["regex"] = {"pattern": WIDE}
    fleet.write_config()
    fleet.start("worker"), fleet.start("worker"), fleet.start("uploader")
    asking = [ask(fleet), ask(fleet, "--reason", "no match")]
    for _ in range(2):
        try:
            asking[0].wait(1)
        except subprocess.TimeoutExpired:
            pass
        fleet.living("worker")[0].kill()
        fleet.start("worker")
    for process in asking:
        text = process.communicate(timeout=200)[0]
        assert process.returncode == 0, text.decode()[-3000:] + fleet.logs()
    fleet.drain_all()
    lines = [line for path in fleet.inputs.iterdir() for line in readers.input_lines(path)]
    got = Counter(json.loads(line)["n"].encode() for line in readers.lines(fleet.mirror()))
    assert got == Counter(line[1:] for line in lines if line[:1] != b"c")
    rejects = sluice("rejects", "--config", fleet.config_path, "--raw", check=0).stdout.splitlines()
    assert Counter(rejects) == Counter(line for line in lines if line[:1] == b"c")
    fleet.assert_audit()
