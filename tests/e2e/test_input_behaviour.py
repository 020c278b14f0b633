# SPDX-License-Identifier: Apache-2.0
"""Promise: whatever happens to input files, what is guaranteed for it holds. One test a case; the watching ones start
`sluice run` without --once. The hazards that depend on stripes are in test_hazards.py. Most use the converter `raw`, whose records are the lines themselves."""
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import readers
from pipeline import BINARY, NO, OK, Running, make_logs, wait_for

MEBI = 1 << 20


def numbered(first, count, mark="line"):
    """Lines that are all different, so that each can be found again."""
    return b"".join(b"%s %d\n" % (mark.encode(), i) for i in range(first, first + count))


@pytest.fixture
def raw(pipe):
    """Every line of in/*.log* as it is; objects as soon as a second has passed."""
    pipe.source("raw", "*.log*", "raw", close_after="2s", rotated_after="1s")
    pipe.output(partition="source={source}", flush="1s").set(rescan="1s")
    return pipe


def arrived(pipe, count):
    """True when that many records can be read."""
    return lambda: sum(o["records"] for o in readers.objects(pipe.out)) >= count


def finish(running, pipe, count):
    """Waits until `count` records are there, drains, and gives the lines."""
    wait_for(f"{count} records", arrived(pipe, count))
    running.drain()
    return sorted(readers.lines(pipe.out))


# --- names: rotation, replacing, links -------------------------------------------------------------------------------

def test_a_renamed_file_is_the_same_file(raw):
    path = raw.file("a.log", numbered(0, 100))
    raw.run_once()
    path.rename(raw.inputs / "a.log.1")
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 100).splitlines())


def in_work(pipe):
    """True when a listed file shows that the run has opened its input."""
    return lambda: pipe.state.exists() and pipe.ask_json("status", check=None).get("files")


def test_a_file_that_is_rotated_out_of_the_pattern_while_it_is_read_is_read_to_its_end(raw):
    path = raw.inputs / "a.log"
    count = make_logs(path, 40 * MEBI)["lines"]
    copy = raw.folder / "away"
    with raw.start() as running:
        wait_for("the file to be known", in_work(raw))
        path.rename(copy)
        wait_for(f"{count} records", arrived(raw, count))
        running.drain()
    readers.assert_each_line_once(raw.out, [copy])


def test_a_new_file_under_an_old_name_is_another_file(raw):
    raw.file("a.log", numbered(0, 50))
    raw.run_once()
    (raw.inputs / "a.log").unlink()
    raw.file("b", b"so that the inode is taken")
    raw.file("a.log", numbered(0, 50) + numbered(50, 1))
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 50).splitlines() + numbered(0, 51).splitlines())


def test_a_file_that_is_deleted_while_it_is_read_is_read_to_its_end(raw):
    path = raw.inputs / "a.log"
    count = make_logs(path, 40 * MEBI)["lines"]
    copy = raw.folder / "copy"
    copy.write_bytes(path.read_bytes())
    with raw.start() as running:
        wait_for("the file to be known", in_work(raw))
        path.unlink()
        wait_for(f"{count} records", arrived(raw, count))
        running.drain()
    readers.assert_each_line_once(raw.out, [copy])


def test_a_symlink_and_its_target_are_one_file(raw):
    path = raw.file("a.log", numbered(0, 10))
    (raw.inputs / "b.log").symlink_to(path)
    raw.settings["sources"][0]["follow_symlinks"] = True
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 10).splitlines())


def test_a_symlink_to_a_file_elsewhere_is_followed_when_asked(raw):
    away = raw.folder / "away"
    away.write_bytes(numbered(0, 10))
    (raw.inputs / "a.log").symlink_to(away)
    raw.settings["sources"][0]["follow_symlinks"] = True
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 10).splitlines())


def test_symlinks_are_left_alone_when_told_so_and_a_loop_or_a_dead_link_harms_nothing(raw):
    away = raw.folder / "away"
    away.write_bytes(numbered(100, 10))
    (raw.inputs / "a.log").symlink_to(away)
    (raw.inputs / "dead.log").symlink_to(raw.folder / "nowhere")
    (raw.inputs / "loop.log").symlink_to(raw.inputs / "loop.log")
    raw.file("b.log", numbered(0, 10))
    raw.settings["sources"][0]["follow_symlinks"] = False
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 10).splitlines())


def test_two_hard_links_are_one_file(raw):
    os.link(raw.file("a.log", numbered(0, 10)), raw.inputs / "b.log")
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 10).splitlines())


def test_a_folder_or_a_pipe_that_matches_the_pattern_is_no_input(raw):
    (raw.inputs / "folder.log").mkdir()
    os.mkfifo(raw.inputs / "pipe.log")
    raw.file("a.log", numbered(0, 10))
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 10).splitlines())


# --- growth, truncation, replacing ----------------------------------------------------------------------------------

def test_growth_between_runs_is_read_once(raw):
    for turn in range(5):
        raw.file("a.log", numbered(turn * 100, 100), append=True)
        raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 500).splitlines())


def test_growth_while_watching_is_read_once(raw):
    with raw.start() as running:
        for turn in range(50):
            raw.file("a.log", numbered(turn * 100, 100), append=True)
        found = finish(running, raw, 5000)
    assert found == sorted(numbered(0, 5000).splitlines())


def test_growth_after_a_file_was_taken_as_closed_goes_on_where_it_ended(raw):
    raw.file("a.log", b"one\ntwo")
    raw.run_once()
    raw.file("a.log", b"three\nfour", append=True)
    raw.run_once()
    readers.assert_lines(raw.out, [b"one", b"two", b"three", b"four"])
    ends = sorted(json.loads(p.read_bytes())["end"] for p in raw.out.glob("_receipts/g1/*.json"))
    assert ends == [7, 17]


def test_a_file_that_is_replaced_while_it_is_read_harms_nobody(raw):
    """The new file is there whole and once; of the old one, no line twice; the audit holds."""
    path = raw.inputs / "a.log"
    make_logs(path, 60 * MEBI, seed=1)
    make_logs(raw.folder / "new", 5 * MEBI, seed=2)
    old, new = (readers.multiset(readers.input_lines(p)) for p in (path, raw.folder / "new"))
    with raw.start("--once") as running:
        wait_for("the state folder", lambda: raw.state.exists() and any(raw.state.iterdir()))
        (raw.folder / "new").rename(path)
        running.process.wait()
    raw.run_once()
    found = readers.multiset(readers.lines(raw.out))
    assert not new - found, "lines of the new file are missing"
    assert not found - new - old, "lines are there twice"
    raw.ask("audit", "--deep", check=OK)


def test_a_file_that_is_truncated_while_it_is_read_harms_nobody(raw):
    path = raw.inputs / "a.log"
    make_logs(path, 60 * MEBI, seed=1)
    before = readers.multiset(readers.input_lines(path))
    with raw.start("--once") as running:
        wait_for("the state folder", lambda: raw.state.exists() and any(raw.state.iterdir()))
        os.truncate(path, 0)
        running.process.wait()
    raw.file("a.log", numbered(0, 10), append=True)
    raw.run_once()
    found = readers.multiset(readers.lines(raw.out))
    fresh = readers.multiset(numbered(0, 10).splitlines())
    assert not fresh - found
    # A line that the truncation cut may have ended as a shorter one: at most one of that kind.
    assert (found - fresh - before).total() <= 1
    raw.ask("audit", "--deep", check=OK)


# --- sizes and heads ---------------------------------------------------------------------------------------------------

def test_files_under_one_kib_are_told_apart(raw):
    for i in range(100):
        raw.file(f"{i}.log", b"%d\n" % i)
    raw.run_once()
    raw.run_once()
    readers.assert_lines(raw.out, [b"%d" % i for i in range(100)])


def test_a_small_file_that_grows_stays_the_same_file(raw):
    for i in range(0, 300, 3):
        raw.file("a.log", numbered(i, 3), append=True)
        if i % 30 == 0:
            raw.run_once()
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 300).splitlines())


def test_many_files_with_the_same_first_kib_are_told_apart(raw):
    head = b"#" * 4095 + b"\n"
    for i in range(50):
        raw.file(f"{i}.log", head + b"%d\n" % i)
    raw.run_once()
    readers.assert_lines(raw.out, [head[:-1]] * 50 + [b"%d" % i for i in range(50)])


def test_empty_files_are_fine_and_may_grow_later(raw):
    raw.file("a.log")
    raw.file("b.log")
    raw.run_once()
    assert readers.lines(raw.out) == []
    receipts = [json.loads(p.read_bytes()) for p in raw.out.glob("_receipts/g1/*.json")]
    assert [(r["end"], r["lines"]) for r in receipts] == [(0, 0)] * 2
    raw.file("a.log", numbered(0, 3), append=True)
    raw.run_once()
    readers.assert_lines(raw.out, numbered(0, 3).splitlines())


def test_two_hundred_thousand_files_are_each_read_once(raw):
    for folder in range(200):
        (raw.inputs / f"{folder}").mkdir()
        for i in range(1000):
            (raw.inputs / f"{folder}/{i}.log").write_bytes(b"%d %d\n" % (folder, i))
    raw.settings["sources"][0]["paths"] = [str(raw.inputs / "*" / "*.log")]
    raw.run_once(timeout=900)
    raw.run_once(timeout=900)
    found = readers.lines(raw.out)
    assert len(found) == len(set(found)) == 200_000


# --- lines ---------------------------------------------------------------------------------------------------------------

def test_once_takes_a_last_line_without_a_newline(raw):
    raw.file("a.log", b"one\ntwo")
    raw.run_once()
    readers.assert_lines(raw.out, [b"one", b"two"])


def test_watching_takes_an_unterminated_line_only_when_the_file_is_closed(raw):
    raw.settings["sources"][0]["close_after"] = "1h"
    path = raw.file("a.log", b"one\ntw")
    with raw.start() as running:
        wait_for("the first line", arrived(raw, 1))
        raw.file("a.log", b"o\nthr", append=True)
        wait_for("the second line", arrived(raw, 2))
        path.rename(raw.inputs / "a.log.1")  # rotated away: closed after rotated_after
        found = finish(running, raw, 3)
    assert found == [b"one", b"thr", b"two"]


def test_watching_takes_an_unterminated_line_of_an_idle_file(raw):
    raw.file("a.log", b"one\ntwo")
    with raw.start() as running:
        assert finish(running, raw, 2) == [b"one", b"two"]


def test_the_cr_of_a_crlf_is_no_part_of_the_record_and_a_lone_cr_is(raw):
    raw.file("a.log", b"one\r\ntw\ro\nthree\r\r\n\rfour\n")
    raw.run_once()
    readers.assert_lines(raw.out, [b"one", b"tw\ro", b"three\r", b"\rfour"])


def test_nul_bytes_are_bytes(raw):
    raw.file("a.log", b"a\0b\n\0\n")
    raw.run_once()
    readers.assert_lines(raw.out, [b"a\0b", b"\0"])


def test_a_byte_order_mark_is_no_part_of_the_record_but_counts_in_offsets(pipe):
    pipe.file("a.ndjson", readers.BOM + b'{"time":"2026-01-01T00:00:00Z","n":1}\nbad\n')
    pipe.source().run_once()
    readers.assert_lines(pipe.out, [b'{"time":"2026-01-01T00:00:00Z","n":1}'], [("json", b"bad")])
    assert readers.rejects(pipe.out)[0]["offset"] == 3 + 38


def test_invalid_utf8_is_a_reject_of_ndjson_and_a_line_of_raw(pipe):
    line = b'{"time":"2026-01-01T00:00:00Z","x":"\xff\xfe"}'
    pipe.file("a.ndjson", line + b"\n")
    pipe.file("a.log", line + b"\n")
    pipe.source().source("raw", "*.log", "raw").output(partition="source={source}").run_once()
    readers.assert_lines(pipe.out, [line], [("utf8", line)])
    assert "raw_base64" in readers.rejects(pipe.out)[0]


def test_blank_lines_are_counted_and_nothing_else(raw):
    raw.file("a.log", b"\n \t \n\r\n\none\n\n")
    raw.run_once()
    readers.assert_lines(raw.out, [b"one"])
    counts = json.loads(next(raw.out.glob("_receipts/g1/*.json")).read_bytes())
    assert (counts["lines"], counts["blank"], counts["converted"]) == (6, 5, 1)


def test_lines_around_max_line_bytes(raw):
    """As long as allowed is a record; one byte more is a reject with its place and length."""
    raw.settings["sources"][0]["max_line_bytes"] = "4KiB"
    raw.file("a.log", b"a" * 4096 + b"\n" + b"b" * 4097 + b"\n" + b"c" * 10000 + b"\r\nd\n" + b"e" * 5000)
    raw.run_once()
    assert sorted(readers.lines(raw.out)) == [b"a" * 4096, b"d"]
    found = sorted((r["offset"], r["length"], r["reason"], r["bytes"][:1]) for r in readers.rejects(raw.out))
    assert found == [(4097, 4097, "too long", b"b"), (8195, 10000, "too long", b"c"),
                     (18199, 5000, "too long", b"e")]


def test_a_line_over_many_stripes_is_never_held_in_memory(raw):
    raw.settings["sources"][0].update(max_line_bytes="1MiB", stripe_bytes="1MiB")
    path = raw.file("a.log", b"first\n")
    with open(path, "ab") as out:
        for _ in range(300):
            out.write(b"x" * MEBI)
        out.write(b"\nlast\n")
    script = ("import resource,subprocess,sys;code=subprocess.run(sys.argv[1:]).returncode;"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", script, BINARY, "run", str(raw.write_config()), "--once"], check=True,
                          stdout=subprocess.PIPE)
    assert int(done.stdout.split()[-1]) < 192 * 1024
    assert sorted(readers.lines(raw.out)) == [b"first", b"last"]
    assert [(r["offset"], r["length"], r["reason"]) for r in readers.rejects(raw.out)] == [(6, 300 * MEBI, "too long")]


def test_lines_of_every_length_cross_stripe_edges_whole(raw, rng):
    raw.settings["sources"][0]["stripe_bytes"] = "1MiB"
    path = raw.inputs / "a.log"
    with open(path, "wb") as out:
        for i in range(3000):
            out.write(b"%d " % i + b"y" * rng.choice([0, 1, 10, 1000, 4096, 65536 if i % 50 == 0 else 7]) + b"\n")
    raw.run_once()
    readers.assert_each_line_once(raw.out, [path])


# --- rejects -------------------------------------------------------------------------------------------------------------

def test_a_reject_names_its_place_and_its_reason(pipe):
    good = b'{"time":"2026-01-01T00:00:00Z"}'
    bad = {"json": b"{broken", "not an object": b"[1]", "time": b'{"time":"soon"}', "utf8": b'{"time":"\xff"}'}
    path = pipe.file("a.ndjson", b"".join(good + b"\n" + line + b"\n" for line in bad.values()))
    pipe.source().run_once()
    data = path.read_bytes()
    found = {r["reason"]: r for r in readers.rejects(pipe.out)}
    assert set(found) == set(bad)
    for reason, line in bad.items():
        reject = found[reason]
        assert reject["bytes"] == line == data[reject["offset"]:reject["offset"] + reject["length"]]
        assert (reject["source"], Path(reject["uri"].removeprefix("file://"))) == ("app", path)
        assert (reject["stripe"], reject["line_in_stripe"]) == (0, data[:reject["offset"]].count(b"\n"))


def test_a_missing_time_is_a_reject_or_goes_to_the_default_partition(pipe):
    line = b'{"level":"warn"}'
    pipe.file("a.ndjson", line + b"\n")
    pipe.file("b.log", line + b"\n")
    pipe.source().source("lenient", "*.log", time={"field": "time", "format": "rfc3339", "on_error": "partition"})
    pipe.run_once()
    readers.assert_lines(pipe.out, [line], [("time", line)])
    assert readers.objects(pipe.out)[0]["key"].startswith("g1/dt=__HIVE_DEFAULT_PARTITION__/")


def test_hostile_partition_values_stay_inside_the_output(pipe):
    values = ["../../etc", "..", ".", "", "a/b", "a\\b", "ü", "x" * 5000, "_seals", "\u0000", "con", "a=b", " ", "%2e%2e",
              "__HIVE_DEFAULT_PARTITION__", None, [], {}, 1.5, True]
    lines = [json.dumps({"time": "2026-01-01T00:00:00Z", "v": v, "n": i}).encode() for i, v in enumerate(values)]
    pipe.file("a.ndjson", b"\n".join(lines) + b"\n")
    pipe.source().output(partition="v={v}/{v}").run_once()
    readers.assert_lines(pipe.out, lines)
    assert {p.name for p in pipe.folder.iterdir()} <= {"in", "out", "state", "sluice.yaml"}
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-%=/")
    for key, _ in readers.records(pipe.out):
        assert set(key) <= allowed and len(key) <= 1024, key
        assert all(0 < len(part) <= 255 and part not in (".", "..") for part in key.split("/")), key


# --- places ----------------------------------------------------------------------------------------------------------------

def test_a_folder_that_appears_later_is_found(raw):
    raw.settings["sources"][0]["paths"] = [str(raw.inputs / "later" / "deeper" / "*.log")]
    with raw.start() as running:
        wait_for("the state folder", lambda: raw.state.exists() and any(raw.state.iterdir()))
        raw.file("later/deeper/a.log", numbered(0, 10))
        assert finish(running, raw, 10) == sorted(numbered(0, 10).splitlines())


def test_more_files_than_file_handles_are_read(raw):
    for i in range(600):
        raw.file(f"{i}.log", b"%d\n" % i)
    raw.run_once(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    readers.assert_lines(raw.out, [b"%d" % i for i in range(600)])
