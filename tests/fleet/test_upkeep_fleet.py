# SPDX-License-Identifier: Apache-2.0
"""Promise: an earlier generation of a fleet is removed while the fleet runs: its objects, its rows in Redis and its topic
are gone, a process of it is told so, what such a process left is found, and nothing else is touched."""
import json
import subprocess

from fleet import BUCKET, sluice, wait_for
from pipeline import DENIED, OK, make_logs


def generations(fleet):
    done = sluice("generations", "--config", fleet.config_path, "--json", check=OK)
    return {g["generation"]: g for g in json.loads(done.stdout)["generations"]}


def topics(fleet):
    kafka = fleet.servers.kafka
    done = subprocess.run(kafka.java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka.address, "--list"),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=True)
    return set(done.stdout.split())


def listed(fleet, generation):
    return {k: v for part in ("g{}/", "_rejects/g{}/", "_receipts/g{}/")
            for k, v in fleet.list(part.format(generation)).items()}


def test_an_earlier_generation_is_removed_beside_a_running_fleet(fleet):
    fleet.source().output(partition="h={time:%H}")
    for i in range(2):
        make_logs(fleet.inputs / f"{i}.ndjson", 2 << 20, seed=i, errors=0.001)
    fleet.init()
    fleet.start_all()
    fleet.until_done()
    zombie = fleet.start("uploader")  # of generation 1, and still there when that is removed
    wait_for("the zombie at work", lambda: "partition" in zombie.text(), 30)
    zombie.pause()
    for process in fleet.processes[:-1]:
        process.drain()
    late = {key: fleet.servers.s3.client().get(BUCKET, f"{fleet.prefix}/{key}") for key in list(listed(fleet, 1))[:1]}
    fleet.set(generation=2)
    fleet.init()
    fleet.start_all()
    fleet.until_done()
    kept = listed(fleet, 2)
    assert sorted(generations(fleet)) == [1, 2] and kept
    assert b"would remove" in sluice("gc", "--config", fleet.config_path, "--generation", 1, check=OK).stdout
    assert listed(fleet, 1)
    sluice("gc", "--config", fleet.config_path, "--generation", 1, "--yes", check=OK)
    assert not listed(fleet, 1) and listed(fleet, 2) == kept
    wait_for("the topic to go", lambda: "fleet.blocks.g1" not in topics(fleet), 30)
    assert "fleet.blocks.g2" in topics(fleet)
    one = generations(fleet)[1]
    assert one["state"] == "removed" and not one["in_ledger"]
    zombie.resume()
    zombie.kill()
    fleet.set(generation=1).write_config()
    assert b"generation 1 was removed" in sluice("worker", fleet.config_path, check=DENIED).stderr
    fleet.set(generation=2).write_config()
    for key, content in late.items():
        fleet.servers.s3.client().put(BUCKET, f"{fleet.prefix}/{key}", content)
    found = sluice("janitor", "--config", fleet.config_path, "--yes", check=OK).stdout.decode()
    assert {row.split("\t")[2] for row in found.splitlines() if "\t" in row} == set(late), found
    assert not listed(fleet, 1) and listed(fleet, 2) == kept
    fleet.drain_all()
    fleet.assert_audit()
    fleet.assert_each_line_once(generation=2)
