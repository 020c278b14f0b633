# SPDX-License-Identifier: Apache-2.0
"""Promise: the workers of a fleet keep one record of each key and window between them, also when they are killed and
when Redis is emptied and made again from the seals."""
import json
import time
from collections import Counter

import readers
from pipeline import make_logs

MEBI = 1 << 20


def key_of(line):
    record = json.loads(line)
    return record["status"], record["path"], record["time"][:10]


def test_workers_keep_one_record_of_each_key_between_them(fleet):
    fleet.source(dedupe={"key": ["status", "path"], "window": "1d"}, stripe_bytes="256KiB")
    fleet.output(partition="s={status}")
    for i in range(3):
        make_logs(fleet.inputs / f"{i}.ndjson", MEBI, seed=i)
    fleet.init()
    fleet.start_all(workers=3)
    for _ in range(2):
        time.sleep(0.5)
        fleet.living("worker")[0].kill()
        fleet.start("worker")
    fleet.until_done()
    assert fleet.servers.redis.ask("FLUSHALL") == b"+OK\r\n"
    make_logs(fleet.inputs / "late.ndjson", MEBI, seed=7)
    fleet.until_done()
    fleet.drain_all()
    wanted = {key_of(line) for path in fleet.inputs.iterdir() for line in readers.input_lines(path)}
    kept = Counter(key_of(line) for _, line in readers.records(fleet.mirror()))
    assert set(kept) == wanted and set(kept.values()) == {1}
    fleet.assert_audit()
