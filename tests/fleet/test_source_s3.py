# SPDX-License-Identifier: Apache-2.0
"""Promise: every line of the objects that paths of s3:// name is a record exactly once: a large object in parallel stripes,
thousands of keys in pages, keys that come late, objects that are replaced while they are read, a server that fails or is
cut off, a process that is killed; and what is done with inputs afterwards is done with the very object that was read."""
import gzip
import json
import random
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import readers
from fleet import BUCKET, Fleet, Minio, Servers, Toxiproxy, Versitygw
from pipeline import DENIED, OK, Pipeline, make_logs, sluice, wait_for

MEBI = 1 << 20
BOTH = pytest.mark.parametrize("server", [Versitygw, Minio], indirect=True)


@pytest.fixture
def server(request):
    with request.param() as running:
        running.client().make_bucket("inputs")
        yield running


@pytest.fixture
def proxy(server):
    with Toxiproxy() as toxiproxy:
        toxiproxy.url = f"http://127.0.0.1:{toxiproxy.proxy('s3', server.address)}"
        yield toxiproxy


def way(server, url=None):
    return {"endpoint": url or server.url, "region": server.region, "access_key": server.access,
            "secret_key": server.secret}


def raw_source(pipe, server, *keys, url=None, name="objects", **more):
    """A source of lines as they are."""
    pipe.settings["sources"].append({"name": name, "paths": [f"s3://inputs/{key}" for key in keys], "converter": "raw",
                                     "s3": way(server, url), **more})
    return pipe


@pytest.fixture
def bucket_pipe(tmp_path):
    return Pipeline(tmp_path).output(partition="", flush="300ms").set(lanes=4, rescan="300ms")


def text(seed, size):
    """Lines of many lengths that are all different; the last one has no end."""
    rng, lines, total = random.Random(seed), [], 0
    while total < size:
        lines.append(f"{seed} {len(lines)} {'x' * rng.choice((0, 7, 80, 400))}")
        total += len(lines[-1]) + 1
    return "\n".join(lines).encode()


def put_all(client, objects):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: client.put("inputs", *item), objects.items()))


def assert_once(out, contents):
    expected = Counter(line for content in contents for line in content.split(b"\n") if line.strip())
    found = Counter(readers.lines(out))
    assert found == expected, readers.explain(expected, found, list(expected | found))


def receipts(out):
    return [json.loads(p.read_bytes()) for p in Path(out).glob("_receipts/**/*.json")]


@BOTH
def test_objects_are_read_once_and_a_large_one_in_parallel_stripes(bucket_pipe, server):
    objects = {"logs/large.log": text(1, 21 * MEBI), "logs/a b=c/+é.log": text(2, 3000), "logs/empty.log": b"",
               "logs/one.log": b"no end", "logs/deep/er/x.log": text(3, 100_000), "logs/not.txt": b"not asked for\n"}
    put_all(server.client(), objects)
    raw_source(bucket_pipe, server, "logs/**/*.log", stripe_bytes="1MiB", exclude=["deep"])
    bucket_pipe.run_once()
    del objects["logs/not.txt"], objects["logs/deep/er/x.log"]
    assert_once(bucket_pipe.out, objects.values())
    found = receipts(bucket_pipe.out)
    assert sorted(r["uri"] for r in found) == ["s3://inputs/logs/a%20b=c/+%C3%A9.log", "s3://inputs/logs/empty.log",
                                               "s3://inputs/logs/large.log", "s3://inputs/logs/one.log"]
    assert {r["end"] for r in found} == {len(content) for content in objects.values()}
    bucket_pipe.ask("audit", "--deep")
    before = sorted(readers.files_on_disk(bucket_pipe.out))
    bucket_pipe.run_once()
    assert sorted(readers.files_on_disk(bucket_pipe.out)) == before
    assert not [p for p in bucket_pipe.folder.rglob("*") if p.is_file() and p.name.endswith(".log") and p.name != "run.log"]


@BOTH
def test_thousands_of_keys_and_those_that_come_late(bucket_pipe, server):
    client = server.client()
    objects = {f"many/{i:05}.log": f"line {i}\n".encode() for i in range(2300)}
    put_all(client, objects)
    raw_source(bucket_pipe, server, "many/*.log")
    with bucket_pipe.start() as running:
        wait_for("all first objects", lambda: len(receipts_of(bucket_pipe)) >= len(objects), 90)
        late = {"many/+before all.log": b"late 1\nlate 2", "many/00000x.log": b"late 3\n", "many/99999.log": b"late 4\n"}
        put_all(client, late)
        objects |= late
        wait_for("late ones", lambda: len(receipts_of(bucket_pipe)) >= len(objects), 90)
        running.drain()
    assert_once(bucket_pipe.out, objects.values())
    bucket_pipe.ask("audit", "--deep")


def receipts_of(pipe):
    time.sleep(0.2)
    return list(Path(pipe.out).glob("_receipts/**/*.json"))


@BOTH
def test_an_object_that_is_replaced_is_another_file(bucket_pipe, server, proxy):
    """Of the one before a beginning is there, and nothing twice; of the one behind everything."""
    client = server.client()
    old, new = text(10, 12 * MEBI), text(11, 3 * MEBI)
    client.put("inputs", "a.log", old)
    slow = proxy.toxic("s3", "bandwidth", rate=3000)
    raw_source(bucket_pipe, server, "*.log", url=proxy.url, stripe_bytes="1MiB", rotated_after="1s")
    with bucket_pipe.start() as running:
        wait_for("a part of it", lambda: readers.lines(bucket_pipe.out) or time.sleep(0.2), 60)
        client.put("inputs", "a.log", new)
        proxy.heal("s3", slow)
        wait_for("the new one's receipt", lambda: any(r["end"] == len(new) for r in receipts(bucket_pipe.out)) or time.sleep(0.2), 60)
        wait_for("the old one's end", lambda: "file vanished before it was read" in running.text(), 60)
        running.drain()
    found = Counter(readers.lines(bucket_pipe.out))
    assert max(found.values()) == 1
    lines = set(found)
    assert set(new.split(b"\n")) <= lines
    rest = lines - set(new.split(b"\n"))
    assert rest < set(old.split(b"\n"))  # whole lines of the old one, and not all of them
    bucket_pipe.ask("audit", "--deep")


@BOTH
def test_what_is_durable_is_deleted_or_tagged_and_nothing_else(bucket_pipe, server):
    client = server.client()
    put_all(client, {"del/a.log": b"1\n2\n", "del/b.log": b"3\n", "tag/a.log": b"4\n", "keep/a.log": b"5\n"})
    own = b"<Tagging><TagSet><Tag><Key>team</Key><Value>x y</Value></Tag></TagSet></Tagging>"
    client.must("PUT", "/inputs/tag/a.log", [("tagging", "")], own)
    raw_source(bucket_pipe, server, "del/*.log", name="d", after_durable="delete")
    raw_source(bucket_pipe, server, "tag/*.log", name="t", after_durable="tag:by=sluice")
    raw_source(bucket_pipe, server, "keep/*.log", name="k")
    bucket_pipe.run_once()
    assert sorted(client.list("inputs")) == ["keep/a.log", "tag/a.log"]
    tags = client.must("GET", "/inputs/tag/a.log", [("tagging", "")])
    assert b"<Key>team</Key><Value>x y</Value>" in tags and b"<Key>by</Key><Value>sluice</Value>" in tags
    put_all(client, {"del/a.log": b"6\n"})  # under an old name, another file
    bucket_pipe.run_once()
    assert sorted(client.list("inputs")) == ["keep/a.log", "tag/a.log"]
    assert sorted(readers.lines(bucket_pipe.out)) == [b"1", b"2", b"3", b"4", b"5", b"6"]


@pytest.mark.parametrize("server", [Minio], indirect=True)
def test_of_a_bucket_with_versions_exactly_the_one_that_was_read_is_deleted(bucket_pipe, server):
    client = server.client()
    client.must("PUT", "/inputs", [("versioning", "")], b"<VersioningConfiguration><Status>Enabled</Status>"
                                                        b"</VersioningConfiguration>")
    for content in (b"first\n", b"second\n"):
        client.put("inputs", "a.log", content)
    raw_source(bucket_pipe, server, "*.log", after_durable="delete")
    bucket_pipe.run_once()
    assert client.get("inputs", "a.log") == b"first\n"  # what it had replaced is there again, and a file of its own
    bucket_pipe.run_once()
    assert not client.list("inputs")
    assert sorted(readers.lines(bucket_pipe.out)) == [b"first", b"second"]


@BOTH
def test_a_bucket_that_is_not_there_or_not_ours_is_an_error_of_the_configuration(bucket_pipe, server):
    raw_source(bucket_pipe, server, "*.log")
    source = bucket_pipe.settings["sources"][0]
    source["paths"] = ["s3://there-is-none/*.log"]
    for command in (("run", "--once"), ("check",)):
        said = sluice(command[0], bucket_pipe.write_config(), *command[1:], check=DENIED).stderr.decode()
        assert "there is no such bucket" in said and "there-is-none" in said
        assert command[0] == "check" or "sources[0].paths[0]" in said
    source["paths"] = ["s3://inputs/*.log"]
    server.client().put("inputs", "a.log", b"x\n")
    assert b"1 files, 2 bytes" in sluice("check", bucket_pipe.write_config(), check=OK).stdout
    source["s3"]["secret_key"] = "another-secret"
    said = sluice("run", bucket_pipe.write_config(), "--once", check=DENIED).stderr.decode()
    assert "secret key" in said and "another-secret" not in said


@BOTH
def test_a_server_that_is_away_is_waited_for_and_files_go_on_meanwhile(bucket_pipe, server, proxy):
    content = text(20, 6 * MEBI)
    server.client().put("inputs", "a.log", content)
    raw_source(bucket_pipe, server, "*.log", url=proxy.url, stripe_bytes="1MiB")
    bucket_pipe.settings["sources"].append({"name": "files", "paths": [str(bucket_pipe.inputs / "*.log")],
                                            "converter": "raw", "close_after": "200ms"})
    bucket_pipe.file("local.log", b"local\n")
    proxy.enable("s3", False)
    with bucket_pipe.start() as running:
        wait_for("the file beside it", lambda: any(r["uri"].endswith("local.log") for r in receipts(bucket_pipe.out)) or time.sleep(0.2), 60)
        proxy.enable("s3", True)
        for _ in range(4):
            toxic = proxy.toxic("s3", random.choice(["reset_peer", "limit_data"]), timeout=50, bytes=700_000)
            time.sleep(0.4)
            proxy.heal("s3", toxic)
        wait_for("the object", lambda: any(r["end"] == len(content) for r in receipts(bucket_pipe.out))
                 or time.sleep(0.2), 90)
        running.drain()
    assert_once(bucket_pipe.out, [content, b"local"])


@BOTH
def test_kill_9_again_and_again(bucket_pipe, server, proxy):
    rng = random.Random(5)
    objects = {"large.log": text(30, 14 * MEBI)} | {f"s{i}.log": text(100 + i, 2000 * i) for i in range(40)}
    put_all(server.client(), objects)
    proxy.toxic("s3", "bandwidth", rate=3_000)
    raw_source(bucket_pipe, server, "*.log", url=proxy.url, stripe_bytes="1MiB")
    killed = 0
    for _ in range(7):
        with bucket_pipe.start("--once") as running:
            time.sleep(rng.uniform(0.2, 0.8))
            killed += running.kill()
    assert killed > 2
    bucket_pipe.run_once()
    assert_once(bucket_pipe.out, objects.values())
    bucket_pipe.ask("audit", "--deep")


def test_a_fleet_reads_a_bucket_and_its_processes_are_killed(tmp_path):
    with Servers() as servers, Fleet(tmp_path, servers) as fleet:
        client = servers.s3.client()
        client.make_bucket("inputs")
        objects = {"a/large.log": text(40, 16 * MEBI)} | {f"a/{i}.log": text(200 + i, 30_000) for i in range(60)}
        put_all(client, objects)
        raw_source(fleet, servers.s3, "a/*.log", stripe_bytes="2MiB").output(partition="")
        fleet.init()
        fleet.start_all(emitters=2, workers=2)
        for i in range(4):
            time.sleep(1.5)
            victim = random.choice(fleet.living("worker") + fleet.living("emitter"))
            victim.kill()
            fleet.start(victim.role)
        late = {"a/+late.log": text(300, 50_000)}
        put_all(client, late)
        objects |= late
        wait_for("every object's receipt", lambda: sum(k.endswith(".json") for k in fleet.list("_receipts/")) >= len(objects)
                 or time.sleep(1), 150)
        fleet.drain_all()
        assert_once(fleet.mirror(), objects.values())
        fleet.assert_audit()


@pytest.mark.parametrize("server", [Versitygw], indirect=True)
def test_compressed_objects_are_read_as_their_texts(bucket_pipe, server):
    """By the ends of their keys; damaged and cut ones up to there. A second run looks into none of them again."""
    content, cut = text(1, 3 * MEBI), gzip.compress(text(2, MEBI))
    put_all(server.client(), {"a.log.gz": gzip.compress(content[:MEBI]) + gzip.compress(content[MEBI:]), "b.log": text(3, 1000),
                              "c.log.gz": cut[:len(cut) // 2], "d.gz": b"no such file\n"})
    raw_source(bucket_pipe, server, "*").run_once()
    found = set(readers.lines(bucket_pipe.out))
    assert set(content.split(b"\n")) | set(text(3, 1000).split(b"\n")) | {b"no such file"} <= found
    assert [r["reason"] for r in readers.rejects(bucket_pipe.out)] == ["damaged"]
    count = len(readers.lines(bucket_pipe.out))
    bucket_pipe.run_once()
    assert len(readers.lines(bucket_pipe.out)) == count == len(found)
    bucket_pipe.ask("audit", "--deep", check=OK)
