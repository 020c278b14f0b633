# SPDX-License-Identifier: Apache-2.0
"""Promise: a huge file and a flood of small ones take turns, and `order: oldest_first` is kept: seen by the order in which
one lane begins its work, as its log tells."""
import os
import re

BEGINS = re.compile(rb'msg="attempt begins" file=file://\S*/([^/\s]+) ')


def begun(pipe):
    """The names of the files in the order in which work on them began, once for each attempt."""
    log = pipe.set(log={"level": "debug"}).run_once().stderr
    return [name.decode() for name in BEGINS.findall(log)]


def test_a_huge_file_does_not_wait_behind_a_flood_of_small_ones(pipe):
    pipe.output(partition="").set(lanes=1)
    pipe.source(name="huge", pattern="huge", converter="raw", stripe_bytes="4KiB").source(name="small", pattern="a*", converter="raw")
    for i in range(4500):  # more than what is said at once, and identified before the huge one
        (pipe.inputs / f"a{i:05d}").write_bytes(b"x\n")
    pipe.file("huge", (b"y" * 63 + b"\n") * 64 * 300)
    order = begun(pipe)
    small = [i for i, name in enumerate(order) if name != "huge"]
    huge = [i for i, name in enumerate(order) if name == "huge"]
    assert len(small) == 4500 and len(huge) >= 300
    assert huge[50] < small[1000], "the huge file waits behind the small ones"
    assert small[100] < huge[150], "the small ones wait behind the huge file"


def test_the_oldest_files_come_first(pipe):
    pipe.output(partition="").set(lanes=1).source(pattern="*", converter="raw", order="oldest_first")
    for i in range(50):
        path = pipe.file(f"f{i * 37 % 50:02d}", b"x\n")
        os.utime(path, (1450000000 + i, 1450000000 + i))
    order = begun(pipe)
    by_time = [f"f{i * 37 % 50:02d}" for i in range(50)]
    assert sorted(order) == sorted(by_time)
    early = {name: place for place, name in enumerate(order)}
    assert sum(abs(early[name] - i) for i, name in enumerate(by_time)) / 50 < 10, order
