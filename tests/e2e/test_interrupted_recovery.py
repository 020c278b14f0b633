# SPDX-License-Identifier: Apache-2.0
"""Promise: a state folder that was put back from a copy is recovered, and a recovery that was killed goes on at the next
start, whatever the generation is."""
import shutil
import time

import pytest

import readers
from pipeline import OK


def lines(first, end):
    return b"".join(b'{"h":"%d","n":%d}\n' % (i % 5, i) for i in range(first, end))


@pytest.mark.parametrize("generation", [1, 2])
def test_a_killed_recovery_goes_on_at_the_next_start(pipe, generation):
    pipe.source(time_field=None, stripe_bytes="4KiB").output(partition="h={h}").set(generation=generation)
    path = pipe.file("a.ndjson", lines(0, 20_000))
    pipe.run_once()
    copy = pipe.folder / "copy"
    shutil.copytree(pipe.state, copy)
    pipe.file("a.ndjson", lines(20_000, 200_000), append=True)
    pipe.run_once()
    killed = 0
    for turn in range(3):
        shutil.rmtree(pipe.state)
        shutil.copytree(copy, pipe.state)
        log = pipe.folder / "run.log"
        marked = len(log.read_text()) if log.exists() else 0
        with pipe.start("--once") as running:
            seen = marked
            while running.process.poll() is None and "recovering the ledger" not in running.text()[seen:]:
                time.sleep(0.001)
            time.sleep(0.01 * turn)
            running.kill()
            killed += "is recovered" not in running.text()[seen:]
        pipe.run_once(check=OK)
    assert killed, "no kill met a recovery"
    pipe.ask("audit", "--deep", check=OK)
    readers.assert_each_line_once(pipe.out, [path])


def test_a_state_put_back_from_before_the_generation_was_raised_is_recovered_with_its_queues(pipe):
    pipe.source(time_field=None, stripe_bytes="4KiB").output(partition="h={h}")
    path = pipe.file("a.ndjson", lines(0, 20_000))
    pipe.run_once()
    copy = pipe.folder / "copy"
    shutil.copytree(pipe.state, copy)
    pipe.file("a.ndjson", lines(20_000, 60_000), append=True)
    pipe.run_once()
    shutil.rmtree(pipe.state)
    shutil.copytree(copy, pipe.state)
    pipe.set(generation=2)
    pipe.run_once(check=OK)
    pipe.ask("audit", "--deep", check=OK)
    readers.assert_each_line_once(pipe.out, [path], 2)
