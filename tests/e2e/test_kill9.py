# SPDX-License-Identifier: Apache-2.0
"""Promise: exactly once on one machine, whatever kill -9 hits. At least 30 runs over real input are killed at random
points; then every line is a record or a reject once, and the deep audit agrees. SLUICE_SEED repeats a run's choices."""
import os
import time

import readers
import zstandard
from pipeline import DATA, NO, OK, make_logs

KILLS = 30
MEBI = 1 << 20


def grow(pipe, rng, round_):
    """What a busy host does between two looks: files grow, are rotated, appear; one is the real log."""
    log = pipe.inputs / "app.ndjson"
    make_logs(log, rng.randrange(1, 8 * MEBI), seed=rng.getrandbits(32), errors=0.002, append=True)
    if rng.random() < 0.3:
        log.rename(pipe.inputs / f"app.ndjson.{round_}")
    if rng.random() < 0.3:
        make_logs(pipe.inputs / f"job-{round_}.ndjson", rng.randrange(1, MEBI), seed=rng.getrandbits(32))
    if rng.random() < 0.3:
        with open(DATA / "logs/apache_combined.log.zst", "rb") as source, \
                open(pipe.inputs / f"access-{round_}.log", "wb") as out:
            zstandard.ZstdDecompressor().copy_stream(source, out)


def settle(pipe):
    start = time.monotonic()
    pipe.run_once()
    return time.monotonic() - start


def count_input(pipe):
    """(lines that must be somewhere, as a multiset; access lines) of all input."""
    ndjson = [p for p in pipe.inputs.iterdir() if ".ndjson" in p.name]
    access = sum(1 for p in pipe.inputs.glob("*.log") for _ in readers.input_lines(p))
    return ndjson, access


def assert_all_once(pipe):
    ndjson, access = count_input(pipe)
    expected = sum((readers.multiset(readers.input_lines(p)) for p in ndjson), start=readers.Counter())
    found, from_access = readers.Counter(), 0
    for key, line in readers.records(pipe.out):
        if "/src=app/" in key:
            found[hash(line)] += 1
        else:
            from_access += 1
    for reject in readers.rejects(pipe.out):
        if reject["source"] == "app":
            found[hash(reject["bytes"])] += 1
        else:
            from_access += 1
    assert found == expected, readers.explain(expected, found, (x for p in ndjson for x in readers.input_lines(p)))
    assert from_access == access
    listed = {o["key"] for kind in (False, True) for o in readers.objects(pipe.out, rejects=kind)}
    assert readers.files_on_disk(pipe.out) == listed


def prepare(pipe, form):
    pipe.source("app", "*.ndjson*", stripe_bytes="2MiB").source("web", "*.log", "combined")
    pipe.output(partition="src={source}/h={time:%H}", object_bytes="2MiB", block_bytes="256KiB", format=form)


def kill_many(pipe, rng, start):
    """Kills `start()`ed runs until enough of them were alive when it happened; gives how many rounds that took."""
    grow(pipe, rng, 0)
    whole = settle(pipe)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS * 10, f"only {kills} of {rounds} runs could be killed"
        if rounds % 2:
            grow(pipe, rng, rounds)
        with start() as running:
            # From the first system calls to behind the end of what is usual; squared, for early points are many.
            time.sleep(whole * 1.5 * rng.random() ** 2)
            kills += running.kill()
    return rounds


def test_run_once_survives_thirty_kills_at_random_points(pipe, rng):
    prepare(pipe, "jsonl.zst")
    rounds = kill_many(pipe, rng, lambda: pipe.start("--once"))
    pipe.run_once()
    assert_all_once(pipe)
    pipe.ask("audit", "--deep", check=OK)
    print(f"{KILLS} kills in {rounds} rounds")


def test_a_watching_run_with_gzip_survives_thirty_kills_too(pipe, rng):
    prepare(pipe, "jsonl.gz")
    pipe.output(flush="1s")
    kill_many(pipe, rng, pipe.start)
    pipe.run_once()
    assert_all_once(pipe)
    pipe.ask("audit", "--deep", check=OK)


def test_the_deep_audit_sees_a_changed_byte_in_any_object(pipe, rng):
    """The proof above is worth what the audit can see."""
    prepare(pipe, "jsonl.zst")
    grow(pipe, rng, 0)
    pipe.run_once()
    listed = rng.choice(readers.objects(pipe.out))
    path = pipe.out / listed["key"]
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    os.chmod(path, 0o644)
    path.write_bytes(data)
    done = pipe.ask("audit", "--deep", check=NO)
    assert listed["key"].encode() in done.stdout + done.stderr


def test_the_audit_sees_a_removed_object(pipe, rng):
    prepare(pipe, "jsonl.zst")
    grow(pipe, rng, 0)
    pipe.run_once()
    listed = rng.choice(readers.objects(pipe.out))
    (pipe.out / listed["key"]).unlink()
    done = pipe.ask("audit", check=NO)
    assert listed["key"].encode() in done.stdout + done.stderr
