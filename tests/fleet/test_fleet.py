# SPDX-License-Identifier: Apache-2.0
"""Promise: the same pipeline on Kafka, Redis and S3: every line once, whoever dies, whatever offsets are reset, and with
words where something has to be done first."""
import json
import re
import time
import urllib.error
import urllib.request

import pytest
from fleet import BUCKET, Fleet, Minio, Servers, Versitygw, sluice, wait_for
from pipeline import DENIED, OK, make_logs

MEBI = 1 << 20


def prepare(fleet, files=3, size=3 * MEBI):
    fleet.source().output(partition="h={time:%H}/s={status}")
    for i in range(files):
        make_logs(fleet.inputs / f"{i}.ndjson", size, seed=i, errors=0.001)
    return fleet


@pytest.mark.parametrize("kind", [Versitygw, Minio])
def test_a_fleet_moves_every_line_once_on_either_store(tmp_path, kind):
    with Servers(kind) as servers, Fleet(tmp_path, servers) as fleet:
        prepare(fleet).init()
        fleet.start_all(emitters=2, workers=2, uploaders=2)
        fleet.until_done()
        fleet.assert_each_line_once()
        fleet.drain_all()
        fleet.assert_audit()


@pytest.mark.parametrize("kind", [Versitygw, Minio])
def test_a_bucket_in_the_name_of_the_host_works_as_well(tmp_path, kind):
    """And with few tries, parts one by one and short time-outs, which only cost time."""
    with Servers(kind) as servers, Fleet(tmp_path, servers) as fleet:
        fleet.settings["output"].update({
            "endpoint": servers.s3.host_url, "style": "host", "part_bytes": "5MiB", "object_bytes": "16MiB",
            "parts_parallel": 1, "tries": 2, "connect_timeout": "2s", "stall_timeout": "5s", "request_timeout": "20s"})
        prepare(fleet).init()
        assert "can be written" in sluice("check", fleet.config_path, check=OK).stdout.decode()
        sluice("run", fleet.config_path, "--once", "--quiet", check=OK)
        fleet.assert_each_line_once()
        fleet.assert_audit()


def test_init_says_what_it_does_and_does_it_once(fleet):
    prepare(fleet, files=0)
    said = fleet.init("--dry-run").stdout.decode()
    assert "would be" in said and "nothing was changed" in said and not fleet.list()
    assert sluice("worker", fleet.config_path, check=DENIED).stderr.count(b"sluice init") >= 1
    said = fleet.init().stdout.decode()
    assert "fleet.jobs" in said and "fleet.blocks.g1" in said and "made" in said
    said = fleet.init().stdout.decode()
    assert "done" not in said and "ledger: is there" in said and "the topics are there" in said, said


def test_run_once_is_a_whole_fleet_in_one_process(fleet):
    prepare(fleet).init()
    sluice("run", fleet.config_path, "--once", "--quiet", check=OK)
    fleet.assert_each_line_once()
    fleet.assert_audit()
    sluice("run", fleet.config_path, "--once", "--quiet", check=OK)
    fleet.assert_each_line_once()


def test_receipts_are_told_to_the_topic_of_events(fleet):
    from confluent_kafka import Consumer
    prepare(fleet).init()
    sluice("run", fleet.config_path, "--once", "--quiet", check=OK)
    consumer = Consumer({"bootstrap.servers": fleet.servers.kafka_at, "group.id": "test",
                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["fleet.events"])
    told = {}

    def poll():
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            receipt = json.loads(message.value())
            told[f'_receipts/g1/{receipt["file"]}-{receipt["end"]:020d}.json'] = message.value()
        return len(told) >= 3
    wait_for("three receipts in the topic", poll)
    consumer.close()
    stored = fleet.list("_receipts/")
    assert len(stored) == 3
    client = fleet.servers.s3.client()
    assert sorted(told.values()) == sorted(client.get(BUCKET, f"{fleet.prefix}/{key}") for key in stored)


def test_scaling_up_and_down_under_load_doubles_nothing(fleet):
    """One worker, six, and one again, each for a part of a core only, while files grow."""
    prepare(fleet, files=2, size=4 * MEBI).init()
    fleet.set(lanes=1)
    fleet.start_all(workers=1)
    for wanted in (3, 6, 4, 1):
        while len(fleet.living("worker")) < wanted:
            fleet.start("worker")
        for process in fleet.living("worker")[wanted:]:
            assert process.drain() == 0, process.text()[-2000:]
        for i in range(2):
            make_logs(fleet.inputs / f"{i}.ndjson", 2 * MEBI, seed=wanted * 10 + i, append=True)
            time.sleep(1.5)
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()


@pytest.mark.parametrize("away", ["kafka", "redis", "s3"])
def test_a_long_outage_costs_no_line_and_readyz_says_what_is_missing(fleet, away):
    fleet.set(http={"listen": "127.0.0.1:0"})
    prepare(fleet, files=1).init()
    processes = fleet.start_all(workers=1)
    fleet.until_done()
    server = fleet.servers.by_name(away)
    server.kill()
    make_logs(fleet.inputs / "later.ndjson", 3 * MEBI, seed=99)
    uploader = processes[-1]
    port = wait_for("the port", lambda: re.search(r"port=(\d+)", uploader.text())).group(1)

    def not_ready():
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        except urllib.error.HTTPError as error:
            return error.code == 503 and error.read()
        return None
    told = wait_for("readyz to say it", not_ready, 60)
    assert b"services" in told or b"start" in told, told
    assert all(process.alive for process in processes), fleet.logs()
    server.start()
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()


def test_a_permanent_error_ends_with_its_own_exit_code(fleet):
    prepare(fleet, files=1).init()
    fleet.settings["output"]["secret_key"] = "wrong"
    fleet.write_config()
    done = sluice("uploader", fleet.config_path, check=DENIED)
    assert b"wrong" not in done.stderr and BUCKET.encode() in done.stderr, done.stderr
    fleet.settings["output"]["url"] = "s3://no-such-bucket/x"
    fleet.settings["output"]["secret_key"] = fleet.servers.s3.secret
    fleet.write_config()
    assert b"no-such-bucket" in sluice("uploader", fleet.config_path, check=DENIED).stderr


def test_only_uploaders_of_the_newest_generation_recover_a_ledger(fleet):
    """One of an earlier generation knows nothing of the newer chains, whose uploaders may hold verdicts still."""
    prepare(fleet, files=1).init()
    fleet.start_all(workers=1)
    fleet.until_done()
    old = fleet.living("uploader")[0]
    fleet.settings["generation"] = 2
    fleet.init()
    fleet.servers.redis.kill()
    fleet.servers.redis.start()
    wait_for("the old uploader to say whose it is",
             lambda: "has to be recovered by an uploader of generation 2" in old.text())
    assert "the ledger is recovered" not in old.text()
    for process in fleet.living("emitter") + fleet.living("worker"):  # it would take jobs that are not for it
        assert process.drain() == 0, process.text()[-2000:]
    fleet.start_all(workers=1)
    fleet.until_done()
    fleet.assert_each_line_once(generation=2)
    assert "the ledger is recovered" in fleet.living("uploader")[-1].text() and "the ledger is recovered" not in old.text()
    fleet.drain_all()
    fleet.assert_audit()
