# SPDX-License-Identifier: Apache-2.0
"""Promise: `sluice run --once` turns every line of its input into exactly one record or reject, in objects of the right
partition and size that everybody's readers read, with a receipt for each file; a second run adds nothing."""
import base64
import gzip
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import polars
import pyarrow.json
import pytest
import zstandard

import readers
from pipeline import BINARY, DATA, OK, Running, make_logs

MEBI = 1 << 20


def tree(folder):
    """Every file with its size and time of change: what a second run must leave alone."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in Path(folder).rglob("*") if p.is_file()}


def real_log(pipe, name="real.log"):
    path = pipe.inputs / name
    with open(DATA / "logs/apache_combined.log.zst", "rb") as source, open(path, "wb") as out:
        zstandard.ZstdDecompressor().copy_stream(source, out)
    return path


def partition_of(key):
    """{'dt': '2026-03-01', …} of an object's key."""
    return dict(part.split("=", 1) for part in key.split("/")[1:-1])


def test_every_ndjson_line_is_a_record_of_its_partition_or_a_reject(pipe):
    path = pipe.inputs / "a.ndjson"
    made = make_logs(path, 20 * MEBI, errors=0.002)
    pipe.source().output(partition="dt={time:%Y-%m-%d}/hour={time:%H}/status={status}").run_once()
    readers.assert_each_line_once(pipe.out, [path])
    assert len(readers.rejects(pipe.out)) == made["bad"] > 0
    for key, line in readers.records(pipe.out):
        record = json.loads(line)
        assert partition_of(key) == {"dt": record["time"][:10], "hour": record["time"][11:13],
                                     "status": str(record["status"])}


def test_a_nested_field_and_a_json_pointer_can_name_the_partition(pipe):
    pipe.file("a.ndjson", b"".join(json.dumps({"time": "2026-01-01T00:00:00Z", "user": {"country": c}, "a/b": [i]}).encode()
                                   + b"\n" for i, c in enumerate(["DE", "FR", "DE"])))
    pipe.source().output(partition="c={user.country}/p={/a~1b/0}").run_once()
    assert sorted(str(Path(key).parent) for key, _ in readers.records(pipe.out)) == [
        "g1/c=DE/p=0", "g1/c=DE/p=2", "g1/c=FR/p=1"]


def test_every_access_line_of_a_real_log_becomes_typed_fields(pipe):
    path = real_log(pipe)
    pipe.source(pattern="*.log", converter="combined").output(partition="dt={time:%Y-%m-%d}").run_once()
    # A line with an escape may be told in two ways; there are few, and they are counted below.
    expected = Counter(fields for line in readers.input_lines(path) if b"\\" not in line
                       and (fields := readers.access_fields(line.decode())))
    found = Counter()
    for key, line in readers.records(pipe.out):
        fields = readers.record_fields(line)
        found[fields] += 1
        assert partition_of(key)["dt"] == fields[3].strftime("%Y-%m-%d")
    lost = expected - found
    assert not lost, f"{lost.total()} lines have no record, such as {next(iter(lost))}"
    assert found.total() + len(readers.rejects(pipe.out)) == 10000
    assert expected.total() > 9900, "the log is not the one that it should be"


def test_made_access_lines_are_each_converted_or_rejected(pipe):
    path = pipe.inputs / "a.log"
    made = make_logs(path, 10 * MEBI, form="combined", errors=0.002)
    pipe.source(pattern="*.log", converter="combined").run_once()
    rejected = readers.rejects(pipe.out)
    assert len(rejected) == made["bad"]
    assert {r["reason"] for r in rejected} <= {"format", "utf8", "time"}
    expected = readers.multiset(f for f in map(readers.access_fields, open(path, encoding="latin-1").read().splitlines())
                                if f is not None)
    found = readers.multiset(readers.record_fields(line) for line in readers.lines(pipe.out))
    assert found == expected


def test_raw_lines_stay_as_they_are(pipe):
    path = pipe.inputs / "a.log"
    make_logs(path, 5 * MEBI, errors=0.01)
    pipe.source(pattern="*.log", converter="raw").output(partition="source={source}").run_once()
    readers.assert_each_line_once(pipe.out, [path])
    assert not readers.rejects(pipe.out)


@pytest.mark.parametrize("form", ["jsonl.zst", "jsonl.gz"])
def test_a_second_run_adds_nothing(pipe, form):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 3 * MEBI)
    pipe.source().output(format=form).run_once()
    before = tree(pipe.out)
    pipe.run_once()
    assert tree(pipe.out) == before
    readers.assert_each_line_once(pipe.out, [path])


def test_gzip_objects_read_with_the_gzip_tool(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 6 * MEBI)
    pipe.source().output(format="jsonl.gz", partition="h={time:%H}", block_bytes="256KiB").run_once()
    found = []
    for listed in readers.objects(pipe.out):
        assert listed["key"].endswith(".jsonl.gz")
        text = subprocess.run(["gzip", "-dc", pipe.out / listed["key"]], check=True, capture_output=True).stdout
        assert text == gzip.decompress((pipe.out / listed["key"]).read_bytes())
        found += text.splitlines()
    assert sorted(found) == sorted(readers.input_lines(path))


@pytest.fixture
def filled(pipe):
    """24 partitions of several blocks each, so that every reader meets many frames and the footer behind them."""
    path = pipe.inputs / "a.ndjson"
    made = make_logs(path, 24 * MEBI)
    pipe.source().output(partition="dt={time:%Y-%m-%d}/h={time:%H}", block_bytes="256KiB").run_once()
    keys = [o["key"] for o in readers.objects(pipe.out)]
    return pipe, path, made["lines"], [str(pipe.out / key) for key in keys]


def test_the_zstd_tool_reads_and_tests_every_object(filled):
    pipe, path, _, names = filled
    subprocess.run(["zstd", "-t", "-q", *names], check=True)
    text = subprocess.run(["zstd", "-dc", *names], check=True, capture_output=True).stdout
    assert sorted(text.splitlines()) == sorted(readers.input_lines(path))


def test_python_zstandard_reads_every_line(filled):
    pipe, path, _, _ = filled
    readers.assert_each_line_once(pipe.out, [path])


def test_duckdb_reads_every_record_and_the_partitions(filled):
    pipe, path, count, names = filled
    rows, bytes_, hours = duckdb.sql(
        f"select count(*), sum(bytes), count(distinct h) from read_json({names!r}, format='newline_delimited', "
        "hive_partitioning=true)").fetchall()[0]
    expected = [json.loads(line) for line in readers.input_lines(path)]
    assert (rows, bytes_, hours) == (count, sum(r["bytes"] for r in expected), 24)


def test_polars_reads_every_record(filled):
    _, path, count, names = filled
    frame = polars.concat([polars.read_ndjson(name) for name in names], how="vertical_relaxed")
    assert frame.height == count
    assert frame["status"].sum() == sum(json.loads(line)["status"] for line in readers.input_lines(path))


def test_pyarrow_reads_every_record(filled):
    _, _, count, names = filled
    assert sum(pyarrow.json.read_json(name).num_rows for name in names) == count


def assert_sizes(pipe, size):
    """Never more than 1.1 times object_bytes, never less than half where a seal holds more than that for an output."""
    seen = 0
    for manifest in readers.manifests(pipe.out):
        by_output = {}
        for listed in manifest["objects"]:
            assert listed["bytes"] == (pipe.out / listed["key"]).stat().st_size
            by_output.setdefault((listed["rejects"], listed["output"]), []).append(listed["bytes"])
        for output, sizes in by_output.items():
            assert all(n <= 1.1 * size for n in sizes), (output, sizes)
            if sum(sizes) > size:
                assert all(n >= size / 2 for n in sizes), (output, sizes)
                seen += len(sizes)
    return seen


def test_objects_keep_to_their_size(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 60 * MEBI)
    pipe.source().output(partition="all", object_bytes=MEBI, block_bytes="256KiB").run_once()
    assert assert_sizes(pipe, MEBI) > 4
    readers.assert_each_line_once(pipe.out, [path])


def payload(kind, rng, words):
    """About 300 bytes that compress to a twentieth, to a quarter, not at all, or each for a while."""
    if kind == "flat":
        return f"{rng.randrange(1000)} " + "the same words again and again " * 9
    if kind == "words":
        return " ".join(rng.choices(words, k=48))
    return base64.b64encode(rng.randbytes(225)).decode()


@pytest.mark.parametrize("kinds,outputs,size", [
    (["random"], 1, 4 * MEBI), (["words"], 1, 2 * MEBI), (["flat", "words", "random"], 1, 2 * MEBI),
    (["flat", "words", "random"], 3, 2 * MEBI), (["words", "random"], 12, 2 * MEBI)])
def test_objects_keep_to_their_size_whatever_is_in_them(pipe, kinds, outputs, size):
    """Real sizes of data that compresses well, hardly, and in turns within one output; default blocks."""
    rng, path = random.Random(7), pipe.inputs / "a.ndjson"
    words = ["%05x" % rng.randrange(1 << 20) for _ in range(300)]
    with open(path, "w") as out:
        for number in range(48 * MEBI // 340):
            output = rng.randrange(outputs)
            # One output has them in turns of some megabytes, several have one kind each.
            kind = kinds[number // 20000 % len(kinds)] if outputs == 1 else kinds[output % len(kinds)]
            out.write(f'{{"n":{number},"o":{output},"text":"{payload(kind, rng, words)}"}}\n')
    pipe.source(time_field=None).output(partition="o={o}", object_bytes=size).run_once()
    assert assert_sizes(pipe, size) >= 1
    readers.assert_each_line_once(pipe.out, [path])


def test_many_small_outputs_are_joined_to_one_object_each(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 30 * MEBI)
    pipe.source().output(partition="tenant={tenant}").run_once()
    by_output = {}
    for manifest in readers.manifests(pipe.out):
        for listed in manifest["objects"]:
            by_output.setdefault((manifest["partition"], manifest["index"], str(Path(listed["key"]).parent)), []).append(listed)
    assert len({output for _, _, output in by_output}) == 2000
    assert all(len(listed) == 1 for listed in by_output.values()), "a small output was split"
    readers.assert_each_line_once(pipe.out, [path])


def receipts(pipe):
    return [json.loads(p.read_bytes()) for p in sorted(pipe.out.glob("_receipts/g1/*.json"))]


def test_each_file_has_a_receipt_whose_numbers_add_up(pipe):
    paths = [pipe.inputs / f"{i}.ndjson" for i in range(5)]
    made = [make_logs(path, 2 * MEBI, seed=i, errors=0.01) for i, path in enumerate(paths)]
    for path in paths:
        with open(path, "ab") as out:
            out.write(b"\n \t\n")
    pipe.source().run_once()
    found = sorted(receipts(pipe), key=lambda r: json.dumps(r, sort_keys=True))
    assert len(found) == len(paths)
    by_end = {r["end"]: r for r in found}
    for path, told in zip(paths, made):
        counts = by_end[path.stat().st_size]
        assert counts["lines"] == told["lines"] + 2
        assert counts["rejects"] == told["bad"]
        assert counts["blank"] == 2
        assert counts["lines"] == counts["converted"] + counts["rejects"] + counts["filtered"] + counts["blank"]
    listed = {o["key"] for kind in (False, True) for o in readers.objects(pipe.out, rejects=kind)}
    assert {o["key"] for r in found for o in r["objects"]} == listed
    assert sum(o["records"] for r in found for o in r["objects"]) == sum(t["lines"] for t in made)


def test_a_raised_generation_converts_everything_again_beside_the_old(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 2 * MEBI)
    pipe.source().run_once()
    pipe.set(generation=2).output(partition="status={status}").run_once()
    for generation in (1, 2):
        readers.assert_each_line_once(pipe.out, [path], generation)
        assert all(o["key"].startswith(f"g{generation}/") for o in readers.objects(pipe.out, generation=generation))


def test_another_partition_within_a_generation_is_told_and_moves_nothing(pipe):
    pipe.file("a.ndjson", b'{"time":"2026-01-01T00:00:00Z","status":200}\n')
    pipe.source().output(partition="status={status}").run_once()
    before = [o["key"] for o in readers.objects(pipe.out)]
    pipe.file("b.ndjson", b'{"time":"2026-01-01T00:00:00Z","status":404}\n')
    with Running(pipe.output(partition="code={status}"), "--once") as running:
        assert running.process.wait() == OK
        told = [line for line in running.text().splitlines() if "output.partition is another one" in line]
        assert len(told) == 1 and "status={status}" in told[0] and "code={status}" in told[0] and "raise generation" in told[0]
    after = [o["key"] for o in readers.objects(pipe.out)]
    assert set(before) < set(after) and any("/code=404/" in key for key in after)


def test_a_file_of_many_stripes_is_whole(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 20 * MEBI, errors=0.001)
    pipe.source(stripe_bytes="1MiB").run_once()
    readers.assert_each_line_once(pipe.out, [path])
    assert len({r["stripe"] for r in readers.rejects(pipe.out)}) > 5


def test_after_durable_delete_removes_only_what_is_durable(pipe):
    content = b'{"time":"2026-01-01T00:00:00Z"}\n'
    kept, gone = pipe.file("keep.log", content), pipe.file("gone.ndjson", content)
    pipe.source(after_durable="delete").source("other", "*.log").run_once()
    assert kept.exists() and not gone.exists()
    readers.assert_lines(pipe.out, [content[:-1]] * 2)


def test_after_durable_move_keeps_the_bytes_elsewhere(pipe):
    done = pipe.folder / "done"
    done.mkdir()
    path = pipe.file("a.ndjson", b'{"time":"2026-01-01T00:00:00Z"}\n')
    pipe.source(after_durable=f"move:{done}").run_once()
    assert not path.exists()
    assert [p.read_bytes() for p in done.rglob("*") if p.is_file()] == [b'{"time":"2026-01-01T00:00:00Z"}\n']
    pipe.run_once()
    readers.assert_lines(pipe.out, [b'{"time":"2026-01-01T00:00:00Z"}'])


def test_memory_stays_bounded_whatever_the_number_of_outputs(pipe):
    """192 MiB with two lanes is the promise; measured by the kernel over the whole run."""
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 150 * MEBI)
    pipe.source().output(partition="tenant={tenant}")
    script = ("import resource,subprocess,sys;code=subprocess.run(sys.argv[1:]).returncode;"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", script, BINARY, "run", str(pipe.write_config()), "--once"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert int(done.stdout.split()[-1]) <= 192 * 1024


def test_thousands_of_tiny_files_each_get_a_receipt_and_a_second_run_adds_nothing(pipe):
    """5,000 files of one line in 50 folders; the form with 200,000 is a row of tools/bench. More than one call to the
    ledger, more than one group of receipts, and far more files than may be open at a time."""
    files = []
    for i in range(5000):
        name = f"d{i % 50:02}/f{i}.ndjson"
        files.append(pipe.file(name, b'{"time":"2026-01-0%dT00:00:00Z","n":%d}\n' % (1 + i % 3, i)))
    pipe.source(pattern="**/*.ndjson").run_once()
    readers.assert_each_line_once(pipe.out, files)
    assert len(list(pipe.out.glob("_receipts/g1/*.json"))) == 5000
    before = tree(pipe.out)
    pipe.run_once()
    assert tree(pipe.out) == before
