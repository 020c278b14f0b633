# SPDX-License-Identifier: Apache-2.0
"""Promise: blocks that somebody deleted from Kafka before they were in objects are told loudly, and `sluice repair` converts
their lines again, each once; it refuses while the fleet is at work."""
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from fleet import sluice, wait_for
from pipeline import BROKEN, DENIED, OK, make_logs

MEBI = 1 << 20
TOPIC = "fleet.blocks.g1"


def delete_records(fleet, partitions):
    """As an operator's script or a retention would: everything that is there now is gone."""
    admin = AdminClient({"bootstrap.servers": fleet.servers.kafka_at})
    wanted = [TopicPartition(TOPIC, p, -1) for p in range(partitions)]  # -1: up to the end
    for future in admin.delete_records(wanted).values():
        future.result(30)


def converted_and_not_uploaded(fleet):
    """Everything is converted and won; half of it is in objects, the rest only in Kafka."""
    fleet.source().output(partition="h={time:%H}")
    make_logs(fleet.inputs / "0.ndjson", 2 * MEBI, seed=1)
    fleet.init()
    fleet.start_all()
    fleet.until_done()
    for process in fleet.living("uploader"):
        assert process.drain() == 0
    make_logs(fleet.inputs / "1.ndjson", 3 * MEBI, seed=2)
    make_logs(fleet.inputs / "0.ndjson", MEBI, seed=3, append=True)
    size = sum(p.stat().st_size for p in fleet.inputs.iterdir())
    wait_for("everything to be converted",
             lambda: sum(f["done"] for f in (fleet.status() or {"files": []})["files"]) >= size, 120)


def test_blocks_that_were_deleted_are_made_again(fleet):
    converted_and_not_uploaded(fleet)
    done = sluice("repair", fleet.config_path)
    assert done.returncode == DENIED and b"member" in done.stdout + done.stderr, done
    fleet.drain_all()
    delete_records(fleet, 4)
    broken = sluice("uploader", fleet.config_path)
    assert broken.returncode == BROKEN and b"sluice repair" in broken.stderr, broken
    wait_for("the groups to be empty", lambda: sluice("repair", fleet.config_path, "--dry-run").returncode == OK, 60)
    sluice("repair", fleet.config_path, check=OK)
    fleet.start_all()
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()
