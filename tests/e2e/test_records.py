# SPDX-License-Identifier: Apache-2.0
"""Promise: where lines go together, each record comes out whole and once, and is the one that a simple reading of the
whole file gives, for any size of stripes: stack traces, and the parts of containers' lines whose streams mix; while
files grow, are rotated, and the process is killed."""
import json
import random
import re

import pytest

from pipeline import DENIED, OK, wait_for
from readers import records

STRIPES = ("64", "4KiB", "64MiB")
TRACE = {"converter": "regex", "regex": {"pattern": r"(?s)^(?<time>\S+) (?<text>.*)"}, "time": {"field": "time"},
         "record": {"start": "^20"}}


def found(pipe):
    return [json.loads(line) for _, line in records(pipe.out)]


def in_any_order(values):
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def traces(seed, count):
    r = random.Random(seed)
    for i in range(count):
        head = f"2026-01-01T00:00:{i % 60:02d}Z boom {seed} {i}"
        yield [head, *(r.choice(("  at é", "", "\tat x\x01", "z" * 90)) for _ in range(r.choice((0, 0, 1, 3, 20))))]


def record_of(lines):
    time, text = "\n".join(lines).split(" ", 1)
    return {"time": time, "text": text}


def lines_audited(pipe):
    return int(re.search(rb"files, (\d+) lines =", pipe.ask("audit", "--deep").stdout).group(1))


@pytest.mark.parametrize("stripe", STRIPES)
def test_stack_traces(pipe, stripe):
    made = list(traces(1, 300))
    pipe.output(partition="").source(pattern="*", stripe_bytes=stripe, **TRACE)
    pipe.file("a.log", ("\n".join(line for record in made for line in record)).encode())
    pipe.run_once()
    assert in_any_order(found(pipe)) == in_any_order(record_of(record) for record in made)
    assert lines_audited(pipe) == sum(map(len, made))


@pytest.mark.parametrize("stripe", STRIPES)
def test_a_record_over_the_bounds_is_cut_at_the_same_places(pipe, stripe):
    lines = [f"2026-01-01T00:00:00Z {i}" if i % 97 == 0 else f"more {i} " + "x" * (i % 30) for i in range(2000)]
    pipe.output(partition="")
    pipe.source(pattern="*", stripe_bytes=stripe, converter="lua", record={"start": "^20", "lines_max": 7, "bytes_max": "300"},
                max_line_bytes="100", lua={"file": "lines.lua"})
    (pipe.folder / "lines.lua").write_text("function convert(line) return {text = line} end")
    pipe.file("a.log", "".join(line + "\n" for line in lines).encode())
    pipe.run_once()
    got = [record["text"].split("\n") for record in found(pipe)]
    assert sorted(line for record in got for line in record) == sorted(lines)
    assert all(len(record) <= 7 and len("\n".join(record)) <= 300 for record in got)
    pipe.ask("audit", "--deep")
    reference = pipe.folder.parent / "cut.json"  # of the first size of stripes
    if not reference.exists():
        reference.write_text(json.dumps(sorted(got)))
    assert sorted(got) == json.loads(reference.read_text())


def test_each_line_of_a_rejected_record_has_its_place(pipe):
    pipe.output(partition="").source(pattern="*", stripe_bytes="64", **{**TRACE, "max_line_bytes": "64"})
    pipe.file("a.log", b"2026-01-01T00:00:00Z a\nmore\n20 no time\nof two\n" + b"y" * 200 + b"\n2026-01-01T00:00:00Z b\n")
    pipe.run_once()
    rejects = [json.loads(line) for line in pipe.ask("rejects", "--json").stdout.splitlines()]
    assert sorted((r["line"], r["offset"], r["length"], r["reason"], r.get("record_offset")) for r in rejects) == [
        (3, 28, 10, "time", 28), (4, 39, 6, "time", 28), (5, 46, 200, "too long", None)]
    assert in_any_order(record["text"] for record in found(pipe)) == in_any_order(["a\nmore", "b"])
    pipe.ask("audit", "--deep")


# ---- containers


def container_lines(seed, count, docker):
    """Lines as a runtime writes them, streams mixed, and the whole lines that they stand for."""
    r = random.Random(seed)
    left = {"stdout": [], "stderr": []}
    whole, lines = [], []
    for stream in left:
        for i in range(count):
            parts = ["".join(r.choice('ab"é\\ ') for _ in range(r.choice((0, 5, 40)))) for _ in range(r.choice((1, 1, 1, 2, 6)))]
            left[stream].append([stream, i, parts, None])
    while any(left.values()):
        stream = r.choice([name for name in left if left[name]])
        item = left[stream][0]
        time = f"2026-01-01T00:00:{len(lines) % 60:02d}Z"
        if item[3] is None:
            item[3] = (time, "".join(item[2]))
        part, last = item[2].pop(0), not item[2]
        if docker:
            text = json.dumps({"log": part + "\n" * last, "stream": stream, "time": time}, separators=(",", ":"))
        else:
            text = f"{time} {stream} {'F' if last else 'P'} {part}"
        lines.append(text)
        if last:
            whole.append({"time": item[3][0], "stream": stream, "message": item[3][1]})
            left[stream].pop(0)
    return lines, whole


@pytest.mark.parametrize("docker", (False, True), ids=("cri", "docker"))
@pytest.mark.parametrize("stripe", STRIPES)
def test_parts_of_containers_lines(pipe, stripe, docker):
    lines, whole = container_lines(3, 200, docker)
    pipe.output(partition="").source(pattern="**", converter="cri", stripe_bytes=stripe)
    pipe.file("pods/shop_web-1_0f1e/nginx/0.log", "".join(line + "\n" for line in lines).encode())
    pipe.run_once()
    of = {"namespace": "shop", "pod": "web-1", "uid": "0f1e", "container": "nginx", "restart_count": 0}
    assert in_any_order(found(pipe)) == in_any_order({**record, **of} for record in whole)
    assert lines_audited(pipe) == len(lines)


def test_a_part_whose_rest_never_came_is_told_as_one(pipe):
    pipe.output(partition="").source(pattern="*", converter="cri")
    pipe.file("a.log", b"2026-01-01T00:00:00Z stdout P half\n2026-01-01T00:00:01Z stderr F e\n")
    pipe.run_once()
    assert in_any_order(found(pipe)) == in_any_order([
        {"time": "2026-01-01T00:00:00Z", "stream": "stdout", "partial": True, "message": "half"},
        {"time": "2026-01-01T00:00:01Z", "stream": "stderr", "message": "e"}])


# ---- while it happens


@pytest.mark.parametrize("stripe", ("64", "64MiB"))
def test_files_that_grow_and_are_rotated_while_the_process_is_killed(pipe, stripe):
    made = list(traces(5, 60))
    text = "".join(line + "\n" for record in made for line in record).encode()
    pipe.output(partition="", flush="100ms")
    pipe.source(pattern="*.log*", stripe_bytes=stripe, close_after="1h", rotated_after="50ms", **TRACE)
    cuts = sorted(random.Random(stripe).sample(range(1, len(text)), 4))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
    for piece in pieces[:-1]:
        pipe.file("a.log", piece, append=True)
        so_far = (pipe.inputs / "a.log").read_bytes()
        heads = so_far.count(b"\n20")  # records behind which another one begins
        with pipe.start() as running:
            wait_for("the records that are whole", lambda: len(found(pipe)) >= heads - 1)
            running.kill()
    with pipe.start() as running:
        pipe.file("a.log", pieces[-1], append=True)
        wait_for("all but the last record", lambda: len(found(pipe)) >= len(made) - 1)
        (pipe.inputs / "a.log").rename(pipe.inputs / "a.log.1")
        pipe.file("a.log", b"2026-01-01T00:00:00Z next\n and more\n")
        wait_for("the rotated file's last record", lambda: record_of(made[-1]) in found(pipe))
        running.drain()
    pipe.run_once()
    expected = [record_of(record) for record in made] + [{"time": "2026-01-01T00:00:00Z", "text": "next\n and more"}]
    assert in_any_order(found(pipe)) == in_any_order(expected)
    pipe.ask("audit", "--deep")


def test_one_generation_has_one_rule(pipe):
    pipe.output(partition="").source(pattern="*", **TRACE)
    pipe.file("a.log", b"2026-01-01T00:00:00Z a\n")
    pipe.run_once()
    pipe.settings["sources"][0]["record"] = {"start": "^2026"}
    assert b"raise \"generation\"" in pipe.run_once(check=DENIED).stderr
    del pipe.settings["sources"][0]["record"]
    pipe.run_once(check=DENIED)
    pipe.set(generation=2).run_once(check=OK)
