# SPDX-License-Identifier: Apache-2.0
"""Promise: with `aggregate` the totals are those of awk over the inputs, exactly, whatever kill -9 hits; what cannot be
added is a reject with its field; and every number of lines in receipts, status and audit stays true."""
import csv
import io
import json
import subprocess
from collections import Counter
from fractions import Fraction

import readers
from pipeline import DENIED, OK, USAGE, sluice

KILLS = 8
AWK = '{a[$1]+=$2; n[$1]++} END{for(i in a) printf "%s %.0f %d\\n", i, a[i], n[i]}'


def prepare(pipe, **more):
    table = {"header": "none", "columns": ["consumer_id", "consumed"], "separator": " "}
    pipe.source("use", "*.txt", converter="delimited", table=table, stripe_bytes="64KiB",
                aggregate={"group_by": ["consumer_id"], "sum": ["consumed"]}, **more)
    pipe.output(partition="", object_bytes="1MiB", block_bytes="64KiB").set(lanes=4, broker={"url": "local", "partitions": 3})


def write(pipe, rng, name, count, append=False):
    lines = "".join(f"{rng.randrange(1, 10000)} {rng.randrange(1, 100000)}\n" for _ in range(count))
    pipe.file(name, lines.encode(), append=append)


def totals(pipe, *arguments, check=OK):
    done = sluice("totals", pipe.write_config(), "--format", "csv", *arguments, check=check)
    rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
    assert rows[0] == ["consumer_id", "consumed", "count"]
    assert len({r[0] for r in rows[1:]}) == len(rows) - 1
    return {r[0]: (r[1], r[2]) for r in rows[1:]}


def by_awk(pipe):
    done = subprocess.run(["awk", AWK, *sorted(pipe.inputs.iterdir())], check=True, capture_output=True)
    return {line.split()[0]: tuple(line.split()[1:]) for line in done.stdout.decode().splitlines()}


def test_totals_are_those_of_awk_whatever_is_killed(pipe, rng):
    prepare(pipe)
    for i in range(4):
        write(pipe, rng, f"{i}.txt", 40000)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS * 20
        write(pipe, rng, f"{rounds % 6}.txt", 4000, append=True)
        with pipe.start("--once") as running:
            try:
                running.process.wait(timeout=rng.random() * 0.6 / (1 + rounds - kills))
            except subprocess.TimeoutExpired:
                pass
            kills += running.kill()
    pipe.run_once()
    assert totals(pipe) == by_awk(pipe)
    pipe.ask("audit", "--deep", check=OK)
    lines = sum(len(p.read_bytes().splitlines()) for p in pipe.inputs.iterdir())
    attempts = [a for m in readers.manifests(pipe.out) for a in m["attempts"]]
    assert sum(a["converted"] for a in attempts) == sum(a["lines"] for a in attempts) == lines
    records = [json.loads(line) for line in readers.lines(pipe.out)]
    assert len(records) == sum(a["records"] for a in attempts) < lines
    assert sum(r["count"] for r in records) == lines


def test_a_raised_generation_has_totals_of_its_own(pipe, rng):
    prepare(pipe)
    write(pipe, rng, "a.txt", 3000)
    pipe.run_once()
    first = by_awk(pipe)
    write(pipe, rng, "b.txt", 3000)
    pipe.set(generation=2).run_once()
    assert totals(pipe, "--generation", "1") == first
    assert totals(pipe, "--generation", "2") == totals(pipe) == by_awk(pipe) != first


def test_a_state_folder_that_was_set_back_changes_no_total(pipe, rng, tmp_path):
    import shutil
    prepare(pipe)
    write(pipe, rng, "a.txt", 20000)
    pipe.run_once()
    shutil.copytree(pipe.state, tmp_path / "copy")
    write(pipe, rng, "b.txt", 20000)
    pipe.run_once()
    shutil.rmtree(pipe.state)
    shutil.copytree(tmp_path / "copy", pipe.state)
    write(pipe, rng, "c.txt", 20000)
    pipe.run_once()
    assert totals(pipe) == by_awk(pipe)


def test_more_groups_than_a_slice_holds_are_added_up_too(pipe):
    prepare(pipe)
    pipe.settings["sources"][0]["stripe_bytes"] = "64MiB"
    pipe.file("a.txt", "".join(f"{i % 50000} {i}\n" for i in range(120000)).encode())
    pipe.run_once()
    assert totals(pipe) == by_awk(pipe)


def test_sums_are_exact_beyond_doubles_and_64_bits_and_what_is_no_number_is_a_reject(pipe):
    prepare(pipe)
    good = ["18446744073709551615", "18446744073709551615", "0.1", "0.2", "-0.000000001", "+7", "007.50", "99999999999999999999",
            "9007199254740993"]
    bad = ["", "x", "1e3", "1.", ".5", "1.0000000001", "100000000000000000000", "0x10", "NaN", "1,5", "--1"]
    pipe.file("a.txt", "".join(f"c {v}\n" for v in good + bad).encode())
    pipe.run_once()
    (value, count), = totals(pipe).values()
    assert Fraction(value) == sum(map(Fraction, good)) and int(count) == len(good)
    rejects = readers.rejects(pipe.out)
    assert Counter(r["bytes"] for r in rejects) == Counter(f"c {v}".encode() for v in bad)
    assert {r["reason"] for r in rejects} == {"type"} and all("consumed" in r["detail"] for r in rejects)
    pipe.ask("audit", "--deep", check=OK)


def test_json_groups_are_told_apart_by_type_and_partition(pipe):
    pipe.source("j", "*.json", time_field=None, aggregate={"group_by": ["id", "u.n"], "sum": ["v", "w"]})
    pipe.output(partition="id={id}")
    records = [{"id": 7, "u": {"n": "a,\"\n"}, "v": 1, "w": "2.5"}, {"id": "7", "u": {"n": "a,\"\n"}, "v": 1.25, "w": 3},
               {"id": 7, "u": {"n": "a,\"\n"}, "v": -5, "w": 0}, {"id": True, "u": {"n": 1}, "v": 1, "w": 1},
               {"id": None, "u": {"n": 1}, "v": 1, "w": 1}, {"id": 1, "v": 1, "w": 1}, {"id": 1, "u": {"n": []}, "v": 1, "w": 1}]
    pipe.file("a.json", "".join(json.dumps(r) + "\n" for r in records).encode())
    pipe.run_once()
    done = sluice("totals", pipe.write_config(), "--format", "json", check=OK)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == [{"id": 7, "u.n": "a,\"\n", "v": -4, "w": 2.5, "count": 2},
                    {"id": "7", "u.n": "a,\"\n", "v": 1.25, "w": 3, "count": 1},
                    {"id": True, "u.n": 1, "v": 1, "w": 1, "count": 1}]
    assert len(readers.rejects(pipe.out)) == 3
    assert b"7\ta,\"\\x0a\t-4\t2.5\t2\n" in sluice("totals", pipe.write_config(), check=OK).stdout


def test_several_sources_and_wrong_use(pipe):
    prepare(pipe)
    pipe.source("other", "*.json", time_field=None)
    pipe.file("a.txt", b"1 2\n1 3\n").parent.joinpath("b.json").write_bytes(b'{"consumer_id":1,"consumed":9}\n')
    pipe.run_once()
    assert totals(pipe) == {"1": ("5", "2")} == totals(pipe, "--source", "use")
    config = pipe.write_config()
    assert b"aggregate" in sluice("totals", config, "--source", "other", check=DENIED).stderr
    sluice("totals", config, "--format", "xml", check=USAGE)
    sluice("totals", config, "--generation", "x", check=USAGE)
    sluice("totals", check=USAGE)
    for aggregate, words in (({"group_by": ["a"]}, b'needs the key "sum"'), ({"sum": ["a"]}, b'needs the key "group_by"'),
                             ({"group_by": ["a"], "sum": ["a"]}, b"stands twice"),
                             ({"group_by": ["count"], "sum": ["a"]}, b"number of records")):
        pipe.settings["sources"][0]["aggregate"] = aggregate
        assert words in sluice("check", pipe.write_config(), check=DENIED).stderr


def test_what_is_no_sum_is_told(pipe):
    """A source that is added up only from some time on."""
    prepare(pipe)
    aggregate = pipe.settings["sources"][0].pop("aggregate")
    pipe.file("a.txt", b"1 2\n")
    pipe.run_once()
    pipe.settings["sources"][0]["aggregate"] = aggregate
    assert b"raised generation" in sluice("totals", pipe.write_config(), check=65).stderr
