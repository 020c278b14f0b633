# SPDX-License-Identifier: Apache-2.0
"""Promise: a queue that lost acknowledged messages is refused with words; `sluice repair` makes again what is nowhere any
more, and only that, and then every line is there once; what cannot be made again is told line by line, and nothing is
changed before somebody accepts it."""
import re

import pytest

import readers
from pipeline import BROKEN, NO, OK, file_sizes, make_logs, sluice, wait_for

MEBI = 1 << 20


def segments(pipe):
    return sorted(pipe.state.glob("queue/g1/p*/*.log"), key=str) or sorted(
        (p for p in pipe.state.glob("queue/g1/p*/*") if p.name not in ("acknowledged", "lock")), key=str)


def size(pipe):
    """Bytes of the segments; while the pipeline runs, one may go between being listed and being asked."""
    return sum(size for path, size in file_sizes(pipe.state / "queue/g1").items() if path.name not in ("acknowledged", "lock"))


def is_won(status):
    """Then all that the queue holds was acknowledged, and the ledger knows it."""
    return (len(status["files"]) == 2 and all(f["done"] >= f["size"] - 4096 for f in status["files"])
            and status["total"]["outstanding"])


@pytest.fixture
def unfinished(pipe):
    """Killed in the middle: the queue and the ledger hold what is not yet durable."""
    make_logs(pipe.inputs / "a.ndjson", 8 * MEBI, errors=0.01)
    pipe.source(stripe_bytes="4MiB").output(partition="h={time:%H}", flush="1h")
    with pipe.start() as running:
        wait_for("blocks in the queue", lambda: size(pipe) > MEBI // 2)
        running.seal()
        wait_for("a sealed batch", lambda: list(pipe.out.glob("_manifests/**/*.json")))
        make_logs(pipe.folder / "b.ndjson", 8 * MEBI, seed=2)
        (pipe.folder / "b.ndjson").rename(pipe.inputs / "b.ndjson")
        wait_for("all lines won and some not durable", lambda: is_won(pipe.ask_json("status")))
        running.kill()
    return pipe


def repair(pipe, *arguments, check=OK):
    return sluice("repair", pipe.write_config(), *arguments, check=check)


def everything_is_there(pipe):
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, sorted(pipe.inputs.iterdir()))
    pipe.ask("audit", "--deep", check=OK)
    assert b"nothing is lost" in repair(pipe).stdout


def lose(pipe, how):
    files = [p for p in segments(pipe) if p.stat().st_size > MEBI // 16]
    assert files
    if how == "all segments of a partition":
        files[0].unlink()
    elif how == "all segments":
        for path in segments(pipe):
            path.unlink()
    elif how == "the end of each segment":
        for path in files:
            with open(path, "r+b") as out:
                out.truncate(path.stat().st_size * 2 // 3)
    elif how == "a byte near the end of each":
        for path in files:
            data = bytearray(path.read_bytes())
            data[len(data) - len(data) // 8] ^= 0x10
            path.write_bytes(data)


HOWS = ["all segments of a partition", "all segments", "the end of each segment", "a byte near the end of each"]


@pytest.mark.parametrize("how", HOWS)
def test_what_the_queue_lost_is_made_again(unfinished, how):
    lose(unfinished, how)
    refused = unfinished.run_once(check=BROKEN)
    assert b"sluice repair" in refused.stderr, refused.stderr
    would = repair(unfinished, "--dry-run").stdout
    assert b"would be repaired" in would and b"nothing is lost" not in would, would
    assert unfinished.run_once(check=None).returncode == BROKEN, "a dry run repaired something"
    done = repair(unfinished).stdout
    assert b"messages of" in done, done
    everything_is_there(unfinished)


def test_where_nothing_is_lost_nothing_is_done(unfinished):
    assert b"nothing is lost" in repair(unfinished).stdout
    everything_is_there(unfinished)


def test_an_input_that_is_gone_is_told_with_its_ranges_and_nothing_is_changed(unfinished):
    lose(unfinished, "all segments")
    aside = unfinished.folder / "aside"
    (unfinished.inputs / "b.ndjson").rename(aside)
    refused = repair(unfinished, check=BROKEN)
    assert b"cannot be made again" in refused.stdout and b"b.ndjson" in refused.stdout, refused.stdout
    assert b"Nothing was changed" in refused.stderr
    assert unfinished.run_once(check=None).returncode == BROKEN
    aside.rename(unfinished.inputs / "b.ndjson")
    repair(unfinished)
    everything_is_there(unfinished)


def test_a_renamed_input_is_found(unfinished):
    lose(unfinished, "all segments")
    (unfinished.inputs / "b.ndjson").rename(unfinished.inputs / "b.ndjson.1")
    repair(unfinished)
    (unfinished.inputs / "b.ndjson.1").rename(unfinished.inputs / "b.ndjson")
    everything_is_there(unfinished)


def test_accepted_losses_stay_visible(unfinished):
    lose(unfinished, "all segments")
    aside, size = unfinished.folder / "aside", (unfinished.inputs / "b.ndjson").stat().st_size
    (unfinished.inputs / "b.ndjson").rename(aside)
    done = repair(unfinished, "--accept-loss")
    assert b"lost for ever" in done.stdout, done.stdout
    lines = readers.multiset(readers.lines(unfinished.out))
    assert lines and set(lines.values()) == {1}
    assert unfinished.ask_json("status")["total"]["outstanding"] > 0, "the lost lines are not forgotten"
    assert b"b.ndjson" in repair(unfinished, check=BROKEN).stdout
    attempts, told = map(int, re.search(rb"lost for ever: (\d+) attempts, (\d+) lines", done.stdout).groups())
    summary = unfinished.ask_json("audit")["summary"]
    assert (summary["lost_attempts"], summary["lost_lines"]) == (attempts, told) and told > 0
    assert 0 < summary["lost_bytes"] <= size + 4096, "a line that crosses the end of a stripe is in two ranges"
    assert f"accepted as lost by `sluice repair`: {told} of these lines".encode() in unfinished.ask("audit").stdout
    aside.rename(unfinished.inputs / "b.ndjson")
    repair(unfinished)
    assert unfinished.ask_json("audit")["summary"]["lost_attempts"] == 0, "what was made again counts as lost"


def test_another_configuration_than_of_then_is_refused(unfinished):
    lose(unfinished, "the end of each segment")
    unfinished.output(partition="d={time:%d}")
    refused = repair(unfinished, check=BROKEN)
    assert b"configuration" in refused.stdout, refused.stdout
    unfinished.output(partition="h={time:%H}")
    repair(unfinished)
    everything_is_there(unfinished)
