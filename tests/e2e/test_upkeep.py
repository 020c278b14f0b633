# SPDX-License-Identifier: Apache-2.0
"""Promise: `sluice gc` removes one earlier generation whole, however often it is killed on the way, and nothing else;
whoever still comes for that generation is told so; and `sluice janitor` finds what was left, and only that."""
import os
import re
import shutil
import subprocess
import time

import pytest

import readers
from pipeline import BINARY, DENIED, make_logs, wait_for

ABSENT = 66
QUEUE = re.compile(r"([0-9a-f]{32})-p(\d+)-(\d{20})")


def tree(folder, *parts):
    """Every file below these parts with its size and time of change."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns)
            for part in parts for p in folder.glob(f"{part}/**/*") if p.is_file()}


def count_files(folder):
    """While others remove them."""
    return sum(len(names) for _, _, names in os.walk(folder))


def generation_files(pipe, number):
    return tree(pipe.out, f"g{number}", f"_rejects/g{number}", f"_receipts/g{number}")


def manifests_and_seals(pipe):
    return {name: at for name, at in tree(pipe.out, "_manifests", "_seals").items() if not name.endswith("removed.json")}


@pytest.fixture
def two(pipe):
    """Generations 1 and 2 of the same input; 2 is configured."""
    path = pipe.inputs / "a.ndjson"
    made = make_logs(path, 4 << 20, errors=0.002, span=6)
    pipe.source().output(partition="dt={time:%Y-%m-%d}/h={time:%H}/m={time:%M}", block_bytes="256KiB")
    pipe.run_once()
    pipe.set(generation=2).run_once()
    return pipe, path, made


def generations(pipe):
    return {g["generation"]: g for g in pipe.ask_json("generations")["generations"]}


def test_generations_tells_each_with_its_figures(two):
    pipe, _, made = two
    found = generations(pipe)
    assert sorted(found) == [1, 2]
    for number, state in ((1, "earlier"), (2, "configured")):
        one = found[number]
        listed = readers.objects(pipe.out, generation=number)
        assert one["state"] == state and one["in_ledger"]
        assert one["objects"] == {"objects": len(listed), "bytes": sum(o["bytes"] for o in listed)}
        assert one["records"] + one["reject_lines"] == made["lines"] and one["reject_lines"] == made["bad"] > 0
        assert one["receipts"] == 1 and one["batches"] > 0
        assert one["stored"]["objects"] == len(generation_files(pipe, number)) - 1
        assert one["orphans"]["objects"] == one["in_progress"]["objects"] == 0
        assert one["from"] < one["to"]
    table = pipe.ask("generations").stdout.decode().splitlines()
    assert len(table) == 3 and "earlier" in table[1] and "configured" in table[2]


def test_a_dry_run_changes_nothing_and_says_what_would_go(two):
    pipe, _, _ = two
    before = tree(pipe.out, ".")
    answer = pipe.ask("gc", "--generation", 1).stdout.decode()
    assert f"would remove {len(readers.objects(pipe.out, generation=1))} objects" in answer and "1 receipts" in answer
    assert tree(pipe.out, ".") == before


@pytest.mark.parametrize("number,code,words", [(2, DENIED, b"the one in use"), (3, DENIED, b"not there yet")])
def test_the_configured_generation_and_higher_ones_are_refused(two, number, code, words):
    pipe, _, _ = two
    before = tree(pipe.out, ".")
    done = pipe.ask("gc", "--generation", number, "--yes", check=code)
    assert words in done.stderr
    assert tree(pipe.out, ".") == before


def test_a_removed_generation_is_gone_and_everybody_is_told(two):
    pipe, path, _ = two
    kept, law = generation_files(pipe, 2), manifests_and_seals(pipe)
    pipe.ask("gc", "--generation", 1, "--yes")
    assert not generation_files(pipe, 1)
    assert generation_files(pipe, 2) == kept and manifests_and_seals(pipe) == law
    assert not (pipe.state / "queue/g1").exists()
    readers.assert_each_line_once(pipe.out, [path], generation=2)
    assert generations(pipe)[1]["state"] == "removed" and not generations(pipe)[1]["in_ledger"]
    pipe.ask("audit", "--deep")
    assert pipe.ask_json("audit", "--generation", 1)["removed"] is True
    pipe.run_once()  # the next start does not look into the queue of what is gone
    assert generation_files(pipe, 2) == kept
    pipe.set(generation=1)
    for command in ("cat", "rejects"):
        assert b"generation 1 was removed" in pipe.ask(command, check=ABSENT).stderr
    assert b"generation 1 was removed" in pipe.run_once(check=DENIED).stderr
    assert not generation_files(pipe, 1)


def test_gc_that_is_killed_over_and_over_ends_and_touches_nothing_else(two):
    pipe, path, _ = two
    kept, law = generation_files(pipe, 2), manifests_and_seals(pipe)
    command = [BINARY, "gc", "--config", str(pipe.write_config()), "--generation", "1", "--yes"]
    killed, left = 0, [count_files(pipe.out / "g1")]
    for attempt in range(1000):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        target = left[-1] - 20 * attempt  # lets it get a little further each time
        if target <= 0:
            process.wait(timeout=60)  # little is left: to the end
        while process.poll() is None and count_files(pipe.out / "g1") >= target:
            time.sleep(0)
        killed += process.poll() is None
        process.kill()
        _, words = process.communicate()
        assert process.returncode in (0, -9), words
        assert generation_files(pipe, 2) == kept and manifests_and_seals(pipe) == law
        left.append(count_files(pipe.out / "g1"))
        if left[-1] < left[0]:
            assert list(pipe.out.glob("_manifests/*/g1/removed.json")), "the tombstone comes before anything goes"
        if process.returncode == 0:
            break
    assert process.returncode == 0 and killed > 0 and not generation_files(pipe, 1)
    assert any(0 < n < left[0] for n in left), "none of the kills was in the middle"
    pipe.ask("audit", "--deep")
    readers.assert_each_line_once(pipe.out, [path], generation=2)
    assert b"nothing to remove" in pipe.ask("janitor").stdout


def test_a_state_folder_from_before_the_removal_is_brought_to_agree(two):
    pipe, path, _ = two
    copy = pipe.folder / "copy"
    shutil.copytree(pipe.state, copy)
    pipe.ask("gc", "--generation", 1, "--yes")
    more = pipe.inputs / "b.ndjson"
    make_logs(more, 1 << 20, seed=2)
    pipe.run_once()
    shutil.rmtree(pipe.state)
    copy.rename(pipe.state)
    pipe.run_once()
    assert not generation_files(pipe, 1)
    readers.assert_each_line_once(pipe.out, [path, more], generation=2)
    pipe.ask("audit", "--deep")
    assert "run gc again" in pipe.ask("generations").stdout.decode()
    pipe.ask("gc", "--generation", 1, "--yes")
    assert not generations(pipe)[1]["in_ledger"] and not (pipe.state / "queue/g1").exists()
    pipe.ask("audit", "--deep")


def put(pipe, key, content=b"?"):
    path = pipe.out / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_janitor_finds_what_a_zombie_put_and_what_nobody_lists_and_nothing_else(two):
    pipe, path, _ = two
    zombie = [readers.objects(pipe.out, generation=1)[0]["key"],
              readers.objects(pipe.out, rejects=True, generation=1)[0]["key"]]
    bytes_of = {key: (pipe.out / key).read_bytes() for key in zombie}
    assert b"nothing to remove" in pipe.ask("janitor").stdout
    pipe.ask("gc", "--generation", 1, "--yes")
    for key in zombie:
        put(pipe, key, bytes_of[key])
    own = readers.objects(pipe.out, generation=2)[0]["key"]
    queue, partition, start = QUEUE.search(own).groups()
    orphans = [*zombie, f"g2/h=9/{queue}-p{partition}-{start}.jsonl.zst", own.replace(".jsonl", "-77.jsonl")]
    alone = [f"g2/h=9/{queue}-p{partition}-{10**19:020}.jsonl.zst",  # behind the chain's end: it may be sealed yet
             f"g2/h=9/{'9' * 32}-p{partition}-{start}.jsonl.zst",    # of another queue
             f"g1/h=9/{'9' * 32}-p{partition}-{start}.jsonl.zst", "g1/notes.txt", "g2/notes.txt", "notes/g1/x"]
    kept = generation_files(pipe, 2)
    for key in orphans[2:] + alone:
        put(pipe, key)
    before = tree(pipe.out, ".")
    listed = pipe.ask("janitor").stdout.decode()
    assert {row.split("\t")[2] for row in listed.splitlines() if "\t" in row} == set(orphans)
    assert tree(pipe.out, ".") == before
    pipe.ask("janitor", "--yes")
    assert not any((pipe.out / key).exists() for key in orphans)
    assert all((pipe.out / key).exists() for key in alone)
    now = generation_files(pipe, 2)
    assert {name: now[name] for name in kept} == kept
    for key in alone:
        (pipe.out / key).unlink()
    shutil.rmtree(pipe.out / "notes")
    pipe.ask("audit", "--deep")
    readers.assert_each_line_once(pipe.out, [path], generation=2)


def test_the_janitor_works_beside_a_run_and_takes_nothing_from_it(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 1 << 20)
    pipe.source().output(partition="h={time:%H}", flush="20ms")
    with pipe.start() as running:
        wait_for("objects", lambda: list(pipe.out.glob("_manifests/*/g1/p*/*.json")))
        for seed in range(2, 8):
            make_logs(path, 1 << 20, seed=seed, append=True)
            assert b"nothing to remove" in pipe.ask("janitor", "--yes").stdout
        done = pipe.ask("gc", "--generation", 1, "--yes", check=DENIED)
        assert done.stderr
        running.drain()
    pipe.run_once()
    pipe.ask("audit", "--deep")
    readers.assert_each_line_once(pipe.out, [path])
