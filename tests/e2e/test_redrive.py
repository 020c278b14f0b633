# SPDX-License-Identifier: Apache-2.0
"""Promise: `sluice redrive` converts rejects again once a configuration was mended: what converts now is in the objects
once and no reject any more, all else stays a reject with its place, whatever kill -9 hits and however often it is asked."""
import base64
import json
import shutil
import subprocess
from collections import Counter

import readers
from pipeline import BINARY, OK, USAGE, Running, sluice, wait_for

NARROW, WIDE = r"^a(?<n>\d+)$", r"^[ab](?<n>\d+)$"
KILLS = 8


def prepare(pipe, pattern=NARROW, **more):
    pipe.source("s", "*.txt", converter="regex", regex={"pattern": pattern}, stripe_bytes="64KiB", **more)
    pipe.output(partition="", object_bytes="1MiB", block_bytes="64KiB").set(lanes=4, broker={"url": "local", "partitions": 3})


def mend(pipe, pattern=WIDE):
    pipe.settings["sources"][0]["regex"] = {"pattern": pattern}


def write(pipe, rng, name, count):
    """Lines that convert, that would if the pattern was mended, and that never do (one of them no UTF-8)."""
    lines = [rng.choice([b"a", b"b", b"b", b"c"]) + str(rng.randrange(10 ** 9)).encode() for _ in range(count)]
    lines[count // 2] = b"\xff\xfe"
    pipe.file(name, b"\n".join(lines) + b"\n")


def redrive(pipe, *arguments, check=OK):
    return sluice("redrive", pipe.write_config(), "--quiet", *arguments, check=check)


def live(pipe, *arguments):
    lines = pipe.ask("rejects", "--json", *arguments, check=OK).stdout.splitlines()
    return [json.loads(line) for line in lines]


def raw_of(reject):
    return reject["raw"].encode() if "raw" in reject else base64.b64decode(reject["raw_base64"])


def inputs(pipe):
    return [(str(p), i + 1, line) for p in sorted(pipe.inputs.iterdir())
            for i, line in enumerate(p.read_bytes().split(b"\n")[:-1])]


def assert_state(pipe, converts):
    """Records are the lines that convert; live rejects all others, each with its file and line."""
    lines = inputs(pipe)
    got = Counter(json.loads(r)["n"].encode() for r in readers.lines(pipe.out))
    assert got == Counter(line[1:] for _, _, line in lines if converts(line))
    rejects = live(pipe)
    places = Counter((r["uri"].removeprefix("file://"), r["line"], raw_of(r)) for r in rejects)
    assert places == Counter(place for place in lines if not converts(place[2]))
    summary = pipe.ask_json("audit", "--deep", check=OK)["summary"]
    assert summary["rejects_live"] == len(rejects)
    assert summary["rejects_live"] + summary["rejects_redriven"] == summary["manifest_counts"]["rejects"]
    return summary


def narrow(line):
    return line.startswith(b"a")


def wide(line):
    return line[:1] in (b"a", b"b")


def test_what_converts_now_leaves_the_rejects_once(pipe, rng):
    prepare(pipe)
    for i in range(3):
        write(pipe, rng, f"{i}.txt", 2000)
    pipe.run_once()
    assert assert_state(pipe, narrow)["rejects_redriven"] == 0
    before = readers.files_on_disk(pipe.out)
    redrive(pipe)
    assert readers.files_on_disk(pipe.out) == before, "nothing was mended"
    mend(pipe)
    redrive(pipe)
    assert assert_state(pipe, wide)["rejects_redriven"] > 0
    before = readers.files_on_disk(pipe.out)
    redrive(pipe)
    pipe.run_once()
    assert readers.files_on_disk(pipe.out) == before, "a second time there is nothing to do"
    assert_state(pipe, wide)
    pipe.ask("status", check=OK)


def test_kill_9_loses_and_doubles_nothing(pipe, rng):
    prepare(pipe)
    for i in range(3):
        write(pipe, rng, f"{i}.txt", 60000)
    pipe.run_once()
    mend(pipe)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS * 20
        if rounds % 5 == 0:
            # so that there is something to do again
            write(pipe, rng, f"{rounds}.txt", 20000)
            mend(pipe, NARROW)
            pipe.run_once()
            mend(pipe)
        with Redriving(pipe) as running:
            try:
                running.process.wait(timeout=0.02 + rng.random() * 0.5 / (1 + rounds - kills))
            except subprocess.TimeoutExpired:
                pass
            kills += running.kill()
    redrive(pipe)
    assert_state(pipe, wide)


class Redriving(Running):
    def __init__(self, pipeline):
        self.log = pipeline.folder / "run.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([BINARY, "redrive", str(pipeline.write_config()), "--quiet"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def test_only_what_is_asked_for(pipe, rng):
    prepare(pipe)
    for i in range(3):
        write(pipe, rng, f"{i}.txt", 2000)
    pipe.run_once()
    mend(pipe)
    redrive(pipe, "--reason", "utf8")
    assert_state(pipe, narrow)
    redrive(pipe, "--file", "1.txt")
    left = Counter((r["uri"].rsplit("/", 1)[1], raw_of(r)[:1]) for r in live(pipe))
    assert left["1.txt", b"b"] == 0 and left["0.txt", b"b"] > 0 and left["1.txt", b"c"] > 0
    redrive(pipe, "--reason", "no match", "--source", "s")
    assert_state(pipe, wide)
    for wrong in (("--reason", "x"), ("--source", "x"), ("--nothing",)):
        redrive(pipe, *wrong, check=USAGE)
    sluice("redrive", check=USAGE)


def test_again_and_again_as_the_pattern_is_mended_step_by_step(pipe, rng):
    prepare(pipe)
    write(pipe, rng, "a.txt", 3000)
    pipe.run_once()
    mend(pipe)
    redrive(pipe)
    mend(pipe, r"^[abc](?<n>\d+)$")
    redrive(pipe)
    assert_state(pipe, lambda line: line[:1] in (b"a", b"b", b"c"))


def test_gzip_output_and_a_state_folder_that_was_set_back(pipe, rng, tmp_path):
    prepare(pipe)
    pipe.output(format="jsonl.gz")
    write(pipe, rng, "a.txt", 20000)
    pipe.run_once()
    shutil.copytree(pipe.state, tmp_path / "copy")
    mend(pipe)
    redrive(pipe)
    assert_state(pipe, wide)
    shutil.rmtree(pipe.state)
    shutil.copytree(tmp_path / "copy", pipe.state)
    redrive(pipe)
    assert_state(pipe, wide)


def test_a_raised_generation_has_nothing_to_do_with_it(pipe, rng):
    prepare(pipe)
    write(pipe, rng, "a.txt", 2000)
    pipe.run_once()
    mend(pipe)
    redrive(pipe)
    pipe.set(generation=2).run_once()
    pipe.ask("audit", "--deep", check=OK)
    pipe.ask("audit", "--deep", "--generation", "1", check=OK)
    assert len(readers.lines(pipe.out, 2)) == sum(wide(line) for _, _, line in inputs(pipe))
    assert b"rejects:" not in pipe.ask("status", check=OK).stdout


def test_lines_that_were_too_long_can_be_let_in_and_cut_ones_stay(pipe):
    prepare(pipe, pattern="^(?<n>[a-z]{3})", max_line_bytes="1KiB")
    short, long = b"x" * 5000, b"y" * 200000
    pipe.file("a.txt", short + b"\n" + long + b"\n")
    pipe.run_once()
    assert [r["length"] for r in live(pipe)] == [len(short), len(long)]
    pipe.settings["sources"][0]["max_line_bytes"] = "1MiB"
    redrive(pipe)
    assert [json.loads(r)["n"] for r in readers.lines(pipe.out)] == ["xxx"]
    (reject,) = live(pipe)
    assert reject["truncated"] and reject["length"] == len(long)


def test_lines_that_mean_nothing_alone_stay(pipe):
    pipe.source("s", "*.csv", converter="csv", types={"b": "integer"})
    pipe.output(partition="")
    pipe.file("a.csv", b"a,b\n1,x\n2,3\n")
    pipe.run_once()
    pipe.settings["sources"][0]["types"] = {}
    redrive(pipe)
    assert [r["raw"] for r in live(pipe)] == ["1,x"]
    pipe.ask("audit", "--deep", check=OK)


def test_aggregates_and_records_that_are_kept_once(pipe):
    pipe.source("s", "*.txt", converter="delimited", table={"header": "none", "columns": ["id", "n"], "separator": " "},
                types={"n": "integer"}, aggregate={"group_by": ["id"], "sum": ["n"]})
    pipe.output(partition="")
    pipe.file("a.txt", b"a 1\na 2.5\nb x\na 3\n")
    pipe.run_once()
    pipe.settings["sources"][0]["types"] = {"n": "number"}
    redrive(pipe)
    rows = [json.loads(line) for line in sluice("totals", pipe.write_config(), "--format", "json", check=OK).stdout.splitlines()]
    assert rows == [{"id": "a", "n": 6.5, "count": 3}]
    assert [r["raw"] for r in live(pipe)] == ["b x"]


def test_dedupe_keeps_one_of_what_was_there_and_what_comes_back(pipe):
    pipe.source("d", "*.json", time={"field": "t", "format": "epoch_s"}, dedupe={"key": ["id"], "window": "1d"})
    pipe.output(partition="")
    pipe.file("a.json", b'{"t":1767225600,"id":1}\n{"t":"2026-01-01T00:00:01Z","id":1}\n{"t":"2026-01-01T00:00:02Z","id":2}\n')
    pipe.run_once()
    pipe.settings["sources"][0]["time"]["format"] = "rfc3339"
    redrive(pipe)
    assert Counter(json.loads(r)["id"] for r in readers.lines(pipe.out)) == {1: 1, 2: 1}
    assert live(pipe) == []
    pipe.ask("audit", "--deep", check=OK)


def test_beside_a_run_it_is_refused(pipe, rng):
    prepare(pipe)
    write(pipe, rng, "a.txt", 100)
    with pipe.start("--quiet"):
        wait_for("the run to own state and output", lambda: (pipe.out / "_ledger/identity.json").exists())
        assert redrive(pipe, check=None).returncode not in (OK, USAGE)
