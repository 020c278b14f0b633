# SPDX-License-Identifier: Apache-2.0
"""Promise: with `dedupe` one record of each key and window is in the objects, whichever files and lanes hold the others
and whatever kill -9 hits; all other records are all there, and the audit agrees."""
import json

import readers
from collections import Counter
from pipeline import DENIED, OK, sluice

KILLS = 8
WINDOW_S = 3600


def write_pings(pipe, rng, name, count, append=False):
    """Records with few ids, some of them of a kind that is not kept once, over some hours."""
    lines = []
    for _ in range(count):
        second = rng.randrange(4 * WINDOW_S)
        ping = {"t": 1767225600 + second, "id": f"u{rng.randrange(400)}", "kind": rng.choice(["idle", "idle", "main"]),
                "pad": "x" * rng.randrange(60), "n": rng.getrandbits(40)}
        lines.append(json.dumps(ping))
    pipe.file(name, ("\n".join(lines) + "\n").encode(), append=append)


def prepare(pipe):
    pipe.source("ping", "*.json", time={"field": "t", "format": "epoch_s"}, stripe_bytes="64KiB",
                dedupe={"key": ["id"], "when": "kind = 'idle'", "window": "1h"})
    pipe.output(partition="k={kind}", object_bytes="1MiB", block_bytes="64KiB").set(lanes=4)


def assert_kept_once(pipe, generation=1):
    """Every key that any input line has is kept once, as a line that is there; what has none is kept each."""
    wanted, others, lines = Counter(), Counter(), Counter()
    for path in pipe.inputs.iterdir():
        for line in readers.input_lines(path):
            lines[line] += 1
            ping = json.loads(line)
            if ping["kind"] == "idle":
                wanted[ping["id"], ping["t"] // WINDOW_S] = 1
            else:
                others[line] += 1
    kept, found = Counter(), Counter()
    for key, line in readers.records(pipe.out):
        if not key.startswith(f"g{generation}/"):
            continue
        ping = json.loads(line)
        assert lines[line] > 0
        if ping["kind"] == "idle":
            kept[ping["id"], ping["t"] // WINDOW_S] += 1
        else:
            found[line] += 1
    assert kept == wanted
    assert found == others
    return sum(lines.values()) - sum(kept.values()) - sum(found.values())


def test_one_record_of_each_key_and_window_is_kept_whatever_is_killed(pipe, rng):
    prepare(pipe)
    for i in range(4):
        write_pings(pipe, rng, f"{i}.json", 3000)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS * 20
        write_pings(pipe, rng, f"{rounds % 6}.json", 500, append=True)
        with pipe.start("--once") as running:
            # sooner and sooner where it was over already
            try:
                running.process.wait(timeout=rng.random() * 0.6 / (1 + rounds - kills))
            except Exception:
                pass
            kills += running.kill()
    pipe.run_once()
    dropped = assert_kept_once(pipe)
    assert dropped > 1000
    pipe.ask("audit", "--deep", check=OK)
    filtered = sum(json.loads(p.read_text())["filtered"] for p in newest_receipts(pipe))
    assert filtered == dropped


def newest_receipts(pipe):
    newest = {}
    for path in sorted((pipe.out / "_receipts/g1").iterdir()):
        newest[path.name.split("-")[0]] = path
    return newest.values()


def test_a_raised_generation_keeps_its_own(pipe, rng):
    prepare(pipe)
    write_pings(pipe, rng, "a.json", 2000)
    write_pings(pipe, rng, "b.json", 2000)
    pipe.run_once()
    pipe.set(generation=2).run_once()
    assert assert_kept_once(pipe, 1) == assert_kept_once(pipe, 2) > 0


def test_a_ledger_that_was_set_back_or_lost_keeps_what_the_seals_kept(pipe, rng, tmp_path):
    import shutil
    prepare(pipe)
    write_pings(pipe, rng, "a.json", 2000)
    pipe.run_once()
    shutil.copytree(pipe.state, tmp_path / "copy")
    write_pings(pipe, rng, "b.json", 3000)
    pipe.run_once()
    shutil.rmtree(pipe.state)
    shutil.copytree(tmp_path / "copy", pipe.state)
    write_pings(pipe, rng, "c.json", 3000)
    pipe.run_once()
    assert_kept_once(pipe)
    pipe.ask("audit", "--deep", check=OK)


def test_a_configuration_that_cannot_be_kept_is_refused_with_its_place(pipe):
    for source, words in (({"dedupe": {"window": "1h"}}, b'needs the key "key"'),
                          ({"dedupe": {"key": ["a"]}, "time": None}, b"once for each window of a time"),
                          ({"dedupe": {"key": ["a"]}, "time": {"field": "t", "on_error": "partition"}},
                           b"needs every record's time"),
                          ({"dedupe": {"key": ["a"], "when": "a ="}}, b"dedupe.when")):
        pipe.settings["sources"] = []
        pipe.source(**{k: v for k, v in source.items() if v is not None}, time_field=None if "time" in source else "t")
        pipe.output(partition="")
        assert words in sluice("check", pipe.write_config(), check=DENIED).stderr
